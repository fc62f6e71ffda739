// SPDX-License-Identifier: Apache-2.0
// A grid of any number of rows: only the visible ones exist. Plain arithmetic on a fixed row height; above the height that a browser can
// lay out, the scroll position is mapped to a row index.
import { type KeyboardEvent, type ReactNode, useCallback, useEffect, useLayoutEffect, useRef, useState } from 'react'

export interface GridColumn<R> {
  readonly name: string
  readonly width: string
  readonly align?: 'right' | 'center'
  readonly sorted?: 'asc' | 'desc' | undefined
  readonly onSort?: (() => void) | undefined
  readonly cell: (row: R) => ReactNode
  readonly className?: (row: R) => string | undefined
}

export interface VirtualGridProps<R> {
  readonly label: string
  readonly count: number
  readonly columns: readonly GridColumn<R>[]
  /** Rows [offset, offset + limit), limit at most PAGE_ROWS. */
  readonly getPage: (offset: number, limit: number, signal: AbortSignal) => Promise<readonly R[]>
  /** Changes when the rows behind the positions changed: the cache is dropped. */
  readonly version: string
  readonly active: number
  readonly onActive: (index: number) => void
  readonly selected: number | null
  readonly onOpen: (index: number, row: R) => void
  readonly onScroll?: (first: number, visible: number) => void
  /** Row to bring into view; a new object scrolls again. */
  readonly reveal?: { readonly index: number } | null
}

const ROW = 28
/** Rows asked for at once. */
export const PAGE_ROWS = 200
/** Half of what Chromium lays out at a device pixel ratio of 2. */
const MOST_HEIGHT = 16_000_000
const KEPT_PAGES = 30

/** Rows in pages of 200, fetched when they come into view, the last thirty pages kept. */
function usePages<R>(getPage: VirtualGridProps<R>['getPage'], version: string, count: number) {
  const pages = useRef(new Map<number, readonly R[]>())
  const running = useRef(new Map<number, AbortController>())
  const [, redraw] = useState(0)
  useEffect(() => {
    // `version` is the reason to run: pages of another result are worthless.
    void version
    return () => {
      for (const abort of running.current.values()) abort.abort()
      running.current.clear()
      pages.current.clear()
    }
  }, [version])
  const want = useCallback(
    (first: number, last: number) => {
      const from = Math.floor(first / PAGE_ROWS)
      const to = Math.floor(Math.max(first, last) / PAGE_ROWS)
      for (const [page, abort] of running.current) {
        if (page >= from && page <= to) continue
        abort.abort()
        running.current.delete(page)
      }
      for (let page = from; page <= to; page++) {
        if (pages.current.has(page) || running.current.has(page) || page * PAGE_ROWS >= count) continue
        const abort = new AbortController()
        running.current.set(page, abort)
        getPage(page * PAGE_ROWS, Math.min(PAGE_ROWS, count - page * PAGE_ROWS), abort.signal).then(
          (rows) => {
            if (abort.signal.aborted) return
            running.current.delete(page)
            pages.current.set(page, rows)
            for (const old of pages.current.keys()) {
              if (pages.current.size <= KEPT_PAGES) break
              pages.current.delete(old)
            }
            redraw((n) => n + 1)
          },
          () => running.current.delete(page)
        )
      }
    },
    [getPage, count]
  )
  const rowAt = (index: number): R | undefined => pages.current.get(Math.floor(index / PAGE_ROWS))?.[index % PAGE_ROWS]
  return { want, rowAt }
}

export function VirtualGrid<R>(props: VirtualGridProps<R>) {
  const { label, count, columns, version, active, onActive, selected, onOpen, onScroll, reveal } = props
  const scroller = useRef<HTMLDivElement>(null)
  const [height, setHeight] = useState(0)
  const [first, setFirst] = useState(0)
  const { want, rowAt } = usePages(props.getPage, version, count)
  const visible = Math.max(1, Math.floor(height / ROW))
  const drawn = Math.min(count - first, visible + 2)
  const full = count * ROW
  const laidOut = Math.min(full, MOST_HEIGHT)
  const mostFirst = Math.max(0, count - visible)
  const exact = full <= MOST_HEIGHT

  useLayoutEffect(() => {
    const element = scroller.current
    if (!element) return
    const observer = new ResizeObserver(() => setHeight(element.clientHeight))
    observer.observe(element)
    setHeight(element.clientHeight)
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

  // Scrolls once per request, not when the window is resized.
  useEffect(() => {
    if (reveal && (reveal.index < first || reveal.index >= first + visible)) scrollTo(reveal.index - Math.floor(visible / 3))
  }, [reveal])

  // A key that leads far away takes the row that has the focus out of the page: the one it leads to takes it then.
  const byKey = useRef(false)
  const activeRow = useCallback((element: HTMLDivElement | null) => {
    if (element && byKey.current) element.focus({ preventScroll: true })
    else focusIfGridHasFocus(element)
    if (element) byKey.current = false
  }, [])

  const move = (to: number) => {
    const next = Math.max(0, Math.min(count - 1, to))
    byKey.current = next !== active
    onActive(next)
    if (next < first) scrollTo(next)
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
            {Array.from({ length: Math.max(0, drawn) }, (_, i) => {
              const index = first + i
              const row = rowAt(index)
              return (
                <div
                  key={index}
                  role="row"
                  className="grid-row"
                  style={template}
                  aria-rowindex={index + 2}
                  aria-selected={selected === index}
                  tabIndex={index === active || (i === 0 && (active < first || active >= first + drawn)) ? 0 : -1}
                  ref={index === active ? activeRow : undefined}
                  onKeyDown={onKeyDown}
                  onFocus={() => index !== active && onActive(index)}
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

/** The roving row takes the focus only when another row of the grid has it. */
function focusIfGridHasFocus(element: HTMLDivElement | null): void {
  const focused = document.activeElement
  if (
    element &&
    focused !== element &&
    focused?.getAttribute('role') === 'row' &&
    focused.closest('[role=grid]') === element.closest('[role=grid]')
  )
    element.focus({ preventScroll: true })
}
