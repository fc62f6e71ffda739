// SPDX-License-Identifier: Apache-2.0
// People, their sessions and what they may do: one object that the engine composes with.
import type { OperationName, TopicEvent, TopicName } from '../../shared/contract/contract.ts'
import type { Failure } from '../../shared/contract/errors.ts'
import type { SessionState } from '../../shared/contract/people.ts'
import { operationPermissions, type Permission, permissions, topicPermissions } from '../../shared/contract/permissions.ts'
import type { Notice } from '../../shared/contract/webhooks.ts'
import type { LeafData } from '../../shared/evidence/leaf-data.ts'
import type { Clock } from '../clock.ts'
import type { Caller } from '../handlers.ts'
import type { AppendResult, LeafDraft } from '../ledger/draft.ts'
import type { ReaderPool } from '../threads/reader-pool.ts'
import { Directory, type KnownPerson, shown } from './directory.ts'
import { mustChoose, permissionsOf, refusalOf, withoutNames } from './guard.ts'
import { peopleHandlers } from './handlers.ts'
import { SignInLimiter } from './limiter.ts'
import { PersonSession, type SignedIn } from './person-session.ts'
import type { Verifiers } from './verifiers.ts'

export interface PeopleDeps {
  readonly pool: ReaderPool
  readonly append: (drafts: readonly LeafDraft[]) => Promise<readonly AppendResult[]>
  readonly verifiers: Verifiers
  /** The account of the operating system that the engine runs under. */
  readonly osAccount: string
  readonly lockAfterMinutes: () => number
  readonly clock: Clock
  /** What anybody may do at most, and why no more; null in a workspace of its own. */
  readonly only: { readonly permissions: readonly Permission[]; readonly why: string } | null
}

const IDLE_CHECK_MS = 1_000

export class People {
  readonly directory = new Directory()
  readonly limiter = new SignInLimiter(() => performance.now())
  readonly handlers: ReturnType<typeof peopleHandlers>
  readonly deps: PeopleDeps
  readonly #sessions = new Set<PersonSession>()
  readonly #idle: NodeJS.Timeout

  private constructor(deps: PeopleDeps) {
    this.deps = deps
    this.handlers = peopleHandlers(this)
    this.#idle = setInterval(() => this.#lockIdle(), IDLE_CHECK_MS)
    this.#idle.unref()
  }

  /** Replays everybody from the ledger, and the failures whose pauses still run. */
  static async load(deps: PeopleDeps): Promise<People> {
    const people = new People(deps)
    for (const leaf of await deps.pool.run('userLeaves', {})) people.directory.apply(leaf)
    if (!people.directory.empty)
      for (const [key, n] of Object.entries(await deps.pool.run('failedSignIns', {}))) people.limiter.remember(key, n)
    return people
  }

  /** Why a caller may not use an operation; null when it may. */
  refusal(op: OperationName, caller: Caller): Failure | null {
    const { only } = this.deps
    if (only && !only.permissions.includes(operationPermissions[op])) return { code: 'read_only', message: only.why }
    return refusalOf(this.directory, op, caller)
  }

  /** Whether a caller holds a permission now. */
  may(caller: Caller, permission: Permission): boolean {
    return permissionsOf(this.directory, caller).has(permission)
  }

  /** Whether an event of a topic may be shown to whoever works through a session now. */
  mayFollow(topic: TopicName, caller: Caller): boolean {
    return permissionsOf(this.directory, caller).has(topicPermissions[topic])
  }

  /** What of an event of a topic is shown to whoever works through a session now; null: nothing. */
  shown<T extends TopicName>(topic: T, event: TopicEvent<T>, caller: Caller): TopicEvent<T> | null {
    if (!this.mayFollow(topic, caller)) return null
    return topic === 'notices' && !this.may(caller, 'see') ? (withoutNames(event as Notice) as TopicEvent<T>) : event
  }

