// SPDX-License-Identifier: Apache-2.0
// Every bundle of the corpus through the verifier on a file, the command line and the shell; the page has its own test in e2e.
import { execFile, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import { HeadMemory } from '../../node/head-memory.ts'
import { testProgram } from '../../node/test-program.ts'
import { verifyBundleFile } from '../../node/verify-file.ts'
import type { VerifyReport } from '../../shared/contract/exports.ts'
import { makeCorpus } from '../test/corpus.ts'
import type { CorpusCase } from '../test/corpus-case.ts'

vi.setConfig({ testTimeout: 1_200_000, hookTimeout: 240_000 })

const run = promisify(execFile)
const hex = (content: Uint8Array): string => createHash('sha256').update(content).digest('hex')
let folder: string
let cases: readonly CorpusCase[]
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'affidavit-corpus-'))
  cases = await makeCorpus(folder)
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** The folder of confirmed keys that is given with a bundle. */
const confirmedOf = ({ trusted, confirmed }: CorpusCase): string | undefined =>
  trusted || confirmed !== null ? join(folder, confirmed ?? 'trust') : undefined

it('holds at least sixty ways to tamper', () => {
  expect(cases.filter((one) => one.verdict === 'invalid' || one.verdict === 'refused').length).toBeGreaterThanOrEqual(60)
  expect(new Set(cases.map((one) => one.name)).size).toBe(cases.length)
})

it('gets its verdict and its reason from the verifier of the app and the command line, and the same for the folder it was unpacked to', async () => {
  const wrong: string[] = []
  const reasonsIn = ({ steps }: VerifyReport): string => steps.flatMap((s) => s.reasons.map((r) => `${s.number} ${r.code}`)).join(', ')
  for (const one of cases) {
    try {
      const trust = confirmedOf(one)
      const options = trust === undefined ? {} : { trust }
      const report = await verifyBundleFile(join(folder, one.file), options)
      const unpacked = one.folder === null ? report : await verifyBundleFile(join(folder, one.folder), options)
      const step = report.steps.find((found) => found.number === one.step)
      const codes = step?.reasons.map((reason) => reason.code) ?? []
      const reasonFound = one.step === null || (step?.state === 'fail' && (one.code === null || codes.includes(one.code)))
      if (report.verdict !== one.verdict || !reasonFound) wrong.push(`${one.name}: ${report.verdict}; ${reasonsIn(report)}`)
      if (unpacked.verdict !== report.verdict || reasonsIn(unpacked) !== reasonsIn(report))
        wrong.push(`${one.name}, unpacked: ${unpacked.verdict}; ${reasonsIn(unpacked)}`)
    } catch (error) {
      const code = (error as { readonly code?: string }).code
      if (one.verdict !== 'refused' || code !== (one.confirmed === null ? 'not_this_format' : 'file_unreadable'))
        wrong.push(`${one.name}: ${String(error)}`)
    }
  }
  expect(wrong).toEqual([])
})

it('refuses an unpacked bundle with a link, and never takes one for a bag of another program', async () => {
  const changed = join(folder, 'unpacked')
  cpSync(join(folder, cases[0]?.folder ?? ''), changed, { recursive: true })
  const cli = testProgram('cli')
  const verify = (...more: string[]) =>
    spawnSync(process.execPath, [cli, 'verify', '--no-remember', changed, ...more], { encoding: 'utf8' })
  const trusted = verify('--trust', join(folder, 'trust'))
  expect([trusted.status, trusted.stdout.trim().split('\n').at(-1)]).toEqual([0, 'valid'])
  // Manifests that fit, as anybody can make them, and the signature left.
  const list = join(changed, 'manifest-sha256.txt')
  const csv = join(changed, 'data', 'records.csv')
  const before = hex(readFileSync(csv))
  writeFileSync(csv, 'forged')
  writeFileSync(list, readFileSync(list, 'utf8').replace(before, hex(readFileSync(csv))))
  const forged = verify()
  expect([forged.status, forged.stdout.trim().split('\n').at(-1)]).toEqual([1, 'invalid'])
  rmSync(csv)
  symlinkSync(list, csv)
  const linked = verify()
  expect([linked.status, linked.stdout]).toEqual([2, ''])
  expect(linked.stderr).toContain('no plain file')
})

