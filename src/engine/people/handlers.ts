// SPDX-License-Identifier: Apache-2.0
import { randomBytes } from 'node:crypto'
import { AffidavitError } from '../../shared/contract/errors.ts'
import type { peopleOperations, SessionState } from '../../shared/contract/people.ts'
import type { LeafData } from '../../shared/evidence/leaf-data.ts'
import type { Caller, Handlers } from '../handlers.ts'
import { bodyPart } from '../ledger/body-part.ts'
import { type KnownPerson, shown } from './directory.ts'
import { checkedName, nameKey } from './names.ts'
import type { People } from './people.ts'
import type { PersonSession } from './person-session.ts'

const SHORTEST_PASSWORD = 12
const WRONG = 'name and password do not fit'

/** A pseudonym: random, so that nothing of the person is in it. */
const newRef = (): string => `u-${randomBytes(8).toString('hex')}`

function sessionOf(caller: Caller): PersonSession {
  if (!caller.session) throw new AffidavitError('forbidden', 'people sign in in the app or on the command line')
  return caller.session
}

/** @throws AffidavitError bad_request */
function checkPassword(password: string, name: string): void {
  if (!password.isWellFormed()) throw new AffidavitError('bad_request', 'the password: text that is no valid Unicode')
  if (Array.from(password.normalize('NFC')).length < SHORTEST_PASSWORD)
    throw new AffidavitError('bad_request', `the password: at least ${SHORTEST_PASSWORD} characters`)
  if (nameKey(password).includes(nameKey(name)) || new Set(password).size < 4)
    throw new AffidavitError('bad_request', 'the password: it holds the name, or the same few characters again and again')
}

function checkAccount(account: string): string {
  const kept = account.isWellFormed() ? account.trim() : ''
  if (kept === '' || /\p{C}/u.test(kept)) throw new AffidavitError('bad_request', 'the account: the name of an account of this system')
  return kept
}

type What = LeafData<'user.changed'>['what'][number]

