// SPDX-License-Identifier: Apache-2.0
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { OperationInput, OperationName, OperationOutput } from '../../shared/contract/contract.ts'
import { operations } from '../../shared/contract/contract.ts'
import { operationPermissions, rolePermissions } from '../../shared/contract/permissions.ts'
import { roles } from '../../shared/evidence/leaf-data.ts'
import type { Caller } from '../handlers.ts'
import { type TestEngine, testEngine } from '../test/test-engine.ts'
import type { PersonSession } from './person-session.ts'

const PASSWORD = 'a long walk to the sea'
const OTHER = 'seven grey herons waiting'

let engine: TestEngine
beforeEach(async () => {
  engine = await testEngine()
})
afterEach(() => engine.remove())

/** A window or command with a session of its own. */
async function peer(surface: PersonSession['surface'] = 'desktop') {
  const session = await engine.engine.people.openSession(surface)
  const reply = <N extends OperationName>(op: N, input: unknown) =>
    engine.engine.router.call(op, input, engine.engine.people.callerOf(session) as Caller)
  return {
    session,
    call: async <N extends OperationName>(op: N, input: OperationInput<N>): Promise<OperationOutput<N>> => {
      const answer = await reply(op, input)
      if (!answer.ok) throw new Error(`${op}: ${answer.error.code}: ${answer.error.message}`)
      return answer.value as OperationOutput<N>
    },
    fails: async <N extends OperationName>(op: N, input: unknown) => {
      const answer = await reply(op, input)
      return answer.ok ? 'ok' : answer.error.code
    }
  }
}

const leaves = (): { readonly type: string; readonly actor: { ref: string }; readonly data: Record<string, unknown> }[] => {
  const db = new Database(join(engine.workspace, 'ledger.db'), { readonly: true })
  const rows = db.prepare<[], Buffer>('SELECT bytes FROM leaf ORDER BY seq').pluck().all()
  db.close()
  return rows.map((bytes) => JSON.parse(bytes.toString('utf8')))
}
const ofType = (type: string) => leaves().filter((leaf) => leaf.type === type)

describe('the table of permissions', () => {
  it('has a line for every operation and no other', () => {
    expect(Object.keys(operationPermissions).sort()).toEqual(Object.keys(operations).sort())
  })

  it('gives administration to administrators alone, approval to no operator and no auditor', () => {
    for (const role of roles) {
      expect(rolePermissions[role].includes('people')).toBe(role === 'administrator')
      expect(rolePermissions[role].includes('settings')).toBe(role === 'administrator')
      expect(rolePermissions[role].includes('approve')).toBe(!['operator', 'auditor'].includes(role))
    }
  })
})

describe('before people are set up', () => {
  it('everything is done as local', async () => {
    const window = await peer()
    expect(await window.call('session.get', {})).toMatchObject({ state: 'single', person: null, must_choose: false })
    expect(await window.fails('session.sign_in', { name: 'Ann', password: PASSWORD })).toBe('conflict')
    expect(await window.fails('session.set_password', { current: PASSWORD, password: OTHER })).toBe('conflict')
    expect(await window.fails('settings.set', { look_every_minutes: 30 })).toBe('ok')
    expect(ofType('setting.changed')[0]?.actor.ref).toBe('local')
  })

  it('the first person is an administrator, signed in at once', async () => {
    const window = await peer()
    expect(await window.fails('people.add', { name: 'Ann', role: 'auditor', password: PASSWORD })).toBe('conflict')
    expect(await window.fails('people.add', { name: 'Ann', role: 'administrator' })).toBe('bad_request')
    const ann = await window.call('people.add', { name: 'Ann Archer', role: 'administrator', password: PASSWORD })
    expect(ann).toMatchObject({ name: 'Ann Archer', state: 'active', password: 'own', os_account: null })
    expect(await window.call('session.get', {})).toMatchObject({ state: 'signed_in', person: { ref: ann.ref } })
    const second = await peer()
    expect(await second.fails('workspace.dashboard', {})).toBe('unauthorized')
    expect(await second.fails('workspace.status', {})).toBe('ok')
  })
})

