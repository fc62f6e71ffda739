// SPDX-License-Identifier: Apache-2.0
// A grid of any number of rows: only the visible ones exist. Plain arithmetic on a fixed row height; above the height that a browser can
// lay out, the scroll position is mapped to a row index.
import { type KeyboardEvent, type ReactNode, useCallback, useEffect, useLayoutEffect, useRef, useState } from 'react'
import { type GetPage, usePages } from './grid-pages.ts'

export interface GridColumn<R> {
  readonly name: string
  readonly width: string
  /** Least width of the grid, in px, with which the column is shown. */
  readonly from?: number
  readonly align?: 'right' | 'center'
  readonly sorted?: 'asc' | 'desc' | undefined
  readonly onSort?: (() => void) | undefined
  readonly cell: (row: R) => ReactNode
  readonly className?: (row: R) => string | undefined
}

/** A row to scroll to the top, or the active row, to be brought into view and given the focus; a new object scrolls again. */
export interface Reveal {
  readonly index: number
  readonly as: 'top' | 'focus'
}

interface VirtualGridProps<R> {
  readonly label: string
  readonly count: number
  readonly columns: readonly GridColumn<R>[]
  readonly getPage: GetPage<R>
  /** Changes when the rows behind the positions changed: the cache is dropped. */
  readonly version: string
  readonly active: number
  readonly onActive: (index: number) => void
  readonly selected: number | null
  readonly onOpen: (index: number, row: R) => void
  readonly onScroll?: (first: number, visible: number) => void
  readonly reveal?: Reveal | null
}

const ROW = 28
/** Half of what Chromium lays out at a device pixel ratio of 2. */
const MOST_HEIGHT = 16_000_000

