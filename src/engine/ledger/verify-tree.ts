// SPDX-License-Identifier: Apache-2.0
// Which leaf or node of a tree was changed. Each stored node is held against its stored children, so that one changed row shows where it is
// and not in everything above it.
import { equalBytes } from '../../shared/evidence/bytes.ts'
import { CompactRange, emptyRoot, leafHash, nodeHash } from '../../shared/evidence/merkle.ts'
import { sha256 } from '../crypto.ts'

/** One thing that does not fit, with what it is in. `seq`: the leaf, or the leaf that closes the node. */
export interface TreeFault {
  readonly code: 'leaf_changed' | 'node_changed' | 'node_missing'
  readonly message: string
  readonly seq: number
}

interface Node {
  readonly level: number
  readonly index: number
  readonly hash: Uint8Array
}

interface Failing {
  readonly level: number
  readonly index: number
  readonly pos: number
  /** What is stored; undefined when the row is missing. */
  readonly stored: Uint8Array | undefined
}

/** A root that something else vouches for (a signed checkpoint, or the head) and that the stored tree does not have. */
interface Contradiction {
  readonly size: number
  readonly expected: Uint8Array
  /** Stored roots of the complete subtrees of that size, largest first. */
  readonly hashes: readonly Uint8Array[]
}

/** Longest leaf in which one changed bit is looked for: every bit costs a hash. */
const SEARCH_BYTES = 4096
/** Beyond this something else is wrong than a few rows. */
const MOST_FAILING = 10_000

const key = (level: number, index: number): string => `${level}/${index}`
const half = (n: number): number => Math.floor(n / 2)

/** Tells a leaf's own troubles (its form, its payload) apart from those of its neighbours. */
export interface LeafSource {
  bytes(seq: number): Uint8Array | undefined
  /** Whether anything else about this leaf did not fit. */
  suspicious(seq: number): boolean
}

/** Follows a tree leaf by leaf. */
export class TreeCheck {
  readonly #stack: Node[] = []
  readonly #failing = new Map<string, Failing>()
  readonly #contradictions: Contradiction[] = []
  /** Odd sizes at which the root was as expected: there the last leaf stood alone. */
  readonly #heldOdd = new Set<number>()
  #size = 0
  #nodes = 0

  get size(): number {
    return this.#size
  }

  /** Inner nodes met so far: the position of the next one. */
  get nodes(): number {
    return this.#nodes
  }

  /** Root of the leaves so far, over the stored nodes. */
  root(): Uint8Array {
    return this.#stack.length === 0 ? emptyRoot(sha256) : CompactRange.from(sha256, this.#size, this.#hashes()).root()
  }

  /** Adds the next leaf; `stored` gives the node at a position. */
  push(bytes: Uint8Array, stored: (pos: number) => Uint8Array | undefined): void {
    this.pushHash(leafHash(sha256, bytes), stored)
  }

