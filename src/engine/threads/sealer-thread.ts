// SPDX-License-Identifier: Apache-2.0
// Seals contents: random keys and openings, commitments, encryption. Holds nothing and opens no file.
import { parentPort } from 'node:worker_threads'
import { RandomPool } from '../crypto.ts'
import { type PlainBatch, type SealedBatch, sealBatch } from '../vault/sealed-batch.ts'

/** Engine → sealer. */
export interface SealRequest {
  readonly id: number
  readonly batch: PlainBatch
}

/** Sealer → engine. `id` null: it has started. */
export type SealReply = { readonly id: null } | { readonly id: number; readonly sealed: SealedBatch }

const port = parentPort
if (!port) throw new Error('a sealer runs in a worker thread')
const random = new RandomPool()
port.on('message', ({ id, batch }: SealRequest) => {
  const sealed = sealBatch(batch, random)
  port.postMessage({ id, sealed } satisfies SealReply, [sealed.secrets, sealed.ct])
})
port.postMessage({ id: null } satisfies SealReply)
