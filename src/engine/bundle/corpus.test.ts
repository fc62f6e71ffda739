// SPDX-License-Identifier: Apache-2.0
// Every bundle of the corpus through the verifier on a file, the command line and the shell; the page has its own test in e2e.
import { execFile, spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import { HeadMemory } from '../../node/head-memory.ts'
import { verifyBundleFile } from '../../node/verify-file.ts'
import { makeCorpus } from '../test/corpus.ts'
import type { CorpusCase } from '../test/corpus-case.ts'

vi.setConfig({ testTimeout: 240_000, hookTimeout: 240_000 })

const run = promisify(execFile)
let folder: string
let cases: readonly CorpusCase[]
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'affidavit-corpus-'))
  cases = await makeCorpus(folder)
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

it('holds at least sixty ways to tamper', () => {
  expect(cases.filter((one) => one.verdict === 'invalid' || one.verdict === 'refused').length).toBeGreaterThanOrEqual(60)
  expect(new Set(cases.map((one) => one.name)).size).toBe(cases.length)
})

it('gets its verdict and its reason from the verifier of the app and the command line', async () => {
  const wrong: string[] = []
  for (const one of cases) {
    try {
      const report = await verifyBundleFile(join(folder, one.file), one.trusted ? { trust: join(folder, 'trust') } : {})
      const step = report.steps.find((found) => found.number === one.step)
      const codes = step?.reasons.map((reason) => reason.code) ?? []
      const reasonFound = one.step === null || (step?.state === 'fail' && (one.code === null || codes.includes(one.code)))
      if (report.verdict !== one.verdict || !reasonFound)
        wrong.push(
          `${one.name}: ${report.verdict}; ${report.steps.flatMap((s) => s.reasons.map((r) => `${s.number} ${r.code}`)).join(', ')}`
        )
    } catch (error) {
      const code = (error as { readonly code?: string }).code
      if (one.verdict !== 'refused' || code !== 'not_this_format') wrong.push(`${one.name}: ${String(error)}`)
    }
  }
  expect(wrong).toEqual([])
})

it('is held against a head that was seen before', async () => {
  const remembering = cases.filter((one) => one.remembered !== null)
  expect(remembering.map((one) => one.remembered?.code)).toEqual([null, 'rollback', 'fork'])
  for (const { name, file, verdict, remembered } of remembering) {
    if (!remembered) continue
    const memory = join(folder, `memory of ${name}`)
    mkdirSync(memory)
    const { origin, size, root, time } = remembered.head
    new HeadMemory(memory).remember(origin, { size, root, seen: time }, [])
    const report = await verifyBundleFile(join(folder, file), { memory })
    expect(report.verdict, name).toBe(remembered.code === null ? verdict : 'invalid')
    expect(
      report.steps.flatMap((step) => step.reasons.map((reason) => `${step.number} ${reason.code}`)),
      name
    ).toEqual(remembered.code === null ? [] : [`3 ${remembered.code}`])
  }
})

it('gets the same exit and last line from the command', () => {
  const cli = join(import.meta.dirname, '..', '..', 'cli', 'index.ts')
  const verify = (name: string) => {
    const one = cases.find((found) => found.name === name)
    return spawnSync(process.execPath, [cli, 'verify', '--no-remember', join(folder, one?.file ?? '')], { encoding: 'utf8' })
  }
  const good = verify('as it was written')
  expect([good.status, good.stdout.trim().split('\n').at(-1)]).toEqual([0, 'consistent, signer not confirmed'])
  const bad = verify('the status of a leaf')
  expect([bad.status, bad.stdout.trim().split('\n').at(-1)]).toEqual([1, 'invalid'])
})

it('gets the same verdict and step from verify.sh as it came with the good bundle', async () => {
  const script = join(folder, cases[0]?.folder ?? '', 'verify.sh')
  const sh = readFileSync(script, 'utf8')
  const wrong: string[] = []
  const left = cases.filter((one) => one.folder !== null)
  const worker = async () => {
    for (let one = left.shift(); one; one = left.shift()) {
      const args = ['-c', sh, './verify.sh', ...(one.trusted ? [join(folder, 'trust')] : [])]
      const { stdout } = await run('sh', args, { cwd: join(folder, one.folder ?? '') }).catch((error: { stdout: string }) => error)
      const verdict = stdout.trim().split('\n').at(-1)
      const failed = [...stdout.matchAll(/^(\d) {2}.*: FAILED$/gm)].map((match) => Number(match[1]))
      const seen = one.step !== null && one.shellVerdict === null
      if (verdict !== (one.shellVerdict ?? one.verdict) || (seen && !failed.includes(one.shellStep ?? one.step ?? 0)))
        wrong.push(`${one.name}: ${stdout}`)
    }
  }
  await Promise.all([worker(), worker()])
  expect(wrong).toEqual([])
})

it('is never accepted by verify.cmd for what it does not check', () => {
  const cmd = readFileSync(join(folder, cases[0]?.folder ?? '', 'verify.cmd'), 'utf8')
  const said = cmd.split('\n').filter((line) => /\becho\b/.test(line) && !line.startsWith('@echo'))
  expect(said.join('\n')).not.toMatch(/\bvalid\b|consistent/)
  for (const step of [3, 4, 5, 6]) expect(said.filter((line) => line.includes(`echo ${step}  `)).join('')).toMatch(/not checked here/)
  expect(said.at(-1)).toMatch(/no fault found, \d steps not checked/)
})
