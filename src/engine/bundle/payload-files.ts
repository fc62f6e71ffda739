// SPDX-License-Identifier: Apache-2.0
// The contents of a bundle: single files beside their proofs, or lists.
import { LIST_LINES, payloadListPath, payloadPath, proofPath } from '../../shared/evidence/bundle-layout.ts'
import { toBase64 } from '../../shared/evidence/bytes.ts'
import { type BagWriter, chunked } from './bag-writer.ts'

/** Parts of a leaf that go out. */
export type PartsOf = (seq: number) => readonly { readonly name: string; readonly opening: Uint8Array; readonly data: Uint8Array }[]

/** Up to 1,000 leaves: one file and one opening each part, one proof each leaf. */
export async function addSingles(
  bag: BagWriter,
  seqs: readonly number[],
  partsOf: PartsOf,
  step: () => void,
  proof: (seq: number) => string
): Promise<void> {
  for (const seq of seqs) {
    for (const part of partsOf(seq)) {
      bag.add(payloadPath(seq, part.name), part.data)
      bag.add(`${payloadPath(seq, part.name)}.opening`, part.opening)
    }
  }
  for (const seq of seqs) {
    step()
    bag.add(proofPath(seq), proof(seq))
  }
}

/** More leaves: lines of all parts in lists. */
export async function addLists(bag: BagWriter, seqs: readonly number[], partsOf: PartsOf, step: () => void): Promise<void> {
  const lines = function* (): Generator<string> {
    for (const seq of seqs) {
      step()
      for (const part of partsOf(seq))
        yield `{"opening":"${toBase64(part.opening)}","part":"${part.name}","plaintext":"${toBase64(part.data)}","seq":${seq}}\n`
    }
  }
  const all = lines()
  let next = all.next()
  for (let list = 0; !next.done; list++) {
    const some = function* (): Generator<string> {
      for (let i = 0; i < LIST_LINES && !next.done; i++) {
        yield next.value
        next = all.next()
      }
    }
    await bag.stream(payloadListPath(list), chunked(some()))
  }
}
