// SPDX-License-Identifier: Apache-2.0
import { BackwardBits, highBit, refuse } from './bits.ts'

/** Finite state entropy (RFC 8878, 4.1): by state its symbol, how many bits lead on, and from where. */
export interface StateTable {
  readonly log: number
  readonly symbols: Uint8Array
  readonly bits: Uint8Array
  readonly next: Uint16Array
}

/** One symbol that never changes. */
export const constantTable = (symbol: number): StateTable => ({
  log: 0,
  symbols: new Uint8Array([symbol]),
  bits: new Uint8Array(1),
  next: new Uint16Array(1)
})

/** The table of a distribution over `1 << log` states; -1 stands for less than one. */
export function stateTable(counts: readonly number[], log: number): StateTable {
  const size = 1 << log
  const symbols = new Uint8Array(size)
  const bits = new Uint8Array(size)
  const next = new Uint16Array(size)
  const states = counts.map((count) => Math.abs(count))
  let high = size
  counts.forEach((count, symbol) => {
    if (count === -1) symbols[--high] = symbol
  })
  const step = (size >> 1) + (size >> 3) + 3
  let at = 0
  counts.forEach((count, symbol) => {
    for (let i = 0; i < count; i++) {
      symbols[at] = symbol
      do at = (at + step) & (size - 1)
      while (at >= high)
    }
  })
  for (let state = 0; state < size; state++) {
    const symbol = symbols[state] ?? 0
    const n = states[symbol] ?? 0
    states[symbol] = n + 1
    const count = log - highBit(n)
    bits[state] = count
    next[state] = (n << count) - size
  }
  return { log, symbols, bits, next }
}

/** A table as it is written, with at most so many states and symbols, and how many bytes it took. */
export function readStateTable(
  bytes: Uint8Array,
  mostLog: number,
  mostSymbol: number
): { readonly table: StateTable; readonly size: number } {
  let at = 0
  const peek = (count: number): number => {
    const byte = at >> 3
    return (((bytes[byte] ?? 0) | ((bytes[byte + 1] ?? 0) << 8) | ((bytes[byte + 2] ?? 0) << 16)) >>> (at & 7)) & ((1 << count) - 1)
  }
  const log = peek(4) + 5
  at += 4
  if (log > mostLog) refuse('a table of too many states')
  const counts: number[] = []
  let left = (1 << log) + 1
  while (left > 1) {
    if (counts.length > mostSymbol || at > bytes.length * 8) refuse('a table without an end')
    // Small values take a bit less.
    const width = highBit(left) + 1
    const threshold = 1 << (width - 1)
    const spare = 2 * threshold - 1 - left
    const value = peek(width)
    const low = value & (threshold - 1)
    const short = low < spare
    at += short ? width - 1 : width
    const count = (short ? low : value >= threshold ? value - spare : value) - 1
    left -= Math.abs(count)
    counts.push(count)
    if (count !== 0) continue
    for (let zeros = 3; zeros === 3; at += 2) {
      zeros = peek(2)
      for (let i = 0; i < zeros; i++) counts.push(0)
      if (counts.length > mostSymbol + 1) refuse('a table of too many symbols')
    }
  }
  const size = (at + 7) >> 3
  if (left !== 1 || counts.length > mostSymbol + 1 || size > bytes.length) refuse('a table that does not add up')
  return { table: stateTable(counts, log), size }
}

/** Prefix codes of literals (RFC 8878, 4.2): by the next bits the symbol, and how many of them are its own. */
export interface PrefixTable {
  readonly width: number
  readonly symbols: Uint8Array
  readonly bits: Uint8Array
}

const MOST_WIDTH = 11

function prefixTable(weights: readonly number[]): PrefixTable {
  const sum = weights.reduce((all, weight) => all + (weight === 0 ? 0 : 1 << (weight - 1)), 0)
  if (sum === 0) refuse('a prefix code of no symbol')
  const width = highBit(sum) + 1
  const rest = (1 << width) - sum
  // What the last symbol weighs is what is missing.
  if (width > MOST_WIDTH || (rest & (rest - 1)) !== 0) refuse('a prefix code that does not add up')
  const all = [...weights, highBit(rest) + 1]
  const symbols = new Uint8Array(1 << width)
  const bits = new Uint8Array(1 << width)
  let at = 0
  for (let weight = 1; weight <= width; weight++)
    all.forEach((own, symbol) => {
      if (own !== weight) return
      const end = at + (1 << (weight - 1))
      symbols.fill(symbol, at, end)
      bits.fill(width + 1 - weight, at, end)
      at = end
    })
  if (at !== 1 << width) refuse('a prefix code that does not add up')
  return { width, symbols, bits }
}

/** A prefix code as it is written, and how many bytes it took. */
export function readPrefixTable(bytes: Uint8Array): { readonly table: PrefixTable; readonly size: number } {
  const head = bytes[0] ?? refuse('no prefix code')
  const weights: number[] = []
  const size = head < 128 ? 1 + head : 1 + ((head - 126) >> 1)
  if (size > bytes.length) refuse('a prefix code that is cut')
  if (head >= 128) {
    for (let i = 0; i < head - 127; i++) {
      const two = bytes[1 + (i >> 1)] ?? 0
      weights.push(i % 2 === 0 ? two >> 4 : two & 15)
    }
  } else {
    const { table, size: own } = readStateTable(bytes.subarray(1, size), 6, MOST_WIDTH + 1)
    const stream = new BackwardBits(bytes.subarray(1 + own, size))
    const states = [stream.read(table.log), stream.read(table.log)]
    if (stream.left < 0) refuse('a prefix code that is cut')
    // Two states take turns; the one that runs out of bits leaves the last word to the other.
    for (let turn = 0; ; turn ^= 1) {
      const state = states[turn] ?? 0
      weights.push(table.symbols[state] ?? 0)
      states[turn] = (table.next[state] ?? 0) + stream.read(table.bits[state] ?? 0)
      if (stream.left < 0) {
        weights.push(table.symbols[states[turn ^ 1] ?? 0] ?? 0)
        break
      }
      if (weights.length > 254) refuse('a prefix code of too many symbols')
    }
  }
  if (weights.length > 255 || weights.some((weight) => weight > MOST_WIDTH)) refuse('a prefix code of too many symbols')
  return { table: prefixTable(weights), size }
}
