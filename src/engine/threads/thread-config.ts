// SPDX-License-Identifier: Apache-2.0
import { getPriority, setPriority } from 'node:os'
import { join } from 'node:path'
import { MessageChannel, type MessagePort, receiveMessageOnPort, Worker, type WorkerOptions } from 'node:worker_threads'
import { readerMemory } from '../../node/engine-memory.ts'
import type { KekSource } from '../vault/payload-reader.ts'

/** Key-encryption keys by id, base64. */
export type Keks = Readonly<Record<string, string>>

/** What a thread of the engine is given: where the files are and the keys that open payloads. */
export interface ThreadConfig {
  readonly workspace: string
  readonly nativeBinding?: string
  readonly keks: Keks
  /** Key of the subject index, base64. */
  readonly subjectSecret: string
  /** The ledger holds some leaves of its tree only: those that a bundle brought. */
  readonly sparse?: boolean
}

/** The same as a thread receives it: with the port on which it hears of new keys. */
export type ThreadData = ThreadConfig & { readonly keksPort: MessagePort }

/** Key-encryption keys as threads are given them. */
export const keksOf = (keks: ReadonlyMap<string, Uint8Array>): Keks =>
  Object.fromEntries([...keks].map(([id, key]) => [id, Buffer.from(key).toString('base64')]))

/**
 * The key-encryption keys of a thread. A scan may hold a thread for minutes while blocks are rewritten under a new key, and no message would
 * reach it: so an unknown key is looked for on the port at once, where the engine put it before the first block was written under it.
 */
export class ThreadKeks implements KekSource {
  readonly #port: MessagePort
  #keks: ReadonlyMap<string, Uint8Array>

  constructor(data: ThreadData) {
    this.#port = data.keksPort
    this.#keks = decode(data.keks)
  }

  get(id: string): Uint8Array | undefined {
    if (!this.#keks.has(id)) this.refresh()
    return this.#keks.get(id)
  }

  /** Takes what has arrived; true when the keys changed. Keys that were destroyed are forgotten here. */
  refresh(): boolean {
    let changed = false
    for (let next = receiveMessageOnPort(this.#port); next; next = receiveMessageOnPort(this.#port)) {
      this.#keks = decode(next.message as Keks)
      changed = true
    }
    return changed
  }
}

const decode = (keks: Keks): ReadonlyMap<string, Uint8Array> =>
  new Map(Object.entries(keks).map(([id, key]) => [id, Buffer.from(key, 'base64')]))

export const threadPaths = (config: ThreadConfig) => ({
  ledger: join(config.workspace, 'ledger.db'),
  keys: join(config.workspace, 'keys.db'),
  catalog: join(config.workspace, 'catalog.db')
})

/**
 * Lets the calling thread give way to the writer where both want the same processor: who waits for an acknowledgement goes first, and what is
 * projected a moment later is still waited for by whoever reads it. On Linux only: elsewhere the call speaks of the whole process.
 */
export function giveWay(): void {
  if (process.platform !== 'linux') return
  try {
    setPriority(0, Math.min(19, getPriority(0) + 5))
  } catch {
    // Refused in some containers: the thread then takes its turns like any other.
  }
}

/** Starts a thread by its entry: in the sources when these run directly, else in the flat folder of the build. */
export const startWorker = (
  entry: 'projector-thread' | 'reader-thread' | 'sealer-thread' | 'drafter-thread',
  options: WorkerOptions
): Worker => new Worker(new URL(import.meta.url.endsWith('.ts') ? `./${entry}.ts` : `./${entry}.js`, import.meta.url), options)

/** Starts a thread that reads the workspace; `keks` tells it of new keys. */
export function startThread(entry: 'projector-thread' | 'reader-thread', name: string, config: ThreadConfig) {
  const { port1, port2 } = new MessageChannel()
  const workerData: ThreadData = { ...config, keksPort: port2 }
  const resourceLimits = entry === 'reader-thread' ? readerMemory : {}
  const worker = startWorker(entry, { workerData, transferList: [port2], name, resourceLimits })
  port1.unref()
  return { worker, keks: (keks: Keks) => port1.postMessage(keks) }
}
