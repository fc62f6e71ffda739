// SPDX-License-Identifier: Apache-2.0
// Looks and verdicts on count tables made here: no files, no threads.
import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { driftVerdict as verdictSchema } from '../../shared/contract/drift.ts'
import type { LookInput } from '../../shared/drift/judge.ts'
import type { BaselineBody, HistoryBody, LookBody, ReferenceBody, WindowBody } from '../../shared/event/drift-bodies.ts'
import { type JsonValue, jcs } from '../../shared/evidence/jcs.ts'
import { parseLeaf } from '../../shared/evidence/leaf.ts'
import type { LeafData } from '../../shared/evidence/leaf-data.ts'
import { countTableOf, countTableToJson, ecdf } from '../../shared/stats/count-table.ts'
import { ksTables } from '../../shared/stats/ks.ts'
import { RandomPool } from '../crypto.ts'
import { sealLeaf } from '../ledger/seal.ts'
import { defaultSettings } from '../workspace/settings.ts'
import { alertDraft, baselineDraft, decimal, judge, lookDraft, settingsBody } from './look.ts'
import { driftVerdict, ecdfPoints, MOST_POINTS } from './verdict.ts'

const actor = { ref: 'local', kind: 'human' } as const
const settings = settingsBody(defaultSettings)
const spread = (count: number, from: number, width: number): number[] =>
  Array.from({ length: count }, (_, i) => from + ((i * 7919) % width))

function window(latency: readonly number[], more: Partial<WindowBody> = {}): WindowBody {
  const table = (values: readonly number[]) => countTableToJson(countTableOf(values))
  return {
    records: latency.length,
    from: '2026-01-01T00:00:00.000Z',
    to: '2026-01-02T00:00:00.000Z',
    from_seq: 10,
    to_seq: 10 + latency.length,
    token_basis: 'total',
    tables: { latency: table(latency), token_usage: table(latency.map((ms) => ms % 50)), response_length: table([]) },
    error_rate: { errors: 0, total: latency.length },
    beside: { finish: {}, served: {}, script: {} },
    ...more
  }
}

const reference = (latency: readonly number[], model = 'm'): BaselineBody => {
  const made = window(latency)
  return { model, source: 's', name: 'n', query: 'seq:0..999', from: made.from, to: made.to, window: made }
}

const input = (before: readonly number[], after: readonly number[], history: Record<string, HistoryBody> = {}, model = 'm'): LookInput => ({
  model,
  source: 's',
  reference: { kind: 'baseline', id: '7b2a7d9e-0000-4000-8000-000000000001', seq: 5, sha256: 'ab'.repeat(32) },
  against: window(before),
  fresh: null,
  since: 0,
  current: window(after),
  history
})

const bodyOf = (judged: ReturnType<typeof judge>): LookBody => JSON.parse(Buffer.from(judged.body.data).toString('utf8')) as LookBody

function verdictFor(
  one: LookInput,
  feature: 'latency' | 'token_usage' | 'response_length' | 'error_rate',
  others: readonly LookInput[] = []
) {
  const judged = judge([one, ...others], settings, '', 5000)
  const body = bodyOf(judged)
  const series = body.series[0]
  if (!series) throw new Error('a look has its series')
  const data = lookDraft(judged, actor, 'person').draft.data as LeafData<'drift.look'>
  return driftVerdict({
    alertId: null,
    look: { seq: 9, time: '2026-01-03T00:00:00.000Z', data },
    body,
    series,
    baseline: {
      id: one.reference.id,
      kind: 'baseline',
      seq: 5,
      name: 'n',
      model: one.model,
      source: 's',
      query: 'seq:0..999',
      records: 1,
      from: null,
      to: null,
      hash: one.reference.sha256,
      set_at: '2026-01-01T00:00:00.000Z',
      actor: 'local',
      active: true
    },
    reference: one.against,
    feature
  })
}

