// SPDX-License-Identifier: Apache-2.0
// A sample workspace: a ledger of its own, filled once, of which every leaf says so. What is opened later is the ordinary engine.
import { existsSync } from 'node:fs'
import { AffidavitError } from '../../shared/contract/errors.ts'
import type { EngineStart } from '../../shared/contract/wire.ts'
import { DEFAULT_CLASS } from '../../shared/policy/retention.ts'
import { draftOf } from '../capture/call-draft.ts'
import type { EngineEnvironment } from '../config.ts'
import { alertDraft, lookDraft } from '../drift/look.ts'
import { bodyPart } from '../ledger/body-part.ts'
import type { LeafDraft } from '../ledger/draft.ts'
import { GROUP_LEAVES, type Ledger } from '../ledger/ledger.ts'
import type { OsKeyStore } from '../vault/key-file.ts'
import { requireStateFolder, workspacePaths } from '../workspace/paths.ts'
import { openWorkspace } from '../workspace/workspace.ts'
import { sampleLook } from './alerts.ts'
import { type Dice, dice } from './dice.ts'
import { sampleEvents } from './records.ts'

const ALERTS = 247
const RECORDS = 200
const WEEK_MS = 7 * 86_400_000
/** Any number gives the same kind of sample; this one is kept so that it is the same sample. */
const SEED = 20_260_401
const ENGINE = { ref: 'engine', kind: 'system' } as const
const CLIENT = { ref: 'sample', kind: 'service' } as const
const PERSON = { ref: 'sample-reviewer', kind: 'human' } as const
const notes = [
  'The provider announced a new version; expected.',
  'Checked with the team: a longer prompt since this week.',
  'Known: the batch of the month end.',
  'Seen, watched for another week.'
] as const

/** One thing that happened, at a time in milliseconds. */
interface Happening {
  readonly at: number
  readonly record?: LeafDraft
  /** Score that an alert opens with. */
  readonly score?: number
  /** Milliseconds until a person has seen the alert; null while nobody has. */
  readonly seenAfter?: number | null
}

function recordHappenings(roll: Dice, records: number, now: number): Happening[] {
  return sampleEvents(roll, records, now * 1000).flatMap(({ atUs, event }, i): Happening[] => {
    const draft = draftOf({ line: i + 1, event, sourceKey: null }, { channel: 'http', actor: CLIENT }, () => DEFAULT_CLASS)
    return 'code' in draft ? [] : [{ at: Math.ceil(atUs / 1000), record: draft }]
  })
}

function alertHappenings(roll: Dice, now: number): Happening[] {
  return Array.from({ length: ALERTS }, (): Happening => {
    const at = now - Math.floor(roll.next() * (WEEK_MS - 3_600_000)) - 60_000
    const seen = roll.below(4) === 0 ? 60_000 + roll.below(20 * 3_600_000) : null
    return { at, score: 0.05 + 0.9 * roll.next(), seenAfter: seen !== null && at + seen < now ? seen : null }
  })
}

/**
 * Makes a sample workspace: 200 records and 247 drift alerts of the week before `now`, or the given number of records and no alerts. The same
 * content for the same `now`; keys, ids and openings are random, as they must be.
 * @throws AffidavitError conflict: the folder holds a workspace already; those of opening one
 */
export async function fillSample(
  config: EngineStart['config'],
  { records, now }: NonNullable<EngineStart['config']['sample']>,
  environment: EngineEnvironment,
  store: OsKeyStore | null
): Promise<void> {
  const paths = workspacePaths(config.workspace)
  if (existsSync(paths.description) || existsSync(paths.ledger))
    throw new AffidavitError('conflict', 'the folder holds a workspace already; a sample is a workspace of its own: name a new folder')
  requireStateFolder(config.state)
  let clock = now - WEEK_MS
  const workspace = await openWorkspace({ ...config, sample: { records, now } }, environment, store, () => clock)
  try {
    const { ledger } = workspace
    if (!ledger) throw new AffidavitError('internal', 'a new workspace cannot be written')
    const roll = dice(SEED)
    const happenings = [...recordHappenings(roll, records ?? RECORDS, now), ...(records === null ? alertHappenings(roll, now) : [])].sort(
      (a, b) => a.at - b.at
    )
    await play(ledger, happenings, roll, (at) => {
      clock = Math.max(clock, at)
    })
  } finally {
    await workspace.ledger?.close()
    workspace.close()
  }
}

/** Appends what happened in order, each leaf at its own time; records without alerts between them in groups. */
async function play(ledger: Ledger, happenings: readonly Happening[], roll: Dice, setClock: (at: number) => void): Promise<void> {
  const grouped = happenings.every((one) => one.record)
  let group: LeafDraft[] = []
  /** Alerts that a person will have seen, and when. */
  const seen: { readonly at: number; readonly id: string; readonly seq: number }[] = []
  const see = async (until: number): Promise<void> => {
    seen.sort((a, b) => a.at - b.at)
    for (let next = seen[0]; next && next.at <= until; next = seen[0]) {
      seen.shift()
      setClock(next.at)
      const { part } = bodyPart({ note: roll.pick(notes) })
      await ledger.append([{ type: 'drift.ack', actor: PERSON, data: { alert_id: next.id, alert: next.seq }, parts: [part] }])
    }
  }
  for (const { at, record, score, seenAfter } of happenings) {
    await see(at)
    if (record && grouped) {
      group.push(record)
      if (group.length < GROUP_LEAVES) continue
      setClock(at)
      await ledger.append(group)
      group = []
    } else if (record) {
      setClock(at)
      await ledger.append([record])
    } else if (score !== undefined) {
      setClock(at)
      const look = sampleLook(roll, score, at * 1000, ledger.size)
      const [written] = await ledger.append([lookDraft(look, ENGINE, 'schedule').draft])
      const [alarm] = look.alarms
      if (!written || !alarm) throw new Error('a look of the sample raised no alarm')
      const { draft, id } = alertDraft(alarm, ENGINE, written.seq)
      const [opened] = await ledger.append([draft])
      if (opened && typeof seenAfter === 'number') seen.push({ at: at + seenAfter, id, seq: opened.seq })
    }
  }
  if (group.length > 0) await ledger.append(group)
  await see(Number.POSITIVE_INFINITY)
}
