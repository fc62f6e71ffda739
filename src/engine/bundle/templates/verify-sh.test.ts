// SPDX-License-Identifier: Apache-2.0
// verify.sh with tools that are too old: it must not call a genuine bundle false.
import { execFileSync, spawnSync } from 'node:child_process'
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { isLayoutName, layoutPatterns, required } from '../../../shared/evidence/bundle-layout.ts'
import { verifySh } from './verify-sh.ts'

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'affidavit-sh-'))
  writeFileSync(join(folder, 'verify.sh'), verifySh)
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** Runs the script with another program in place of a tool. */
function withTool(name: string, script: string) {
  const tools = mkdtempSync(join(folder, 'tools-'))
  const real = execFileSync('sh', ['-c', `command -v ${name}`], { encoding: 'utf8' }).trim()
  writeFileSync(join(tools, name), `#!/bin/sh\n${script.replaceAll('REAL', real)}\n`)
  chmodSync(join(tools, name), 0o755)
  return spawnSync('sh', ['verify.sh'], { cwd: folder, encoding: 'utf8', env: { ...process.env, PATH: `${tools}:${process.env.PATH}` } })
}

it('ends with words and no verdict where openssl knows no Ed25519 over a file', () => {
  const old = withTool('openssl', 'case "$*" in *-rawin*) echo "pkeyutl: Unrecognized flag rawin" >&2; exit 1 ;; esac\nexec REAL "$@"')
  expect([old.status, old.stdout]).toEqual([2, ''])
  expect(old.stderr).toMatch(/^this openssl cannot verify Ed25519 \(.+\): OpenSSL 3 is needed$/m)
})

it('ends with words and no verdict where ssh-keygen cannot verify files', () => {
  const old = withTool('ssh-keygen', 'echo "unknown option -- Y" >&2; exit 1')
  expect([old.status, old.stdout]).toEqual([2, ''])
  expect(old.stderr).toContain('OpenSSH 8.2 or newer is needed')
})

it('goes on to a verdict with the tools that are here', () => {
  const here = spawnSync('sh', ['verify.sh'], { cwd: folder, encoding: 'utf8' })
  expect([here.status, here.stdout.trim().split('\n').at(-1)]).toEqual([1, 'invalid'])
})

it('has the same names in its layout as the program', () => {
  const names = [
    ...required,
    ...['verify.html', 'trust/tsa-ca.pem', 'proof/checkpoint.tsr', 'proof/anchored-consistency.txt', 'data/proofs/0.tlog-proof'],
    ...['data/tile/0/x001/234.p/56', 'data/payload/7.scope.0.opening', 'data/payloads/00001.jsonl', 'data/report.pdf'],
    ...[
      'data/completeness.json',
      'data/proofs/00.tlog-proof',
      'proof/checkpoint.sshsig',
      'data/reportxhtml',
      'xverify.sh',
      'data/payload/7.answer'
    ]
  ]
  const matched = spawnSync('grep', ['-x', '-E', ...layoutPatterns.flatMap((pattern) => ['-e', pattern])], {
    input: `${names.join('\n')}\n`,
    encoding: 'utf8'
  })
  expect(matched.stdout.trim().split('\n')).toEqual(names.filter(isLayoutName))
})
