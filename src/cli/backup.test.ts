// SPDX-License-Identifier: Apache-2.0
// Backup and restore as a script runs them.
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, it } from 'vitest'
import { testProgram } from '../node/test-program.ts'

const entry = testProgram('cli')
const root = mkdtempSync(join(tmpdir(), 'affidavit-cli-backup-'))
afterAll(() => rmSync(root, { recursive: true, force: true }))

const strace = spawnSync('strace', ['-V']).status === 0
if (!strace) console.log('strace is not here: the syncs of a restore are not checked')

const run = (...args: readonly string[]) => runUnder([], ...args)
const runUnder = (under: readonly string[], ...args: readonly string[]) => {
  const [program = process.execPath, ...rest] = [...under, process.execPath, entry, ...args]
  const done = spawnSync(program, rest, {
    encoding: 'utf8',
    env: { ...process.env, AFFIDAVIT_LOG_LEVEL: 'silent' },
    timeout: 120_000
  })
  return { code: done.status, out: done.stdout, err: done.stderr }
}
const place = (name: string) => ['--workspace', join(root, name), '--state', join(root, 'state')]

it('a backup is made, tested and restored; what cannot be is refused with its code and leaves nothing', { timeout: 600_000 }, () => {
  const records = Array.from({ length: 20 }, (_, i) =>
    JSON.stringify({ id: `r-${i}`, model: 'm', source: 'cli', prompt: `question ${i}`, response: `answer ${i}` })
  )
  writeFileSync(join(root, 'records.jsonl'), `${records.join('\n')}\n`)
  expect(run('import', ...place('first'), '--profile', 'affidavit-jsonl', join(root, 'records.jsonl')).code).toBe(0)
  const backups = join(root, 'backups')
  mkdirSync(backups)

  expect(run('backup', ...place('first')).code).toBe(2)
  for (const to of [join(root, 'nothing'), join(root, 'records.jsonl'), join(root, 'first')]) {
    const refused = run('backup', ...place('first'), '--to', to, '--json')
    expect(refused.code, to).toBe(2)
    expect(JSON.parse(refused.out), to).toMatchObject({ error: { code: expect.stringMatching(/^[a-z_]+$/) } })
  }
  expect(readdirSync(backups)).toEqual([])

  const made = run('backup', ...place('first'), '--to', backups, '--test', '--json')
  expect(made.code).toBe(0)
  const [first, drill] = made.out
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>)
  expect(drill).toMatchObject({ verdict: 'matches' })
  const backup = String(first?.path)
  expect(readdirSync(backups)).toEqual([backup.slice(backups.length + 1)])

  const restored = run('restore', ...place('second'), '--from', backup, '--accept-loss', '--json')
  expect(restored.code).toBe(0)
  expect(JSON.parse(restored.out)).toMatchObject({ workspace: join(root, 'second'), restore: { size: first?.size } })
  const query = run('query', ...place('second'), 'answer')
  expect(query.out.trim().split('\n')).toHaveLength(20)

  if (strace) {
    const log = join(root, 'strace.log')
    const calls = ['strace', '-f', '-y', '-e', 'trace=fsync,fdatasync,rename,renameat,renameat2', '-o', log]
    expect(runUnder(calls, 'restore', ...place('synced'), '--from', backup, '--accept-loss').code).toBe(0)
    const lines = readFileSync(log, 'utf8').split('\n')
    const placed = lines.findIndex((line) => /rename.*synced\.affidavit-restoring"/.test(line))
    const synced = lines.slice(0, placed).join('\n')
    for (const name of [
      ...readdirSync(backup).filter((one) => one !== 'manifest.json' && one !== 'anchors'),
      'anchors/checkpoint',
      'anchors',
      ''
    ])
      expect(synced, name).toMatch(new RegExp(`f(data)?sync\\(\\d+<[^>]*/synced\\.affidavit-restoring${name === '' ? '' : `/${name}`}>`))
    const after = lines.slice(placed).join('\n')
    expect(after).toMatch(new RegExp(`fsync\\(\\d+<${root}>`))
  }

  const onto = run('restore', ...place('second'), '--from', backup, '--json')
  expect(onto.code).toBe(2)
  truncateSync(join(backup, 'ledger.db'), 4096)
  for (const from of [backup, join(root, 'nothing'), join(root, 'first')]) {
    const refused = run('restore', ...place('third'), '--from', from, '--json')
    // 1: the backup was read and found wanting; 2: there is none.
    expect(refused.code, from).toBe(from === backup ? 1 : 2)
    expect(JSON.parse(refused.out), from).toMatchObject({ error: { code: expect.stringMatching(/^[a-z_]+$/) } })
    expect(existsSync(join(root, 'third', 'ledger.db')), from).toBe(false)
  }
  const drilled = run('restore', ...place('first'), '--from', backup, '--test')
  expect(drilled.code).toBeGreaterThan(0)
})
