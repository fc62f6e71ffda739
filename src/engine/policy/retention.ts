// SPDX-License-Identifier: Apache-2.0
import { AffidavitError } from '../../shared/contract/errors.ts'
import { type ClassRule, classOf, type RetentionSchedule } from '../../shared/policy/retention.ts'
import type { Handlers } from '../handlers.ts'
import { bodyPart } from '../ledger/body-part.ts'
import type { Actor, AppendResult, LeafDraft } from '../ledger/draft.ts'
import type { Projector } from '../threads/projector.ts'
import type { ReaderPool } from '../threads/reader-pool.ts'
import type { Approvals } from './approvals.ts'
import { holdHandlers } from './hold-handlers.ts'

export interface RetentionParts {
  readonly pool: ReaderPool
  readonly projector: Projector
  readonly approvals: Approvals
  readonly ledgerSize: () => number
  readonly append: (drafts: readonly LeafDraft[]) => Promise<readonly AppendResult[]>
}

/** What the handlers of this area share. */
export interface RetentionDeps extends RetentionParts {
  readonly caughtUp: () => Promise<unknown>
  /** Told when a hold is on record, before its placing is answered. */
  readonly onHold: () => void
  /** How many holds were placed in this run: what destroys content stops and looks again when it changes. */
  readonly holdsPlaced: () => number
}

const PATIENCE_MS = 10_000

type Operations =
  | 'retention.get'
  | 'retention.set'
  | 'retention.event'
  | 'retention.of'
  | 'holds.list'
  | 'holds.preview'
  | 'holds.place'
  | 'holds.release'

/** Schedules, trigger events and holds; gives records their class at ingest. */
export class Retention {
  readonly #deps: RetentionDeps
  #classes: readonly ClassRule[] = []
  #holds = 0
  readonly handlers: Handlers<Operations>

  constructor(parts: RetentionParts) {
    this.#deps = {
      ...parts,
      caughtUp: () => parts.projector.waitFor(parts.ledgerSize(), PATIENCE_MS),
      onHold: () => this.#holds++,
      holdsPlaced: () => this.#holds
    }
    parts.approvals.on('retention_shorten', async ({ id, givenBy, body }) => {
      const schedule = body as unknown as RetentionSchedule & { reason: string }
      await this.#set({ ref: givenBy, kind: 'human' }, schedule, id)
    })
    this.handlers = { ...this.#operations(), ...holdHandlers(this.#deps) }
  }

  /** What the handlers of this area share. */
  get deps(): RetentionDeps {
    return this.#deps
  }

  /** Reads the class rules in force. Called once, before the first record. */
  async start(): Promise<void> {
    const seqs = await this.#deps.pool.run('leavesOfType', { type: 'retention.set' })
    for (const seq of [...seqs].reverse()) {
      const { classes } = (await this.#deps.pool.run('leafBody', { seq })) as Partial<RetentionSchedule>
      if (classes === undefined) continue
      this.#classes = classes
      return
    }
  }

  /** The rules that give records their class, as they are in force now. */
  get classes(): readonly ClassRule[] {
    return this.#classes
  }

  /** The class of a record by the rules in force now. */
  classOf(record: Parameters<typeof classOf>[1]): string {
    return classOf(this.#classes, record)
  }

  async #set(actor: Actor, schedule: RetentionSchedule & { readonly reason: string }, approvalId?: string): Promise<number> {
    const { rules, classes, reason } = schedule
    const { part, sha256 } = bodyPart({ rules, classes, reason })
    const data = {
      what: 'schedule',
      rules: rules.length,
      classes: classes.length,
      existing: approvalId !== undefined,
      body_sha256: sha256,
      ...(approvalId === undefined ? {} : { approval_id: approvalId })
    }
    const [written] = await this.#deps.append([{ type: 'retention.set', actor, data, parts: [part] }])
    if (!written) throw new AffidavitError('read_only', 'the workspace is open read-only')
    this.#classes = classes
    return written.seq
  }

  #operations(): Handlers<'retention.get' | 'retention.set' | 'retention.event' | 'retention.of'> {
    const { pool, approvals, append, caughtUp } = this.#deps
    return {
      'retention.get': async () => {
        await caughtUp()
        return pool.run('retentionView', {})
      },
      'retention.of': async ({ seqs }) => {
        await caughtUp()
        return { records: await pool.run('keptOf', { seqs }) }
      },
      'retention.set': async ({ rules, classes, reason, existing }, caller) => {
        if (!existing) return { seq: await this.#set(caller.actor, { rules, classes, reason }), approval: null }
        const title =
          `A schedule of ${rules.length} ${rules.length === 1 ? 'rule' : 'rules'}, for records already kept too: ${reason}`.slice(0, 300)
        return { seq: null, approval: await approvals.ask(caller, 'retention_shorten', title, { rules, classes, reason }) }
      },
      'retention.event': async ({ event, scope, value, at, note }, caller) => {
        const { part, sha256 } = bodyPart({ value, note })
        const data = { what: 'event', event, scope, at_us: Date.parse(at) * 1000, body_sha256: sha256 }
        const [written] = await append([{ type: 'retention.set', actor: caller.actor, data, parts: [part] }])
        if (!written) throw new AffidavitError('read_only', 'the workspace is open read-only')
        return { seq: written.seq }
      }
    }
  }
}
