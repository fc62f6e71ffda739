// SPDX-License-Identifier: Apache-2.0
import { randomUUID } from 'node:crypto'
import { type Approval, INDEPENDENT_AFTER_DAYS } from '../../shared/contract/approvals.ts'
import { AffidavitError, type ErrorCode, type Failure } from '../../shared/contract/errors.ts'
import type { Caller, Handlers } from '../handlers.ts'
import { bodyPart } from '../ledger/body-part.ts'
import type { AppendResult, LeafDraft } from '../ledger/draft.ts'
import { dependence } from '../people/independence.ts'
import type { People } from '../people/people.ts'
import type { Projector } from '../threads/projector.ts'
import type { ReaderPool } from '../threads/reader-pool.ts'

/** What two people decided, handed to whoever carries it out. `body` is what the first person asked for, as it was recorded. */
export interface GivenApproval {
  readonly id: string
  readonly action: Approval['action']
  readonly askedBy: string
  readonly givenBy: string
  readonly body: Readonly<Record<string, unknown>>
}

export interface ApprovalDeps {
  readonly people: People
  readonly pool: ReaderPool
  readonly projector: Projector
  readonly ledgerSize: () => number
  readonly append: (drafts: readonly LeafDraft[]) => Promise<readonly AppendResult[]>
  /** Milliseconds since 1970. */
  readonly now: () => number
  /** What was given could not be carried out; it is tried again at the next start, and before that where the reason may pass. */
  readonly onFailed: (action: Approval['action'], error: unknown) => void
}

type Execute = (approval: GivenApproval) => Promise<void>

const PATIENCE_MS = 10_000
/** Failures that may pass while the engine runs: a disk without room, a reader that ended. */
const passing: ReadonlySet<ErrorCode> = new Set(['disk_full', 'busy', 'not_confirmed', 'internal'])
const DAY_MS = 86_400_000
const isoDay = (ms: number): string => new Date(ms).toISOString().slice(0, 10)

/**
 * The rule of two people. The first asks (`approval.asked`), another gives or refuses (`approval.given`, `approval.refused`), and only then is
 * it done. The leaf of what was done names the approval in `data.approval_id`, so that a crash in between shows and is made up for at the start.
 */
export class Approvals {
  readonly #deps: ApprovalDeps
  readonly #executors = new Map<Approval['action'], Execute>()
  readonly #deciding = new Set<string>()
  /** Given, and not carried out for a reason that may pass. */
  readonly #undone = new Set<string>()

  constructor(deps: ApprovalDeps) {
    this.#deps = deps
  }

  /** Says who carries out an action. It must append a leaf with `data.approval_id`, and survive being called again after a crash. */
  on(action: Approval['action'], execute: Execute): void {
    this.#executors.set(action, execute)
  }

