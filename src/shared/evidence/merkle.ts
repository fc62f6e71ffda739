// SPDX-License-Identifier: Apache-2.0
// The Merkle tree of RFC 6962 / RFC 9162 section 2.1. Sizes are plain numbers beyond 32 bits: no bit operators on them.
import { equalBytes } from './bytes.ts'
import { EvidenceError } from './errors.ts'

/** SHA-256 of some bytes: node:crypto in the engine, noble in the page. */
export type Sha256 = (data: Uint8Array) => Uint8Array

/** Hash of the complete subtree over the leaves [index·2^level, (index+1)·2^level); level 0 is the leaf hash. */
export type GetNode = (level: number, index: number) => Uint8Array

const HASH_BYTES = 32

// Inputs are put together in one place: hashing is synchronous, and an allocation would cost more than the hash of a node.
const nodeInput = new Uint8Array(65).fill(1, 0, 1)
let leafInput = new Uint8Array(4096)

/** SHA-256(0x00 ‖ leaf). */
export function leafHash(sha256: Sha256, leaf: Uint8Array): Uint8Array {
  if (leaf.length + 1 > leafInput.length) leafInput = new Uint8Array(2 * leaf.length + 1)
  leafInput[0] = 0
  leafInput.set(leaf, 1)
  return sha256(leafInput.subarray(0, leaf.length + 1))
}

/** SHA-256(0x01 ‖ left ‖ right). */
export function nodeHash(sha256: Sha256, left: Uint8Array, right: Uint8Array): Uint8Array {
  if (left.length !== HASH_BYTES || right.length !== HASH_BYTES) throw new EvidenceError('out_of_range', 'a hash has 32 bytes')
  nodeInput.set(left, 1)
  nodeInput.set(right, 33)
  return sha256(nodeInput)
}

/** Root of the tree without leaves: SHA-256 of nothing. */
export const emptyRoot = (sha256: Sha256): Uint8Array => sha256(new Uint8Array())

const isOdd = (n: number): boolean => n % 2 === 1
const half = (n: number): number => Math.floor(n / 2)

function popcount(n: number): number {
  let ones = 0
  for (let rest = n; rest > 0; rest = half(rest)) ones += rest % 2
  return ones
}

function checkSize(n: number): void {
  if (!Number.isSafeInteger(n) || n < 0) throw new EvidenceError('out_of_range', 'a size is a whole number')
}

/**
 * Where an inner node (level ≥ 1) stands in the order of completion: the nodes a leaf closes are appended lowest level first,
 * after all that earlier leaves closed.
 */
export function nodePosition(level: number, index: number): number {
  const lastLeaf = (index + 1) * 2 ** level - 1
  return lastLeaf - popcount(lastLeaf) + level - 1
}

/** The largest power of two below n (n ≥ 2). */
function splitPoint(n: number): number {
  let k = 1
  while (k * 2 < n) k *= 2
  return k
}

/** A tree that can only grow: the roots of its complete subtrees, largest first. */
export class CompactRange {
  readonly #sha256: Sha256
  #size: number
  readonly #hashes: Uint8Array[]

  private constructor(sha256: Sha256, size: number, hashes: Uint8Array[]) {
    this.#sha256 = sha256
    this.#size = size
    this.#hashes = hashes
  }

  /** @throws EvidenceError wrong_proof_length: a tree of this size has another number of complete subtrees */
  static from(sha256: Sha256, size: number, hashes: readonly Uint8Array[]): CompactRange {
    checkSize(size)
    if (hashes.length !== popcount(size)) throw new EvidenceError('wrong_proof_length', 'not the subtrees of this size')
    return new CompactRange(sha256, size, [...hashes])
  }

  get size(): number {
    return this.#size
  }

  get hashes(): readonly Uint8Array[] {
    return this.#hashes
  }

