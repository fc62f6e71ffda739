// SPDX-License-Identifier: Apache-2.0
// An encrypted bundle on the command line: what opens it comes from files, never from arguments.
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { armor, generateIdentity, identityToRecipient } from 'age-encryption'
import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import { rawRecord, type TestEngine, testEngine } from '../engine/test/test-engine.ts'
import { type VerifyOptions, verifyFile } from './verify.ts'

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 })

const passphrase = 'correct horse battery staple'
let engine: TestEngine
const at = (name: string) => join(engine.root, name)
const file = (name: string, content: string): string => {
  writeFileSync(at(name), content, { mode: 0o600 })
  return at(name)
}

beforeAll(async () => {
  engine = await testEngine()
  await engine.call('events.append', { events: [rawRecord(1)] })
  const identity = await generateIdentity()
  file('own.txt', `# created: 2026-11-26\n${identity}\n`)
  for (const [name, encrypt] of [
    ['key.age', { recipient: await identityToRecipient(identity) }],
    ['word.age', { passphrase }]
  ] as const) {
    const { job_id } = await engine.call('export.start', { query: '', recipient: 'r', purpose: 'p', out: at(name), encrypt })
    expect((await engine.job(job_id)).error).toBeNull()
  }
})
afterAll(() => engine.remove())

async function run(name: string, options: Partial<VerifyOptions>): Promise<{ readonly exit: number; readonly out: string }> {
  const lines: string[] = []
  const spy = vi.spyOn(process.stdout, 'write').mockImplementation((line) => lines.push(String(line)) > 0)
  try {
    const exit = await verifyFile(at(name), { requireTrust: false, remember: false, ...options }, engine.state)
    return { exit, out: lines.join('') }
  } finally {
    spy.mockRestore()
    const opened = join(engine.state, 'opened')
    expect(existsSync(opened) ? readdirSync(opened) : []).toEqual([])
  }
}

it('is opened by a file of identities, or by the first line of a file', async () => {
  const word = file('word.txt', `${passphrase}\nsecond line\n`)
  for (const [name, options] of [
    ['key.age', { identity: at('own.txt') }],
    ['word.age', { passphraseFile: word }]
  ] as const) {
    const { exit, out } = await run(name, options)
    expect([exit, out.trim().split('\n').at(-1)]).toEqual([0, 'consistent, signer not confirmed'])
    expect((await run(name, { ...options, requireTrust: true })).exit).toBe(1)
  }
})

it('is opened in its text form too', async () => {
  file('text.age', armor.encode(readFileSync(at('key.age'))).replaceAll('\n', '\r\n'))
  const { exit, out } = await run('text.age', { identity: at('own.txt') })
  expect([exit, out.trim().split('\n').at(-1)]).toEqual([0, 'consistent, signer not confirmed'])
  await expect(run('text.age', {})).rejects.toThrow(/--identity FILE/)
  file('text.age', `${readFileSync(at('text.age'), 'utf8')}more`)
  await expect(run('text.age', { identity: at('own.txt') })).rejects.toMatchObject({ code: 'not_this_format' })
})

it('says what is missing or wrong, and names the option', async () => {
  await expect(run('key.age', {})).rejects.toThrow(/--identity FILE/)
  await expect(run('word.age', {})).rejects.toThrow(/--passphrase-file FILE/)
  await expect(run('key.age', { identity: at('none') })).rejects.toMatchObject({ code: 'file_unreadable' })
  await expect(run('word.age', { passphraseFile: at('none') })).rejects.toMatchObject({ code: 'file_unreadable' })
  await expect(run('word.age', { passphraseFile: file('other.txt', 'another passphrase\n') })).rejects.toMatchObject({ code: 'wrong_key' })
  await expect(run('key.age', { identity: file('other.key', `${await generateIdentity()}\n`) })).rejects.toMatchObject({
    code: 'wrong_key'
  })
  await expect(run('key.age', { identity: at('own.txt'), passphraseFile: at('own.txt') })).rejects.toThrow(/not with both/)
})
