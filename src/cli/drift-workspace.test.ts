// SPDX-License-Identifier: Apache-2.0
// Looks, back-tests and receipts as a script runs them: figures of the engine, exit codes, a bundle whose content was changed.
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ZipFile } from 'yazl'
import { type TestEngine, testEngine } from '../engine/test/test-engine.ts'
import { testProgram } from '../node/test-program.ts'
import type { BacktestResult, DriftReceipt } from '../shared/contract/drift-backtest.ts'
import { payloadPath } from '../shared/evidence/bundle-layout.ts'

const entry = testProgram('cli')
const root = mkdtempSync(join(tmpdir(), 'affidavit-cli-drift-'))
const bundle = join(root, 'verdict.affidavit.zip')
let engine: TestEngine
let receipt: DriftReceipt

const place = () => ['--workspace', engine.workspace, '--state', engine.state]
function affidavit(...args: string[]): { readonly status: number | null; readonly out: string; readonly err: string } {
  const env = { ...process.env, AFFIDAVIT_LOG_LEVEL: 'silent', COMPLIANCE_API_PORT: '0', DRIFT_API_PORT: '0' }
  const run = spawnSync(process.execPath, [entry, ...args], { encoding: 'utf8', env, timeout: 60_000 })
  return { status: run.status, out: run.stdout, err: run.stderr }
}

/** A day of calls, one every six minutes. */
const day = (at: number, more: object = {}) =>
  Array.from({ length: 240 }, (_, i) => ({
    id: `call-${at}-${i}`,
    source: 'desk',
    model: 'gpt-4',
    start_time: new Date(Date.UTC(2026, 2, 1 + at) + i * 360_000).toISOString(),
    prompt: `question ${i}`,
    response: 'the same',
    latency_ms: 500 + ((i * 37) % 100),
    output_tokens: 20 + (i % 7),
    ...more
  }))

/** Packs the bundle again after a change of one of its files. */
async function changed(name: string, change: (text: string) => string): Promise<string> {
  const folder = mkdtempSync(join(root, 'changed-'))
  execFileSync('unzip', ['-q', bundle, '-d', folder])
  writeFileSync(join(folder, name), change(readFileSync(join(folder, name), 'utf8')))
  const zip = new ZipFile()
  for (const one of readdirSync(folder, { recursive: true, withFileTypes: true }))
    if (one.isFile()) zip.addFile(join(one.parentPath, one.name), relative(folder, join(one.parentPath, one.name)))
  zip.end()
  const chunks: Buffer[] = []
  for await (const chunk of zip.outputStream) chunks.push(chunk as Buffer)
  const out = `${folder}.zip`
  writeFileSync(out, Buffer.concat(chunks))
  return out
}

beforeAll(async () => {
  engine = await testEngine({ root: join(root, 'engine') })
  await engine.call('events.append', { events: day(0) })
  await engine.call('drift.set_baseline', { name: 'first day', query: 'source:desk', model: 'gpt-4', source: 'desk' })
  await engine.call('settings.set', { reference: 'rolling' })
  await engine.call('events.append', { events: [...day(1), ...day(2), ...day(3, { latency_ms: 9000 })] })
  await engine.engine.stop('quit')
}, 60_000)
afterAll(() => rmSync(root, { recursive: true, force: true }))