  /** As {@link push}, for a leaf of which only the hash is left. */
  pushHash(hash: Uint8Array, stored: (pos: number) => Uint8Array | undefined): void {
    let node: Node = { level: 0, index: this.#size, hash }
    for (let rest = this.#size; rest % 2 === 1; rest = half(rest)) {
      const left = this.#stack.pop()
      if (!left) throw new Error('a complete subtree has a left part')
      const pos = this.#nodes++
      const computed = nodeHash(sha256, left.hash, node.hash)
      const found = stored(pos)
      node = { level: node.level + 1, index: half(node.index), hash: found ?? computed }
      if (!(found && equalBytes(found, computed)) && this.#failing.size < MOST_FAILING)
        this.#failing.set(key(node.level, node.index), { level: node.level, index: node.index, pos, stored: found })
    }
    this.#stack.push(node)
    this.#size++
  }

  /** Holds the tree as it is now against a root that something else vouches for; false when they differ. */
  refer(expected: Uint8Array): boolean {
    const holds = equalBytes(this.root(), expected)
    if (!holds && this.#contradictions.length < MOST_FAILING)
      this.#contradictions.push({ size: this.#size, expected, hashes: this.#hashes() })
    if (holds && this.#size % 2 === 1) this.#heldOdd.add(this.#size)
    return holds
  }

  /** What was changed, lowest position first, and the sizes of references that nothing of it explains. */
  conclude(leaves: LeafSource): { readonly faults: readonly TreeFault[]; readonly unexplained: readonly number[] } {
    const faults: TreeFault[] = []
    const changedNodes = new Map<string, Failing>()
    const changedLeaves = new Set<number>()
    for (const one of [...this.#failing.values()].sort((a, b) => a.pos - b.pos)) {
      const closedBy = (one.index + 1) * 2 ** one.level - 1
      if (!one.stored) {
        faults.push({ code: 'node_missing', message: `an inner node over leaf ${closedBy} is missing`, seq: closedBy })
        continue
      }
      if ([2 * one.index, 2 * one.index + 1].some((child) => changedNodes.has(key(one.level - 1, child)))) continue
      if (one.level > 1 || this.#isNode(one)) {
        changedNodes.set(key(one.level, one.index), one)
        faults.push(nodeFault(one.pos, closedBy))
        continue
      }
      const pair = this.#whichLeaf(one, leaves)
      for (const seq of pair.seqs) changedLeaves.add(seq)
      faults.push(pair.fault)
    }
    const unexplained: number[] = []
    for (const reference of this.#contradictions) {
      const last = reference.size - 1
      const explained =
        [...changedNodes.values()].some((node) => onFrontier(node, reference.size)) || (reference.size % 2 === 1 && changedLeaves.has(last))
      if (explained) continue
      // The last leaf of an odd size has no node above it: with every node in order, it is the one that differs.
      if (reference.size % 2 === 1 && reference.size === this.#size && !changedLeaves.has(last)) {
        changedLeaves.add(last)
        faults.push(leafFault(last, this.#bitAgainstRoot(reference, leaves.bytes(last))))
      } else unexplained.push(reference.size)
    }
    return { faults, unexplained }
  }

  #hashes(): Uint8Array[] {
    return this.#stack.map((node) => node.hash)
  }

  /** A node over two leaves does not fit them: it is the node when it does not fit what is above it either. */
  #isNode(one: Failing): boolean {
    const parent = half(one.index)
    if ((parent + 1) * 2 ** (one.level + 1) <= this.#size) return this.#failing.has(key(one.level + 1, parent))
    return this.#contradictions.some((reference) => onFrontier(one, reference.size))
  }

  #whichLeaf(one: Failing, leaves: LeafSource): { readonly fault: TreeFault; readonly seqs: readonly number[] } {
    const left = 2 * one.index
    const right = left + 1
    const expected = one.stored as Uint8Array
    const [a, b] = [leaves.bytes(left), leaves.bytes(right)]
    if (a && b) {
      const other = { left: leafHash(sha256, a), right: leafHash(sha256, b) }
      const inLeft = changedBit(a, (hash) => equalBytes(nodeHash(sha256, hash, other.right), expected))
      if (inLeft !== undefined) return { fault: leafFault(left, inLeft), seqs: [left] }
      const inRight = changedBit(b, (hash) => equalBytes(nodeHash(sha256, other.left, hash), expected))
      if (inRight !== undefined) return { fault: leafFault(right, inRight), seqs: [right] }
    }
    // A checkpoint between the two saw the left one alone.
    if (this.#heldOdd.has(right)) return { fault: leafFault(right, undefined), seqs: [right] }
    if (this.#contradictions.some((reference) => reference.size === right)) return { fault: leafFault(left, undefined), seqs: [left] }
    const suspects = [left, right].filter((seq) => leaves.suspicious(seq))
    const [only] = suspects
    if (suspects.length === 1 && only !== undefined) return { fault: leafFault(only, undefined), seqs: [only] }
    return {
      fault: { code: 'leaf_changed', message: `leaf ${left} or leaf ${right} was changed, or both`, seq: left },
      seqs: [left, right]
    }
  }

  #bitAgainstRoot(reference: Contradiction, bytes: Uint8Array | undefined): number | undefined {
    const above = reference.hashes.slice(0, -1)
    return (
      bytes &&
      changedBit(bytes, (hash) => equalBytes(CompactRange.from(sha256, reference.size, [...above, hash]).root(), reference.expected))
    )
  }
}

/** Whether a node is the root of a complete subtree of a tree of this size. */
function onFrontier(node: { readonly level: number; readonly index: number }, size: number): boolean {
  return (node.index + 1) * 2 ** node.level <= size && (half(node.index) + 1) * 2 ** (node.level + 1) > size
}

const nodeFault = (pos: number, closedBy: number): TreeFault => ({
  code: 'node_changed',
  message: `inner node ${pos}, closed by leaf ${closedBy}, is not the hash of its children`,
  seq: closedBy
})

const leafFault = (seq: number, bit: number | undefined): TreeFault => ({
  code: 'leaf_changed',
  message: bit === undefined ? `leaf ${seq} was changed` : `leaf ${seq} was changed: one bit, in its byte ${Math.floor(bit / 8)}`,
  seq
})

/** Looks for the one bit that, turned back, makes the hash fit; undefined when more was changed. */
function changedBit(bytes: Uint8Array, fits: (hash: Uint8Array) => boolean): number | undefined {
  if (bytes.length > SEARCH_BYTES) return undefined
  const copy = Uint8Array.from(bytes)
  for (let bit = 0; bit < copy.length * 8; bit++) {
    const at = bit >> 3
    const mask = 1 << (bit & 7)
    copy[at] = (copy[at] ?? 0) ^ mask
    if (fits(leafHash(sha256, copy))) return bit
    copy[at] = (copy[at] ?? 0) ^ mask
  }
  return undefined
}
