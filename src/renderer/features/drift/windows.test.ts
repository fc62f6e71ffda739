// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest'
import { moved, timeless, windowOf, withWindow } from './windows.ts'

const HOUR = 3_600_000
const whole = { from: Date.UTC(2026, 0, 1), to: Date.UTC(2026, 0, 2) }

describe('windows on the timeline', () => {
  it('come from the times of a filter and go back into it', () => {
    const query = 'model:gpt-4 from:2026-01-01T06:00:00Z to:2026-01-01T12:00:00Z'
    const window = windowOf(query, whole)
    expect(window).toEqual({ from: whole.from + 6 * HOUR, to: whole.from + 12 * HOUR })
    expect(timeless(query)).toBe('model:gpt-4')
    expect(withWindow('model:gpt-4', window ?? whole)).toBe(query)
    expect(windowOf('model:gpt-4', whole)).toBeUndefined()
    expect(windowOf('to:2020-01-01', whole)).toBeUndefined()
    expect(windowOf('from:2026-01-01T18:00:00Z', whole)).toEqual({ from: whole.from + 18 * HOUR, to: whole.to })
    expect(timeless('nofield:x')).toBeUndefined()
  })

  it('move by whole slots, stay inside and keep at least one slot', () => {
    const window = { from: whole.from + 6 * HOUR, to: whole.from + 12 * HOUR }
    expect(moved(window, 'from', whole.from + 7.4 * HOUR, whole, HOUR).from).toBe(whole.from + 7 * HOUR)
    expect(moved(window, 'from', whole.from + 20 * HOUR, whole, HOUR).from).toBe(whole.from + 11 * HOUR)
    expect(moved(window, 'from', whole.from - HOUR, whole, HOUR).from).toBe(whole.from)
    expect(moved(window, 'to', whole.from, whole, HOUR).to).toBe(whole.from + 7 * HOUR)
    expect(moved(window, 'to', whole.to + HOUR, whole, HOUR).to).toBe(whole.to)
    expect(moved(window, 'all', whole.to, whole, HOUR)).toEqual({ from: whole.from + 18 * HOUR, to: whole.to })
    expect(moved(window, 'all', whole.from + 8 * HOUR, whole, HOUR, HOUR)).toEqual({
      from: whole.from + 7 * HOUR,
      to: whole.from + 13 * HOUR
    })
  })
})
