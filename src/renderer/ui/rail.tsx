// SPDX-License-Identifier: Apache-2.0
// The scroll bar as a map: where in time the rows are, how dense they lie, which of them are in view.
import { type KeyboardEvent, type PointerEvent, useRef } from 'react'
import { listTime, shortClock, shortDay } from './format.ts'

export interface RailMark {
  readonly offset: number
  readonly timestamp: string
}

export interface RailProps {
  readonly marks: readonly RailMark[]
  readonly count: number
  readonly first: number
  readonly visible: number
  readonly onJump: (index: number) => void
}

/** Records per time between two marks, as a share of the densest. */
function densities(marks: readonly RailMark[]): number[] {
  const rates = marks.slice(1).map((mark, i) => {
    const before = marks[i]
    const ms = Math.abs(Date.parse(mark.timestamp) - Date.parse(before?.timestamp ?? mark.timestamp))
    return (mark.offset - (before?.offset ?? 0)) / Math.max(1000, ms)
  })
  const most = Math.max(...rates, Number.MIN_VALUE)
  // A square root, so that a quiet hour still shows beside a burst.
  return rates.map((rate) => Math.sqrt(rate / most))
}

export function Rail({ marks, count, first, visible, onJump }: RailProps) {
  const element = useRef<HTMLDivElement>(null)
  const share = (index: number) => (count === 0 ? 0 : (100 * index) / count)
  const jump = (event: PointerEvent) => {
    const box = element.current?.getBoundingClientRect()
    if (box) onJump(Math.floor(((event.clientY - box.top) / box.height) * count - visible / 2))
  }
  const onKeyDown = (event: KeyboardEvent) => {
    const to = { ArrowDown: first + 1, ArrowUp: first - 1, PageDown: first + visible, PageUp: first - visible, Home: 0, End: count }[
      event.key
    ]
    if (to === undefined) return
    event.preventDefault()
    onJump(to)
  }
  const bars = densities(marks)
  const labels = marks.filter((_, i) => i % 8 === 0 && i < marks.length - 4)
  const at = marks.findLast((mark) => mark.offset <= first)
  return (
    <div
      ref={element}
      className="rail"
      role="scrollbar"
      tabIndex={0}
      aria-controls="records-grid"
      aria-orientation="vertical"
      aria-label="Position in time"
      aria-valuemin={0}
      aria-valuemax={Math.max(0, count - 1)}
      aria-valuenow={Math.min(first, Math.max(0, count - 1))}
      aria-valuetext={at ? `${listTime(at.timestamp)} UTC` : 'no records'}
      onPointerDown={jump}
      onPointerMove={(event) => event.buttons === 1 && jump(event)}
      onKeyDown={onKeyDown}
    >
      {bars.map((width, i) => {
        const top = share(marks[i]?.offset ?? 0)
        return (
          <i
            key={marks[i]?.offset}
            style={{ top: `${top}%`, height: `calc(${share(marks[i + 1]?.offset ?? 0) - top}% - 1px)`, width: `${8 + 84 * width}%` }}
          />
        )
      })}
      {labels.map((mark) => (
        <b key={mark.offset} style={{ top: `${share(mark.offset)}%` }}>
          {shortDay(mark.timestamp)}
          <br />
          {shortClock(mark.timestamp)}
        </b>
      ))}
      {count > 0 && (
        <span className="rail-view" style={{ top: `${share(first)}%`, height: `max(6px, ${share(Math.min(visible, count))}%)` }} />
      )}
    </div>
  )
}
