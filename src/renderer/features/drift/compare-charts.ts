// SPDX-License-Identifier: Apache-2.0
import type { DriftComparison, DriftTimeline } from '../../../shared/contract/drift-compare.ts'
import type { Tokens } from '../../app/tokens.ts'
import { axis, chartText } from '../../ui/chart-options.ts'
import { axisTime } from '../../ui/format.ts'
import { axisValue, type ChartMaker } from './charts.ts'

/** Where the plot of the timeline lies in its box, so that windows can be laid over it. */
export const TIMELINE_GRID = { left: 62, right: 34, top: 22, bottom: 24 } as const

/** Median and 90th percentile over time, or the share of failed requests. Gaps stay. */
export const timelineOption =
  (line: DriftTimeline): ChartMaker =>
  (tokens: Tokens) => {
    const isRate = line.feature === 'error_rate'
    const middle = (i: number): number => Date.parse(line.slots[i]?.from ?? '') + line.step_ms / 2
    const curve = (name: string, values: readonly (number | null)[], color: string, width: number, lower = 0) => {
      const known = values.filter((value) => value !== null).length
      return {
        name,
        type: 'line',
        symbol: 'circle',
        symbolSize: known < 3 ? 4 : 2.5,
        // A slot between two empty ones would be invisible as a line.
        showSymbol: true,
        data: values.map((value, i) => [middle(i), value]),
        lineStyle: { color, width },
        itemStyle: { color },
        // Beyond the handle of a window that ends where the curve does.
        endLabel: { show: true, formatter: name, distance: 9, offset: [0, lower], ...chartText(color) }
      }
    }
    const lastOf = (name: 'p50' | 'p90') => line.slots.findLast((slot) => slot[name] !== null)?.[name] ?? 0
    const highest = Math.max(0, ...line.slots.map((slot) => slot.p90 ?? 0))
    // Where both curves end at about the same height, their names would stand one over the other.
    const apart = lastOf('p90') - lastOf('p50') < 0.15 * highest ? 7 : 0
    const span = line.slots.length * line.step_ms
    return {
      grid: TIMELINE_GRID,
      tooltip: { show: false },
      xAxis: axis(tokens, {
        type: 'time',
        min: Date.parse(line.from ?? ''),
        max: Date.parse(line.to ?? ''),
        split: false,
        axisLine: { show: true, onZero: false, lineStyle: { color: tokens.line2 } },
        axisLabel: { formatter: (value: number) => axisTime(new Date(value).toISOString(), line.step_ms, span) }
      }),
      yAxis: axis(tokens, {
        type: 'value',
        min: 0,
        splitNumber: 3,
        axisLabel: { formatter: (value: number) => (isRate ? `${Math.round(value * 100)} %` : axisValue(value, line.unit)) }
      }),
      series: isRate
        ? [
            curve(
              'failed',
              line.slots.map((slot) => (slot.ended === 0 ? null : slot.errors / slot.ended)),
              tokens.chartCurrent,
              2
            )
          ]
        : [
            curve(
              'p90',
              line.slots.map((slot) => slot.p90),
              tokens.chartReference,
              1.5,
              -apart
            ),
            curve(
              'p50',
              line.slots.map((slot) => slot.p50),
              tokens.chartCurrent,
              2,
              apart
            )
          ]
    }
  }

/** Shares of both sides over the same bins. */
export const histogramOption =
  ({ histogram, unit }: Pick<DriftComparison, 'histogram' | 'unit'>, names: readonly [string, string]): ChartMaker =>
  (tokens: Tokens) => {
    const { bins, log } = histogram
    const peakOf = (side: 'a' | 'b'): number => {
      const highest = Math.max(0, ...bins.map((bin) => bin[side]))
      return bins.findIndex((bin) => bin[side] === highest)
    }
    const peaks = { a: peakOf('a'), b: peakOf('b') }
    const shared = peaks.a === peaks.b ? bins[peaks.a] : undefined
    // Over one bar there is room for one label: the higher bar's, with both names.
    const labelled = (side: 'a' | 'b'): boolean => shared === undefined || shared.a >= shared.b === (side === 'a')
    const bars = (name: string, side: 'a' | 'b', color: string, opacity: number, ink: string) => {
      const at = labelled(side) ? peaks[side] : -1
      const formatter = shared === undefined ? name : names.join(' and ')
      return {
        name,
        type: 'bar',
        barGap: '-100%',
        barCategoryGap: '8%',
        silent: true,
        itemStyle: { color, opacity },
        data: bins.map((bin, i) => ({
          value: bin[side],
          ...(i === at ? { label: { show: true, position: 'top', formatter, opacity: 1, ...chartText(ink) } } : {})
        }))
      }
    }
    return {
      grid: { left: 44, right: 16, top: 22, bottom: 38 },
      tooltip: { show: false },
      xAxis: axis(tokens, {
        type: 'category',
        split: false,
        name: `${unit === 'ms' ? 'latency' : unit}${log ? ' (log scale)' : ''}`,
        nameLocation: 'middle',
        nameGap: 24,
        axisLine: { show: true, lineStyle: { color: tokens.line2 } },
        data: bins.map((bin) => axisValue(Number(bin.from.toPrecision(2)), unit))
      }),
      yAxis: axis(tokens, {
        type: 'value',
        min: 0,
        splitNumber: 3,
        axisLabel: { formatter: (value: number) => `${Math.round(value * 100)} %` }
      }),
      series: [bars(names[0], 'a', tokens.chartReference, 0.55, tokens.ink2), bars(names[1], 'b', tokens.chartTint, 0.6, tokens.accent)]
    }
  }
