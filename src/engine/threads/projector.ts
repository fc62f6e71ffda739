// SPDX-License-Identifier: Apache-2.0

import { MessageChannel, type Worker } from 'node:worker_threads'
import type { SealedLeaf } from '../ledger/seal.ts'
import { packContent } from '../vault/handed-content.ts'
import type { ProjectorState, ToProjector } from './projector-thread.ts'
import { type Keks, startThread, type ThreadConfig } from './thread-config.ts'

interface Waiter {
  readonly size: number
  readonly done: (applied: number) => void
}

/** Leaves that may wait with their content in the memory of the projector. */
const MOST_HANDED = 10_000

/** The engine's side of the projector thread. */
export class Projector {
  readonly #worker: Worker
  #state: ProjectorState = { kind: 'state', epoch: 0, applied: 0, records: 0, rebuilding: null }
  #waiters: Waiter[] = []
  #failed: Error | undefined
  /** Told of each batch applied. */
  onApplied: () => void = () => {}

  /** Tells the thread of new key-encryption keys: before the first block is written under one, and when one is destroyed. */
  readonly setKeks: (keks: Keks) => void

  private constructor(worker: Worker, setKeks: (keks: Keks) => void) {
    this.#worker = worker
    this.setKeks = setKeks
  }

  /** Opens (or makes) the catalog; resolves when its tables exist, so that readers may open it. */
  static start(config: ThreadConfig): Promise<Projector> {
    const { worker, keks } = startThread('projector-thread', 'projector', config)
    const projector = new Projector(worker, keks)
    return new Promise((resolve, reject) => {
      worker.on('message', (state: ProjectorState) => {
        projector.#receive(state)
        resolve(projector)
      })
      worker.on('error', (error: Error) => {
        projector.#failed = error
        projector.#release()
        reject(error)
      })
    })
  }

  /** Leaves applied: everything below this seq is visible to queries. */
  get applied(): number {
    return this.#state.applied
  }

  get records(): number {
    return this.#state.records
  }

  /** Share of a running rebuild, null when none runs. */
  get rebuilding(): number | null {
    return this.#state.rebuilding
  }

  /** Set when the thread died: queries then stay at what was applied. */
  get failed(): Error | undefined {
    return this.#failed
  }

  /** Says that the leaves below `size` are committed; `leaves` are those of the last group, if their content is at hand. */
  advance(size: number, leaves: readonly SealedLeaf[] = []): void {
    // What waits for long is read back from disk: the memory of the thread stays bounded.
    if (leaves.length === 0 || size - this.#state.applied > MOST_HANDED) {
      this.#post({ kind: 'advance', size })
      return
    }
    const content = packContent(leaves)
    this.#worker.postMessage({ kind: 'advance', size, content } satisfies ToProjector, [content.bytes, content.index.buffer as ArrayBuffer])
  }

  /** Resolves when everything below `size` is applied, however long that takes. @throws when the thread died */
  async waitForAll(size: number): Promise<void> {
    while ((await this.waitFor(size, 1_000)) < size) if (this.#failed) throw this.#failed
  }

  /** Resolves with the applied size when it reaches `size`, or when the time is over. */
  waitFor(size: number, timeoutMs: number): Promise<number> {
    if (this.#state.applied >= size || this.#failed) return Promise.resolve(this.#state.applied)
    this.#post({ kind: 'hurry' })
    return new Promise((resolve) => {
      const timer = setTimeout(() => {
        this.#waiters = this.#waiters.filter((waiter) => waiter !== mine)
        resolve(this.#state.applied)
      }, timeoutMs)
      const mine: Waiter = {
        size,
        done: (applied) => {
          clearTimeout(timer)
          resolve(applied)
        }
      }
      this.#waiters.push(mine)
    })
  }

  /** Drops the catalog and replays the ledger up to `size`; resolves with the leaves applied. */
  async rebuild(size: number, progress: (done: number, total: number) => void): Promise<number> {
    const epoch = this.#state.epoch + 1
    this.#state = { ...this.#state, epoch, applied: 0, rebuilding: 0 }
    this.#post({ kind: 'rebuild', epoch })
    this.#post({ kind: 'advance', size })
    while (this.#state.applied < size && !this.#failed) {
      await this.waitFor(size, 200)
      progress(this.#state.applied, size)
    }
    if (this.#failed) throw this.#failed
    return this.#state.applied
  }

  /** Empties the write-ahead log of the catalog; false when readers held it. */
  truncate(): Promise<boolean> {
    const { port1, port2 } = new MessageChannel()
    return new Promise((resolve) => {
      port1.once('message', (done: boolean) => {
        port1.close()
        resolve(done)
      })
      this.#worker.postMessage({ kind: 'truncate', reply: port2 } satisfies ToProjector, [port2])
    })
  }

  /** Marks the catalog as cleanly closed and ends the thread. */
  async close(): Promise<void> {
    this.#post({ kind: 'close' })
    await new Promise((resolve) => this.#worker.once('exit', resolve))
  }

  #post(message: ToProjector): void {
    this.#worker.postMessage(message)
  }

  #receive(state: ProjectorState): void {
    // Sent before the thread heard of the rebuild: it speaks of the catalog that was dropped.
    if (state.epoch < this.#state.epoch) return
    this.#state = state
    const due = this.#waiters.filter((waiter) => waiter.size <= state.applied)
    if (due.length > 0) this.#waiters = this.#waiters.filter((waiter) => waiter.size > state.applied)
    for (const waiter of due) waiter.done(state.applied)
    this.onApplied()
  }

  #release(): void {
    for (const waiter of this.#waiters) waiter.done(this.#state.applied)
    this.#waiters = []
  }
}
