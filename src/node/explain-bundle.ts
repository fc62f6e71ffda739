// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto'
import type { DriftReceipt } from '../shared/contract/drift-backtest.ts'
import { receiptOf } from '../shared/drift/receipt.ts'
import type { LookBody } from '../shared/event/drift-bodies.ts'
import { LEAVES, payloadLine, payloadPath } from '../shared/evidence/bundle-layout.ts'
import { fromBase64, utf8Decode } from '../shared/evidence/bytes.ts'
import { openZipFiles } from './zip-files.ts'

interface LookLeaf {
  readonly seq: number
  readonly ts: string
  readonly bodySha256: string
}

/** A body; undefined when it is none, which the receipt then says. */
function objectOf(bytes: Uint8Array): object | undefined {
  try {
    const value: unknown = JSON.parse(utf8Decode(bytes))
    return typeof value === 'object' && value !== null ? value : undefined
  } catch {
    return undefined
  }
}

/**
 * Decides every look of a bundle again, from the bundle alone; oldest first. It trusts nothing: whether the bundle is what its signer
 * made is for its verification to say.
 * @throws AffidavitError file_unreadable, not_this_format
 */
export async function explainBundleFile(path: string): Promise<DriftReceipt[]> {
  const files = await openZipFiles(path)
  try {
    const names = new Set(files.names())
    const looks: LookLeaf[] = []
    const wanted = new Set<number>()
    if (names.has(LEAVES)) {
      for await (const line of files.lines(LEAVES)) {
        const leaf = JSON.parse(utf8Decode(line)) as { seq: number; ts: string; type: string; data?: { body_sha256?: unknown } }
        if (leaf.type !== 'drift.look' && leaf.type !== 'baseline.set') continue
        wanted.add(leaf.seq)
        if (leaf.type === 'drift.look') looks.push({ seq: leaf.seq, ts: leaf.ts, bodySha256: String(leaf.data?.body_sha256) })
      }
    }
    const bodies = new Map<number, object>()
    const take = (seq: number, bytes: Uint8Array): void => {
      const body = objectOf(bytes)
      if (body) bodies.set(seq, body)
    }
    for (const seq of wanted) if (names.has(payloadPath(seq, 'body'))) take(seq, await files.read(payloadPath(seq, 'body')))
    for (const name of names) {
      if (!name.startsWith('data/payloads/')) continue
      for await (const line of files.lines(name)) {
        const { seq, part, plaintext } = payloadLine.parse(JSON.parse(utf8Decode(line)))
        if (part === 'body' && wanted.has(seq)) take(seq, fromBase64(plaintext))
      }
    }
    return looks.map(({ seq, ts, bodySha256 }) =>
      receiptOf({
        seq,
        time: ts,
        bodySha256,
        body: (bodies.get(seq) ?? {}) as Partial<LookBody>,
        bodyOf: (other) => bodies.get(other),
        sha256: (text) => createHash('sha256').update(text, 'utf8').digest('hex')
      })
    )
  } finally {
    await files.close()
  }
}
