// SPDX-License-Identifier: Apache-2.0

const waiting = new Set<() => void>()

function next(): void {
  const [first] = waiting
  if (first === undefined) return
  waiting.delete(first)
  if (waiting.size > 0) setTimeout(next)
  first()
}

/**
 * Does the work soon, in a turn of its own, so that the page answers between one and the next. What is asked for anew before its turn is given
 * back and asked for again.
 * @returns gives it up
 */
export function inOwnTurn(work: () => void): () => void {
  waiting.add(work)
  if (waiting.size === 1) setTimeout(next)
  return () => void waiting.delete(work)
}
