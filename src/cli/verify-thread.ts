// SPDX-License-Identifier: Apache-2.0
// Verifies one bundle file in a thread whose memory for new objects is bounded.
import { parentPort, workerData } from 'node:worker_threads'
import { verifyBundleFile } from '../node/verify-file.ts'
import { AffidavitError, type Reply } from '../shared/contract/errors.ts'
import type { VerifyReport } from '../shared/contract/exports.ts'
import type { VerifyThreadData } from './verify-apart.ts'

const {
  path,
  options: { stop, ...options }
} = workerData as VerifyThreadData

async function verify(): Promise<Reply<VerifyReport>> {
  try {
    return {
      ok: true,
      value: await verifyBundleFile(path, { ...options, cancelled: () => stop !== undefined && Atomics.load(stop, 0) !== 0 })
    }
  } catch (error) {
    if (error instanceof AffidavitError) return { ok: false, error: error.toFailure() }
    throw error
  }
}

parentPort?.postMessage(await verify())