/** Sign-in, and the people who can. */
export function peopleHandlers(people: People): Handlers<keyof typeof peopleOperations> {
  const { directory, deps, limiter } = people
  const { verifiers } = deps
  /** Changes of people one after another: each is checked against what the one before left. */
  let last: Promise<unknown> = Promise.resolve()
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const next = last.then(work, work)
    last = next.catch(() => {})
    return next
  }

  /** Writes the whole state of a person and applies it. */
  const write = async (caller: Caller, next: KnownPerson, what: readonly What[]): Promise<KnownPerson> => {
    const data = { user: next.ref, role: next.role, state: next.state, password: next.generation }
    const body = { name: next.name, ...(next.os_account === null ? {} : { os_account: next.os_account }) }
    const type = what.length === 0 ? 'user.added' : 'user.changed'
    const draft = { type, actor: caller.actor, data: what.length === 0 ? data : { ...data, what }, parts: [bodyPart(body).part] } as const
    const [written] = await deps.append([draft])
    if (!written) throw new AffidavitError('read_only', 'the workspace is open read-only')
    const leaf = await deps.pool.run('leafData', { seq: written.seq })
    return directory.apply({ seq: written.seq, time: leaf?.ts ?? '', actor: caller.actor.ref, data, body })
  }
  const known = (ref: string): KnownPerson => {
    const person = directory.get(ref)
    if (!person) throw new AffidavitError('not_found', 'there is no such person')
    return person
  }
  const checkFree = (name: string, account: string | null, ref?: string): void => {
    if (directory.lookalike(name, ref))
      throw new AffidavitError('conflict', 'another person has this name, or one that looks like it; add a word to tell them apart')
    const holder = account === null ? undefined : directory.byAccount(account)
    if (holder && holder.ref !== ref) throw new AffidavitError('conflict', 'another person signs in with this account')
  }
  const setPassword = async (caller: Caller, person: KnownPerson, password: string): Promise<KnownPerson> => {
    checkPassword(password, person.name)
    const generation = person.generation + 1
    await verifiers.set(person.ref, generation, password)
    return write(caller, { ...person, generation }, ['password'])
  }
  /** Checks a password with the pause after failures. @throws AffidavitError rate_limited, unauthorized, keys_unavailable */
  const check = async (person: KnownPerson | undefined, password: string): Promise<KnownPerson> => {
    const key = person?.ref ?? 'unknown'
    const wait = limiter.take(key)
    if (wait > 0) {
      const seconds = Math.ceil(wait / 1000)
      throw new AffidavitError('rate_limited', `too many failures: try again in ${seconds} s`, { wait_s: seconds })
    }
    const right = await verifiers.check(person?.ref, person?.generation ?? 0, password)
    // Looked up again: the person may have been disabled or given another password meanwhile.
    const now = person ? directory.get(person.ref) : undefined
    if (right && now?.state === 'active' && now.generation === person?.generation) {
      limiter.succeeded(key)
      return now
    }
    const { waitMs, refused } = limiter.failed(key)
    const data = { ...(person ? { user: person.ref } : {}), refused, wait_s: Math.ceil(waitMs / 1000) }
    await deps.append([{ type: 'session.failed', actor: { ref: 'unknown', kind: 'human' }, data, parts: [] }])
    throw new AffidavitError('unauthorized', WRONG)
  }

  /** One attempt at a time, so that parallel ones cannot outrun the pause. */
  let attempts: Promise<unknown> = Promise.resolve()
  const attempt = <T>(work: () => Promise<T>): Promise<T> => {
    const next = attempts.then(work, work)
    attempts = next.catch(() => {})
    return next
  }

  return {
    'session.get': async (_, caller) => people.stateOf(sessionOf(caller)),
    'session.sign_in': async (input, caller): Promise<SessionState> => {
      const session = sessionOf(caller)
      if (directory.empty) throw new AffidavitError('conflict', 'no people are set up: everything is done as local')
      await attempt(async () => {
        if ('os_account' in input) {
          const person = directory.byAccount(deps.osAccount)
          if (!person) throw new AffidavitError('unauthorized', 'nobody signs in with the account this runs under')
          await people.signIn(session, person, 'os_account')
        } else {
          const person = await check(input.name.isWellFormed() ? directory.byName(input.name) : undefined, input.password)
          await people.signIn(session, person, 'password')
        }
      })
      return people.stateOf(session)
    },
    'session.sign_out': async ({ lock }, caller) => {
      const session = sessionOf(caller)
      await people.signOut(session, lock ? 'locked' : 'signed_out')
      return people.stateOf(session)
    },
    'session.touch': async (_, caller) => {
      sessionOf(caller).touch()
      return {}
    },
    'session.set_password': async ({ current, password }, caller) => {
      const session = sessionOf(caller)
      if (directory.empty) throw new AffidavitError('conflict', 'no people are set up: there is no password to change')
      const { ref } = caller.actor
      await attempt(() => check(known(ref), current))
      if (current === password) throw new AffidavitError('bad_request', 'the password: choose another one than before')
      await inTurn(() => setPassword(caller, known(ref), password))
      await people.personChanged(ref, false)
      return people.stateOf(session)
    },
    'people.names': async () => ({ names: directory.list().map(({ ref, name, role }) => ({ ref, name, role })) }),
    'people.list': async () => ({ people: directory.list().map(shown), os_account: deps.osAccount }),
    'people.add': (input, caller) =>
      inTurn(async () => {
        const first = directory.empty
        if (first && input.role !== 'administrator')
          throw new AffidavitError('conflict', 'the first person is an administrator: somebody has to be able to add the others')
        if (input.password === undefined && input.os_account === undefined)
          throw new AffidavitError('bad_request', 'the person needs a password or an account of the operating system to sign in with')
        const name = checkedName(input.name)
        const os_account = input.os_account === undefined ? null : checkAccount(input.os_account)
        checkFree(name, os_account)
        const ref = newRef()
        const generation = input.password === undefined ? 0 : 1
        if (input.password !== undefined) {
          checkPassword(input.password, name)
          await verifiers.set(ref, 1, input.password)
        }
        const blank = { password: 'none', added: '', added_seq: 0, changed_seq: 0 } as const
        const person = await write(caller, { ...blank, ref, name, role: input.role, state: 'active', os_account, generation }, [])
        // Whoever set up the first person is that person.
        if (first && caller.session) await people.signIn(caller.session, person, 'first')
        return shown(person)
      }),
    'people.change': (input, caller) =>
      inTurn(async () => {
        const before = known(input.ref)
        const next: KnownPerson = {
          ...before,
          name: input.name === undefined ? before.name : checkedName(input.name),
          role: input.role ?? before.role,
          state: input.state ?? before.state,
          os_account: input.os_account == null ? (input.os_account === null ? null : before.os_account) : checkAccount(input.os_account)
        }
        const what = (['name', 'role', 'state', 'os_account'] as const).filter((field) => next[field] !== before[field])
        if (what.length === 0) return shown(before)
        checkFree(next.name, next.state === 'active' ? next.os_account : null, next.ref)
        if (next.generation === 0 && next.os_account === null)
          throw new AffidavitError(
            'conflict',
            'without a password and without an account this person could not sign in: set a password first'
          )
        const administers = next.role === 'administrator' && next.state === 'active'
        if (!administers && !directory.otherAdministrator(next.ref) && before.role === 'administrator' && before.state === 'active')
          throw new AffidavitError('conflict', 'this is the last administrator: make another one first')
        const person = await write(caller, next, what)
        await people.personChanged(person.ref, what.includes('state') || (what.includes('os_account') && before.os_account !== null))
        return shown(person)
      }),
    'people.set_password': ({ ref, password }, caller) =>
      inTurn(async () => {
        const person = await setPassword(caller, known(ref), password)
        await people.personChanged(ref, ref !== caller.actor.ref)
        return shown(person)
      })
  }
}
