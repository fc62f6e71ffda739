// SPDX-License-Identifier: Apache-2.0
import type { DriftAlert } from '../../shared/contract/drift.ts'
import { AffidavitError } from '../../shared/contract/errors.ts'
import { bodyPart } from '../ledger/body-part.ts'
import type { Actor, AppendResult, LeafDraft } from '../ledger/draft.ts'
import type { Projector } from '../threads/projector.ts'
import type { ReaderPool } from '../threads/reader-pool.ts'
import type { AlertFilter } from './listings.ts'
import { type Alarm, alertDraft } from './look.ts'

/** An alert in the short form of the statistics routes. */
export interface RecentAlert {
  readonly id: string
  readonly timestamp: string
  readonly drift_score: number
  readonly drifted_features: string
}

/** The short form of an alert. */
export const brief = (alert: DriftAlert): RecentAlert => ({
  id: alert.id,
  timestamp: alert.timestamp,
  drift_score: alert.drift_score,
  drifted_features: alert.drifted_features
})

export interface AlertDeps {
  readonly pool: ReaderPool
  readonly projector: Projector
  readonly append: (drafts: readonly LeafDraft[]) => Promise<readonly AppendResult[]>
  /** Told of each alert that opens or changes. */
  readonly onAlert: (alert: DriftAlert) => void
  /** Told until when an alert rests. */
  readonly onSnoozed: (until: Date) => void
  readonly now: () => Date
}

/** Alerts as their leaves say; every answer is read from the catalog. */
export interface Alerts {
  list(filter: AlertFilter): Promise<DriftAlert[]>
  recent(): Promise<DriftAlert[]>
  /** @throws AffidavitError not_found */
  one(id: string): Promise<DriftAlert>
  /** Appends the leaves that open alerts and resolves with their ids once they are listed. */
  open(alarms: readonly Alarm[], lookSeq: number, actor: Actor): Promise<string[]>
  /** Lets an alert rest until a time. @throws AffidavitError not_found, conflict: resolved already; bad_request: no time ahead; busy */
  snooze(id: string, until: Date, reason: string, actor: Actor): Promise<DriftAlert>
  /** Ends the rest of an alert whose time has come; nothing when it was answered or snoozed again meanwhile. */
  wake(id: string, actor: Actor): Promise<void>
  /** Moves an alert on: open → acknowledged → resolved, or open → resolved. @throws AffidavitError not_found, conflict, busy */
  change(id: string, note: string, to: 'acknowledged' | 'resolved', actor: Actor): Promise<DriftAlert>
}

const RECENT = 10
/** Alerts opened in one commit: sealing, storing and telling of them takes turns of the thread that writes, and others get theirs between. */
const SLICE = 50
/** How long an answer waits for the catalog to show what was just appended. */
const PATIENCE_MS = 10_000

/** Longest rest of an alert. */
const MOST_REST_MS = 90 * 86_400_000

const leafOf = { acknowledged: 'drift.ack', resolved: 'drift.resolve' } as const

/** Opens, changes and lists alerts. */
export function driftAlerts({ pool, projector, append, onAlert, onSnoozed, now }: AlertDeps): Alerts {
  /** The change under way of each alert: the next one has to see what it left. */
  const changing = new Map<string, Promise<unknown>>()
  const list = (filter: AlertFilter): Promise<DriftAlert[]> => pool.run('alerts', filter)
  const find = async (id: string): Promise<DriftAlert | undefined> => (await list({ id, limit: 1 }))[0]
  const one = async (id: string): Promise<DriftAlert> => {
    const alert = await find(id)
    if (!alert) throw new AffidavitError('not_found', 'there is no such alert')
    return alert
  }
  const lastOf = (results: readonly AppendResult[]): number => {
    const last = results.at(-1)
    if (!last) throw new AffidavitError('read_only', 'the workspace is open read-only')
    return last.seq
  }
  const step = async (alert: DriftAlert, draft: LeafDraft): Promise<DriftAlert> => {
    const seq = lastOf(await append([draft]))
    if ((await projector.waitFor(seq + 1, PATIENCE_MS)) <= seq)
      throw new AffidavitError('busy', 'the change is on record; its listing follows in a moment', { seq })
    const changed = await one(alert.id)
    onAlert(changed)
    return changed
  }
  // A note is free text: it goes into the body, never into the leaf.
  const noted = (note: string) => (note === '' ? [] : [bodyPart({ note }).part])
  const move = async (id: string, note: string, to: 'acknowledged' | 'resolved', actor: Actor): Promise<DriftAlert> => {
    const alert = await one(id)
    if (alert.state === 'resolved' || alert.state === to) throw new AffidavitError('conflict', `this alert is ${alert.state} already`)
    return step(alert, { type: leafOf[to], actor, data: { alert_id: id, alert: alert.seq }, parts: noted(note) })
  }
  const rest = async (id: string, until: Date, reason: string, actor: Actor): Promise<DriftAlert> => {
    const alert = await one(id)
    if (alert.state === 'resolved') throw new AffidavitError('conflict', 'this alert is resolved already')
    const ahead = until.getTime() - now().getTime()
    if (!(ahead > 0 && ahead <= MOST_REST_MS)) throw new AffidavitError('bad_request', 'until: a time ahead, at most 90 days away')
    const data = { alert_id: id, alert: alert.seq, until: until.toISOString() }
    const snoozed = await step(alert, { type: 'drift.snooze', actor, data, parts: noted(reason) })
    onSnoozed(until)
    return snoozed
  }
  const wake = async (id: string, actor: Actor): Promise<void> => {
    const { due } = await pool.run('snoozes', { nowUs: now().getTime() * 1000 })
    const alert = await one(id)
    const until = alert.snoozed_until
    if (until === null || !due.includes(id)) return
    await step(alert, { type: 'drift.snooze', actor, data: { alert_id: id, alert: alert.seq, until, ended: true }, parts: [] })
  }
  /** One change of an alert after another: each has to see what the one before left. */
  const inTurn = <T>(id: string, work: () => Promise<T>): Promise<T> => {
    const before = changing.get(id) ?? Promise.resolve()
    const mine = before.then(work)
    const settledMine = mine.catch(() => {})
    changing.set(id, settledMine)
    void settledMine.then(() => {
      if (changing.get(id) === settledMine) changing.delete(id)
    })
    return mine
  }
  return {
    list,
    one,
    recent: () => list({ limit: RECENT }),
    open: async (alarms, lookSeq, actor) => {
      const opened: string[] = []
      for (let i = 0; i < alarms.length; i += SLICE) {
        const group = alarms.slice(i, i + SLICE).map((alarm) => alertDraft(alarm, actor, lookSeq))
        const seq = lastOf(await append(group.map((one) => one.draft)))
        await projector.waitFor(seq + 1, PATIENCE_MS)
        const ids = group.map((one) => one.id)
        // Newest first as listed; told in the order in which they opened.
        for (const alert of (await list({ ids, limit: ids.length })).reverse()) onAlert(alert)
        opened.push(...ids)
      }
      return opened
    },
    snooze: (id, until, reason, actor) => inTurn(id, () => rest(id, until, reason, actor)),
    wake: (id, actor) => inTurn(id, () => wake(id, actor)),
    change: (id, note, to, actor) => inTurn(id, () => move(id, note, to, actor))
  }
}
