// SPDX-License-Identifier: Apache-2.0
import type { TransferListItem, Worker } from 'node:worker_threads'
import { AffidavitError } from '../../shared/contract/errors.ts'
import type { ReaderTask } from './reader-context.ts'
import { type ReaderTaskName, type ReaderTasks, readerTasks } from './reader-tasks.ts'
import type { ReaderMessage, ReaderRequest } from './reader-thread.ts'
import { type Keks, startThread, type ThreadConfig } from './thread-config.ts'

type ArgsOf<K extends ReaderTaskName> = ReaderTasks[K] extends ReaderTask<infer A, infer _R> ? A : never
type ResultOf<K extends ReaderTaskName> = ReaderTasks[K] extends ReaderTask<infer _A, infer R> ? Awaited<R> : never

export interface RunOptions {
  readonly signal?: AbortSignal | undefined
  readonly onProgress?: (progress: { readonly done: number; readonly total: number }) => void
  /** What of the arguments goes over to the thread, such as a port. */
  readonly transfer?: readonly TransferListItem[]
}

interface Pending {
  readonly resolve: (value: unknown) => void
  readonly reject: (error: Error) => void
  readonly onProgress: RunOptions['onProgress']
}

interface Reader {
  worker: Worker
  setKeks: (keks: Keks) => void
  readonly pending: Map<number, Pending>
}

/** A few reader threads. The first answers screens and requests only; long work goes to the others. */
export class ReaderPool {
  #config: ThreadConfig
  readonly #readers: Reader[] = []
  /** Of one thread each, for one long task: see {@link alone}. */
  readonly #apart = new Set<ReaderPool>()
  #next = 0
  #closed = false
  /** Told when a thread died or a query failed for a reason of its own; for the log. */
  onFault: (what: string, stack: string) => void = () => {}

  private constructor(config: ThreadConfig) {
    this.#config = config
  }

  /** Starts the threads; the catalog must exist. */
  static async start(config: ThreadConfig, threads = 2): Promise<ReaderPool> {
    const pool = new ReaderPool(config)
    const ready = Array.from({ length: threads }, () => {
      const reader: Reader = { worker: undefined as never, setKeks: () => {}, pending: new Map() }
      pool.#readers.push(reader)
      return pool.#spawn(reader)
    })
    await Promise.all(ready)
    return pool
  }

  /**
   * Runs a task on a reader. Rejects with the task's AffidavitError, `internal` when the thread died, `cancelled` after an abort.
   */
  run<K extends ReaderTaskName>(name: K, args: ArgsOf<K>, options: RunOptions = {}): Promise<ResultOf<K>> {
    if (this.#closed) return Promise.reject(new AffidavitError('engine_unavailable', 'the engine is closing'))
    if (options.signal?.aborted) return Promise.reject(new AffidavitError('cancelled', 'cancelled'))
    const reader = this.#pick((readerTasks[name] as ReaderTask<unknown, unknown>).long === true)
    const id = this.#next++
    const cancel = new SharedArrayBuffer(4)
    const abort = () => Atomics.store(new Int32Array(cancel), 0, 1)
    options.signal?.addEventListener('abort', abort, { once: true })
    const request: ReaderRequest = { id, task: name, args, cancel }
    return new Promise<ResultOf<K>>((resolve, reject) => {
      reader.pending.set(id, { resolve: resolve as (value: unknown) => void, reject, onProgress: options.onProgress })
      reader.worker.postMessage(request, options.transfer ?? [])
    }).finally(() => options.signal?.removeEventListener('abort', abort))
  }

  /** Runs a task on a thread of its own, made for it: work of many minutes that would keep other long work waiting. */
  async alone<K extends ReaderTaskName>(name: K, args: ArgsOf<K>, options: RunOptions = {}): Promise<ResultOf<K>> {
    if (this.#closed) throw new AffidavitError('engine_unavailable', 'the engine is closing')
    const own = await ReaderPool.start(this.#config, 1)
    own.onFault = (what, stack) => this.onFault(what, stack)
    // Keys may have changed while it started.
    own.setKeks(this.#config.keks)
    this.#apart.add(own)
    try {
      return await own.run(name, args, options)
    } finally {
      this.#apart.delete(own)
      await own.close()
    }
  }

  /** Tells all threads, and those started later, of new key-encryption keys. */
  setKeks(keks: Keks): void {
    this.#config = { ...this.#config, keks }
    for (const reader of this.#readers) reader.setKeks(keks)
    for (const own of this.#apart) own.setKeks(keks)
  }

  async close(): Promise<void> {
    this.#closed = true
    await Promise.all(this.#readers.map((reader) => reader.worker.terminate()))
  }

  #pick(long: boolean): Reader {
    const eligible = long && this.#readers.length > 1 ? this.#readers.slice(1) : this.#readers
    const [first, ...others] = eligible
    if (!first) throw new Error('a pool has at least one reader')
    return others.reduce((best, reader) => (reader.pending.size < best.pending.size ? reader : best), first)
  }

  #spawn(reader: Reader): Promise<void> {
    const { worker, keks } = startThread('reader-thread', 'reader', this.#config)
    reader.worker = worker
    reader.setKeks = keks
    return new Promise((resolve, reject) => {
      worker.on('message', (message: ReaderMessage) => {
        if (message.kind === 'ready') resolve()
        else this.#receive(reader, message)
      })
      worker.on('error', (error) => {
        this.onFault('reader.died', error instanceof Error ? (error.stack ?? '') : '')
        reject(error)
      })
      worker.on('exit', () => {
        for (const pending of reader.pending.values()) pending.reject(new AffidavitError('internal', 'a reader ended; try again'))
        reader.pending.clear()
        if (!this.#closed) void this.#spawn(reader).catch(() => {})
      })
    })
  }

  #receive(reader: Reader, message: Exclude<ReaderMessage, { kind: 'ready' }>): void {
    const pending = reader.pending.get(message.id)
    if (!pending) return
    if (message.kind === 'progress') {
      pending.onProgress?.({ done: message.done, total: message.total })
      return
    }
    reader.pending.delete(message.id)
    if (message.kind === 'done') pending.resolve(message.value)
    else {
      if (message.failure.code === 'internal') this.onFault('query.failed', message.stack)
      pending.reject(new AffidavitError(message.failure.code, message.failure.message, message.failure.details))
    }
  }
}
