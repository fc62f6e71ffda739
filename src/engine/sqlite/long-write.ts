// SPDX-License-Identifier: Apache-2.0
// Long changes on the writer thread: many short transactions, whose log is copied into the database by another thread.
import { setImmediate as nextTurn } from 'node:timers/promises'
import { openForCheckpoint, type WritableDb } from './open.ts'

/** Slices between two drains: with 8 ms of work each the log stays at some 10 MB. */
const DRAIN_EVERY = 24
/** How long readers may hold the log before {@link emptyWal} gives up. */
const PATIENCE_MS = 10_000

/** Copies what the write-ahead log holds into its database and syncs both, on a connection of its own: for another thread than the writer's. */
export function drainWal(path: string): void {
  const db = openForCheckpoint(path)
  try {
    db.pragma('wal_checkpoint(PASSIVE)')
  } finally {
    db.close()
  }
}

/**
 * Runs short transactions, one a turn, until one says that it was the last. They are not synced one by one and never copy the log: `drain` does
 * both, now and then and at the end, elsewhere. A power cut loses the newest of them, in order, so each has to be one that is made again after a
 * crash; a commit of somebody else in between syncs those before it too.
 */
export async function inSlices(db: WritableDb, drain: () => Promise<void>, slice: () => boolean): Promise<void> {
  for (let n = 1, more = true; more; n++) {
    const pages = db.pragma('wal_autocheckpoint', { simple: true }) as number
    db.pragma('wal_autocheckpoint = 0')
    db.pragma('synchronous = NORMAL')
    try {
      more = db.transaction(slice)()
    } finally {
      db.pragma('synchronous = FULL')
      db.pragma(`wal_autocheckpoint = ${pages}`)
    }
    if (n % DRAIN_EVERY === 0 || !more) await drain()
    else await nextTurn()
  }
}

/**
 * Empties the write-ahead log, so that nothing that was deleted stays in it. `drain` has copied it before, so the writer only cuts it off. Readers
 * of other threads can hold it for a moment; nobody waits for them in a call. False when they held it for ten seconds.
 */
export async function emptyWal(db: WritableDb, drain: () => Promise<void>): Promise<boolean> {
  for (const until = performance.now() + PATIENCE_MS; ; ) {
    await drain()
    const timeout = db.pragma('busy_timeout', { simple: true }) as number
    db.pragma('busy_timeout = 0')
    let busy: number | undefined
    try {
      busy = (db.pragma('wal_checkpoint(TRUNCATE)') as { busy: number }[])[0]?.busy
    } finally {
      db.pragma(`busy_timeout = ${timeout}`)
    }
    if (busy === 0) return true
    if (performance.now() > until) return false
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}
