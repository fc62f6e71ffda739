// SPDX-License-Identifier: Apache-2.0
// The contents of a bundle: single files beside their proofs, or lists.
import { LIST_LINES, payloadListPath, payloadPath, proofPath } from '../../shared/evidence/bundle-layout.ts'
import { toBase64 } from '../../shared/evidence/bytes.ts'
import { type BagWriter, chunked } from './bag-writer.ts'
import type { Place } from './export-journal.ts'

/** Parts of a leaf that go out. */
export type PartsOf = (seq: number) => readonly { readonly name: string; readonly opening: Uint8Array; readonly data: Uint8Array }[]

/** Up to 1,000 leaves: one file and one opening each part, one proof each leaf. */
export async function addSingles(
  bag: BagWriter,
  seqs: readonly number[],
  partsOf: PartsOf,
  step: (done: number) => void,
  proof: (seq: number) => string
): Promise<void> {
  for (const seq of seqs) {
    for (const part of partsOf(seq)) {
      bag.add(payloadPath(seq, part.name), part.data)
      bag.add(`${payloadPath(seq, part.name)}.opening`, part.opening)
    }
  }
  for (const [at, seq] of seqs.entries()) {
    step(at)
    bag.add(proofPath(seq), proof(seq))
  }
}

/** More leaves: lines of all parts in lists. A list that an interrupted run has finished is kept, and none of its contents is read again. */
export async function addLists(
  bag: BagWriter,
  seqs: readonly number[],
  partsOf: PartsOf,
  step: (done: number) => void,
  progress: (leaf: number) => { readonly done: number; readonly total: number }
): Promise<void> {
  let opened = -1
  let parts: ReturnType<PartsOf> = []
  const partsAt = (leaf: number): ReturnType<PartsOf> => {
    if (leaf !== opened) {
      step(leaf)
      parts = partsOf(seqs[leaf] ?? 0)
      opened = leaf
    }
    return parts
  }
  const firstFrom = ({ leaf, part }: Place): Place | null => {
    for (let at = leaf, from = part; at < seqs.length; at++, from = 0) if (from < partsAt(at).length) return { leaf: at, part: from }
    return null
  }
  let next = firstFrom({ leaf: 0, part: 0 })
  for (let list = 0; next !== null; list++) {
    const from: Place = next
    let to: Place | null = from
    const lines = function* (): Generator<string> {
      for (let i = 0; i < LIST_LINES && to !== null; i++) {
        const seq = seqs[to.leaf] ?? 0
        const part = partsAt(to.leaf)[to.part]
        if (!part) throw new Error('a part went while it was listed')
        yield `{"opening":"${toBase64(part.opening)}","part":"${part.name}","plaintext":"${toBase64(part.data)}","seq":${seq}}\n`
        to = firstFrom({ leaf: to.leaf, part: to.part + 1 })
      }
    }
    next = await bag.stream(
      payloadListPath(list),
      () => chunked(lines()),
      () => progress(to?.leaf ?? seqs.length),
      () => to
    )
    step(next?.leaf ?? seqs.length)
  }
}
