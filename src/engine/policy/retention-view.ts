// SPDX-License-Identifier: Apache-2.0
// Schedules, trigger events and due dates as they stand; runs on reader threads.
import type { OperationOutput } from '../../shared/contract/contract.ts'
import type { KeptRecordView } from '../../shared/contract/retention.ts'
import type { LeafData } from '../../shared/evidence/leaf-data.ts'
import {
  FLOOR_DAYS,
  type HappenedEvent,
  keptText,
  keptUntil,
  type RetentionSchedule,
  type ScheduleVersion
} from '../../shared/policy/retention.ts'
import { bodyOf } from '../catalog/project-event.ts'
import { isoMs } from '../catalog/rows.ts'
import type { ReaderContext } from '../threads/reader-context.ts'
import { holdsOn } from './holds.ts'
import { subjectsOf } from './record-subjects.ts'

interface StoredRetention {
  readonly seq: number
  readonly time_us: number
  readonly actor: string
  readonly data: string
}

const rowsOf = ({ catalog }: ReaderContext, what: 'schedule' | 'event'): StoredRetention[] =>
  catalog.prepare<[string], StoredRetention>('SELECT seq, time_us, actor, data FROM retention WHERE what = ? ORDER BY seq').all(what)

/** All schedules, oldest first. */
export const schedulesOf = (context: ReaderContext): ScheduleVersion[] =>
  rowsOf(context, 'schedule').map(({ seq, data }) => {
    const { rules, classes } = bodyOf(context.payloads, seq) as unknown as RetentionSchedule
    return { seq, existing: (JSON.parse(data) as { existing: boolean }).existing, rules, classes }
  })

/** All trigger events, oldest first. */
export const happenedOf = (context: ReaderContext): HappenedEvent[] =>
  rowsOf(context, 'event').map(({ seq, data }) => {
    const { event, scope, at_us } = JSON.parse(data) as Extract<LeafData<'retention.set'>, { what: 'event' }>
    return { event, scope, at_us, value: String(bodyOf(context.payloads, seq).value ?? '') }
  })

interface StoredKept {
  readonly seq: number
  readonly class: string
  readonly source: string
  readonly time_us: number
  readonly appended_us: number
}

/** Until when some records are kept, why, and what holds them; leaves that are no calls are left out. */
export function keptOf(context: ReaderContext, seqs: readonly number[]): KeptRecordView[] {
  const versions = schedulesOf(context)
  const events = happenedOf(context)
  const holds = holdsOn(context, seqs)
  const find = context.catalog.prepare<[number, number], StoredKept>(`
SELECT seq, class, source, time_us, appended_us FROM record WHERE seq = ?
UNION ALL
SELECT seq, class, source, time_us, appended_us FROM aside WHERE seq = ?`)
  const bySubject = events.some((event) => event.scope === 'subject')
  return seqs.flatMap((seq) => {
    const row = find.get(seq, seq)
    if (!row) return []
    const subjects = bySubject ? subjectsOf(context, seq) : []
    const kept = keptUntil({ ...row, subjects, start_us: row.time_us }, versions, events)
    return [
      {
        seq,
        class: row.class,
        until: kept.until_us === null ? null : isoMs(kept.until_us),
        text: keptText(kept),
        holds: holds.filter((hold) => hold.seqs.includes(seq)).map(({ id, seq: at, matter }) => ({ id, seq: at, matter }))
      }
    ]
  })
}

/** The schedule as the view shows it. */
export function retentionView(context: ReaderContext): OperationOutput<'retention.get'> {
  const versions = schedulesOf(context)
  const events = happenedOf(context)
  const present = versions.at(-1)
  const text = (value: unknown): string => (typeof value === 'string' ? value : '')
  const classes = context.catalog
    .prepare<[], { class: string; records: number; oldest: number }>(
      'SELECT class, count(*) AS records, min(seq) AS oldest FROM record GROUP BY class ORDER BY class'
    )
    .all()
  return {
    rules: [...(present?.rules ?? [])],
    classes: [...(present?.classes ?? [])],
    seq: present?.seq ?? null,
    history: rowsOf(context, 'schedule')
      .map(({ seq, time_us, actor, data }) => {
        const { rules, existing } = JSON.parse(data) as Extract<LeafData<'retention.set'>, { what: 'schedule' }>
        return { seq, time: isoMs(time_us), actor, rules, existing, reason: text(bodyOf(context.payloads, seq).reason) }
      })
      .reverse(),
    events: rowsOf(context, 'event')
      .map(({ seq, time_us, actor }, i) => {
        const happened = events[i] as HappenedEvent
        const { event, scope, value, at_us } = happened
        return { seq, time: isoMs(time_us), actor, event, scope, value, at: isoMs(at_us) }
      })
      .reverse(),
    classes_on_record: classes.map((row) => {
      const [oldest] = keptOf(context, [row.oldest])
      const time = context.catalog.prepare<[number], number>('SELECT appended_us FROM record WHERE seq = ?').pluck().get(row.oldest) ?? 0
      return { class: row.class, records: row.records, oldest: isoMs(time), due: oldest?.until ?? null, text: oldest?.text ?? '' }
    }),
    floor_days: FLOOR_DAYS
  }
}
