// SPDX-License-Identifier: Apache-2.0
import { closeSync, mkdirSync, openSync, rmSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'

/** A change takes milliseconds: a lock of this age was left by a program that ended in the middle of one. */
const STALE_MS = 5_000
const PAUSE_MS = 5

/** Takes the turn of one file when it is free; called again until it is. */
function turnOf(path: string): { readonly take: () => boolean; readonly leave: () => void } {
  const lock = `${path}.lock`
  let watched = { made: 0, since: performance.now() }
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
  const take = (): boolean => {
    try {
      closeSync(openSync(lock, 'wx', 0o600))
      return true
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    }
    const made = statSync(lock, { throwIfNoEntry: false })?.mtimeMs
    if (made === undefined) return false
    if (made !== watched.made) watched = { made, since: performance.now() }
    // The second, because a clock that was set back makes a lock younger than it is, or still to come.
    const stale = Date.now() - made > STALE_MS || performance.now() - watched.since > STALE_MS
    if (stale) rmSync(lock, { force: true })
    return false
  }
  return { take, leave: () => rmSync(lock, { force: true }) }
}

/**
 * Does something with a file while no other program or thread does: a state folder is shared by engines and command lines. By a lock file beside
 * it, held for milliseconds.
 */
export function inTurn<T>(path: string, work: () => T): T {
  const turn = turnOf(path)
  while (!turn.take()) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, PAUSE_MS)
  try {
    return work()
  } finally {
    turn.leave()
  }
}

/** {@link inTurn} for work that holds no thread while the disk works. */
export async function inTurnAside<T>(path: string, work: () => Promise<T>): Promise<T> {
  const turn = turnOf(path)
  while (!turn.take()) await pause(PAUSE_MS)
  try {
    return await work()
  } finally {
    turn.leave()
  }
}
