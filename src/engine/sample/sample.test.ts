// SPDX-License-Identifier: Apache-2.0
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { OperationOutput } from '../../shared/contract/contract.ts'
import { engineEnvironment } from '../config.ts'
import { type TestEngine, testEngine } from '../test/test-engine.ts'
import { dice } from './dice.ts'
import { fillSample } from './fill.ts'
import { sampleEvents } from './records.ts'

const NOW = Date.parse('2026-04-01T12:00:00Z')
const WEEK_MS = 7 * 86_400_000
const root = mkdtempSync(join(tmpdir(), 'affidavit-sample-'))
const configOf = (at: string) => ({
  workspace: join(at, 'workspace'),
  state: join(at, 'state'),
  compliance: null,
  drift: null,
  appVersion: '0.1.0',
  keyProtection: 'file' as const
})

let t: TestEngine
beforeAll(async () => {
  await fillSample(configOf(root), { records: null, now: NOW }, engineEnvironment({}), null)
  t = await testEngine({ root, servers: true })
})
afterAll(async () => {
  await t.remove()
  rmSync(root, { recursive: true, force: true })
})

describe('the sample workspace', () => {
  it('holds 200 records, 184 of them successful, of the models and applications it is to show, near 28.6 ms', async () => {
    const { records } = await t.call('records.query', { limit: 1000 })
    expect(records).toHaveLength(200)
    const of = (pick: (row: (typeof records)[number]) => string) => new Set(records.map(pick))
    expect(of((row) => row.model)).toEqual(new Set(['gpt-4', 'gpt-3.5-turbo', 'claude-2']))
    expect(of((row) => row.source)).toEqual(new Set(['web-app', 'api', 'mobile-app']))
    const mean = records.reduce((sum, row) => sum + (row.processing_time_ms ?? 0), 0) / records.length
    expect(mean).toBeGreaterThan(28.5)
    expect(mean).toBeLessThan(28.7)
    const statistics = (await (await fetch(`${t.engine.status().endpoints.compliance.url}/api/compliance/statistics`)).json()) as {
      by_status: Record<string, number>
    }
    expect(statistics.by_status).toEqual({ success: 184, error: 16 })
    for (const row of records) {
      expect(row.sample).toBe(true)
      const at = Date.parse(row.timestamp)
      expect(at > NOW - WEEK_MS && at < NOW).toBe(true)
    }
  })

  it('holds 247 alerts of the week with scores over the whole range, about three quarters of them not seen yet', async () => {
    const url = t.engine.status().endpoints.drift.url
    const statistics = (await (await fetch(`${url}/api/drift/statistics`)).json()) as {
      total_alerts: number
      unacknowledged_alerts: number
    }
    expect(statistics.total_alerts).toBe(247)
    expect(statistics.unacknowledged_alerts / 247).toBeGreaterThan(0.68)
    expect(statistics.unacknowledged_alerts / 247).toBeLessThan(0.82)
    const { alerts } = await t.call('drift.alerts', { limit: 500 })
    const scores = alerts.map((alert) => alert.drift_score)
    expect(Math.min(...scores)).toBeGreaterThan(0.03)
    expect(Math.min(...scores)).toBeLessThan(0.08)
    expect(Math.max(...scores)).toBeGreaterThan(0.9)
    expect(Math.max(...scores)).toBeLessThan(0.97)
    expect(new Set(alerts.flatMap((alert) => alert.drifted_features.split(',')))).toEqual(
      new Set(['latency', 'token_usage', 'response_length', 'error_rate'])
    )
    for (const alert of alerts) expect(NOW - Date.parse(alert.timestamp)).toBeLessThan(WEEK_MS)
  })

  it('gives every alert once, newest first, in pages of twenty of each state: the oldest open one behind all newer ones too', async () => {
    const { alerts: all } = await t.call('drift.alerts', { limit: 500 })
    for (const state of ['open', 'acknowledged', 'resolved'] as const) {
      const ids: string[] = []
      let cursor: string | null = null
      do {
        const page: OperationOutput<'drift.alerts'> = await t.call('drift.alerts', {
          state,
          limit: 20,
          ...(cursor === null ? {} : { cursor })
        })
        expect(page.alerts.length).toBe(page.next_cursor === null ? page.alerts.length : 20)
        ids.push(...page.alerts.map((alert) => alert.id))
        cursor = page.next_cursor
      } while (cursor !== null)
      expect(ids).toEqual(all.filter((alert) => alert.state === state).map((alert) => alert.id))
    }
    const oldest = all.findLastIndex((alert) => alert.state === 'open')
    expect(all.slice(0, oldest).filter((alert) => alert.state !== 'open').length).toBeGreaterThan(20)
  })

  it('opens the verdict behind an alert, from the leaf that holds it', async () => {
    const [alert] = (await t.call('drift.alerts', { limit: 1 })).alerts
    if (!alert) throw new Error('no alert')
    const feature = alert.features[0]?.feature ?? 'latency'
    const verdict = await t.call('drift.verdict', { alert_id: alert.id, feature })
    expect(verdict.numbers.alarmed).toBe(true)
    expect(verdict.numbers.sentence).not.toBe('')
  })

  it('takes nothing in: no events, no file, no upstream', async () => {
    const { url } = t.engine.status().endpoints.compliance
    const answer = await fetch(`${url}/api/compliance/events`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{"model":"m","prompt":"p"}'
    })
    expect(((await answer.json()) as { error: { code: string; message: string } }).error).toMatchObject({
      code: 'read_only',
      message: expect.stringContaining('sample')
    })
    expect(await t.codeOf('events.append', { events: [{ model: 'm', prompt: 'p' }] })).toBe('read_only')
    expect(await t.codeOf('upstreams.set', { name: 'x', url: 'http://127.0.0.1:11434', kind: 'ollama' })).toBe('read_only')
  })

  it('verifies like any other, every leaf of it marked', async () => {
    const { job_id } = await t.call('verify.workspace', {})
    const job = await t.job(job_id)
    expect(job.state).toBe('done')
    const report = await t.call('verify.workspace_report', { job_id })
    expect([report.verdict, report.faults.length]).toEqual(['intact', 0])
  })

  it('is refused where a workspace is already', async () => {
    await expect(fillSample(configOf(root), { records: null, now: NOW }, engineEnvironment({}), null)).rejects.toThrow(
      'holds a workspace already'
    )
  })
})

describe('the events of the sample', () => {
  it('are the same for the same time, and others for another', () => {
    const made = (now: number) => sampleEvents(dice(1), 50, now)
    expect(made(NOW * 1000)).toEqual(made(NOW * 1000))
    expect(made(NOW * 1000)).not.toEqual(made(NOW * 1000 + 1))
  })
})
