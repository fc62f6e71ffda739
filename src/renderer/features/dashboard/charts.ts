// SPDX-License-Identifier: Apache-2.0
import type { Dashboard } from '../../../shared/contract/workspace.ts'
import type { Tokens } from '../../app/tokens.ts'
import { axis, chartText } from '../../ui/chart-options.ts'
import { axisTime, count } from '../../ui/format.ts'

type Bins = Dashboard['bins']
type Option = (tokens: Tokens) => Record<string, unknown>

const grid = { left: 42, right: 40, top: 12, bottom: 20 }

const yearOf = (iso: string): string => iso.slice(0, 4)

function timeAxis(tokens: Tokens, data: Dashboard): Record<string, unknown> {
  const span = Date.parse(data.to) - Date.parse(data.from)
  const every = Math.max(1, Math.ceil(data.bins.length / 6))
  const overYears = yearOf(data.from) !== yearOf(data.to)
  const label = ({ t }: Bins[number], i: number): string => {
    const text = axisTime(t, data.bin_ms, span)
    const before = data.bins[i - every]
    // Of the labels that are drawn, the first of each year.
    const isFirst = i % every === 0 && (before === undefined || yearOf(before.t) !== yearOf(t))
    return overYears && isFirst && !text.includes(yearOf(t)) ? text.replace(/^\d+ [A-Z][a-z]+/, `$& ${yearOf(t)}`) : text
  }
  return axis(tokens, {
    type: 'category',
    data: data.bins.map(label),
    split: false,
    axisLine: { show: true, lineStyle: { color: tokens.line2 } },
    axisLabel: { interval: every - 1, showMinLabel: true, alignMinLabel: 'left' }
  })
}

const isAlone = (values: readonly (number | null)[], i: number): boolean =>
  values[i] !== null && (values[i - 1] ?? null) === null && (values[i + 1] ?? null) === null

function line(
  tokens: Tokens,
  name: string,
  values: readonly (number | null)[],
  color: string,
  width: number,
  dy = 0
): Record<string, unknown> {
  const text = color === tokens.chartCurrent ? tokens.accent : tokens.ink2
  return {
    name,
    type: 'line',
    // A line joins neighbours: what has none would not be seen.
    data: values.map((value, i) => (isAlone(values, i) ? { value, symbol: 'circle', symbolSize: 4 } : value)),
    symbol: 'none',
    showSymbol: true,
    showAllSymbol: true,
    connectNulls: false,
    lineStyle: { color, width },
    itemStyle: { color },
    endLabel: { show: true, formatter: name, distance: 5, offset: [0, dy], ...chartText(text) }
  }
}

const short = (value: number): string => (value >= 1e6 ? `${value / 1e6} M` : value >= 1e3 ? `${value / 1e3} k` : String(value))

export const volumeOption =
  (data: Dashboard): Option =>
  (tokens) => ({
    grid: { ...grid, right: 12 },
    xAxis: timeAxis(tokens, data),
    yAxis: axis(tokens, { type: 'value', min: 0, splitNumber: 3, minInterval: 1, axisLabel: { formatter: short } }),
    series: [
      {
        name: 'requests',
        type: 'bar',
        barCategoryGap: '18%',
        itemStyle: { color: tokens.chartTint },
        data: data.bins.map((bin) => bin.records)
      }
    ]
  })

const seconds = (ms: number | null): number | null => (ms === null ? null : Math.max(ms, 1) / 1000)

/** Labels of the lines nudged apart where their ends meet. */
function nudges(bins: Bins): readonly [number, number, number] {
  const last = bins.findLast((bin) => bin.p50_ms !== null)
  if (!(last?.p50_ms && last.p95_ms && last.p99_ms)) return [0, 0, 0]
  const close = (a: number, b: number) => Math.log10(b / a) < 0.25
  return [close(last.p50_ms, last.p95_ms) ? 10 : 0, 0, close(last.p95_ms, last.p99_ms) ? -10 : 0]
}

export const latencyOption =
  (data: Dashboard): Option =>
  (tokens) => {
    const [low, middle, high] = nudges(data.bins)
    return {
      grid: { ...grid, right: 36 },
      xAxis: timeAxis(tokens, data),
      yAxis: axis(tokens, { type: 'log', axisLabel: { formatter: (v: number) => (v < 1 ? `${v * 1000} ms` : `${count(v)} s`) } }),
      series: [
        line(
          tokens,
          'p99',
          data.bins.map((bin) => seconds(bin.p99_ms)),
          tokens.chartReference,
          1.25,
          high
        ),
        line(
          tokens,
          'p95',
          data.bins.map((bin) => seconds(bin.p95_ms)),
          tokens.chartTint,
          1.5,
          middle
        ),
        line(
          tokens,
          'p50',
          data.bins.map((bin) => seconds(bin.p50_ms)),
          tokens.chartCurrent,
          2,
          low
        )
      ]
    }
  }

/** The same for tokens in and out. */
function tokenNudges({ bins }: Dashboard): readonly [number, number] {
  const last = bins.at(-1)
  if (last === undefined) return [0, 0]
  const top = Math.max(...bins.map((bin) => Math.max(bin.input_tokens, bin.output_tokens)))
  if (Math.abs(last.input_tokens - last.output_tokens) > top * 0.2) return [0, 0]
  return last.input_tokens > last.output_tokens ? [-8, 4] : [4, -8]
}

export const tokensOption =
  (data: Dashboard): Option =>
  (tokens) => ({
    grid: { ...grid, right: 46 },
    xAxis: timeAxis(tokens, data),
    yAxis: axis(tokens, { type: 'value', min: 0, splitNumber: 3, minInterval: 1, axisLabel: { formatter: short } }),
    series: [
      line(
        tokens,
        'input',
        data.bins.map((bin) => bin.input_tokens),
        tokens.chartReference,
        1.5,
        tokenNudges(data)[0]
      ),
      line(
        tokens,
        'output',
        data.bins.map((bin) => bin.output_tokens),
        tokens.chartCurrent,
        2,
        tokenNudges(data)[1]
      )
    ]
  })

const share = (part: number, whole: number): number | null => (whole === 0 ? null : Number(((100 * part) / whole).toFixed(2)))

/** A scale from 0 that holds the highest value in at most four even steps, its top a step itself. */
function percentScale(highest: number): { readonly max: number; readonly interval: number } {
  const interval = [0.5, 1, 2, 5, 10].find((step) => 4 * step >= highest) ?? 25
  return { max: interval * Math.max(2, Math.ceil(highest / interval)), interval }
}

export const errorsOption =
  (data: Dashboard): Option =>
  (tokens) => ({
    grid: { ...grid, right: 54 },
    xAxis: timeAxis(tokens, data),
    yAxis: axis(tokens, {
      type: 'value',
      min: 0,
      ...percentScale(
        Math.max(...data.bins.flatMap((bin) => [share(bin.error, bin.records) ?? 0, share(bin.aborted, bin.records) ?? 0]), 0)
      ),
      axisLabel: { formatter: '{value} %' }
    }),
    series: [
      line(
        tokens,
        'errors',
        data.bins.map((bin) => share(bin.error, bin.records)),
        tokens.ink2,
        1.5,
        -7
      ),
      line(
        tokens,
        'aborted',
        data.bins.map((bin) => share(bin.aborted, bin.records)),
        tokens.chartReference,
        1.25,
        6
      )
    ]
  })
