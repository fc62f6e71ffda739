// SPDX-License-Identifier: Apache-2.0
// The commands as a script runs them: output, exit codes, hostile input.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { testProgram } from '../node/test-program.ts'

const entry = testProgram('cli')
let root: string

const environment = () => ({
  ...process.env,
  AFFIDAVIT_LOG_LEVEL: 'silent',
  COMPLIANCE_API_PORT: '0',
  DRIFT_API_PORT: '0',
  AFFIDAVIT_STATE: join(root, 'state')
})

function affidavit(...args: string[]): { readonly status: number | null; readonly out: string; readonly err: string } {
  const run = spawnSync(process.execPath, [entry, ...args], { encoding: 'utf8', env: environment(), timeout: 60_000 })
  return { status: run.status, out: run.stdout, err: run.stderr }
}

const lines = (count: number, model: string, more: object = {}): string =>
  Array.from(
    { length: count },
    (_, i) =>
      `${JSON.stringify({ id: `${model}-${i}`, model, source: 'cli', prompt: `question ${i}`, response: `answer ${i}`, latency_ms: 100 + i, output_tokens: i % 9, ...more })}\n`
  ).join('')

beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'affidavit-cli-'))
  writeFileSync(join(root, 'a.jsonl'), lines(300, 'old'))
  writeFileSync(join(root, 'b.jsonl'), `${lines(3, 'new')}not json\n`)
})
afterAll(() => rmSync(root, { recursive: true, force: true }))

const workspace = () => ['--workspace', join(root, 'workspace')]

