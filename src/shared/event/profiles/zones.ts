// SPDX-License-Identifier: Apache-2.0

const offsets = /^(?:UTC)?([+-])(\d{1,2})(?::?(\d{2}))?$/
const formatters = new Map<string, Intl.DateTimeFormat>()

function formatter(zone: string): Intl.DateTimeFormat {
  let known = formatters.get(zone)
  if (!known) {
    known = new Intl.DateTimeFormat('en-US', {
      timeZone: zone,
      hourCycle: 'h23',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric'
    })
    formatters.set(zone, known)
  }
  return known
}

/** Whether a text is UTC, an offset such as +02:00, or an IANA zone that this system knows. */
export function isZone(zone: string): boolean {
  if (zone === 'UTC' || offsets.test(zone)) return true
  try {
    formatter(zone)
    return true
  } catch {
    return false
  }
}

/** Milliseconds that local time in a zone is ahead of UTC at an instant. */
function offsetAt(zone: string, instant: number): number {
  const parts = Object.fromEntries(
    formatter(zone)
      .formatToParts(instant)
      .map((part) => [part.type, Number(part.value)])
  )
  const local = Date.UTC(parts.year ?? 0, (parts.month ?? 1) - 1, parts.day ?? 1, parts.hour ?? 0, parts.minute ?? 0, parts.second ?? 0)
  return local - Math.floor(instant / 1000) * 1000
}

/**
 * UTC milliseconds of a wall-clock time in a zone, given as if it were UTC. Where a clock goes back, the earlier instant is taken;
 * a time that a clock skips is moved forward by the gap.
 */
export function zonedToUtc(wall: number, zone: string): number {
  if (zone === 'UTC') return wall
  const fixed = offsets.exec(zone)
  if (fixed) return wall - (fixed[1] === '-' ? -1 : 1) * (Number(fixed[2]) * 60 + Number(fixed[3] ?? 0)) * 60_000
  const before = wall - offsetAt(zone, wall - 86_400_000)
  const after = wall - offsetAt(zone, wall + 86_400_000)
  const early = Math.min(before, after)
  const late = Math.max(before, after)
  if (early + offsetAt(zone, early) === wall) return early
  return late
}