export function VirtualGrid<R>(props: VirtualGridProps<R>) {
  const { label, count, version, active, onActive, selected, onOpen, onScroll, reveal } = props
  const scroller = useRef<HTMLDivElement>(null)
  const [{ width, height }, setSize] = useState({ width: 0, height: 0 })
  const [first, setFirst] = useState(0)
  const { want, rowAt } = usePages(props.getPage, version, count)
  const columns = props.columns.filter(({ from = 0 }) => width >= from)
  const visible = Math.max(1, Math.floor(height / ROW))
  const drawn = Math.min(count - first, visible + 2)
  const full = count * ROW
  const laidOut = Math.min(full, MOST_HEIGHT)
  const mostFirst = Math.max(0, count - visible)
  const exact = full <= MOST_HEIGHT

  useLayoutEffect(() => {
    const element = scroller.current
    if (!element) return
    const measure = () => setSize({ width: element.clientWidth, height: element.clientHeight })
    const observer = new ResizeObserver(measure)
    observer.observe(element)
    measure()
    return () => observer.disconnect()
  }, [])

  const scrollTo = useCallback(
    (index: number) => {
      const element = scroller.current
      if (!element) return
      const target = Math.max(0, Math.min(mostFirst, index))
      setFirst(target)
      element.scrollTop = exact ? target * ROW : (target / Math.max(1, mostFirst)) * (laidOut - element.clientHeight)
    },
    [exact, laidOut, mostFirst]
  )

  const read = () => {
    const element = scroller.current
    if (!element) return
    const range = Math.max(1, laidOut - element.clientHeight)
    const next = exact ? Math.floor(element.scrollTop / ROW) : Math.round((element.scrollTop / range) * mostFirst)
    setFirst((before) => (Math.abs(before - next) <= 1 && !exact ? before : Math.max(0, Math.min(mostFirst, next))))
  }

  useEffect(() => {
    want(first, first + drawn)
    onScroll?.(first, visible)
  }, [want, first, drawn, visible, onScroll])

  // A new result starts at its beginning; scrollTo changes with the size and must not scroll.
  useEffect(() => {
    scrollTo(0)
  }, [version])

  const activeRow = useRef<HTMLDivElement>(null)

  // Scrolls once per request, not when the window is resized.
  useEffect(() => {
    if (!reveal) return
    if (reveal.as === 'top') return scrollTo(reveal.index)
    if (reveal.index <= first || reveal.index >= first + visible) scrollTo(reveal.index - Math.floor(visible / 3))
    activeRow.current?.focus({ preventScroll: true })
  }, [reveal])

  // The row that a key leads to takes the focus as soon as it is drawn.
  const byKey = useRef(false)
  useLayoutEffect(() => {
    if (byKey.current) activeRow.current?.focus({ preventScroll: true })
    byKey.current = false
  })

  const move = (to: number) => {
    const next = Math.max(0, Math.min(count - 1, to))
    byKey.current = next !== active
    onActive(next)
    // The first row may be cut.
    if (next <= first) scrollTo(next)
    else if (next >= first + visible) scrollTo(next - visible + 1)
  }

  const onKeyDown = (event: KeyboardEvent) => {
    const steps: Record<string, number> = {
      ArrowDown: active + 1,
      ArrowUp: active - 1,
      PageDown: active + visible,
      PageUp: active - visible,
      Home: 0,
      End: count - 1
    }
    const to = steps[event.key]
    if (to !== undefined) {
      event.preventDefault()
      move(to)
      return
    }
    const row = rowAt(active)
    if (event.key === 'Enter' && row !== undefined) onOpen(active, row)
  }

  const template = { gridTemplateColumns: columns.map((column) => column.width).join(' ') }
  const offset = exact ? first * ROW : (scroller.current?.scrollTop ?? 0)
  // The active row stays, just out of view, where it is scrolled away: the focus would be lost with it.
  const rows = Array.from({ length: Math.max(0, drawn) }, (_, i) => first + i)
  const away = active < first ? -ROW : active >= first + drawn ? drawn * ROW : null
  if (away !== null && count > 0) rows.splice(away < 0 ? 0 : rows.length, 0, active)
  return (
    <div className="column grow" role="grid" aria-label={label} aria-rowcount={count + 1} aria-colcount={columns.length}>
      <div role="row" aria-rowindex={1} className="grid-head" style={template}>
        {columns.map((column) => (
          <span
            key={column.name}
            role="columnheader"
            className={column.align === 'right' ? 'right' : undefined}
            aria-sort={column.sorted === 'asc' ? 'ascending' : column.sorted === 'desc' ? 'descending' : undefined}
          >
            {column.onSort ? (
              <button type="button" className="head-button" onClick={column.onSort}>
                {column.name}
                <span aria-hidden="true">{column.sorted === 'desc' ? ' ↓' : column.sorted === 'asc' ? ' ↑' : ''}</span>
              </button>
            ) : (
              column.name
            )}
          </span>
        ))}
      </div>
      <div className="grid-scroll" ref={scroller} onScroll={read} role="presentation">
        <div style={{ height: laidOut, position: 'relative' }} role="presentation">
          <div style={{ position: 'absolute', insetInline: 0, transform: `translateY(${offset}px)` }} role="rowgroup">
            {rows.map((index) => {
              const row = rowAt(index)
              return (
                <div
                  key={index}
                  role="row"
                  className="grid-row"
                  style={index === active && away !== null ? { ...template, position: 'absolute', insetInline: 0, top: away } : template}
                  aria-rowindex={index + 2}
                  aria-selected={selected === index}
                  tabIndex={index === active ? 0 : -1}
                  ref={index === active ? activeRow : undefined}
                  onKeyDown={onKeyDown}
                  onFocus={() => {
                    if (index !== active) onActive(index)
                    else if (away !== null) scrollTo(index - Math.floor(visible / 3))
                  }}
                  onClick={() => {
                    onActive(index)
                    if (row !== undefined) onOpen(index, row)
                  }}
                >
                  {columns.map((column) => (
                    <span
                      key={column.name}
                      role="gridcell"
                      className={[
                        column.align === 'right' ? 'right num' : '',
                        row === undefined ? '' : (column.className?.(row) ?? '')
                      ].join(' ')}
                    >
                      {row === undefined ? <span className="skeleton" style={{ display: 'block', width: '60%' }} /> : column.cell(row)}
                    </span>
                  ))}
                </div>
              )
            })}
          </div>
        </div>
      </div>
    </div>
  )
}