describe('affidavit', () => {
  it('imports, queries, exports, verifies and rebuilds', () => {
    const first = affidavit('import', ...workspace(), '--profile', 'affidavit-jsonl', '--json', join(root, 'a.jsonl'))
    expect(first.status).toBe(0)
    expect(JSON.parse(first.out)).toMatchObject({ accepted: 300, rejected: 0 })
    const second = affidavit('import', ...workspace(), '--profile', 'affidavit-jsonl', join(root, 'b.jsonl'))
    expect(second).toMatchObject({ status: 1 })
    expect(second.err).toContain(':4: malformed_json')
    writeFileSync(join(root, 'broken.jsonl'), `{"model":"third","prompt":"p"}\n${'not json\n'.repeat(1_002)}`)
    const broken = affidavit('import', ...workspace(), '--profile', 'affidavit-jsonl', join(root, 'broken.jsonl'))
    expect(broken.err.match(/malformed_json/g)).toHaveLength(1_000)
    expect(broken.err).toContain('and 2 more rejected')
    const query = affidavit('query', ...workspace(), 'model:new answer')
    expect(query.status).toBe(0)
    expect(
      query.out
        .trim()
        .split('\n')
        .map((line) => (JSON.parse(line) as { model: string }).model)
    ).toEqual(['new', 'new', 'new'])
    const bundle = join(root, 'out.affidavit.zip')
    const made = affidavit(
      'export',
      ...workspace(),
      '--query',
      'model:new',
      '--withhold',
      'response',
      '--recipient',
      'R',
      '--purpose',
      'P',
      '--out',
      bundle,
      '--json'
    )
    expect(made.status).toBe(0)
    expect(JSON.parse(made.out)).toMatchObject({ records: 3, withheld: 3, path: bundle })
    const there = affidavit('export', ...workspace(), '--recipient', 'R', '--purpose', 'P', '--out', bundle)
    expect(there).toMatchObject({ status: 2, err: expect.stringMatching(/^file_exists: /) })
    expect(
      affidavit('export', ...workspace(), '--query', 'model:none', '--recipient', 'R', '--purpose', 'P', '--out', join(root, 'x.zip'))
        .status
    ).toBeGreaterThan(0)
    const verified = affidavit('verify', bundle)
    expect(verified.status).toBe(0)
    const lines = verified.out.trim().split('\n')
    // Six steps, what the remembered heads say, what the verdict rests on in four sentences, and the verdict.
    expect(lines).toHaveLength(12)
    expect(verified.out).toContain('A bundle has no ciphertext')
    expect(verified.out).toContain('a history signed again with the real key, or an older checkpoint, cannot be seen')
    expect(
      affidavit('export', ...workspace(), '--range', '3..1', '--recipient', 'R', '--purpose', 'P', '--out', join(root, 'x.zip')).status
    ).toBe(2)
    expect(verified.out).toMatch(/^1 {2}Signature of the bundle: ok/)
    expect(affidavit('verify', bundle, '--require-trust').status).toBe(1)
    expect(affidavit('verify', ...workspace())).toMatchObject({ status: 0 })
    const rebuilt = affidavit('rebuild', ...workspace(), '--json')
    expect(rebuilt.status).toBe(0)
    expect(
      affidavit('query', ...workspace(), 'model:old')
        .out.trim()
        .split('\n')
    ).toHaveLength(300)
    expect(statSync(join(root, 'workspace')).mode & 0o777).toBe(0o700)
  }, 120_000)

  it('carries on with an export that Ctrl C ended, by the same command, and discards one', async () => {
    const sample = ['--workspace', join(root, 'large')]
    expect(affidavit('sample', ...sample, '--records', '6000').status).toBe(0)
    const folder = join(root, 'exports')
    mkdirSync(folder)
    const wish = ['--recipient', 'R', '--purpose', 'P', '--out', join(folder, 'a.zip'), '--json']
    const interrupt = async (...args: string[]) => {
      const child = spawn(process.execPath, [entry, 'export', ...sample, ...args], {
        env: environment(),
        stdio: ['ignore', 'pipe', 'pipe']
      })
      const exit = new Promise<number | null>((resolve) => child.once('exit', resolve))
      const out: Buffer[] = []
      child.stdout.on('data', (chunk: Buffer) => out.push(chunk))
      while (!readdirSync(folder).some((name) => name.endsWith('.partial'))) await new Promise((resolve) => setTimeout(resolve, 5))
      child.kill('SIGINT')
      return { status: await exit, out: Buffer.concat(out).toString('utf8') }
    }
    const ended = await interrupt(...wish)
    expect(ended.status).toBe(1)
    expect(JSON.parse(ended.out)).toMatchObject({
      error: { code: 'cancelled', message: expect.stringContaining('the same command carries on') }
    })
    expect(readdirSync(folder)).toEqual([expect.stringMatching(/^a\.zip\.[0-9a-f]{8}\.partial$/)])
    const [open] = JSON.parse(affidavit('exports', ...sample, '--json').out) as { id: string; path: string; size: number }[]
    expect(open?.path).toBe(join(folder, 'a.zip'))
    const other = affidavit('export', ...sample, '--query', 'model:none', ...wish)
    expect([other.status, other.err]).toEqual([1, expect.stringContaining(`--discard ${open?.id}`)])

    const again = affidavit('export', ...sample, ...wish)
    expect([again.status, again.err]).toEqual([0, expect.stringContaining('carrying on with the export of')])
    const size = String(open?.size)
    const straight = affidavit('export', ...sample, '--at', size, '--recipient', 'R', '--purpose', 'P', '--out', join(folder, 'b.zip'))
    expect(straight.status).toBe(0)
    expect(readFileSync(join(folder, 'a.zip')).equals(readFileSync(join(folder, 'b.zip')))).toBe(true)

    expect((await interrupt(...wish.map((arg) => arg.replace('a.zip', 'c.zip')))).status).toBe(1)
    const [next] = JSON.parse(affidavit('exports', ...sample, '--json').out) as { id: string }[]
    expect(affidavit('exports', ...sample, '--discard', next?.id ?? '')).toMatchObject({ status: 0, out: 'discarded\n' })
    expect(affidavit('exports', ...sample, '--discard', next?.id ?? '').status).toBeGreaterThan(0)
    expect(readdirSync(folder).sort()).toEqual(['a.zip', 'b.zip'])
  }, 120_000)

  it('says where the rows of a file are and which times name no zone, unless a zone is given', () => {
    const data = join(root, 'wrapped.json')
    const call = { id: 'o', traceId: 't', type: 'GENERATION', model: 'm', startTime: '2025-01-31T12:00:00', input: 'Q', output: 'A' }
    writeFileSync(data, JSON.stringify({ data: [call] }))
    const plain = affidavit('import', ...workspace(), data)
    expect(plain).toMatchObject({ status: 0, out: expect.stringContaining('1 accepted') })
    expect(plain.err).toContain(`${data}: the rows are those of data`)
    expect(plain.err).toContain(`${data}: startTime: without a zone, taken as UTC; --zone names another`)
    // A member is named so that a terminal would clear itself and take another title.
    writeFileSync(data, JSON.stringify([{ model: 'm', prompt: 'Q', 'created\u001b[2J\u009b2J\u001b]0;x\u0007 at': '2025-01-31 12:00:00' }]))
    const hostile = affidavit('import', ...workspace(), '--print-mapping', data)
    expect(hostile.err).toContain('without a zone')
    // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not be there.
    expect(hostile.err).not.toMatch(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/)
    writeFileSync(data, JSON.stringify({ data: [call] }))
    const zoned = affidavit('import', ...workspace(), '--zone', 'Europe/Berlin', data)
    expect(zoned.err).not.toContain('without a zone')
  })

  it('imports a file that no profile knows by a mapping, which it guesses and prints', () => {
    const data = join(root, 'unknown.csv')
    const map = join(root, 'map.json')
    writeFileSync(data, 'when,llm model,question,answer,took_ms\n2026-01-31 12:00:00,mapped-1,Q,A,812\n')
    const fresh = ['--workspace', join(root, 'not yet')]
    const guess = affidavit('import', ...fresh, '--print-mapping', data)
    expect(existsSync(join(root, 'not yet'))).toBe(false)
    expect(affidavit('import', ...workspace(), '--print-mapping', data).out).toBe(guess.out)
    expect(guess.status).toBe(0)
    expect(JSON.parse(guess.out)).toMatchObject({
      fields: { time: { from: 'when', unit: 'text' }, model: { from: 'llm model' }, latency: { from: 'took_ms', unit: 'ms' } }
    })
    writeFileSync(map, guess.out)
    const twice = affidavit('import', ...workspace(), '--map', map, '--json', data, data)
    expect(twice.out.match(/"(accepted|duplicates)":1/g)).toEqual(['"accepted":1', '"duplicates":1'])
    writeFileSync(map, guess.out.replace('"ms"', '"hours"'))
    expect(affidavit('import', ...workspace(), '--map', map, data)).toMatchObject({
      status: 2,
      err: expect.stringContaining('fields.latency.unit')
    })
  }, 60_000)

  it('ends with 2 for what it cannot do, and says why', () => {
    const unknown = affidavit('import', ...workspace(), '--profile', 'none', join(root, 'a.jsonl'))
    expect(unknown).toMatchObject({ status: 2 })
    expect(unknown.err).toMatch(/a\.jsonl: there is no such import profile; there are .*affidavit-jsonl/)
    const nothing = affidavit('import', ...workspace(), '--profile', 'affidavit-jsonl', join(root, 'nothing'))
    expect(nothing.err).toMatch(/^file_unreadable: .*nothing: the file cannot be read\n$/)
    expect(affidavit('verify', join(root, 'a.jsonl')).status).toBe(2)
    expect(affidavit('verify').status).toBe(2)
    // A mistyped folder is not made into an empty workspace that is then found intact.
    for (const command of [
      ['verify'],
      ['query'],
      ['rebuild'],
      ['keys', 'report'],
      ['export', '--recipient', 'R', '--purpose', 'P', '--out', 'x']
    ]) {
      const mistyped = affidavit(...command, '--workspace', join(root, 'typo'))
      expect(mistyped, command.join(' ')).toMatchObject({ status: 2, out: '' })
      expect(mistyped.err, command.join(' ')).toMatch(/^not_found: there is no workspace in .*typo: serve or import makes one\n$/)
    }
    expect(existsSync(join(root, 'typo'))).toBe(false)
    const noPort = spawnSync(process.execPath, [entry, 'serve', ...workspace()], {
      encoding: 'utf8',
      env: { ...environment(), DRIFT_API_PORT: '65536' }
    })
    expect(noPort).toMatchObject({ status: 2, stderr: 'bad_request: DRIFT_API_PORT is a port number, 0 to 65535\n' })
    expect(affidavit('nonsense').status).toBe(2)
    expect(affidavit('query', ...workspace(), 'latency:fast').err).toContain('invalid_filter')
    expect(affidavit('query', ...workspace(), '€').err).toContain('invalid_filter: a search text needs a letter or a digit')
    expect(affidavit('query', ...workspace(), '--', '-model:old -model:new -model:third').status).toBe(0)
    expect(affidavit('--help').status).toBe(0)
  }, 60_000)

  it('stops without a word when whoever reads has seen enough', () => {
    const many = join(root, 'many.jsonl')
    writeFileSync(many, lines(3_000, 'many'))
    expect(affidavit('import', ...workspace(), '--profile', 'affidavit-jsonl', many).status).toBe(0)
    const command = [process.execPath, entry, 'query', ...workspace(), 'model:many']
    const script = 'set -o pipefail; "$@" | head -1'
    const run = spawnSync('bash', ['-c', script, 'bash', ...command], { encoding: 'utf8', env: environment(), timeout: 60_000 })
    expect(run).toMatchObject({ status: 0, stderr: '' })
    expect(run.stdout.trim().split('\n')).toHaveLength(1)
  })

  it.runIf(process.platform === 'linux')('begins no workspace whose keys could not be kept', () => {
    const taken = join(root, 'a file')
    writeFileSync(taken, '')
    const state = ['--state', join(taken, 'state')]
    for (const [name, command] of [
      ['half import', ['import', join(root, 'b.jsonl')]],
      ['half sample', ['sample']]
    ] as const) {
      const [verb = '', ...rest] = command
      const refused = affidavit(verb, '--workspace', join(root, name), ...state, ...rest)
      expect(refused, name).toMatchObject({ status: 2, out: '' })
      expect(refused.err, name).toMatch(/not_writable: .*keys and remembered heads/)
      expect(existsSync(join(root, name)), name).toBe(false)
    }
  })

  it('keeps a second engine away from a workspace, and serves until it is told to stop', async () => {
    const serving: ChildProcess = spawn(process.execPath, [entry, 'serve', ...workspace(), '--json'], {
      env: environment(),
      stdio: ['ignore', 'pipe', 'ignore']
    })
    const text = await new Promise<string>((resolve) => serving.stdout?.once('data', (chunk) => resolve(String(chunk))))
    const { endpoints } = JSON.parse(text) as { endpoints: { compliance: { url: string } } }
    expect((await fetch(`${endpoints.compliance.url}/health`)).status).toBe(200)
    const described = JSON.parse(readFileSync(join(root, 'workspace', 'endpoint.json'), 'utf8')) as object
    expect(JSON.stringify(described)).toContain(endpoints.compliance.url)
    expect(statSync(join(root, 'workspace', 'endpoint.json')).mode & 0o777).toBe(0o600)
    const other = affidavit('query', ...workspace())
    expect(other.status).toBe(2)
    expect(other.err).toContain('workspace_locked')
    const ended = new Promise<number | null>((resolve) => serving.once('exit', (code) => resolve(code)))
    serving.kill('SIGTERM')
    expect(await ended).toBe(0)
  }, 60_000)

  it('protects keys with a passphrase file', () => {
    const secret = join(root, 'passphrase')
    writeFileSync(secret, 'correct horse battery\n', { mode: 0o600 })
    const run = (file: string | undefined) =>
      spawnSync(process.execPath, [entry, 'import', '--workspace', join(root, 'secret'), '--json', join(root, 'a.jsonl')], {
        encoding: 'utf8',
        env: { ...environment(), ...(file === undefined ? {} : { AFFIDAVIT_PASSPHRASE_FILE: file }) }
      })
    expect(run(secret).status).toBe(0)
    expect(run(secret).status).toBe(0)
    writeFileSync(join(root, 'wrong'), 'another passphrase\n')
    expect(run(join(root, 'wrong')).stdout).toContain('keys_unavailable')
    expect(run(undefined).stdout).toContain('keys_unavailable')
  }, 60_000)

  it('makes a sample in a new folder only, and marks its records', () => {
    const place = ['--workspace', join(root, 'sample'), '--state', join(root, 'sample-state')]
    const made = affidavit('sample', ...place, '--records', '600', '--now', '2026-04-01T12:00:00Z', '--json')
    expect(JSON.parse(made.out)).toMatchObject({ records: 600, alerts: 0 })
    expect(affidavit('sample', ...place).status).toBe(1)
    expect(affidavit('sample', '--workspace', join(root, 'other'), '--now', 'today').status).toBe(2)
    const [first = ''] = affidavit('query', ...place, '--json').out.split('\n')
    expect(JSON.parse(first)).toMatchObject({ sample: true })
    expect(affidavit('import', ...place, '--profile', 'affidavit-jsonl', join(root, 'none.jsonl')).status).not.toBe(0)
  }, 60_000)

  it('tests two samples as the published values say', () => {
    const file = (name: string, values: readonly (number | string)[]) => {
      writeFileSync(join(root, name), `${values.join('\n')}\n`)
      return join(root, name)
    }
    const x = file(
      'x',
      [
        0.61, 0.29, 0.06, 0.59, -1.73, -0.74, 0.51, -0.56, 0.39, 1.64, 0.05, -0.06, 0.64, -0.82, 0.37, 1.77, 1.09, -1.28, 2.36, 1.31, 1.05,
        -0.32, -0.4, 1.06, -2.47
      ]
    )
    const result = affidavit('drift', 'test', '--x', x, '--y', x)
    expect(result).toMatchObject({ status: 0, out: 'statistic 0\np 1\nmethod exact\n' })
    expect(JSON.parse(affidavit('drift', 'test', '--x', file('a', [1, 2, 3]), '--y', file('b', [4, 5, 6]), '--json').out)).toMatchObject({
      statistic: 1,
      p: 0.1,
      method: 'exact'
    })
    expect(
      JSON.parse(
        affidavit('drift', 'test', '--x', file('a', [1, 2, 3]), '--y', file('b', [4, 5, 6]), '--alternative', 'less', '--json').out
      ).p
    ).toBeGreaterThan(0.04)
    expect(affidavit('drift', 'test', '--x', file('c', [1, 'two']), '--y', x).status).toBe(2)
    expect(affidavit('drift', 'test', '--x', x, '--y', file('empty', [])).status).toBe(2)
    for (const bad of ['0x10', '1_000', '9007199254740993', '1e400', 'Infinity'])
      expect(affidavit('drift', 'test', '--x', x, '--y', file('bad', [1, bad]))).toMatchObject({
        status: 2,
        err: expect.stringMatching(/line 2 is/)
      })
    expect(affidavit('drift', 'test', '--x', x, '--y', file('good', ['+1.5', '.5', '2.', '1e300', '-9007199254740991'])).status).toBe(0)
  }, 60_000)
})
