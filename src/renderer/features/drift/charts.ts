// SPDX-License-Identifier: Apache-2.0
import type { DriftVerdict } from '../../../shared/contract/drift.ts'
import type { Tokens } from '../../app/tokens.ts'
import { axis, chartText } from '../../ui/chart-options.ts'
import { count, fixed } from '../../ui/format.ts'

/** The option of a chart in the colours of the theme. */
export type ChartMaker = (tokens: Tokens) => Record<string, unknown>

/** What the plots of a feature need, of a verdict or of a comparison. */
export type PlottedFeature = Pick<DriftVerdict, 'ecdf' | 'gap' | 'shift' | 'unit' | 'numbers'>

/** A value of a feature with its unit: durations in seconds. */
export function valueText(value: number, unit: string): string {
  if (unit === 'ms')
    return Math.abs(value) < 1000 ? `${count(Math.round(value))} ms` : `${fixed(value / 1000, Math.abs(value) < 100_000 ? 2 : 1)} s`
  return `${count(Math.round(value))} ${unit}`
}

/** A value beside an axis. Nought has no unit: the others of its axis may be in seconds or in milliseconds. */
export const axisValue = (value: number, unit: string): string =>
  value === 0 ? '0' : unit === 'ms' ? (value >= 1000 ? `${count(value / 1000)} s` : `${value} ms`) : count(value)
const span = (verdict: PlottedFeature): readonly [number, number] => {
  const all = [...verdict.ecdf.reference, ...verdict.ecdf.current].map((point) => point.x)
  return [Math.min(...all), Math.max(...all)]
}

/** Whether a logarithmic axis shows the values better: positive and over more than two decades. */
const logarithmic = ([low, high]: readonly [number, number]): boolean => low > 0 && high / low > 100

/** Both distribution functions with the largest gap marked. */
export const ecdfOption =
  (verdict: PlottedFeature): ChartMaker =>
  (tokens) => {
    const range = span(verdict)
    const log = logarithmic(range)
    const first = log ? 10 ** Math.floor(Math.log10(range[0])) : Math.min(0, range[0])
    const last = log ? 10 ** Math.ceil(Math.log10(range[1] + 1)) : range[1] * 1.05 + 1
    const steps = (points: DriftVerdict['ecdf']['current']) => [[first, 0], ...points.map((point) => [point.x, point.y]), [last, 1]]
    const { gap, numbers, unit } = verdict
    // The label stands on the side of the gap that has room.
    const left = gap !== null && (log ? Math.log10(gap.x / first) / Math.log10(last / first) : (gap.x - first) / (last - first)) > 0.55
    // A small gap leaves no room between the shares: what D is then stands on the other side.
    const gapLeft = gap !== null && Math.abs(gap.reference - gap.current) < 0.25 ? !left : left
    // A curve that runs through a label would make it hard to read.
    const onPanel = { backgroundColor: tokens.panel, padding: [1, 3] }
    return {
      grid: { left: 44, right: 26, top: 14, bottom: 38 },
      xAxis: axis(tokens, {
        type: log ? 'log' : 'value',
        min: first,
        max: last,
        split: false,
        name: `${unit === 'ms' ? 'latency' : unit}${log ? ' (log scale)' : ''}`,
        nameLocation: 'middle',
        nameGap: 24,
        axisLine: { show: true, onZero: false, lineStyle: { color: tokens.line2 } },
        // Where a plain axis ends is no round number.
        axisLabel: { ...(log ? {} : { showMaxLabel: false }), formatter: (value: number) => axisValue(value, unit) }
      }),
      yAxis: axis(tokens, {
        type: 'value',
        min: 0,
        max: 1,
        interval: 0.25,
        axisLabel: { formatter: (value: number) => `${value * 100} %` }
      }),
      tooltip: { show: false },
      series: [
        {
          name: 'reference',
          type: 'line',
          step: 'end',
          showSymbol: false,
          data: steps(verdict.ecdf.reference),
          lineStyle: { color: tokens.chartReference, width: 1.5 },
          itemStyle: { color: tokens.chartReference }
        },
        {
          name: 'current',
          type: 'line',
          step: 'end',
          showSymbol: false,
          data: steps(verdict.ecdf.current),
          lineStyle: { color: tokens.chartCurrent, width: 2 },
          itemStyle: { color: tokens.chartCurrent }
        },
        ...(gap === null
          ? []
          : [
              {
                type: 'line',
                silent: true,
                symbol: 'circle',
                symbolSize: 6,
                data: [
                  [gap.x, gap.current],
                  [gap.x, gap.reference]
                ],
                lineStyle: { color: tokens.ink, width: 1.5 },
                itemStyle: { color: tokens.ink }
              },
              {
                type: 'scatter',
                silent: true,
                // Above the curves, which stand at 3.
                z: 4,
                symbolSize: 0,
                data: [
                  {
                    value: [gap.x, (gap.reference + gap.current) / 2],
                    label: {
                      show: true,
                      formatter: `largest gap D = ${(numbers.d ?? 0).toFixed(3)}\nat ${valueText(gap.x, unit)}`,
                      position: gapLeft ? 'left' : 'right',
                      distance: 8,
                      lineHeight: 15,
                      align: gapLeft ? 'right' : 'left',
                      ...onPanel,
                      ...chartText(tokens.ink, 600)
                    }
                  },
                  {
                    value: [gap.x, gap.reference],
                    label: {
                      show: true,
                      formatter: `reference ${Math.round(100 * gap.reference)} %, n = ${count(numbers.n)}`,
                      ...labelAt(gap.reference, left, gap.reference - gap.current),
                      ...onPanel,
                      ...chartText(tokens.ink2)
                    }
                  },
                  {
                    value: [gap.x, gap.current],
                    label: {
                      show: true,
                      formatter: `current ${Math.round(100 * gap.current)} %, m = ${count(numbers.m)}`,
                      ...labelAt(gap.current, left, gap.current - gap.reference || -1e-9),
                      ...onPanel,
                      ...chartText(tokens.accent)
                    }
                  }
                ]
              }
            ])
      ]
    }
  }

