// SPDX-License-Identifier: Apache-2.0
// Commands act for a person where people are set up.
import { spawnSync } from 'node:child_process'
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, it } from 'vitest'
import { testProgram } from '../node/test-program.ts'

const entry = testProgram('cli')
const root = mkdtempSync(join(tmpdir(), 'affidavit-cli-people-'))
afterAll(() => rmSync(root, { recursive: true, force: true }))

const place = ['--workspace', join(root, 'w'), '--state', join(root, 's')]
const run = (...args: readonly string[]) => {
  const done = spawnSync(process.execPath, [entry, ...args], { encoding: 'utf8', timeout: 120_000 })
  return { code: done.status, out: done.stdout, err: done.stderr }
}
const secret = (name: string, text: string, mode = 0o600): string => {
  const path = join(root, name)
  writeFileSync(path, `${text}\n`)
  chmodSync(path, mode)
  return path
}

it('a command acts for the person it names, and for nobody otherwise', { timeout: 300_000 }, () => {
  const password = secret('ann', 'a long walk to the sea')
  const added = run('people', 'add', ...place, '--name', 'Ann Archer', '--role', 'administrator', '--new-password-file', password, '--json')
  expect(added.code).toBe(0)
  expect(JSON.parse(added.out)).toMatchObject({ role: 'administrator', password: 'own' })

  const nobody = run('query', ...place, '--json')
  expect(nobody.code).toBe(2)
  expect(JSON.parse(nobody.out)).toMatchObject({ error: { code: 'unauthorized', message: expect.stringContaining('--password-file') } })

  const ann = ['--user', 'Ann Archer', '--password-file', password]
  expect(run('query', ...place, ...ann).code).toBe(0)
  const wrong = run('query', ...place, '--user', 'Ann Archer', '--password-file', secret('wrong', 'something else entirely'), '--json')
  expect(JSON.parse(wrong.out)).toMatchObject({ error: { code: 'unauthorized' } })

  const first = secret('bob', 'seven grey herons wait', 0o644)
  const second = run('people', 'add', ...place, ...ann, '--name', 'Bob', '--role', 'auditor', '--new-password-file', first)
  expect(second.out).toMatch(/^u-[0-9a-f]{16} auditor Bob\n$/)
  expect(second.err).toContain('others can read')
  const bob = run('query', ...place, '--user', 'Bob', '--password-file', first, '--json')
  expect(JSON.parse(bob.out)).toMatchObject({ error: { code: 'forbidden', message: expect.stringContaining('choose an own one') } })
  expect(run('people', 'list', ...place, ...ann).out.split('\n')).toHaveLength(3)
  expect(run('query', ...place, '--user', 'Ann Archer').err).toContain('belong together')
  // There is no look yet: the person was taken.
  expect(run('drift', 'explain', ...place, ...ann).err).toMatch(/^(not_found|nothing_selected): /)
})