describe('affidavit drift', () => {
  it('run: looks at a range, ends with 1 when something alarmed, and with 2 for a range that is none', () => {
    const quiet = affidavit('drift', 'run', ...place(), '--from', '2026-03-02T00:00:00Z', '--to', '2026-03-03T00:00:00Z', '--json')
    expect(quiet.err).toBe('')
    expect(quiet.status).toBe(0)
    expect(JSON.parse(quiet.out)).toMatchObject({ alarmed: 0, opened: [] })
    const words = affidavit('drift', 'run', ...place(), '--from', '2026-03-02T00:00:00Z', '--to', '2026-03-03T00:00:00Z')
    expect(words.out).toMatch(/gpt-4 desk latency: .* No alarm: chance alone explains the gap/)
    const loud = affidavit('drift', 'run', ...place(), '--from', '2026-03-04T00:00:00Z', '--json')
    expect(loud.status).toBe(1)
    const look = JSON.parse(loud.out) as { readonly opened: readonly string[]; readonly series: DriftReceipt['series'] }
    expect(look.opened).toHaveLength(1)
    expect(look.series[0]?.numbers.find((one) => one.feature === 'latency')).toMatchObject({ d: 1, n: 240, m: 240, alarmed: true })
    const wrong = affidavit('drift', 'run', ...place(), '--from', 'yesterday', '--json')
    expect(wrong.status).toBe(2)
    expect(JSON.parse(wrong.out)).toMatchObject({ error: { code: 'bad_request' } })
  }, 240_000)

  it('backtest: tries settings without changing them', () => {
    const tried = affidavit('drift', 'backtest', ...place(), '--set', 'look_every_minutes=360', '--set', 'effect_floor=1', '--json')
    expect(tried.status).toBe(0)
    const result = JSON.parse(tried.out) as BacktestResult
    expect(result.present.alerts).toBe(1)
    expect(result.proposed).toMatchObject({ alerts: 0, alarms: 0 })
    const present = affidavit('drift', 'backtest', ...place())
    expect(present.status).toBe(1)
    expect(present.out).toMatch(/^present settings: .* 1 alerts$/m)
    expect(present.out).toContain('opens an alert')
    const wrong = affidavit('drift', 'backtest', ...place(), '--set', 'nothing=1', '--json')
    expect(wrong.status).toBe(2)
    expect(JSON.parse(wrong.out)).toMatchObject({ error: { code: 'bad_request', message: expect.stringContaining('effect_floor') } })
  }, 240_000)

  it('explain: the same receipt from the workspace and from a bundle', () => {
    const here = affidavit('drift', 'explain', ...place(), '--json')
    expect(here.status).toBe(0)
    const [first] = (JSON.parse(here.out) as { readonly receipts: readonly DriftReceipt[] }).receipts
    if (!first) throw new Error('no receipt')
    receipt = first
    expect(receipt).toMatchObject({ reproduced: true, faults: [] })
    const query = 'source:desk from:2026-03-04'
    expect(
      affidavit('export', ...place(), '--query', query, '--recipient', 'R', '--purpose', 'P', '--out', bundle, '--json')
    ).toMatchObject({ status: 0 })
    const there = affidavit('drift', 'explain', '--bundle', bundle, '--look', String(receipt.look_seq), '--json')
    expect(there.status).toBe(0)
    expect((JSON.parse(there.out) as { readonly receipts: unknown }).receipts).toEqual([receipt])
    expect(affidavit('drift', 'explain', ...place(), '--look', String(receipt.look_seq)).out).toMatch(
      /latency: D .* m \d+ (Alarmed|No alarm): /
    )
    const other = affidavit('drift', 'explain', '--bundle', bundle, '--look', '0')
    expect(other).toMatchObject({ status: 1, err: expect.stringContaining('nothing_selected') })
    expect(affidavit('drift', 'explain')).toMatchObject({ status: 2, err: expect.stringContaining('--bundle or --workspace') })
  }, 240_000)

  it('explain: reports a body that was changed in a bundle, and ends with 1', async () => {
    const name = payloadPath(receipt.look_seq, 'body')
    const other = await changed(name, (text) => text.replace('"d":1,', '"d":0.5,'))
    const found = affidavit('drift', 'explain', '--bundle', other, '--look', String(receipt.look_seq), '--json')
    expect(found.status).toBe(1)
    const told = JSON.parse(found.out) as { readonly verdict: string; readonly receipts: readonly DriftReceipt[] }
    expect(told.verdict).toMatch(/invalid/i)
    expect(told.receipts).toMatchObject([{ reproduced: false, faults: expect.arrayContaining(['the body is not the one the leaf names']) }])
    const none = await changed(name, () => 'no json')
    expect(affidavit('drift', 'explain', '--bundle', none)).toMatchObject({
      status: 1,
      out: expect.stringContaining('the body is not the one')
    })
  }, 240_000)
})
