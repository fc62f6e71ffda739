// SPDX-License-Identifier: Apache-2.0
import type { DriftLook } from '../../shared/contract/drift.ts'
import { AffidavitError } from '../../shared/contract/errors.ts'
import type { Settings } from '../../shared/contract/workspace.ts'
import type { FilterExpression } from '../../shared/filter/filter.ts'
import type { Caller } from '../handlers.ts'
import type { AppendResult, LeafDraft } from '../ledger/draft.ts'
import type { Projector } from '../threads/projector.ts'
import type { ReaderPool } from '../threads/reader-pool.ts'
import type { Alerts } from './alerts.ts'
import type { Latched } from './history.ts'
import { type Alarm, type JudgedLook, type LookTrigger, lookDraft, settingsBody } from './look.ts'
import { keyOf, type SeriesName } from './plans.ts'

export interface LookDeps {
  readonly pool: ReaderPool
  readonly projector: Projector
  readonly append: (drafts: readonly LeafDraft[]) => Promise<readonly AppendResult[]>
  /** Copies the write-ahead log of the ledger into its database, on another thread than the writer's. */
  readonly drain: () => Promise<void>
  readonly settings: () => Settings
  readonly alerts: Alerts
  /** The size of the ledger, once the catalog shows all of it. @throws AffidavitError busy */
  readonly settled: () => Promise<number>
  readonly now: () => Date
}

/** Looks: judged on a reader thread, recorded here, one at a time. */
export interface Looks {
  /** @throws AffidavitError busy, nothing_selected */
  byPerson(caller: Caller, filter: FilterExpression): Promise<DriftLook>
  /** Null, and no leaf, when there is no reference or nothing new to judge. */
  bySchedule(caller: Caller): Promise<DriftLook | null>
  /** Looks at the series that gathered enough new requests; null when none did. */
  byCount(caller: Caller): Promise<DriftLook | null>
  /** Opens the alerts of a look that ended between its own leaf and theirs. */
  finishLast(caller: Caller): Promise<void>
  /** Puts another baseline of a series on record: a look under way does not count against the one before. */
  replacing<T>(series: SeriesName, write: () => Promise<T>): Promise<T>
}

const HOUR_US = 3_600_000_000
/** Looks made one after another because a baseline was pinned while the one before was judged. */
const ATTEMPTS = 3
const REPLACED = Symbol('replaced')
const NO_FILTER: FilterExpression = { terms: [] }

