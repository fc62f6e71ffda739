// SPDX-License-Identifier: Apache-2.0
// Keys and anchors as a script handles them.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { testProgram } from '../node/test-program.ts'

const entry = testProgram('cli')
const root = mkdtempSync(join(tmpdir(), 'affidavit-cli-keys-'))
afterAll(() => rmSync(root, { recursive: true, force: true }))

const run = (...args: readonly string[]) => {
  const place = ['--workspace', join(root, 'w'), '--state', join(root, 's'), '--json']
  const env = { ...process.env, AFFIDAVIT_LOG_LEVEL: 'silent' }
  const done = spawnSync(process.execPath, [entry, ...args, ...place], { encoding: 'utf8', env, timeout: 120_000 })
  return { code: done.status, out: done.stdout }
}

beforeAll(() => {
  const file = join(root, 'a.jsonl')
  writeFileSync(file, '{"id":"1","model":"m","prompt":"p"}\n')
  expect(run('import', '--profile', 'affidavit-jsonl', file).code).toBe(0)
}, 60_000)

it('a key is changed and reported; a key that is none is refused', { timeout: 240_000 }, () => {
  const changed = run('keys', 'rotate', '--use', 'export')
  expect(changed.code).toBe(0)
  const { keys, origin } = JSON.parse(changed.out) as { readonly keys: readonly { use: string; state: string }[]; readonly origin: string }
  expect(keys.filter((key) => key.use === 'export').map((key) => key.state)).toEqual(['in_use', 'retired'])
  const report = run('keys', 'report')
  expect(report.code).toBe(0)
  expect(JSON.parse(report.out)).toMatchObject({ origin, protection: 'key-file', keys })
  expect(report.out).not.toContain('seed')
  expect(run('keys', 'rotate', '--use', 'door').code).toBe(2)
})

it('anchors are listed; without anybody to ask there is none to get', { timeout: 240_000 }, () => {
  const none = run('anchor', 'now')
  expect(none.code).toBe(2)
  expect(JSON.parse(none.out)).toMatchObject({
    error: { code: 'bad_request', message: expect.stringContaining('nobody is set to anchor') }
  })
  const list = run('anchor', 'list')
  expect(list.code).toBe(0)
  expect(JSON.parse(list.out)).toMatchObject({ anchors: [], anchoring: { state: 'off' } })
})
