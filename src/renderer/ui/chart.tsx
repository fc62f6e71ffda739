// SPDX-License-Identifier: Apache-2.0
// The one wrapper around ECharts: canvas, no animation, direct labels, redrawn when fonts or colours change.
import { useComputedColorScheme } from '@mantine/core'
import { BarChart, CustomChart, LineChart, ScatterChart } from 'echarts/charts'
import { GridComponent, MarkAreaComponent, MarkLineComponent, TooltipComponent } from 'echarts/components'
import type { EChartsCoreOption } from 'echarts/core'
import * as echarts from 'echarts/core'
import { CanvasRenderer } from 'echarts/renderers'
import { useEffect, useRef } from 'react'
import { dark, light, type Tokens } from '../app/tokens.ts'
import { CHART_FONT } from './chart-options.ts'
import { inOwnTurn } from './own-turn.ts'

echarts.use([
  LineChart,
  BarChart,
  ScatterChart,
  CustomChart,
  GridComponent,
  TooltipComponent,
  MarkLineComponent,
  MarkAreaComponent,
  CanvasRenderer
])

export type ChartOption = EChartsCoreOption

/** @param label one sentence that says what the picture shows */
export function Chart({ option, label }: { readonly option: (tokens: Tokens) => ChartOption; readonly label: string }) {
  const element = useRef<HTMLDivElement>(null)
  const chart = useRef<echarts.ECharts | null>(null)
  const scheme = useComputedColorScheme('light')
  useEffect(() => {
    if (!element.current) return
    const created = echarts.init(element.current, null, { renderer: 'canvas' })
    chart.current = created
    const observer = new ResizeObserver(() => created.resize())
    observer.observe(element.current)
    return () => {
      observer.disconnect()
      created.dispose()
      chart.current = null
    }
  }, [])
  useEffect(() => {
    const tokens = scheme === 'dark' ? dark : light
    const draw = () => {
      const target = chart.current
      if (!target || target.isDisposed()) return
      target.setOption(
        {
          animation: false,
          textStyle: { fontFamily: CHART_FONT, fontSize: 11, color: tokens.ink2 },
          tooltip: {
            trigger: 'axis',
            renderMode: 'richText',
            confine: true,
            backgroundColor: tokens.panel,
            borderColor: tokens.line2,
            textStyle: { color: tokens.ink, fontSize: 12, fontFamily: CHART_FONT }
          },
          ...option(tokens)
        },
        true
      )
    }
    let giveUp = inOwnTurn(draw)
    let live = true
    // Widths of labels are known only when the font is there.
    if (document.fonts.status !== 'loaded')
      void document.fonts.ready.then(() => {
        if (live) giveUp = inOwnTurn(draw)
      })
    return () => {
      live = false
      giveUp()
    }
  }, [option, scheme])
  return <div className="chart" role="img" aria-label={label} ref={element} />
}
