// SPDX-License-Identifier: Apache-2.0
// Baselines, looks and alerts on the real engine: what holds beside the study of engine.test.ts.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { jcs } from '../../shared/evidence/jcs.ts'
import { parseLeaf } from '../../shared/evidence/leaf.ts'
import { rawRecord, type TestEngine, testEngine } from '../test/test-engine.ts'

let engine: TestEngine
beforeEach(async () => {
  engine = await testEngine()
})
afterEach(() => engine.remove())

const some = (from: number, count: number, more = {}) => Array.from({ length: count }, (_, i) => rawRecord(from + i, more))
const slow = { latency_ms: 9000 }

/** Every leaf as a verifier reads it; the problems of those it refuses. */
function refusedLeaves(): unknown[] {
  const db = new Database(join(engine.workspace, 'ledger.db'), { readonly: true })
  const bytes = db.prepare<[], Buffer>('SELECT bytes FROM leaf ORDER BY seq').pluck().all()
  db.close()
  return bytes.flatMap((leaf) => {
    const parsed = parseLeaf(leaf.toString('utf8'), jcs)
    return parsed.ok ? [] : [parsed.problem]
  })
}

const leafText = (): string => readFileSync(join(engine.workspace, 'ledger.db')).toString('latin1')

describe('leaves of drift', () => {
  it('stay readable for every verifier, whatever a model is called', async () => {
    const model = `${'långt namn, Mrs Example '.repeat(9)}x`
    expect(model.length).toBeGreaterThan(128)
    await engine.call('events.append', { events: some(0, 300, { model }) })
    const baseline = await engine.call('drift.set_baseline', { name: 'b', query: '', model, source: 'desk' })
    expect(baseline).toMatchObject({ model, source: 'desk', records: 300, active: true })
    await engine.call('events.append', { events: some(1000, 100, { model, ...slow }) })
    const { opened } = await engine.call('drift.look', {})
    expect((await engine.call('drift.alerts', {})).alerts).toMatchObject([{ id: opened[0], model, source: 'desk' }])
    expect(refusedLeaves()).toEqual([])
    expect(leafText()).not.toContain('Mrs Example')
  })

  it('hold no note, name or query in clear', async () => {
    await engine.call('events.append', { events: some(0, 300) })
    await engine.call('drift.set_baseline', { name: 'name-of-baseline', query: 'model:gpt-4', model: 'gpt-4', source: 'desk' })
    await engine.call('events.append', { events: some(1000, 100, slow) })
    const [id = ''] = (await engine.call('drift.look', {})).opened
    await engine.call('drift.acknowledge', { id, note: 'x'.repeat(1990) + 'note-text' })
    const text = leafText()
    for (const secret of ['name-of-baseline', 'note-text']) expect(text).not.toContain(secret)
    expect(refusedLeaves()).toEqual([])
  })

  it('refuse text that has no canonical form', async () => {
    await engine.call('events.append', { events: some(0, 300) })
    const pin = { name: 'b', query: '', model: 'gpt-4', source: 'desk' }
    expect(await engine.codeOf('drift.set_baseline', { ...pin, name: 'x\ud800' })).toBe('bad_request')
    expect(await engine.codeOf('drift.set_baseline', { ...pin, model: 'x\udc00' })).toBe('bad_request')
    await engine.call('drift.set_baseline', pin)
    await engine.call('events.append', { events: some(1000, 100, slow) })
    const [id = ''] = (await engine.call('drift.look', {})).opened
    expect(await engine.codeOf('drift.acknowledge', { id, note: '\ud800' })).toBe('bad_request')
    expect((await engine.call('drift.alerts', {})).alerts[0]?.state).toBe('open')
  })
})

describe('alerts', () => {
  it('change once when two people press at the same time', async () => {
    await engine.call('events.append', { events: some(0, 300) })
    await engine.call('drift.set_baseline', { name: 'b', query: '', model: 'gpt-4', source: 'desk' })
    await engine.call('events.append', { events: some(1000, 100, slow) })
    const [id = ''] = (await engine.call('drift.look', {})).opened
    const codes = await Promise.all([1, 2, 3].map((n) => engine.codeOf('drift.acknowledge', { id, note: `${n}` })))
    expect(codes.filter((code) => code === undefined)).toHaveLength(1)
    expect(codes.filter((code) => code === 'conflict')).toHaveLength(2)
    expect((await engine.call('drift.alerts', {})).alerts[0]?.history).toHaveLength(2)
  })
})

describe('history', () => {
  it('belongs to a baseline: another reference starts anew', async () => {
    await engine.call('events.append', { events: some(0, 300) })
    // A shift between the floor and the size from which one look is enough.
    const shifted = Array.from({ length: 400 }, (_, i) => rawRecord(1000 + i, i % 3 === 0 ? slow : {}))
    const pin = (name: string) =>
      engine.call('drift.set_baseline', { name, query: 'seq:0..300', model: 'gpt-4', source: 'desk' })
    await pin('first')
    await engine.call('events.append', { events: shifted })
    const latency = async () => (await engine.call('drift.look', {})).series[0]?.numbers[0]
    const first = await latency()
    expect(first).toMatchObject({ alarmed: false, reasons: ['waiting_for_second_look'] })
    await pin('second')
    expect(await latency()).toMatchObject({ alarmed: false, reasons: ['waiting_for_second_look'] })
    expect(await latency()).toMatchObject({ alarmed: true })
  })
})
