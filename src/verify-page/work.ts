// SPDX-License-Identifier: Apache-2.0
import { EvidenceError } from '../shared/evidence/errors.ts'
import { verifyBundle } from '../shared/evidence/verify-bundle.ts'
import { ZipBundle } from '../shared/evidence/zip-bundle.ts'
import { pageCrypto, pageRuntime } from './crypto.ts'
import type { Answer, Work } from './messages.ts'

const SLICE = 1024 * 1024
/** Milliseconds between two words about progress. */
const PAUSE = 100

/** Bytes of a bundle that is held in memory whole. */
const MOST_HELD = 2 * 1024 * 1024

async function sha256Of(blob: Blob): Promise<string> {
  const hash = pageRuntime.sha256()
  for (let at = 0; at < blob.size; at += SLICE) hash.update(new Uint8Array(await blob.slice(at, at + SLICE).arrayBuffer()))
  return hash.hex()
}

/** A small file is read once: the browser takes longer to hand over a piece than to check it. A larger one has lists instead of many files. */
async function sourceOf(bundle: Blob) {
  const whole = bundle.size <= MOST_HELD ? new Uint8Array(await bundle.arrayBuffer()) : undefined
  const piece = async (from: number, to: number) => new Uint8Array(await bundle.slice(from, to).arrayBuffer())
  return {
    size: bundle.size,
    read: async (from: number, length: number) => whole?.slice(from, from + length) ?? piece(from, from + length)
  }
}

/** Verifies one bundle. Whatever goes wrong is an answer; only a verdict of the six steps can accept. */
export async function work({ bundle, trust }: Work, answer: (message: Answer) => void): Promise<void> {
  let told = 0
  const progress = (done: number, total: number) => {
    if (performance.now() - told < PAUSE) return
    told = performance.now()
    answer({ is: 'progress', done, total })
  }
  try {
    const files = await ZipBundle.open(await sourceOf(bundle), pageRuntime)
    await files.checkEntries()
    const { seen: _seen, memory: _memory, ...verdict } = await verifyBundle(files, pageCrypto, trust, { progress })
    answer({ is: 'verdict', verdict: { ...verdict, sha256: await sha256Of(bundle) } })
  } catch (error) {
    answer({ is: 'refused', message: error instanceof EvidenceError ? error.message : 'the file cannot be read' })
  }
}
