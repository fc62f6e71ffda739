// SPDX-License-Identifier: Apache-2.0
import { randomBytes, randomUUID } from 'node:crypto'
import type { DriftAlert } from '../../../shared/contract/drift.ts'
import { AffidavitError } from '../../../shared/contract/errors.ts'
import type { Webhook } from '../../../shared/contract/webhooks.ts'
import { WEBHOOK_SETTING } from '../../../shared/evidence/leaf-data.ts'
import type { Handlers } from '../../handlers.ts'
import { bodyPart } from '../../ledger/body-part.ts'
import type { Actor, AppendResult, LeafDraft } from '../../ledger/draft.ts'
import type { Projector } from '../../threads/projector.ts'
import type { ReaderPool } from '../../threads/reader-pool.ts'
import { type Attempt, send } from './send.ts'
import type { WebhookStore } from './store.ts'
import { webhookUrl } from './target.ts'

export interface WebhookDeps {
  readonly pool: ReaderPool
  readonly projector: Projector
  readonly ledgerSize: () => number
  readonly append: (drafts: readonly LeafDraft[]) => Promise<readonly AppendResult[]>
  readonly store: WebhookStore
  /** Pauses before each further attempt, milliseconds; after the last one the event is given up. */
  readonly pausesMs?: readonly number[]
}

const MINUTE = 60_000
/** A receiver that is down for a night still hears of it; about nine hours in all. */
const PAUSES_MS = [1_000, 5_000, 30_000, 2 * MINUTE, 10 * MINUTE, 60 * MINUTE, 120 * MINUTE, 360 * MINUTE]
const MOST = 16
const PATIENCE_MS = 10_000
const PAGE = 20

type Delivery = Webhook['delivery']
interface Live {
  delivery: Omit<Delivery, 'delivered' | 'given_up'>
  timer: NodeJS.Timeout | undefined
  running: boolean
  /** Woken while it ran: what it found to be all may have been read before that. */
  again: boolean
}

const now = (): string => new Date().toISOString()

/** What is posted: the alert as it stands, with figures and names of series; notes and words of people stay here. */
export const eventBody = (alert: DriftAlert, seq: number): string => {
  const { id, timestamp, model, source, state, drift_score, drifted_features, look_seq, snoozed_until } = alert
  const features = alert.features.map(({ feature, d, l, p, q, n, m, sentence }) => ({ feature, d, l, p, q, n, m, sentence }))
  const shown = { id, timestamp, model, source, state, drift_score, drifted_features, look_seq, snoozed_until, features }
  return JSON.stringify({ type: `drift.alert.${alert.history.at(-1)?.what ?? state}`, seq, alert: shown })
}

/**
 * Posts alerts to webhooks as they open and change: signed, in order, at least once, retried with growing pauses. How far each webhook was
 * told is on disk, so that a restart goes on where it stopped.
 */
export class Webhooks {
  readonly #deps: WebhookDeps
  readonly #live = new Map<string, Live>()
  #closed = false

  constructor(deps: WebhookDeps) {
    this.#deps = deps
  }

  /** A ledger that came back from an older copy is smaller than what was told: what opens in it from here on is told, what it still holds was. */
  rewind(): void {
    this.#deps.store.rewind(this.#deps.ledgerSize())
  }

  /** An alert opened or changed, or the engine started: whoever has not heard of it is told. */
  wake(): void {
    void this.#listed()
      .then((hooks) => {
        for (const hook of hooks) if (hook.enabled) this.#pump(hook.id)
      })
      .catch(() => {})
  }

