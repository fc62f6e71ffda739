// SPDX-License-Identifier: Apache-2.0
import type { Tokens } from '../app/tokens.ts'

export const CHART_FONT = "'Inter Variable', sans-serif"

/** An axis in the house style; `extra` is merged over it. */
export function axis(tokens: Tokens, extra: Readonly<Record<string, unknown>> = {}): Record<string, unknown> {
  const { axisLabel, split, ...rest } = extra as { axisLabel?: object; split?: boolean }
  return {
    axisLine: { show: false, lineStyle: { color: tokens.line2 } },
    axisTick: { show: false },
    axisLabel: { color: tokens.ink3, fontSize: 11, fontFamily: CHART_FONT, hideOverlap: true, ...axisLabel },
    splitLine: { show: split !== false, lineStyle: { color: tokens.chartGrid, width: 1 } },
    nameTextStyle: { color: tokens.ink3, fontSize: 11, fontFamily: CHART_FONT },
    ...rest
  }
}

/** A text inside a chart. */
export const chartText = (color: string, weight = 500): Record<string, unknown> => ({
  color,
  fontSize: 11,
  fontFamily: CHART_FONT,
  fontWeight: weight
})
