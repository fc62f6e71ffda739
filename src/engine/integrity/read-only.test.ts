// SPDX-License-Identifier: Apache-2.0
// The engine on a workspace that does not hold: what still works, and how a person goes on.
import { copyFileSync, readdirSync, renameSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { rawRecord, type TestEngine, testEngine } from '../test/test-engine.ts'

let engine: TestEngine
beforeEach(async () => {
  engine = await testEngine()
})
afterEach(() => engine.remove())

const some = (from: number, count: number) => Array.from({ length: count }, (_, i) => rawRecord(from + i))
const status = () => engine.call('workspace.status', {})
async function verify() {
  const { job_id } = await engine.call('verify.workspace', {})
  await engine.job(job_id)
  return engine.call('verify.workspace_report', { job_id })
}

describe('a rolled-back workspace', () => {
  it('is read and verified, and written to again once a person has gone on with a reason', async () => {
    const ledger = join(engine.workspace, 'ledger.db')
    await engine.call('events.append', { events: some(0, 20) })
    await engine.restart(() => copyFileSync(ledger, `${ledger}.old`))
    await engine.call('events.append', { events: some(20, 20) })
    await engine.restart(() => copyFileSync(`${ledger}.old`, ledger))
    const { problem, ledger: found } = await status()
    expect(problem).toMatchObject({ code: 'rollback_detected', can_continue: true, trusted_size: found.size })
    expect((await engine.call('records.open', { query: '' })).count).toBe(20)
    expect(await verify()).toMatchObject({ verdict: 'intact', size: found.size })
    expect(await engine.codeOf('events.append', { events: some(99, 1) })).toBe('read_only')

    const code = 'rollback_detected'
    expect(await engine.codeOf('workspace.continue', { code: 'head_missing', reason: 'not this one' })).toBe('conflict')
    expect(await engine.codeOf('workspace.continue', { code, reason: '' })).toBe('bad_request')
    expect(await engine.codeOf('workspace.continue', { code, reason: '\ud800\ud800\ud800' })).toBe('bad_request')
    expect(await engine.call('workspace.continue', { code, reason: 'restored from the tape of Monday' })).toEqual({ restart: true })
    await engine.restart()
    expect(await status()).toMatchObject({ state: 'open', problem: null })
    expect(await engine.codeOf('workspace.continue', { code, reason: 'again' })).toBe('conflict')
    expect((await engine.call('events.append', { events: some(40, 5) })).accepted).toBe(5)
    expect((await engine.call('records.open', { query: '' })).count).toBe(25)
    expect(await verify()).toMatchObject({ verdict: 'intact', faults: [] })
    await engine.restart()
    expect((await status()).problem).toBeNull()
  }, 240_000)
})

describe('a workspace without its keyring', () => {
  it('shows leaves, proofs and verification, opens no content, and comes back whole with the keyring', async () => {
    await engine.call('events.append', { events: some(0, 20) })
    const seq = (await engine.call('records.query', {})).records[0]?.seq ?? 0
    const name = readdirSync(engine.state).find((one) => one.startsWith('keyring-')) ?? ''
    const keyring = join(engine.state, name)
    await engine.restart(() => renameSync(keyring, `${keyring}.away`))
    const { problem, keys, state } = await status()
    expect({ state, code: problem?.code, goesOn: problem?.can_continue, keys: keys.protection }).toEqual({
      state: 'read_only',
      code: 'keys_missing',
      goesOn: false,
      keys: 'missing'
    })
    expect(problem?.message).toContain('contents cannot be opened')
    expect(await engine.call('records.proof', { seq })).toMatchObject({
      leaf: { state: 'pass' },
      checkpoint: { root_state: 'pass', signature_state: 'pass' }
    })
    expect(await verify()).toMatchObject({ verdict: 'intact', not_checked: [expect.stringContaining('Contents')] })
    expect((await engine.call('records.get', { seq })).payload).toBe('missing')
    expect(await engine.codeOf('workspace.continue', { code: 'keys_missing', reason: 'go on' })).toBe('workspace_damaged')
    expect((await engine.call('keys.report', {})).keys.map((key) => key.use)).toEqual(['log'])
    const job = await engine.call('workspace.rebuild', {})
    await engine.job(job.job_id)
    await engine.restart(() => renameSync(`${keyring}.away`, keyring))
    expect(await status()).toMatchObject({ state: 'open', problem: null })
    // The catalog that was made without keys is made again: the words are found.
    expect((await engine.call('records.open', { query: 'answer' })).count).toBe(20)
  }, 240_000)
})