describe('points of a distribution function', () => {
  it('keep the gap exactly, whatever is left out, and stay within their bounds', () => {
    const values = fc.array(fc.integer({ min: 0, max: 20_000 }), { minLength: 1, maxLength: 6_000, size: 'max' })
    fc.assert(
      fc.property(values, values, (a, b) => {
        const [x, y] = [countTableOf(a), countTableOf(b)]
        const { d, dLocation } = ksTables(x, y, { maxSteps: 0 })
        const at = (points: readonly { x: number; y: number }[]): number => points.findLast((point) => point.x <= dLocation)?.y ?? 0
        const [p, q] = [ecdfPoints(x, dLocation), ecdfPoints(y, dLocation)]
        expect(Math.max(p.length, q.length)).toBeLessThanOrEqual(MOST_POINTS)
        expect(at(p)).toBe(ecdf(x, dLocation))
        expect(at(q)).toBe(ecdf(y, dLocation))
        expect(Math.abs(at(p) - at(q))).toBeCloseTo(d, 12)
        expect([p[0]?.x, p.at(-1)?.x, p.at(-1)?.y]).toEqual([x.values[0], x.values[x.values.length - 1], 1])
      }),
      { numRuns: 60 }
    )
  })

  it('are thinned without a visible jump', () => {
    // Most of the mass on few values, and a long tail of single ones.
    const table = countTableOf([...spread(50_000, 100, 3_000), ...Array.from({ length: 30_000 }, (_, i) => 10_000 + 3 * i)])
    const points = ecdfPoints(table, 500)
    expect(points.length).toBeLessThanOrEqual(MOST_POINTS)
    expect(points.length).toBeGreaterThan(1_500)
    let worst = 0
    for (let i = 0; i < table.values.length; i++) {
      const x = table.values[i] ?? 0
      worst = Math.max(worst, (table.cumulative[i] ?? 0) / table.total - (points.findLast((point) => point.x <= x)?.y ?? 0))
    }
    expect(worst).toBeLessThan(1 / 1_500)
  })

  it('are complete where there are few', () => {
    expect(ecdfPoints(countTableOf([3, 1, 1, 2]), 2)).toEqual([
      { x: 1, y: 0.5 },
      { x: 2, y: 0.75 },
      { x: 3, y: 1 }
    ])
  })
})

describe('a verdict', () => {
  const drifted = input(spread(800, 500, 400), spread(400, 700, 400))

  it('is the same each time, and as the contract says', () => {
    for (const feature of ['latency', 'token_usage', 'response_length', 'error_rate'] as const) {
      const verdict = verdictFor(drifted, feature)
      expect(verdictSchema.parse(verdict)).toEqual(verdict)
      expect(JSON.stringify(verdictFor(structuredClone(drifted), feature))).toBe(JSON.stringify(verdict))
    }
  })

  it('says what the tables say', () => {
    const verdict = verdictFor(drifted, 'latency')
    expect(verdict.numbers).toMatchObject({ state: 'tested', alarmed: true, d: 0.5, n: 800, m: 400 })
    expect(verdict.gap).toMatchObject({ x: 699, reference: 0.5, current: 0 })
    expect(verdict.headline).toBe('50 % of requests finished within 699 ms, now 0 %.')
    expect(verdict.quantiles.map((row) => row.q)).toEqual([0.5, 0.9, 0.95, 0.99])
    expect(verdict.shift.every((row) => row.low === null || row.low <= row.estimate)).toBe(true)
    expect(verdict.current.query).toBe('model:m source:s seq:10..409')
    expect(verdict.companions.psi).toBeGreaterThan(0.2)
    expect(verdict.hashes.reference_table).toMatch(/^[0-9a-f]{64}$/)
    expect(verdict.hashes.reference_table).not.toBe(verdict.hashes.current_table)
  })

  it('shows what stands beside the features from the stored counts, and decides nothing by it', () => {
    const beside = (finish: string, script: string, n: number) => ({ finish: { [finish]: n }, served: { m: n }, script: { [script]: n } })
    const one: LookInput = {
      ...drifted,
      against: { ...drifted.against, beside: beside('stop', 'latin', 800) },
      current: { ...drifted.current, beside: beside('length', 'han', 400) }
    }
    const verdict = verdictFor(one, 'latency')
    expect(verdict.beside).toMatchObject([
      { field: 'finish', method: 'exact', cramers_v: 1 },
      { field: 'served', p: 1, chi_square: 0 },
      { field: 'script', cramers_v: 1 }
    ])
    expect(verdict.beside[0]?.p).toBeLessThan(1e-5)
    expect(verdict.beside[2]?.largest).not.toBeNull()
    expect(verdict.tail?.exceeding).toBeGreaterThan(0)
    expect(verdict.tail?.p).toBeLessThan(1e-5)
    expect(verdict.numbers).toEqual(verdictFor(drifted, 'latency').numbers)
    expect(verdictFor(drifted, 'latency').beside).toEqual([])
    expect(verdictFor(one, 'error_rate').tail).toBeNull()
  })

  it('makes p exact where the look could not, with the q that belongs to it', () => {
    const family = [input(spread(1000, 500, 400), spread(300, 505, 400), {}, 'other')]
    const judged = judge([drifted, ...family], settings, '', 5000)
    const asLooked = judged.figures.series[0]?.numbers[0]
    expect(asLooked?.method).toBe('asymptotic')
    const { numbers } = verdictFor(drifted, 'latency', family)
    expect(numbers.method).toBe('exact')
    expect(numbers.p).not.toBe(asLooked?.p)
    expect(numbers.q).toBeGreaterThanOrEqual(numbers.p ?? 1)
    expect([numbers.d, numbers.l, numbers.alarmed, numbers.reasons]).toEqual([
      asLooked?.d,
      asLooked?.l,
      asLooked?.alarmed,
      asLooked?.reasons
    ])
  })

  it('says that it collects instead of what too few requests seem to show', () => {
    const verdict = verdictFor(input(spread(1000, 500, 400), spread(49, 9000, 10)), 'latency')
    expect(verdict.numbers).toMatchObject({ state: 'collecting', m: 49, p: null })
    expect(verdict.headline).toBe('Collecting: 49 current and 1,000 reference requests so far.')
    expect(verdict.gap).not.toBeNull()
  })

  it('of nothing has no curves and no gap', () => {
    expect(verdictFor(drifted, 'response_length')).toMatchObject({ gap: null, quantiles: [], shift: [], counts: null })
    expect(verdictFor(input(spread(1000, 500, 400), []), 'latency')).toMatchObject({ gap: null, numbers: { state: 'collecting', m: 0 } })
  })

  it('does not move with one outlier', () => {
    const calm = spread(300, 500, 400)
    const outlier = [...calm.slice(1), 7_922_900]
    const numbers = (after: readonly number[]) =>
      judge([input(spread(1000, 500, 400), after)], settings, '', 5000).figures.series[0]?.numbers[0]
    expect(numbers(outlier)).toMatchObject({ alarmed: false })
    expect(Math.abs((numbers(outlier)?.d ?? 1) - (numbers(calm)?.d ?? 0))).toBeLessThanOrEqual(1 / 300 + 1e-12)
  })
})

