// SPDX-License-Identifier: Apache-2.0
import { type KeyboardEvent, type PointerEvent, type ReactNode, useCallback, useRef, useState } from 'react'
import type { DriftFeature } from '../../../shared/contract/drift.ts'
import type { DriftTimeline } from '../../../shared/contract/drift-compare.ts'
import type { Tokens } from '../../app/tokens.ts'
import { messageOf, useOperation } from '../../client/hooks.ts'
import { ageOf, count, moment } from '../../ui/format.ts'
import { LazyChart } from '../../ui/lazy-chart.tsx'
import { cx, Note, Panel } from '../../ui/parts.tsx'
import { TIMELINE_GRID, timelineOption } from './compare-charts.ts'
import { moved, type TimeWindow } from './windows.ts'

export type WindowName = 'reference' | 'current'
export type Windows = Readonly<Record<WindowName, TimeWindow | undefined>>

interface TimelinePanelProps {
  /** The records that are drawn. */
  readonly query: string
  readonly feature: DriftFeature
  readonly windows: (whole: TimeWindow) => Windows
  readonly onChange: (windows: Windows) => void
  readonly right?: ReactNode
  readonly level?: 2 | 3
}

const featureWords: Record<DriftFeature, string> = {
  latency: 'latency',
  token_usage: 'token usage',
  response_length: 'response length',
  error_rate: 'share of failed requests'
}

/** A series over time with both windows laid over it; they are moved with the pointer or with the arrow keys. */
export function TimelinePanel({ query, feature, windows, onChange, right, level = 3 }: TimelinePanelProps) {
  const line = useOperation('drift.timeline', { query, feature })
  const { data } = line
  const sub =
    data && data.slots.length > 0
      ? `${featureWords[feature]} per ${ageOf(data.step_ms).replace(/ 0 (h|min)$/, '')}, UTC; drag a window or its ends`
      : undefined
  return (
    <Panel title="Timeline" sub={sub} right={right} flush level={level} className="timeline-panel">
      {line.isError ? (
        <Note is="broken">The timeline cannot be read: {messageOf(line.error)}</Note>
      ) : !data ? (
        <div className="timeline" />
      ) : data.slots.length === 0 ? (
        <p className="dim timeline-empty">No record matches these filters.</p>
      ) : (
        <>
          <Plot line={data} windows={windows} onChange={onChange} />
          {data.outside > 0 && (
            <p className="dim small panel-note">
              {data.outside === 1 ? 'One record claims a time' : `${count(data.outside)} records claim times`} far from all others, and{' '}
              {data.outside === 1 ? 'is' : 'are'} not drawn.
            </p>
          )}
        </>
      )}
    </Panel>
  )
}

interface PlotProps extends Pick<TimelinePanelProps, 'windows' | 'onChange'> {
  readonly line: DriftTimeline
}

function Plot({ line, windows, onChange }: PlotProps) {
  const option = useCallback((tokens: Tokens) => timelineOption(line)(tokens), [line])
  const whole = { from: Date.parse(line.from ?? ''), to: Date.parse(line.to ?? '') }
  const shown = windows(whole)
  const { reference, current } = shown
  // One over the other they could not be told apart, nor taken hold of.
  const split = reference !== undefined && current !== undefined && reference.from < current.to && current.from < reference.to
  const set = (name: WindowName, window: TimeWindow) => onChange({ ...shown, [name]: window })
  return (
    <div className="timeline">
      <LazyChart
        option={option}
        label={`${featureWords[line.feature]} over time, ${moment(line.from ?? '')} to ${moment(line.to ?? '')}`}
      />
      <div className="timeline-plot" style={TIMELINE_GRID}>
        {(['reference', 'current'] as const).map((name) => {
          const window = shown[name]
          return window && <WindowBox key={name} name={name} window={window} whole={whole} step={line.step_ms} split={split} onMove={set} />
        })}
      </div>
    </div>
  )
}

interface WindowBoxProps {
  readonly name: WindowName
  readonly window: TimeWindow
  readonly whole: TimeWindow
  readonly step: number
  /** Whether both windows overlap, so that each has one half of the height. */
  readonly split: boolean
  readonly onMove: (name: WindowName, window: TimeWindow) => void
}

type Part = 'from' | 'to' | 'all'
const partWords: Record<Part, string> = { from: 'start', to: 'end', all: 'window' }

function WindowBox({ name, window: settled, whole, step, split, onMove }: WindowBoxProps) {
  // While it is dragged only the picture follows; what depends on the window is computed when it is let go.
  const [held, setHeld] = useState<TimeWindow | null>(null)
  const window = held ?? settled
  const drag = useRef<{ readonly part: Part; readonly grab: number } | null>(null)
  const share = (time: number): number => (100 * (time - whole.from)) / (whole.to - whole.from)
  const timeAt = (event: PointerEvent<HTMLElement>): number => {
    const plot = event.currentTarget.closest('.timeline-plot')?.getBoundingClientRect()
    if (!plot || plot.width === 0) return window.from
    return whole.from + ((event.clientX - plot.left) / plot.width) * (whole.to - whole.from)
  }
  const down = (part: Part) => (event: PointerEvent<HTMLElement>) => {
    event.stopPropagation()
    event.currentTarget.setPointerCapture(event.pointerId)
    drag.current = { part, grab: timeAt(event) - window.from }
  }
  const move = (event: PointerEvent<HTMLElement>) => {
    if (drag.current) setHeld(moved(window, drag.current.part, timeAt(event), whole, step, drag.current.grab))
  }
  const up = () => {
    drag.current = null
    if (held && (held.from !== settled.from || held.to !== settled.to)) onMove(name, held)
    setHeld(null)
  }
  const key = (part: Part) => (event: KeyboardEvent<HTMLElement>) => {
    const steps = { ArrowLeft: -1, ArrowRight: 1, PageUp: -10, PageDown: 10 }[event.key]
    const end = { Home: whole.from, End: whole.to }[event.key]
    if (steps === undefined && end === undefined) return
    event.preventDefault()
    const from = part === 'to' ? window.to : window.from
    onMove(name, moved(window, part, end ?? from + (steps ?? 0) * step, whole, step))
  }
  const slider = (part: Part, className: string, at: number) => (
    <div
      className={className}
      role="slider"
      tabIndex={0}
      aria-label={`${name} ${partWords[part]}`}
      aria-valuemin={whole.from}
      aria-valuemax={whole.to}
      aria-valuenow={at}
      aria-valuetext={
        part === 'all'
          ? `${moment(new Date(window.from).toISOString())} to ${moment(new Date(window.to).toISOString())}`
          : moment(new Date(at).toISOString())
      }
      onPointerDown={down(part)}
      onPointerMove={move}
      onPointerUp={up}
      onPointerCancel={up}
      onKeyDown={key(part)}
    />
  )
  return (
    <div
      className={cx('timeline-window', `timeline-${name}`, split && 'timeline-split')}
      style={{ left: `${share(window.from)}%`, width: `${share(window.to) - share(window.from)}%` }}
    >
      <span className="timeline-name">{name}</span>
      {slider('all', 'timeline-body', window.from)}
      {slider('from', 'timeline-handle timeline-start', window.from)}
      {slider('to', 'timeline-handle timeline-end', window.to)}
    </div>
  )
}
