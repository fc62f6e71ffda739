// SPDX-License-Identifier: Apache-2.0

export const MIN_SIZE = { width: 1024, height: 700 } as const

interface Rectangle {
  readonly x: number
  readonly y: number
  readonly width: number
  readonly height: number
}

/** Remembered bounds, if enough of them is on a screen that is there now to take hold of the window. */
export function visibleBounds(bounds: Rectangle | null, areas: readonly Rectangle[]): Rectangle | null {
  if (bounds === null) return null
  const seen = areas.some((area) => {
    const width = Math.min(bounds.x + bounds.width, area.x + area.width) - Math.max(bounds.x, area.x)
    const height = Math.min(bounds.y + bounds.height, area.y + area.height) - Math.max(bounds.y, area.y)
    return width >= 200 && height >= 100 && bounds.y >= area.y
  })
  if (!seen) return null
  return { ...bounds, width: Math.max(bounds.width, MIN_SIZE.width), height: Math.max(bounds.height, MIN_SIZE.height) }
}
