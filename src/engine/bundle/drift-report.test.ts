// SPDX-License-Identifier: Apache-2.0
import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { verifyBundleFile } from '../../node/verify-file.ts'
import { rawRecord, type TestEngine, testEngine } from '../test/test-engine.ts'

const model = '<img src=x onerror=alert(1)>'
let engine: TestEngine
let alert: string

beforeAll(async () => {
  engine = await testEngine()
  const some = (from: number, count: number, more = {}) => Array.from({ length: count }, (_, i) => rawRecord(from + i, { model, ...more }))
  await engine.call('events.append', { events: some(0, 300) })
  await engine.call('drift.set_baseline', { name: '</title><script>x</script>', query: '', model, source: 'desk' })
  await engine.call('events.append', { events: some(1000, 120, { latency_ms: 9000 }) })
  const { opened } = await engine.call('drift.look', {})
  alert = opened[0] ?? ''
  await engine.call('drift.acknowledge', { id: alert, note: 'a new version was rolled out <b>' })
})
afterAll(() => engine.remove())

describe('the report of a drift alert', () => {
  it('holds verdict, numbers, plot and what was done, and takes no name for markup', async () => {
    const { html, footer, name } = await engine.call('report.drift', { alert_id: alert })
    const verdict = await engine.call('drift.verdict', { alert_id: alert, feature: 'latency' })
    expect(html).toContain('<h2>Latency</h2>')
    expect(html).toContain(verdict.hashes.reference_table)
    expect(html).toContain(verdict.numbers.d?.toFixed(3))
    expect(html).toContain('The look, which has less time, decided by the asymptotic p = ')
    expect(html).toContain('<svg viewBox')
    expect(html).toContain('a new version was rolled out &lt;b&gt;')
    expect(html).not.toMatch(/<img|<script/)
    expect(html).not.toMatch(/NaN|undefined|null/)
    expect(footer).toMatch(/^affidavit\.invalid\/[0-9a-f]{16}\ncheckpoint of [\d,]+ leaves, root [A-Za-z0-9+/]{43}=$/)
    const signed = Number(/of ([\d,]+) leaves/.exec(footer)?.[1]?.replaceAll(',', ''))
    expect(signed).toBe((await engine.call('workspace.status', {})).checkpoint?.size)
    expect(signed).toBeGreaterThan((await engine.call('drift.alerts', {})).alerts[0]?.history.at(-1)?.seq ?? Infinity)
    expect(name).toMatch(/^drift-\d{4}-\d\d-\d\d-leaf-\d+$/)
  })

  it('is refused for an alert that is not there', async () => {
    expect(await engine.codeOf('report.drift', { alert_id: 'none' })).toBe('not_found')
    expect(await engine.codeOf('report.drift', { alert_id: alert, more: 1 })).toBe('bad_request')
  })
})

describe('a bundle of judged records', () => {
  it('carries the leaves of their alerts, and the look and the baseline that the verdict rests on', async () => {
    const out = join(engine.root, 'a.affidavit.zip')
    const { job_id } = await engine.call('export.start', { query: 'latency:9s..', recipient: 'r', purpose: 'p', out })
    expect((await engine.job(job_id)).error).toBeNull()
    const lines = execFileSync('unzip', ['-p', out, 'data/leaves.jsonl'], { encoding: 'utf8', maxBuffer: 1e8 }).trim().split('\n')
    const types = lines.map((line) => (JSON.parse(line) as { readonly type: string }).type).filter((type) => type !== 'llm.recorded')
    expect(types.sort()).toEqual(['baseline.set', 'drift.ack', 'drift.alert', 'drift.look'])
    expect((await verifyBundleFile(out)).kind).toBe('consistent')
  })
})
