// SPDX-License-Identifier: Apache-2.0
import { expect, it } from 'vitest'
import type { Dashboard } from '../../../shared/contract/workspace.ts'
import { light } from '../../app/tokens.ts'
import { errorsOption, latencyOption } from './charts.ts'

const bin = { t: '2026-01-01T00:00:00.000Z', records: 1000, error: 0, aborted: 0, p50_ms: null, p95_ms: null, p99_ms: null }
const scaleOf = (...counts: readonly { readonly error: number; readonly aborted: number }[]) => {
  const bins = counts.map((one) => ({ ...bin, ...one, input_tokens: 0, output_tokens: 0 }))
  const data = { from: bin.t, to: '2026-01-01T01:00:00.000Z', bin_ms: 60_000, bins } as unknown as Dashboard
  return errorsOption(data)(light).yAxis as { readonly max: number; readonly interval: number }
}

it('the scale of errors has even steps up to its top, and holds the highest share of either line', () => {
  for (let promille = 0; promille <= 1000; promille++)
    for (const counts of [
      { error: promille, aborted: 0 },
      { error: 0, aborted: promille }
    ]) {
      const { max, interval } = scaleOf(counts)
      expect(max / interval, `${promille}`).toBe(Math.round(max / interval))
      expect(max / interval, `${promille}`).toBeLessThanOrEqual(4)
      expect(max, `${promille}`).toBeGreaterThanOrEqual(promille / 10)
      expect(max, `${promille}`).toBeLessThanOrEqual(100)
    }
  expect(scaleOf()).toMatchObject({ max: 1, interval: 0.5 })
  expect(scaleOf({ error: 9, aborted: 2 })).toMatchObject({ max: 1, interval: 0.5 })
  expect(scaleOf({ error: 300, aborted: 600 })).toMatchObject({ max: 75, interval: 25 })
})

it('a point between two gaps is drawn, others are a line', () => {
  const of = (...values: readonly (number | null)[]) => {
    const bins = values.map((p50_ms) => ({ ...bin, p50_ms, p95_ms: p50_ms, p99_ms: p50_ms, input_tokens: 0, output_tokens: 0 }))
    const data = { from: bin.t, to: '2026-01-01T01:00:00.000Z', bin_ms: 60_000, bins } as unknown as Dashboard
    const { series } = latencyOption(data)(light) as { readonly series: readonly { readonly data: readonly unknown[] }[] }
    return series.map((one) => one.data)
  }
  const point = (value: number) => expect.objectContaining({ value, symbol: 'circle' })
  const drawn = [point(1), null, 2, 3, null, point(4), null]
  expect(of(1000, null, 2000, 3000, null, 4000, null)).toEqual([drawn, drawn, drawn])
  expect(of(1000)).toEqual([[point(1)], [point(1)], [point(1)]])
})

it('an axis over the turn of a year names both, each once', () => {
  const day = 86_400_000
  const start = Date.parse('2025-12-20T00:00:00.000Z')
  const bins = Array.from({ length: 24 }, (_, i) => ({
    ...bin,
    t: new Date(start + i * day).toISOString(),
    input_tokens: 0,
    output_tokens: 0
  }))
  const labelsOf = (data: unknown): readonly string[] => {
    const { xAxis } = latencyOption(data as Dashboard)(light) as { xAxis: { data: string[]; axisLabel: { interval: number } } }
    return xAxis.data.filter((_, i) => i % (xAxis.axisLabel.interval + 1) === 0)
  }
  const drawn = labelsOf({ from: bins[0]?.t, to: bins[23]?.t, bin_ms: day, bins })
  expect(drawn).toEqual(['20 Dec 2025', '24 Dec', '28 Dec', '1 Jan 2026', '5 Jan', '9 Jan'])
  const later = bins.slice(12)
  const hours = bins.map((one, i) => ({ ...one, t: new Date(start + 11 * day + i * 6 * 3_600_000).toISOString() }))
  expect(labelsOf({ from: hours[0]?.t, to: hours[12]?.t, bin_ms: 21_600_000, bins: hours.slice(0, 12) })[0]).toBe('31 Dec 2025 00:00')
  expect(labelsOf({ from: later[0]?.t, to: later.at(-1)?.t, bin_ms: day, bins: later }).join()).not.toContain('2026')
})
