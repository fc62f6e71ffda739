// SPDX-License-Identifier: Apache-2.0
// Subtrees of a log (draft-ietf-plants-merkle-tree-certs): [start, end) where start is a multiple of the smallest power of two ≥ end − start.
import { equalBytes } from './bytes.ts'
import { EvidenceError } from './errors.ts'
import { emptyRoot, nodeHash, type Sha256, verifyInclusion } from './merkle.ts'

/** Whether [start, end) can be a subtree. */
function isSubtree(start: number, end: number): boolean {
  if (!Number.isSafeInteger(start) || !Number.isSafeInteger(end) || start < 0 || start >= end) return false
  let width = 1
  while (width < end - start) width *= 2
  return start % width === 0
}

export interface SubtreeInclusionClaim {
  readonly index: number
  readonly start: number
  readonly end: number
  readonly leafHash: Uint8Array
  readonly proof: readonly Uint8Array[]
  readonly root: Uint8Array
}

/** A leaf in a subtree: an inclusion proof in the tree of its leaves. @throws EvidenceError out_of_range, wrong_proof_length, root_mismatch */
export function verifySubtreeInclusion(sha256: Sha256, claim: SubtreeInclusionClaim): void {
  const { index, start, end } = claim
  if (!isSubtree(start, end) || index < start || index >= end) throw new EvidenceError('out_of_range', 'no such leaf in a subtree')
  verifyInclusion(sha256, { index: index - start, size: end - start, leafHash: claim.leafHash, proof: claim.proof, root: claim.root })
}

export interface SubtreeConsistencyClaim {
  readonly start: number
  readonly end: number
  readonly size: number
  readonly subtreeRoot: Uint8Array
  readonly root: Uint8Array
  readonly proof: readonly Uint8Array[]
}

const isOdd = (n: number): boolean => n % 2 === 1
const half = (n: number): number => Math.floor(n / 2)

/** A subtree in a tree of `size` leaves. @throws EvidenceError out_of_range, wrong_proof_length, root_mismatch */
export function verifySubtreeConsistency(sha256: Sha256, claim: SubtreeConsistencyClaim): void {
  const { start, end, size, subtreeRoot, root } = claim
  if (start === end && Number.isSafeInteger(start) && start >= 0 && start <= size) {
    // The empty subtree is in every tree: only its own root is checked.
    if (claim.proof.length > 0) throw new EvidenceError('wrong_proof_length', 'the empty subtree needs no proof')
    if (!equalBytes(subtreeRoot, emptyRoot(sha256))) throw new EvidenceError('root_mismatch', 'not the root of the empty subtree')
    return
  }
  if (!isSubtree(start, end) || !Number.isSafeInteger(size) || end > size)
    throw new EvidenceError('out_of_range', 'no such subtree in a tree of this size')
  let fn = start
  let sn = end - 1
  let tn = size - 1
  if (sn === tn) {
    while (fn !== sn) {
      fn = half(fn)
      sn = half(sn)
      tn = half(tn)
    }
  } else {
    while (fn !== sn && isOdd(sn)) {
      fn = half(fn)
      sn = half(sn)
      tn = half(tn)
    }
  }
  const path = [...claim.proof]
  let fr = subtreeRoot
  let sr = subtreeRoot
  // When climbing stopped inside the subtree, its right edge is incomplete and the proof begins with that node.
  if (fn !== sn) {
    const first = path.shift()
    if (first === undefined) throw new EvidenceError('wrong_proof_length', 'the proof is too short')
    fr = first
    sr = first
  }
  for (const sibling of path) {
    if (tn === 0) throw new EvidenceError('wrong_proof_length', 'the proof is too long')
    if (isOdd(sn) || sn === tn) {
      if (fn < sn) fr = nodeHash(sha256, sibling, fr)
      sr = nodeHash(sha256, sibling, sr)
      while (!isOdd(sn) && sn !== 0) {
        fn = half(fn)
        sn = half(sn)
        tn = half(tn)
      }
    } else sr = nodeHash(sha256, sr, sibling)
    fn = half(fn)
    sn = half(sn)
    tn = half(tn)
  }
  if (tn !== 0) throw new EvidenceError('wrong_proof_length', 'the proof is too short')
  if (!equalBytes(fr, subtreeRoot)) throw new EvidenceError('root_mismatch', 'the proof does not lead to the root of the subtree')
  if (!equalBytes(sr, root)) throw new EvidenceError('root_mismatch', 'the proof does not lead to the root')
}
