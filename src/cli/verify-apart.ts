// SPDX-License-Identifier: Apache-2.0
import { Worker } from 'node:worker_threads'
import { readerMemory } from '../node/engine-memory.ts'
import type { VerifyFileOptions } from '../node/verify-file.ts'
import { AffidavitError, type Reply } from '../shared/contract/errors.ts'
import type { VerifyReport } from '../shared/contract/exports.ts'

/** What the thread is given. */
export interface VerifyThreadData {
  readonly path: string
  readonly options: Pick<VerifyFileOptions, 'trust' | 'memory' | 'key' | 'state'> & {
    /** Shared: ends the work as cancelled once it is not 0. */
    readonly stop?: Int32Array
  }
}

const entry = (): URL => new URL(import.meta.url.endsWith('.ts') ? './verify-thread.ts' : './verify-thread.js', import.meta.url)

/** Verifies a bundle file as `verifyBundleFile` does, in a thread of its own with the memory of a reader. @throws AffidavitError as it does */
export async function verifyApart(path: string, options: VerifyThreadData['options']): Promise<VerifyReport> {
  const workerData: VerifyThreadData = { path, options }
  const worker = new Worker(entry(), { workerData, name: 'verify', resourceLimits: readerMemory })
  const reply = await new Promise<Reply<VerifyReport>>((resolve, reject) => {
    worker.once('message', resolve).once('error', reject)
    worker.once('exit', () => reject(new AffidavitError('internal', 'the verification ended before its time')))
  })
  if (reply.ok) return reply.value
  throw new AffidavitError(reply.error.code, reply.error.message, reply.error.details)
}