/** Shares nearer than this would have their labels one over the other. */
const NEAR = 0.1

/** Away from the edge of the plot, and from the label of the other curve. @param above how far this curve lies above the other one */
const labelAt = (y: number, left: boolean, above: number): Record<string, unknown> => {
  const inside = y > 0.93 ? 10 : y < 0.07 ? -10 : 0
  const apart = Math.abs(above) >= NEAR ? 0 : above >= 0 ? -8 : 8
  // Both are pushed inwards at an edge: one of them further.
  const offset = inside === 0 || apart === 0 ? inside + apart : inside > 0 ? 18 + apart : apart - 18
  return { position: left ? 'left' : 'right', distance: 8, align: left ? 'right' : 'left', offset: [0, offset] }
}

/** How far each quantile moved, with simultaneous bands; pale bars are open-ended. */
export const shiftOption =
  (verdict: PlottedFeature): ChartMaker =>
  (tokens) => {
    const ends = verdict.shift.flatMap((row) => [row.estimate, row.low ?? row.estimate, row.high ?? row.estimate])
    const sorted = [...ends, 0].sort((a, b) => a - b)
    const pad = Math.max(1, ((sorted.at(-1) ?? 1) - (sorted[0] ?? 0)) * 0.06)
    const low = (sorted[0] ?? 0) - pad
    const high = (sorted.at(-1) ?? 1) + pad
    const { unit } = verdict
    const data = verdict.shift.map((row) => [row.q, row.low ?? low, row.high ?? high, row.low === null || row.high === null ? 1 : 0])
    return {
      grid: { left: 62, right: 22, top: 14, bottom: 38 },
      tooltip: { show: false },
      xAxis: axis(tokens, {
        type: 'value',
        min: 0,
        max: 1,
        interval: 0.25,
        split: false,
        name: 'quantile of the reference',
        nameLocation: 'middle',
        nameGap: 24,
        axisLine: { show: true, onZero: false, lineStyle: { color: tokens.line2 } },
        axisLabel: { formatter: (value: number) => `p${value * 100}` }
      }),
      yAxis: axis(tokens, {
        type: 'value',
        min: low,
        max: high,
        splitNumber: 5,
        axisLabel: {
          showMinLabel: false,
          showMaxLabel: false,
          formatter: (value: number) => `${value > 0 ? '+' : value < 0 ? '−' : ''}${axisValue(Math.abs(Math.round(value)), unit)}`
        }
      }),
      series: [
        {
          type: 'custom',
          silent: true,
          clip: true,
          data,
          encode: { x: 0, y: [1, 2] },
          renderItem: (_: unknown, api: { value: (i: number) => number; coord: (point: readonly number[]) => readonly number[] }) => {
            const [x = 0, bottom = 0] = api.coord([api.value(0), api.value(1)])
            const [, top = 0] = api.coord([api.value(0), api.value(2)])
            return {
              type: 'rect',
              shape: { x: x - 3, y: top, width: 6, height: bottom - top },
              style: { fill: tokens.chartTint, opacity: api.value(3) === 1 ? 0.28 : 0.55 }
            }
          }
        },
        {
          type: 'scatter',
          silent: true,
          symbolSize: 5,
          itemStyle: { color: tokens.chartCurrent },
          data: verdict.shift.map((row) => [row.q, row.estimate]),
          markLine: {
            silent: true,
            symbol: 'none',
            lineStyle: { color: tokens.ink3, type: 'solid', width: 1 },
            label: { formatter: 'no change', position: 'insideEndTop', ...chartText(tokens.ink3, 400) },
            data: [{ yAxis: 0 }]
          }
        }
      ]
    }
  }