it('is held against a head that was seen before', async () => {
  const remembering = cases.filter((one) => one.remembered !== null)
  expect(remembering.map((one) => one.remembered?.code)).toEqual([null, 'rollback', 'fork'])
  for (const { name, file, verdict, remembered } of remembering) {
    if (!remembered) continue
    const memory = join(folder, `memory of ${name}`)
    mkdirSync(memory)
    const { origin, size, root, signed } = remembered.head
    // The clock of this machine plays no part.
    new HeadMemory(memory).remember(origin, { size, root, seen: '2099-01-01T00:00:00.000Z', signed }, [])
    const report = await verifyBundleFile(join(folder, file), { memory })
    expect(report.verdict, name).toBe(remembered.code === null ? verdict : 'invalid')
    expect(
      report.steps.flatMap((step) => step.reasons.map((reason) => `${step.number} ${reason.code}`)),
      name
    ).toEqual(remembered.code === null ? [] : [`3 ${remembered.code}`])
  }
})

it('gets the same exit and last line from the command', () => {
  const cli = testProgram('cli')
  const verify = (name: string) => {
    const one = cases.find((found) => found.name === name)
    return spawnSync(process.execPath, [cli, 'verify', '--no-remember', join(folder, one?.file ?? '')], { encoding: 'utf8' })
  }
  const good = verify('as it was written')
  expect([good.status, good.stdout.trim().split('\n').at(-1)]).toEqual([0, 'consistent, signer not confirmed'])
  const bad = verify('the status of a leaf')
  expect([bad.status, bad.stdout.trim().split('\n').at(-1)]).toEqual([1, 'invalid'])
  const refused = verify('a name twice')
  expect([refused.status, refused.stdout]).toEqual([2, ''])
})

/** The reasons that verify.sh gives for a step; undefined where the step did not fail. */
function reasonsOf(output: string, step: number): readonly string[] | undefined {
  const lines = output.split('\n')
  const at = lines.findIndex((line) => line.startsWith(`${step}  `) && line.endsWith(': FAILED'))
  if (at < 0) return undefined
  const rest = lines.slice(at + 1)
  const end = rest.findIndex((line) => !/^ {3}[a-z_]+: /.test(line))
  return rest.slice(0, end).map((line) => line.trim().replace(/:.*/, ''))
}

/** Cases of one reason that the shell gets in the time of a build. */
const MOST_OF_A_REASON = process.env.AFFIDAVIT_CORPUS === '1' ? Number.POSITIVE_INFINITY : 2

/** The cases for the shell, which starts hundreds of programs for each: every good bundle, and some of each way to be refused. */
function shellCases(): CorpusCase[] {
  const taken = new Map<string, number>()
  return cases.filter((one) => {
    if (one.folder === null) return false
    const isGood = one.verdict !== 'invalid' && one.verdict !== 'refused'
    const { verdict, step, code, shellVerdict, shellStep, shellCode, confirmed } = one
    const reason = isGood ? one.name : JSON.stringify([verdict, step, code, shellVerdict, shellStep, shellCode, confirmed])
    const before = taken.get(reason) ?? 0
    taken.set(reason, before + 1)
    return before < MOST_OF_A_REASON
  })
}

/** What verify.sh printed, by the name of the case. */
const printed = new Map<string, string>()

it('gets the same verdict, step and reason from verify.sh as it came with the good bundle', async () => {
  const script = join(folder, cases[0]?.folder ?? '', 'verify.sh')
  const sh = readFileSync(script, 'utf8')
  const wrong: string[] = []
  const left = shellCases()
  expect(left.length).toBeGreaterThanOrEqual(60)
  const worker = async () => {
    for (let one = left.shift(); one; one = left.shift()) {
      const trust = confirmedOf(one)
      const args = ['-c', sh, './verify.sh', ...(trust === undefined ? [] : [trust])]
      const {
        stdout,
        stderr,
        code: exit
      } = await run('sh', args, { cwd: join(folder, one.folder ?? '') }).then(
        (said) => ({ ...said, code: 0 }),
        (error: { stdout: string; stderr: string; code: number }) => error
      )
      printed.set(one.name, stdout)
      if (one.verdict === 'refused') {
        if (exit !== 2 || stdout !== '' || !stderr.startsWith('the confirmed keys cannot be read: '))
          wrong.push(`${one.name}: ${stdout}${stderr}`)
        continue
      }
      const verdict = stdout.trim().split('\n').at(-1)
      const seen = one.step !== null && one.shellVerdict === null
      const reasons = reasonsOf(stdout, one.shellStep ?? one.step ?? 0)
      const code = one.shellCode ?? one.code
      if (verdict !== (one.shellVerdict ?? one.verdict) || (seen && (!reasons || (code !== null && !reasons.includes(code)))))
        wrong.push(`${one.name} (${code}): ${stdout}`)
    }
  }
  await Promise.all([worker(), worker()])
  expect(wrong).toEqual([])
})