  /**
   * Asks for a second person. The body is kept for good: it holds seqs, grounds and terms, never the name of a subject.
   * @throws AffidavitError read_only
   */
  async ask(caller: Caller, action: Approval['action'], title: string, body: object): Promise<Approval> {
    const id = randomUUID()
    const { part, sha256 } = bodyPart({ ...body, title })
    const [written] = await this.#deps.append([
      { type: 'approval.asked', actor: caller.actor, data: { approval_id: id, action, body_sha256: sha256 }, parts: [part] }
    ])
    if (!written) throw new AffidavitError('read_only', 'the workspace is open read-only')
    return this.#one(id)
  }

  /** Carries out what was given before a crash. Called once, when every executor is known. */
  async resume(): Promise<void> {
    await this.#caughtUp()
    for (const approval of await this.#deps.pool.run('approvals', { state: 'given', limit: 500 }))
      if (approval.done_seq === null) await this.#execute(approval)
  }

  /** Whether something that was given waits to be tried again. */
  get stopped(): boolean {
    return this.#undone.size > 0
  }

  /** Tries again what could not be carried out for a reason that may pass. */
  async goOn(): Promise<void> {
    await this.#caughtUp()
    const given = await this.#deps.pool.run('approvals', { state: 'given', limit: 500 })
    for (const id of [...this.#undone]) {
      this.#undone.delete(id)
      const approval = given.find((one) => one.id === id)
      if (approval?.done_seq === null) await this.#execute(approval)
    }
  }

  readonly handlers: Handlers<'approvals.list' | 'approvals.decide'> = {
    'approvals.list': async (filter) => {
      await this.#caughtUp()
      return { approvals: await this.#deps.pool.run('approvals', filter) }
    },
    'approvals.decide': async ({ id, decision, note }, caller) => {
      if (this.#deciding.has(id)) throw new AffidavitError('busy', 'this is being decided at this moment')
      this.#deciding.add(id)
      try {
        const asked = await this.#one(id)
        if (asked.state !== 'asked') throw new AffidavitError('conflict', `this was ${asked.state} already`)
        if (decision === 'give') this.#requireSecond(asked, caller)
        const parts = note === '' ? [] : [bodyPart({ note }).part]
        const type = decision === 'give' ? 'approval.given' : 'approval.refused'
        await this.#deps.append([{ type, actor: caller.actor, data: { approval_id: id, asked: asked.seq }, parts }])
        // The catalog may show it a moment later: who gave it is known here.
        if (decision === 'give') await this.#execute({ ...(await this.#one(id)), decided_by: caller.actor.ref })
        return await this.#one(id)
      } finally {
        this.#deciding.delete(id)
      }
    }
  }

  /** Whether another person, who is set up and signed in, gives it. Whoever asked may withdraw by refusing. */
  #requireSecond(asked: Approval, caller: Caller): void {
    const { people } = this.#deps
    const refuse = (message: string, details?: Failure['details']) => {
      throw new AffidavitError('second_person_needed', message, details)
    }
    if (people.directory.empty) refuse('a second person has to be set up first, in Settings, People: one person alone cannot approve')
    if (!people.isActive(caller.actor.ref)) refuse('a person who is signed in has to decide this')
    if (asked.asked_by === caller.actor.ref) refuse('another person has to decide this: whoever asks cannot also approve')
    if (!people.directory.get(asked.asked_by)) refuse('this was asked for before people were set up: refuse it, and ask again signed in')
    if (!people.isActive(asked.asked_by)) refuse('whoever asked for this has been disabled since: refuse it')
    // Also everything since it was asked, however long ago that is.
    const since = Math.min(Date.parse(asked.time), this.#deps.now() - INDEPENDENT_AFTER_DAYS * DAY_MS)
    const found = dependence(people.directory, asked.asked_by, caller.actor.ref, since)
    if (found === null) return
    const name = (ref: string): string => people.directory.get(ref)?.name ?? ref
    const { by, of, ms } = found
    const free = Math.max(ms + INDEPENDENT_AFTER_DAYS * DAY_MS, this.#deps.now())
    refuse(
      `${name(by)} set how ${of === null ? 'both of you sign in' : `${name(of)} signs in`}, on ${isoDay(ms)}: for ${INDEPENDENT_AFTER_DAYS} days, and for what was asked before it, that counts as one person. Somebody else has to decide this`,
      { reason: 'sign_in_set', by, ...(of === null ? {} : { of }), until: new Date(free).toISOString() }
    )
  }

  async #execute(approval: Approval): Promise<void> {
    const execute = this.#executors.get(approval.action)
    try {
      const body = await this.#deps.pool.run('leafBody', { seq: approval.seq })
      if (!execute) throw new AffidavitError('internal', 'nothing carries this out')
      await execute({
        id: approval.id,
        action: approval.action,
        askedBy: approval.asked_by,
        givenBy: approval.decided_by ?? '',
        body
      })
    } catch (error) {
      if (error instanceof AffidavitError && passing.has(error.code)) this.#undone.add(approval.id)
      this.#deps.onFailed(approval.action, error)
    }
  }

  async #caughtUp(): Promise<void> {
    await this.#deps.projector.waitFor(this.#deps.ledgerSize(), PATIENCE_MS)
  }

  async #one(id: string): Promise<Approval> {
    await this.#caughtUp()
    const [found] = await this.#deps.pool.run('approvals', { id, limit: 1 })
    if (!found) throw new AffidavitError('not_found', 'there is no such approval')
    return found
  }
}
