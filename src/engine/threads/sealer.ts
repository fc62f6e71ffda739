// SPDX-License-Identifier: Apache-2.0
import type { Worker } from 'node:worker_threads'
import type { PlainPart, SealedContent } from '../vault/seal-content.ts'
import { packPlain, unpackSealed } from '../vault/sealed-batch.ts'
import type { SealReply, SealRequest } from './sealer-thread.ts'
import { startWorker } from './thread-config.ts'

/** Fewer leaves are sealed sooner than they are handed over, */
const LEAST = 64
/** unless there is this much of them. */
const MUCH_BYTES = 256 * 1024

const isMuch = (contents: readonly (readonly PlainPart[])[]): boolean => {
  let bytes = 0
  for (const parts of contents) for (const { data } of parts) bytes += data.length
  return bytes >= MUCH_BYTES
}

interface Waiting {
  readonly contents: readonly (readonly PlainPart[])[]
  readonly resolve: (sealed: readonly SealedContent[] | undefined) => void
}

/**
 * Seals large batches beside the writer, which commits the one before meanwhile. The thread starts with the first of them; until it runs, and
 * when it ends, the writer seals by itself.
 */
export class Sealer {
  readonly #waiting = new Map<number, Waiting>()
  readonly #onFailed: (error: Error) => void
  #worker: Worker | undefined
  #state: 'none' | 'starting' | 'ready' | 'ended' = 'none'
  #last = 0

  /** @param onFailed told when the thread ended by itself */
  constructor(onFailed: (error: Error) => void) {
    this.#onFailed = onFailed
  }

  /** The sealed contents, in their order; undefined when the caller has to seal them. */
  seal(contents: readonly (readonly PlainPart[])[]): Promise<readonly SealedContent[] | undefined> | undefined {
    const much = isMuch(contents)
    if (contents.length < LEAST && !much) return undefined
    if (this.#state === 'none') this.#start()
    // Much waits for the thread to start: sealing it would hold the writer's for longer than that takes.
    if (this.#state !== 'ready' && !(much && this.#state === 'starting')) return undefined
    const id = ++this.#last
    const batch = packPlain(contents)
    this.#worker?.postMessage({ id, batch } satisfies SealRequest, [batch.bytes])
    return new Promise((resolve) => this.#waiting.set(id, { contents, resolve }))
  }

  #start(): void {
    this.#state = 'starting'
    const worker = startWorker('sealer-thread', { name: 'sealer' })
    this.#worker = worker
    worker.unref()
    worker.on('message', (reply: SealReply) => {
      if (reply.id === null) {
        if (this.#state === 'starting') this.#state = 'ready'
        return
      }
      const asked = this.#waiting.get(reply.id)
      this.#waiting.delete(reply.id)
      asked?.resolve(unpackSealed(reply.sealed, asked.contents))
    })
    worker.on('error', (error: Error) => this.#onFailed(error))
    worker.on('exit', () => this.#release())
  }

  /** What waits is sealed by who asked. */
  #release(): void {
    this.#state = 'ended'
    for (const { resolve } of this.#waiting.values()) resolve(undefined)
    this.#waiting.clear()
  }

  async close(): Promise<void> {
    this.#release()
    await this.#worker?.terminate()
  }
}