it('says that a sample is one', async () => {
  const one = cases.find(({ name }) => name === 'of a sample')
  const line = /^SAMPLE: generated data, no evidence\.$/m
  expect(printed.get(one?.name ?? '')).toMatch(line)
  const cli = testProgram('cli')
  expect((await run(process.execPath, [cli, 'verify', '--no-remember', join(folder, one?.file ?? '')])).stdout).toMatch(line)
  expect((await verifyBundleFile(join(folder, one?.file ?? ''))).bundle.sample).toBe(true)
})

it('names the leaves of an erasure that took contents, in the words of every verifier', async () => {
  const one = cases.find(({ name }) => name === 'with an erased record and its erasure')
  const words = /; 3 erased by leaf \d+, done at leaf \d+$/
  const report = await verifyBundleFile(join(folder, one?.file ?? ''))
  const summary = report.steps[5]?.summary ?? ''
  expect(summary).toMatch(words)
  expect(report.bundle.erasures).toHaveLength(1)
  expect(printed.get(one?.name ?? '')).toContain(`6  Every payload against its commitment: ok${words.exec(summary)?.[0]}\n`)
})

it('claims of a timestamp only what its authority lets it', async () => {
  const one = cases.find(({ name }) => name === 'with a timestamp')
  const cannot = 'a history signed again later cannot have it'
  const path = join(folder, one?.file ?? '')
  // The confirmed keys of the corpus are without the certificate of the authority.
  const report = await verifyBundleFile(path, { trust: join(folder, 'trust') })
  expect(report.rests_on.join('\n')).not.toContain(cannot)
  const confirmed = join(folder, 'trust and authority')
  cpSync(join(folder, 'trust'), confirmed, { recursive: true })
  cpSync(join(folder, one?.folder ?? '', 'trust', 'tsa-ca.pem'), join(confirmed, 'tsa-ca.pem'))
  expect((await verifyBundleFile(path, { trust: confirmed })).rests_on.join('\n')).toContain(cannot)
  expect(printed.get(one?.name ?? '')).not.toContain(cannot)
  // As a person starts it, in the folder of the bundle.
  const { stdout } = await run('sh', ['verify.sh', confirmed], { cwd: join(folder, one?.folder ?? '') })
  expect(stdout).toContain(cannot)
})

it('is checked by hand as README-VERIFY.txt says, with the line of a witness in its checkpoint', () => {
  const cwd = join(folder, cases.find(({ name }) => name === 'confirmed keys: a witness')?.folder ?? '')
  const [commands = ''] =
    /^ {7}head -n 3 proof[\s\S]*?-sigfile \/tmp\/sig$/m.exec(readFileSync(join(cwd, 'README-VERIFY.txt'), 'utf8')) ?? []
  const said = spawnSync('sh', ['-e', '-c', commands.replaceAll('/tmp/', `${folder}/`)], { cwd, encoding: 'utf8' })
  expect(said.stdout).toBe('Signature Verified Successfully\n')
})

it('is never accepted by verify.cmd for what it does not check', () => {
  const cmd = readFileSync(join(folder, cases[0]?.folder ?? '', 'verify.cmd'), 'utf8')
  const said = cmd.split('\r\n').filter((line) => /\becho\b/.test(line) && !line.startsWith('@echo'))
  expect(said.join('\n')).not.toMatch(/\bvalid\b|consistent/)
  for (const step of [3, 4, 5, 6]) expect(said.filter((line) => line.includes(`echo ${step}  `)).join('')).toMatch(/not checked here/)
  expect(said.at(-1)).toMatch(/no fault found, !unchecked! steps not checked/)
})
