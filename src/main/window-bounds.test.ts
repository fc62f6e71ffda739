// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest'
import { MIN_SIZE, visibleBounds } from './window-bounds.ts'

const screens = [{ x: 0, y: 0, width: 1920, height: 1080 }]

describe('visibleBounds', () => {
  it('keeps bounds on a screen', () => {
    const bounds = { x: 100, y: 50, width: 1280, height: 800 }
    expect(visibleBounds(bounds, screens)).toEqual(bounds)
  })
  it('forgets bounds on a screen that is gone, or above the top edge where no title bar can be reached', () => {
    expect(visibleBounds({ x: 2000, y: 50, width: 1280, height: 800 }, screens)).toBeNull()
    expect(visibleBounds({ x: 0, y: -400, width: 1280, height: 800 }, screens)).toBeNull()
    expect(visibleBounds(null, screens)).toBeNull()
  })
  it('never goes below the least size', () => {
    expect(visibleBounds({ x: 0, y: 0, width: 300, height: 200 }, screens)).toEqual({ x: 0, y: 0, ...MIN_SIZE })
  })
})
