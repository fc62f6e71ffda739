// SPDX-License-Identifier: Apache-2.0
import { useCallback, useEffect, useRef, useState } from 'react'

/** Rows asked for at once. */
export const PAGE_ROWS = 200
const KEPT_PAGES = 30

/** Rows [offset, offset + limit), limit at most PAGE_ROWS. */
export type GetPage<R> = (offset: number, limit: number, signal: AbortSignal) => Promise<readonly R[]>

/** Rows in pages of 200, fetched when they come into view, the last thirty pages kept. */
export function usePages<R>(getPage: GetPage<R>, version: string, count: number) {
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