  /** Whether somebody is a person who may act now; `local` is none. */
  isActive(ref: string): boolean {
    return this.directory.get(ref)?.state === 'active'
  }

  /** Opens a session for a peer, and signs in whoever signs in with the account the engine runs under. */
  async openSession(surface: PersonSession['surface']): Promise<PersonSession> {
    const session = new PersonSession(surface, this.deps.clock)
    this.#sessions.add(session)
    const person = this.directory.byAccount(this.deps.osAccount)
    if (person) await this.signIn(session, person, 'os_account')
    return session
  }

  /** Who calls through a session. Asked at each call: a person may have signed in, or been locked out, since the last one. */
  callerOf(session: PersonSession, signal?: AbortSignal): Caller {
    return {
      actor: session.actor(this.directory.empty),
      via: session.surface === 'desktop' ? 'ipc' : 'cli',
      session,
      ...(signal === undefined ? {} : { signal })
    }
  }

  /** Ends whoever was signed in and records who is now. */
  async signIn(session: PersonSession, person: KnownPerson, method: SignedIn['method']): Promise<void> {
    if (session.current) await this.signOut(session, 'signed_out')
    const id = crypto.randomUUID()
    const data: LeafData<'session.opened'> = { session: id, user: person.ref, method, surface: session.surface }
    const [written] = await this.deps.append([
      { type: 'session.opened', actor: { ref: person.ref, kind: 'human' }, data: { ...data }, parts: [] }
    ])
    session.open(person.ref, method, written !== undefined, id)
  }

  /** Ends a sign-in at once, and then records it. */
  async signOut(session: PersonSession, reason: LeafData<'session.closed'>['reason']): Promise<void> {
    const { current } = session
    if (!current) {
      if (reason === 'signed_out') session.close(false)
      return
    }
    session.close(reason === 'locked' || reason === 'idle')
    const data = { session: current.id, user: current.ref, reason }
    await this.deps.append([{ type: 'session.closed', actor: { ref: current.ref, kind: 'human' }, data, parts: [] }])
  }

  /** A person was changed: sessions that no longer may are ended, the others hear of it. */
  async personChanged(ref: string, end: boolean): Promise<void> {
    for (const session of this.#sessions) {
      if (session.current?.ref !== ref) continue
      if (end) await this.signOut(session, 'changed')
      else session.changed()
    }
  }

  stateOf(session: PersonSession): SessionState {
    const { directory } = this
    const caller = this.callerOf(session)
    const person = directory.get(session.current?.ref ?? session.locked ?? '')
    const byAccount = directory.byAccount(this.deps.osAccount)
    const held = permissionsOf(directory, caller)
    return {
      state: directory.empty ? 'single' : session.current ? 'signed_in' : session.locked === null ? 'signed_out' : 'locked',
      person: person ? shown(person) : null,
      permissions: permissions.filter((permission) => held.has(permission) && this.deps.only?.permissions.includes(permission) !== false),
      must_choose: mustChoose(directory, caller),
      os_account: byAccount ? { account: this.deps.osAccount, name: byAccount.name } : null,
      lock_after_minutes: this.deps.lockAfterMinutes(),
      since: session.current?.since ?? null,
      recorded: session.current?.recorded ?? true
    }
  }

  /** The topic `session`: the state now, and each change. */
  follow(session: PersonSession | undefined, push: (state: SessionState) => void): () => void {
    if (!session) return () => {}
    push(this.stateOf(session))
    return session.onChange(() => push(this.stateOf(session)))
  }

  async close(): Promise<void> {
    clearInterval(this.#idle)
    for (const session of this.#sessions) await this.signOut(session, 'quit').catch(() => {})
    this.#sessions.clear()
  }

  #lockIdle(): void {
    const minutes = this.deps.lockAfterMinutes()
    if (minutes === 0) return
    for (const session of this.#sessions)
      if (session.surface === 'desktop' && session.current && session.idleMs > minutes * 60_000)
        void this.signOut(session, 'idle').catch(() => {})
  }
}