/** Looks of one workspace. */
export function driftLooks(deps: LookDeps): Looks {
  const { pool, projector, settled, alerts } = deps
  let looking = false
  let finishing: Promise<void> = Promise.resolve()
  /** By these settings, records at which a series can have reached its count at the earliest. */
  let counted: { readonly settings: Settings; readonly from: number } | undefined
  /** Series whose baselines are being written now, and those whose were since the look under way began. */
  const replacing = new Set<SeriesName>()
  let replaced = new Set<string>()
  const nowUs = (): number => deps.now().getTime() * 1000
  const cooldownUs = (): number => deps.settings().cooldown_hours * HOUR_US
  /** One look at a time: alerts are latched against what is on record, so two at once could open two. */
  const exclusively = async <T>(work: () => Promise<T>): Promise<T> => {
    if (looking) throw new AffidavitError('busy', 'another look is under way')
    looking = true
    try {
      return await work()
    } finally {
      looking = false
    }
  }
  const finish = async (caller: Caller): Promise<void> => {
    await settled()
    for (const alarm of await pool.run('missingAlerts', { cooldownUs: cooldownUs() })) await alerts.open([alarm], alarm.look, caller.actor)
  }
  const examine = async (
    caller: Caller,
    trigger: LookTrigger,
    filter: FilterExpression,
    only?: readonly SeriesName[]
  ): Promise<JudgedLook> => {
    // What the start of the engine finishes is finished here too; its failure is the starter's to report.
    await finishing.catch(() => {})
    await finish(caller)
    replaced = new Set([...replacing].map(keyOf))
    await settled()
    const settings = deps.settings()
    const firstHours = Math.max(1, Math.ceil((settings.look_every_minutes || 60) / 60))
    const common = { trigger, filter, settings: settingsBody(settings), reference: reference(), firstHours, nowUs: nowUs() }
    return pool.run('judgeLook', only ? { ...common, only } : common, { signal: caller.signal })
  }
  /** `REPLACED`, and nothing on record, when one of the series got another baseline while it was judged. */
  const record = async (caller: Caller, trigger: LookTrigger, judged: JudgedLook): Promise<DriftLook | typeof REPLACED> => {
    const episode = ({ model, source, baseline }: Latched | Alarm): string => JSON.stringify([model, source, baseline])
    // A look is megabytes: with the log copied before, on a reader thread, the commit does not stop to copy it.
    const [episodes] = await Promise.all([
      pool.run('latchedEpisodes', { nowUs: nowUs(), cooldownUs: cooldownUs() }),
      deps.drain().catch(() => {})
    ])
    const latched = new Set(episodes.map(episode))
    // Until here nothing is on record: whoever cancels while the last tests run has cancelled all of it.
    if (caller.signal?.aborted) throw new AffidavitError('cancelled', 'cancelled')
    if (judged.figures.series.some((one) => replaced.has(keyOf(one)))) return REPLACED
    const { draft, id } = lookDraft(judged, caller.actor, trigger)
    const [written] = await deps.append([draft])
    if (!written) throw new AffidavitError('read_only', 'the workspace is open read-only')
    const fresh = judged.alarms.filter((alarm) => !latched.has(episode(alarm)) && !replaced.has(keyOf(alarm)))
    const opened = await alerts.open(fresh, written.seq, caller.actor)
    await projector.waitFor(written.seq + 1, 2_000)
    const leaf = await pool.run('leafData', { seq: written.seq })
    return { seq: written.seq, id, time: leaf?.ts ?? deps.now().toISOString(), trigger, ...judged.figures, opened }
  }
  /** Makes a look again during which a baseline was replaced. */
  const current = async <T>(look: () => Promise<T | typeof REPLACED>): Promise<T> => {
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const done = await look()
      if (done !== REPLACED) return done
    }
    throw new AffidavitError('busy', 'baselines were pinned while this was judged: look again')
  }
  const reference = () => {
    const { reference, reference_days } = deps.settings()
    return { reference, reference_days }
  }

  return {
    byPerson: (caller, filter) => exclusively(() => current(async () => record(caller, 'person', await examine(caller, 'person', filter)))),
    bySchedule: (caller) =>
      exclusively(async () => {
        await settled()
        const fromSeq = (await pool.run('lastLook', { trigger: 'schedule' }))?.to_seq ?? 0
        if (!(await pool.run('anythingNew', { reference: reference(), fromSeq }))) return null
        return current(async () => {
          const judged = await examine(caller, 'schedule', NO_FILTER)
          return judged.records === 0 ? null : record(caller, 'schedule', judged)
        })
      }),
    byCount: (caller) =>
      exclusively(async () => {
        const settings = deps.settings()
        const { look_every_records, min_current } = settings
        if (look_every_records === 0 || (counted?.settings === settings && projector.records < counted.from)) return null
        // Fewer than a test needs would be looked at in vain.
        const least = Math.max(look_every_records, min_current)
        const records = projector.records
        const { due, most } = await pool.run('dueSeries', { reference: reference(), least })
        counted = { settings, from: records + Math.max(1, least - most) }
        if (due.length === 0) return null
        return current(async () => {
          const judged = await examine(caller, 'count', NO_FILTER, due)
          if (judged.records === 0) return null
          counted = undefined
          return record(caller, 'count', judged)
        })
      }),
    finishLast: (caller) => {
      if (!looking) finishing = finish(caller)
      return finishing
    },
    replacing: async (series, write) => {
      replacing.add(series)
      replaced.add(keyOf(series))
      try {
        return await write()
      } finally {
        replacing.delete(series)
      }
    }
  }
}
