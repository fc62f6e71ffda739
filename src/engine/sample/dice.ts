// SPDX-License-Identifier: Apache-2.0

/** Numbers that look random and come out the same each time (mulberry32). Never used where something must not be guessed. */
export interface Dice {
  /** From 0 up to, without, 1. */
  next(): number
  /** A whole number from 0 up to, without, `n`. */
  below(n: number): number
  pick<const A extends readonly [unknown, ...unknown[]]>(from: A): A[number]
  /** Normally distributed: mean 0, deviation 1 (Box and Muller 1958). */
  normal(): number
}

export function dice(seed: number): Dice {
  let state = seed >>> 0
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
  const below = (n: number): number => Math.floor(next() * n)
  return {
    next,
    below,
    pick: (from) => from[below(from.length)] ?? from[0],
    normal: () => Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next())
  }
}
