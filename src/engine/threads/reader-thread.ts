// SPDX-License-Identifier: Apache-2.0
// A reader: read-only connections and one task at a time.
import { parentPort, workerData } from 'node:worker_threads'
import { AffidavitError, type Failure } from '../../shared/contract/errors.ts'
import { subjectKeys } from '../catalog/subject-key.ts'
import { openReadable, useNativeBinding } from '../sqlite/open.ts'
import { stackOf } from '../stack-of.ts'
import { PayloadReader } from '../vault/payload-reader.ts'
import type { ReaderContext } from './reader-context.ts'
import { type ReaderTaskName, readerTasks } from './reader-tasks.ts'
import { type ThreadData, ThreadKeks, threadPaths } from './thread-config.ts'

/** Pool → reader. `cancel` is a shared flag: 1 means stop. */
export interface ReaderRequest {
  readonly id: number
  readonly task: ReaderTaskName
  readonly args: unknown
  readonly cancel: SharedArrayBuffer
}

/** Reader → pool. */
export type ReaderMessage =
  | { readonly kind: 'ready' }
  | { readonly kind: 'progress'; readonly id: number; readonly done: number; readonly total: number }
  | { readonly kind: 'done'; readonly id: number; readonly value: unknown }
  | { readonly kind: 'failed'; readonly id: number; readonly failure: Failure; readonly stack: string }

const config = workerData as ThreadData
const port = parentPort
if (!port) throw new Error('a reader runs in a worker thread')
useNativeBinding(config.nativeBinding)
const paths = threadPaths(config)
const ledger = openReadable(paths.ledger)
const keys = openReadable(paths.keys)
const keks = new ThreadKeks(config)
const context: ReaderContext = {
  catalog: openReadable(paths.catalog),
  ledger,
  keys,
  payloads: new PayloadReader(ledger, keys, keks),
  subjectKey: subjectKeys(Buffer.from(config.subjectSecret, 'base64'))
}

const PROGRESS_MS = 100

async function run(request: ReaderRequest): Promise<ReaderMessage> {
  const flag = new Int32Array(request.cancel)
  let told = 0
  const control = {
    cancelled: () => Atomics.load(flag, 0) === 1,
    rest: (ms: number) => void Atomics.wait(flag, 0, 0, ms),
    progress: (done: number, total: number) => {
      const now = performance.now()
      if (now - told < PROGRESS_MS) return
      told = now
      port?.postMessage({ kind: 'progress', id: request.id, done, total } satisfies ReaderMessage)
    }
  }
  if (keks.refresh()) context.payloads.forget()
  const work = readerTasks[request.task].run as (context: ReaderContext, args: unknown, control: unknown) => unknown
  try {
    return { kind: 'done', id: request.id, value: await work(context, request.args, control) }
  } catch (error) {
    const failure = error instanceof AffidavitError ? error.toFailure() : { code: 'internal' as const, message: 'a query failed' }
    return { kind: 'failed', id: request.id, failure, stack: stackOf(error) }
  }
}

// One after the other: tasks are synchronous except where they wait for a file.
let last = Promise.resolve()
port.on('message', (request: ReaderRequest) => {
  last = last.then(async () => port.postMessage(await run(request)))
})
port.postMessage({ kind: 'ready' } satisfies ReaderMessage)