  /** Adds a leaf hash; returns the inner nodes it closes, lowest level first. */
  push(leaf: Uint8Array): readonly Uint8Array[] {
    const closed: Uint8Array[] = []
    let node = leaf
    for (let rest = this.#size; isOdd(rest); rest = half(rest)) {
      const left = this.#hashes.pop()
      if (left === undefined) throw new EvidenceError('wrong_proof_length', 'not the subtrees of this size')
      node = nodeHash(this.#sha256, left, node)
      closed.push(node)
    }
    this.#hashes.push(node)
    this.#size++
    return closed
  }

  root(): Uint8Array {
    let node: Uint8Array | undefined
    for (let i = this.#hashes.length - 1; i >= 0; i--) {
      const left = this.#hashes[i] as Uint8Array
      node = node === undefined ? left : nodeHash(this.#sha256, left, node)
    }
    return node ?? emptyRoot(this.#sha256)
  }
}

/** Root over leaf hashes. */
export function rootOf(sha256: Sha256, leafHashes: Iterable<Uint8Array>): Uint8Array {
  const range = CompactRange.from(sha256, 0, [])
  for (const hash of leafHashes) range.push(hash)
  return range.root()
}

/** Hash over the leaves [start, end) where start is a multiple of the split width, from complete subtrees only. */
function hashOf(sha256: Sha256, start: number, end: number, getNode: GetNode): Uint8Array {
  const width = end - start
  const level = Math.log2(width)
  if (Number.isInteger(level)) return getNode(level, start / width)
  const middle = start + splitPoint(width)
  return nodeHash(sha256, hashOf(sha256, start, middle, getNode), hashOf(sha256, middle, end, getNode))
}

/** Root of the first `size` leaves, from stored nodes. */
export function rootAt(sha256: Sha256, size: number, getNode: GetNode): Uint8Array {
  checkSize(size)
  return size === 0 ? emptyRoot(sha256) : hashOf(sha256, 0, size, getNode)
}

/** PATH(m, D[n]) of RFC 9162 2.1.3.1, leaf to root. @throws EvidenceError out_of_range: no such leaf */
export function inclusionProof(sha256: Sha256, size: number, index: number, getNode: GetNode): Uint8Array[] {
  checkSize(size)
  if (!Number.isSafeInteger(index) || index < 0 || index >= size)
    throw new EvidenceError('out_of_range', 'no such leaf in a tree of this size')
  const proof: Uint8Array[] = []
  let start = 0
  let end = size
  while (end - start > 1) {
    const middle = start + splitPoint(end - start)
    if (index < middle) {
      proof.push(hashOf(sha256, middle, end, getNode))
      end = middle
    } else {
      proof.push(hashOf(sha256, start, middle, getNode))
      start = middle
    }
  }
  return proof.reverse()
}

/** PROOF(m, D[n]) of RFC 9162 2.1.4.1. Empty for equal sizes and for the empty tree. @throws EvidenceError out_of_range */
export function consistencyProof(sha256: Sha256, oldSize: number, newSize: number, getNode: GetNode): Uint8Array[] {
  checkSize(oldSize)
  checkSize(newSize)
  if (oldSize > newSize) throw new EvidenceError('out_of_range', 'a tree only grows')
  if (oldSize === newSize || oldSize === 0) return []
  const proof: Uint8Array[] = []
  let start = 0
  let end = newSize
  while (end !== oldSize) {
    const middle = start + splitPoint(end - start)
    if (oldSize <= middle) {
      proof.push(hashOf(sha256, middle, end, getNode))
      end = middle
    } else {
      proof.push(hashOf(sha256, start, middle, getNode))
      start = middle
    }
  }
  if (start > 0) proof.push(hashOf(sha256, start, end, getNode))
  return proof.reverse()
}

export interface InclusionClaim {
  readonly index: number
  readonly size: number
  readonly leafHash: Uint8Array
  readonly proof: readonly Uint8Array[]
  readonly root: Uint8Array
}

/**
 * RFC 9162 2.1.3.2. Returns nothing when the leaf is in the tree.
 * @throws EvidenceError out_of_range, wrong_proof_length, root_mismatch
 */
export function verifyInclusion(sha256: Sha256, claim: InclusionClaim): void {
  const { index, size, proof } = claim
  checkSize(size)
  if (!Number.isSafeInteger(index) || index < 0 || index >= size)
    throw new EvidenceError('out_of_range', 'no such leaf in a tree of this size')
  if (claim.leafHash.length !== HASH_BYTES || claim.root.length !== HASH_BYTES)
    throw new EvidenceError('out_of_range', 'a hash has 32 bytes')
  let node = claim.leafHash
  let fn = index
  let sn = size - 1
  for (const sibling of proof) {
    if (sn === 0) throw new EvidenceError('wrong_proof_length', 'the proof is too long')
    if (isOdd(fn) || fn === sn) {
      node = nodeHash(sha256, sibling, node)
      while (!isOdd(fn) && fn !== 0) {
        fn = half(fn)
        sn = half(sn)
      }
    } else node = nodeHash(sha256, node, sibling)
    fn = half(fn)
    sn = half(sn)
  }
  if (sn !== 0) throw new EvidenceError('wrong_proof_length', 'the proof is too short')
  if (!equalBytes(node, claim.root)) throw new EvidenceError('root_mismatch', 'the leaf does not lead to this root')
}

export interface ConsistencyClaim {
  readonly oldSize: number
  readonly newSize: number
  readonly oldRoot: Uint8Array
  readonly newRoot: Uint8Array
  readonly proof: readonly Uint8Array[]
}

/**
 * RFC 9162 2.1.4.2. Returns nothing when the new tree extends the old one.
 * @throws EvidenceError out_of_range, wrong_proof_length, root_mismatch
 */
export function verifyConsistency(sha256: Sha256, claim: ConsistencyClaim): void {
  const { oldSize, newSize, oldRoot, newRoot, proof } = claim
  checkSize(oldSize)
  checkSize(newSize)
  if (oldSize > newSize) throw new EvidenceError('out_of_range', 'a tree only grows')
  // Any tree extends the empty one: a proof of it would say nothing, and is refused so that nobody relies on it.
  if (oldSize === 0 && newSize > 0) throw new EvidenceError('out_of_range', 'the empty tree proves nothing')
  if (oldSize === newSize) {
    if (oldSize === 0 && !equalBytes(oldRoot, emptyRoot(sha256))) throw new EvidenceError('root_mismatch', 'not the root of the empty tree')
    if (proof.length > 0) throw new EvidenceError('wrong_proof_length', 'equal sizes need no proof')
    if (!equalBytes(oldRoot, newRoot)) throw new EvidenceError('root_mismatch', 'two roots for one size')
    return
  }
  let fn = oldSize - 1
  let sn = newSize - 1
  while (isOdd(fn)) {
    fn = half(fn)
    sn = half(sn)
  }
  const path = fn === 0 ? [oldRoot, ...proof] : [...proof]
  const first = path.shift()
  if (first === undefined) throw new EvidenceError('wrong_proof_length', 'the proof is empty')
  let fr = first
  let sr = first
  for (const sibling of path) {
    if (sn === 0) throw new EvidenceError('wrong_proof_length', 'the proof is too long')
    if (isOdd(fn) || fn === sn) {
      fr = nodeHash(sha256, sibling, fr)
      sr = nodeHash(sha256, sibling, sr)
      while (!isOdd(fn) && fn !== 0) {
        fn = half(fn)
        sn = half(sn)
      }
    } else sr = nodeHash(sha256, sr, sibling)
    fn = half(fn)
    sn = half(sn)
  }
  if (sn !== 0) throw new EvidenceError('wrong_proof_length', 'the proof is too short')
  if (!equalBytes(fr, oldRoot)) throw new EvidenceError('root_mismatch', 'the proof does not lead to the old root')
  if (!equalBytes(sr, newRoot)) throw new EvidenceError('root_mismatch', 'the proof does not lead to the new root')
}