describe('leaves of a look', () => {
  it('read back as what was decided, and pass the schema of their type', () => {
    const judged = judge([input(spread(1000, 500, 400), spread(300, 700, 400), {}, 'någon modell')], settings, '', 5000)
    const context = { random: new RandomPool(), appVersion: '0.1.0', sample: false }
    const drafts = [
      lookDraft(judged, actor, 'schedule').draft,
      ...judged.alarms.map((alarm) => alertDraft(alarm, actor, 9).draft),
      baselineDraft(reference([1, 2, 3], 'x'.repeat(256)), actor, 8).draft
    ]
    expect(drafts.map((draft) => draft.type)).toEqual(['drift.look', 'drift.alert', 'baseline.set'])
    for (const draft of drafts) {
      const parsed = parseLeaf(sealLeaf(draft, 3, Date.now(), context).bytes.toString('utf8'), jcs)
      expect(parsed).toMatchObject({ ok: true })
    }
    const [alarm] = judged.alarms
    const data = drafts[1]?.data as LeafData<'drift.alert'>
    expect(data).toMatchObject({ model: 'other', source: 's' })
    expect(Number(data.score)).toBe(alarm?.score)
    expect(data.features.map((one) => [Number(one.d), Number(one.p)])).toEqual(alarm?.features.map((one) => [one.d, one.p]))
  })

  it('hold every double as a decimal that the schema takes', () => {
    const share = fc.double({ min: 0, max: 1, noNaN: true })
    fc.assert(
      fc.property(share, (value) => {
        expect(Number(decimal(value))).toBe(value)
        expect(decimal(value)).toMatch(/^-?\d+(\.\d+)?(e[+-]?\d+)?$/)
        expect(decimal(value).length).toBeLessThanOrEqual(32)
      })
    )
    expect([1e-300, 5e-324, 0.1 + 0.2].map((value) => Number(decimal(value)))).toEqual([1e-300, 5e-324, 0.1 + 0.2])
  })

  it('have the same bytes whether the texts of their references were at hand or not', () => {
    const fresh = (model: string) => {
      const { window: made } = reference(spread(1000, 500, 400), model)
      const body: ReferenceBody = { kind: 'rolling', model, source: 's', from: made.from, to: made.to, window: made }
      const sha256 = createHash('sha256')
        .update(jcs(body as unknown as JsonValue))
        .digest('hex')
      return { body, sha256, text: jcs(body as unknown as JsonValue) }
    }
    const made = ['m "1"', 'm2', 'm3'].map(fresh)
    const inputs = made.map(
      ({ body, sha256 }): LookInput => ({
        ...input(spread(1000, 500, 400), spread(300, 700, 400), {}, body.model),
        reference: { kind: 'rolling', id: 'rolling', seq: null, sha256 },
        against: body.window,
        fresh: body
      })
    )
    const texts = new Map(made.slice(0, 2).map((one) => [one.sha256, one.text]))
    const [plain, spliced] = [judge(inputs, settings, 'model:x', 9), judge(inputs, settings, 'model:x', 9, texts)]
    expect(spliced.bodySha256).toBe(plain.bodySha256)
    expect(jcs(bodyOf(spliced) as unknown as JsonValue)).toBe(Buffer.from(spliced.body.data).toString('utf8'))
  })

  it('of an empty look are possible', () => {
    const judged = judge([], settings, '', 7)
    expect(judged.figures).toMatchObject({ tests: 0, collecting: 0, alarmed: 0, series: [] })
    expect([judged.fromSeq, judged.toSeq, judged.alarms]).toEqual([7, 7, []])
  })
})
