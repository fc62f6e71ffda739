// SPDX-License-Identifier: Apache-2.0
import type { Worker } from 'node:worker_threads'
import { AffidavitError } from '../../shared/contract/errors.ts'
import type { DraftTaskName, DraftTasks } from '../capture/large/tasks.ts'
import type { DraftReply, DraftRequest } from './drafter-thread.ts'
import { startWorker } from './thread-config.ts'

interface Waiting {
  readonly resolve: (value: never) => void
  readonly reject: (error: Error) => void
}

/**
 * Reads large bodies beside the writer: parsing, redacting and laying out one of ten megabytes takes half a second, and nothing may hold the
 * writer for that long. The thread starts with the first of them, and again with the next one after it ended.
 */
export class Drafter {
  readonly #waiting = new Map<number, Waiting>()
  readonly #onFailed: (error: Error) => void
  #worker: Worker | undefined
  #last = 0
  #closed = false

  /** @param onFailed told when the thread ended by itself */
  constructor(onFailed: (error: Error) => void) {
    this.#onFailed = onFailed
  }

  /** @throws AffidavitError internal: the thread ended, engine_unavailable: the engine is closing */
  run<K extends DraftTaskName>(task: K, args: Parameters<DraftTasks[K]>[0]): Promise<Awaited<ReturnType<DraftTasks[K]>>> {
    if (this.#closed) return Promise.reject(new AffidavitError('engine_unavailable', 'the engine is closing'))
    const id = ++this.#last
    const worker = this.#start()
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject })
      worker.postMessage({ id, task, args } as DraftRequest)
    })
  }

  #start(): Worker {
    if (this.#worker) return this.#worker
    const worker = startWorker('drafter-thread', { name: 'drafter' })
    this.#worker = worker
    worker.unref()
    worker.on('message', (reply: DraftReply) => {
      const asked = this.#waiting.get(reply.id)
      this.#waiting.delete(reply.id)
      if (reply.ok) asked?.resolve(reply.value as never)
      else asked?.reject(new AffidavitError('internal', 'this could not be read'))
    })
    worker.on('error', (error: Error) => this.#onFailed(error))
    worker.on('exit', () => {
      if (this.#worker === worker) this.#worker = undefined
      this.#release(new AffidavitError('internal', 'the thread that reads large bodies has ended'))
    })
    return worker
  }

  #release(error: Error): void {
    for (const { reject } of this.#waiting.values()) reject(error)
    this.#waiting.clear()
  }

  async close(): Promise<void> {
    this.#closed = true
    this.#release(new AffidavitError('engine_unavailable', 'the engine is closing'))
    await this.#worker?.terminate()
  }
}