describe('people', () => {
  const setUp = async () => {
    const window = await peer()
    const ann = await window.call('people.add', { name: 'Ann Archer', role: 'administrator', password: PASSWORD })
    const bob = await window.call('people.add', { name: 'Bob Baker', role: 'operator', password: OTHER })
    return { window, ann, bob }
  }

  it('choose a password of their own before anything else', async () => {
    const { bob } = await setUp()
    expect(bob.password).toBe('chosen_by_other')
    const window = await peer()
    expect(await window.call('session.sign_in', { name: ' bob  baker', password: OTHER })).toMatchObject({ must_choose: true })
    expect(await window.fails('workspace.dashboard', {})).toBe('forbidden')
    expect(await window.fails('session.set_password', { current: PASSWORD, password: 'another fine password' })).toBe('unauthorized')
    expect(await window.fails('session.set_password', { current: OTHER, password: OTHER })).toBe('bad_request')
    const mine = 'cold tea and warm rain'
    expect(await window.call('session.set_password', { current: OTHER, password: mine })).toMatchObject({ must_choose: false })
    expect(await window.fails('workspace.dashboard', {})).toBe('ok')
    await window.call('session.sign_out', {})
    expect(await window.fails('session.sign_in', { name: 'Bob Baker', password: OTHER })).toBe('unauthorized')
    expect(await window.call('session.sign_in', { name: 'Bob Baker', password: mine })).toMatchObject({ state: 'signed_in' })
  })

  it('may do what their role may, and are told who may do the rest', async () => {
    const { bob, window } = await setUp()
    await window.call('people.change', { ref: bob.ref, os_account: 'bob' })
    const caller: Caller = { actor: { ref: bob.ref, kind: 'human' }, via: 'ipc' }
    const reply = await engine.engine.router.call('settings.set', { look_every_minutes: 5 }, caller)
    expect(reply).toMatchObject({
      ok: false,
      error: { code: 'forbidden', message: 'this takes the role administrator; you are signed in as operator' }
    })
    expect((await engine.engine.router.call('records.open', {}, caller)).ok).toBe(true)
  })

  it('are changed at once, also while they are signed in', async () => {
    const { window, bob } = await setUp()
    const second = await peer()
    await second.call('session.sign_in', { name: 'Bob Baker', password: OTHER })
    await second.call('session.set_password', { current: OTHER, password: 'cold tea and warm rain' })
    const seen: string[] = []
    engine.engine.people.follow(second.session, (state) => seen.push(`${state.state} ${state.person?.role ?? ''}`))
    expect(await second.fails('people.list', {})).toBe('forbidden')
    await window.call('people.change', { ref: bob.ref, role: 'auditor' })
    expect(await second.fails('people.list', {})).toBe('ok')
    await window.call('people.change', { ref: bob.ref, state: 'disabled' })
    expect(await second.fails('workspace.dashboard', {})).toBe('unauthorized')
    expect(await second.fails('session.sign_in', { name: 'Bob Baker', password: 'cold tea and warm rain' })).toBe('unauthorized')
    expect(seen).toEqual(['signed_in operator', 'signed_in auditor', 'signed_out '])
    expect(ofType('session.closed').at(-1)?.data).toMatchObject({ user: bob.ref, reason: 'changed' })
  })

  it('keep an administrator: the last one cannot be disabled, made something else or left without a way in', async () => {
    const { window, ann, bob } = await setUp()
    for (const change of [{ state: 'disabled' }, { role: 'auditor' }] as const)
      expect(await window.fails('people.change', { ref: ann.ref, ...change })).toBe('conflict')
    await window.call('people.change', { ref: bob.ref, role: 'administrator' })
    const both = await Promise.all([
      window.fails('people.change', { ref: ann.ref, role: 'auditor' }),
      engine.codeOf('people.change', { ref: bob.ref, state: 'disabled' })
    ])
    expect(both).toEqual(['ok', 'conflict'])
    const cid = await engine.call('people.add', { name: 'Cid', role: 'auditor', os_account: 'cid' })
    expect(await engine.codeOf('people.change', { ref: cid.ref, os_account: null })).toBe('conflict')
    expect(await engine.codeOf('people.change', { ref: 'u-none', role: 'auditor' })).toBe('not_found')
    expect(await engine.codeOf('people.set_password', { ref: 'u-none', password: PASSWORD })).toBe('not_found')
  })

  it('are the same after a restart, nobody signed in; names and passwords are in no leaf and no file as they are', async () => {
    const { ann, bob } = await setUp()
    const before = await engine.call('people.list', {})
    await engine.restart()
    expect(await engine.call('people.list', {})).toEqual(before)
    const window = await peer()
    expect(await window.call('session.get', {})).toMatchObject({ state: 'signed_out', person: null, permissions: ['open'] })
    expect(await window.call('session.sign_in', { name: 'ANN ARCHER', password: PASSWORD })).toMatchObject({ state: 'signed_in' })
    expect((await window.call('people.names', {})).names).toContainEqual({ ref: bob.ref, name: 'Bob Baker', role: 'operator' })
    expect(ofType('user.added')[0]?.data).toEqual({ user: ann.ref, role: 'administrator', state: 'active', password: 1 })
    expect(JSON.stringify(leaves())).not.toMatch(/Ann|Archer|Bob|walk|herons/)
    for (const folder of [engine.workspace, engine.state])
      for (const file of readdirSync(folder, { recursive: true, withFileTypes: true })) {
        if (!file.isFile()) continue
        expect(readFileSync(join(file.parentPath, file.name)).toString('latin1')).not.toMatch(/Archer|a long walk/)
      }
  })

  it('sign in with the account of the system when that is set', async () => {
    const { window, bob } = await setUp()
    const { os_account } = await window.call('people.list', {})
    await window.call('people.change', { ref: bob.ref, os_account })
    expect(await window.fails('people.add', { name: 'Cid', role: 'auditor', os_account })).toBe('conflict')
    const command = await peer('cli')
    expect(await command.call('session.get', {})).toMatchObject({ state: 'signed_in', person: { ref: bob.ref }, must_choose: false })
    await command.call('session.sign_out', {})
    expect(await command.fails('records.open', {})).toBe('unauthorized')
    expect(await command.call('session.sign_in', { os_account: true })).toMatchObject({ state: 'signed_in' })
    expect(ofType('session.opened').at(-1)?.data).toMatchObject({ user: bob.ref, method: 'os_account', surface: 'cli' })
  })

  it('lock, by hand and when idle; what is pushed stops with it', async () => {
    const { window } = await setUp()
    const { people, router } = engine.engine
    const events: unknown[] = []
    router.subscribe(
      'alerts',
      {},
      (event) => events.push(event),
      () => people.callerOf(window.session)
    )
    expect(people.mayFollow('records', people.callerOf(window.session))).toBe(true)
    expect(await window.call('session.sign_out', { lock: true })).toMatchObject({ state: 'locked', person: { name: 'Ann Archer' } })
    expect(people.mayFollow('records', people.callerOf(window.session))).toBe(false)
    expect(people.mayFollow('status', people.callerOf(window.session))).toBe(true)
    expect(await window.fails('records.open', {})).toBe('unauthorized')
    expect(await window.fails('session.touch', {})).toBe('ok')
    expect(ofType('session.closed').at(-1)?.data).toMatchObject({ reason: 'locked' })
    expect(events).toEqual([])
  })

  it('lock after the minutes without input, by the clock that says more: set back, set forward, asleep', async () => {
    await engine.remove()
    const clock = { wall: 0, monotonic: 0 }
    engine = await testEngine({
      clock: { now: () => Date.now() + clock.wall, monotonic: () => performance.now() + clock.monotonic }
    })
    const { window } = await setUp()
    const MINUTE = 60_000
    const locked = async () => {
      // The check runs once a second.
      await new Promise((resolve) => setTimeout(resolve, 1_300))
      return (await window.call('session.get', {})).state === 'locked'
    }
    const again = () => window.call('session.sign_in', { name: 'Ann Archer', password: PASSWORD })
    await window.call('settings.set', { lock_after_minutes: 10 })
    const pass = (minutes: number, how: 'both' | 'wall' | 'monotonic') => {
      if (how !== 'monotonic') clock.wall += minutes * MINUTE
      if (how !== 'wall') clock.monotonic += minutes * MINUTE
    }
    pass(9, 'both')
    expect(await locked()).toBe(false)
    await window.call('session.touch', {})
    pass(9, 'both')
    expect(await locked()).toBe(false)
    pass(2, 'both')
    expect(await locked()).toBe(true)
    expect(await window.fails('records.open', {})).toBe('unauthorized')
    expect(ofType('session.closed').at(-1)?.data).toMatchObject({ reason: 'idle' })
    // The clock of the wall set back by a day buys no time.
    await again()
    pass(-24 * 60, 'wall')
    pass(11, 'monotonic')
    expect(await locked()).toBe(true)
    // Asleep: the monotonic clock stood still.
    await again()
    pass(11, 'wall')
    expect(await locked()).toBe(true)
    // Never, when it is set so; a command has no window to lock.
    await again()
    await window.call('settings.set', { lock_after_minutes: 0 })
    pass(24 * 60, 'both')
    expect(await locked()).toBe(false)
  }, 30_000)

  it('do not share results of a query', async () => {
    const { window, bob } = await setUp()
    const { handle } = await window.call('records.open', {})
    const caller: Caller = { actor: { ref: bob.ref, kind: 'human' }, via: 'ipc' }
    expect(await engine.engine.router.call('records.page', { handle, offset: 0, limit: 10 }, caller)).toMatchObject({
      error: { code: 'handle_expired' }
    })
    expect(await window.fails('records.page', { handle, offset: 0, limit: 10 })).toBe('ok')
  })
})