  /** Ends deliveries; what was not delivered follows at the next start. */
  close(): void {
    this.#closed = true
    for (const { timer } of this.#live.values()) clearTimeout(timer)
  }

  get handlers(): Handlers<'webhooks.list' | 'webhooks.set' | 'webhooks.remove' | 'webhooks.test'> {
    const { store } = this.#deps
    return {
      'webhooks.list': async () => ({ webhooks: await this.#shown() }),
      'webhooks.set': async ({ id: given, url: text, enabled }, caller) => {
        const url = webhookUrl(text).href
        const known = await this.#listed()
        if (given !== undefined && !known.some((one) => one.id === given)) throw new AffidavitError('not_found', 'there is no such webhook')
        if (given === undefined && known.length >= MOST) throw new AffidavitError('too_many', `at most ${MOST} webhooks: remove one first`)
        const id = given ?? randomUUID()
        const secret = store.get(id) ? null : randomBytes(32).toString('base64url')
        if (secret !== null) store.set(id, { secret, after: this.#deps.ledgerSize(), delivered: 0, given_up: 0 })
        await this.#record(id, { id, url, enabled }, id, caller.actor)
        this.#startOver(id)
        this.wake()
        const webhook = (await this.#shown()).find((one) => one.id === id)
        if (!webhook) throw new AffidavitError('busy', 'the webhook is on record; its listing follows in a moment')
        return { webhook, secret }
      },
      'webhooks.remove': async ({ id }, caller) => {
        if (!(await this.#listed()).some((one) => one.id === id)) throw new AffidavitError('not_found', 'there is no such webhook')
        await this.#record(id, { id }, '', caller.actor)
        clearTimeout(this.#live.get(id)?.timer)
        this.#live.delete(id)
        store.set(id, undefined)
        return { webhooks: await this.#shown() }
      },
      'webhooks.test': async ({ id }) => {
        const hook = (await this.#listed()).find((one) => one.id === id)
        const state = store.get(id)
        if (!hook || !state) throw new AffidavitError('not_found', 'there is no such webhook, or its secret is gone: add it again')
        const attempt = await send(hook.url, state.secret, { id: randomUUID(), type: 'test' }, JSON.stringify({ type: 'test' }))
        this.#note(id, 'test', attempt)
        return attempt
      }
    }
  }

  async #record(id: string, body: object, to: string, actor: Actor): Promise<void> {
    // The address may hold a token of its own: it goes into the body, which is encrypted.
    const drafts: LeafDraft[] = [
      { type: 'setting.changed', actor, data: { name: WEBHOOK_SETTING, from: id, to }, parts: [bodyPart(body).part] }
    ]
    const [written] = await this.#deps.append(drafts)
    if (!written) throw new AffidavitError('read_only', 'the workspace is open read-only')
    await this.#deps.projector.waitFor(written.seq + 1, PATIENCE_MS)
  }

  #listed() {
    return this.#deps.pool.run('webhooks', {})
  }

  async #shown(): Promise<Webhook[]> {
    await this.#deps.projector.waitFor(this.#deps.ledgerSize(), PATIENCE_MS)
    return (await this.#listed()).map((hook) => {
      const state = this.#deps.store.get(hook.id)
      const { delivery } = this.#liveOf(hook.id)
      return { ...hook, delivery: { ...delivery, delivered: state?.delivered ?? 0, given_up: state?.given_up ?? 0 } }
    })
  }

  #liveOf(id: string): Live {
    let live = this.#live.get(id)
    if (!live) {
      const never = { last_time: null, last_kind: null, last_status: null, last_problem: null } as const
      live = { delivery: { state: 'idle', attempts: 0, next_time: null, ...never }, timer: undefined, running: false, again: false }
      this.#live.set(id, live)
    }
    return live
  }

  /** What waits for its next attempt does not wait for an address that is no more. */
  #startOver(id: string): void {
    const live = this.#liveOf(id)
    if (!live.timer) return
    clearTimeout(live.timer)
    live.timer = undefined
    live.delivery = { ...live.delivery, state: 'idle', attempts: 0, next_time: null }
  }

  #note(id: string, last_kind: 'alert' | 'test', attempt: Attempt): void {
    const live = this.#liveOf(id)
    live.delivery = { ...live.delivery, last_time: now(), last_kind, last_status: attempt.status, last_problem: attempt.problem }
  }

  #pump(id: string): void {
    const live = this.#liveOf(id)
    live.again = live.running
    if (live.running || live.timer || this.#closed) return
    live.running = true
    void this.#deliver(id, live)
      .catch(() => {})
      .finally(() => {
        live.running = false
        if (live.again && this.#live.get(id) === live) this.#pump(id)
      })
  }

  /** Delivers what is due, one event after another, until there is none or one has to wait. */
  async #deliver(id: string, live: Live): Promise<void> {
    const { pool, store } = this.#deps
    const pauses = this.#deps.pausesMs ?? PAUSES_MS
    for (;;) {
      const state = store.get(id)
      if (!state || this.#closed || this.#live.get(id) !== live) return
      // The cursor is the leaf after the last one told; alertsAfter wants the last one.
      const changes = await pool.run('alertsAfter', { seq: state.after - 1, limit: PAGE })
      if (changes.length === 0) {
        // What was given up stays said until the next one goes well.
        const state = live.delivery.state === 'failed' ? 'failed' : 'idle'
        live.delivery = { ...live.delivery, state, attempts: 0, next_time: null }
        return
      }
      for (const { seq, alert } of changes) {
        // It may have been turned off, or given another address, since the one before.
        const hook = (await this.#listed()).find((one) => one.id === id)
        if (!hook?.enabled) {
          live.delivery = { ...live.delivery, state: 'idle', attempts: 0, next_time: null }
          return
        }
        live.delivery = { ...live.delivery, state: 'sending', next_time: null }
        const attempt = await send(hook.url, state.secret, { id: `${id}.${seq}`, type: 'drift.alert' }, eventBody(alert, seq))
        const latest = store.get(id)
        if (!latest || this.#live.get(id) !== live) return
        this.#note(id, 'alert', attempt)
        const pause = pauses[live.delivery.attempts]
        if (!attempt.ok && pause !== undefined) {
          const attempts = live.delivery.attempts + 1
          live.delivery = { ...live.delivery, state: 'waiting', attempts, next_time: new Date(Date.now() + pause).toISOString() }
          if (this.#closed) return
          live.timer = setTimeout(() => {
            live.timer = undefined
            this.wake()
          }, pause)
          live.timer.unref()
          return
        }
        live.delivery = { ...live.delivery, state: attempt.ok ? 'idle' : 'failed', attempts: 0 }
        const given_up = latest.given_up + (attempt.ok ? 0 : 1)
        store.set(id, { ...latest, after: seq + 1, delivered: latest.delivered + (attempt.ok ? 1 : 0), given_up })
      }
    }
  }
}
