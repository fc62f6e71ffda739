// SPDX-License-Identifier: Apache-2.0
// The tree of a ledger as it is found at a start, and how far a signature vouches for it.
import { equalBytes } from '../../shared/evidence/bytes.ts'
import { CompactRange, emptyRoot, leafHash, nodeHash, rootAt } from '../../shared/evidence/merkle.ts'
import { formatVkey, parseCheckpoint, verifyCheckpoint } from '../../shared/evidence/note.ts'
import { ed25519Verify, sha256 } from '../crypto.ts'
import type { TreeState } from '../ledger/group-writer.ts'
import { type CheckpointRow, lastCheckpoint, leafCount, nodeCount, nodeReader } from '../ledger/store.ts'
import type { AnyDb } from '../sqlite/open.ts'

export type GetNode = (level: number, index: number) => Uint8Array

/** The signing key of the log, as far as it is known. */
export interface LogKey {
  readonly origin: string
  /** The present key of the log and those before it. */
  readonly logPublicKeys: readonly Uint8Array[]
}

export interface FoundTree {
  readonly size: number
  readonly getNode: GetNode
  /** The whole tree; undefined when it does not hold together, and `fault` says why. */
  readonly tree: TreeState | undefined
  readonly fault: string | undefined
  /** The tree at the last checkpoint. */
  readonly verified: TreeState
  readonly checkpoint: CheckpointRow | undefined
}

const empty = (): TreeState => ({ size: 0, root: emptyRoot(sha256), hashes: [] })

/** Roots of the complete subtrees of a tree of this size, largest first. */
function frontier(size: number, getNode: GetNode): Uint8Array[] {
  const hashes: Uint8Array[] = []
  let left = 0
  for (let level = 52; level >= 0; level--) {
    const width = 2 ** level
    if (size - left < width) continue
    hashes.push(getNode(level, left / width))
    left += width
  }
  return hashes
}

function treeAt(size: number, getNode: GetNode): TreeState {
  const hashes = frontier(size, getNode)
  return { size, hashes, root: CompactRange.from(sha256, size, hashes).root() }
}

/** Inner nodes in a tree of this size: each leaf but the roots of complete subtrees closes one. */
export function expectedNodes(size: number): number {
  let ones = 0
  for (let n = size; n > 0; n = Math.floor(n / 2)) ones += n % 2
  return size - ones
}

/** Re-hashes the leaves behind the last checkpoint (bounded) against the stored nodes: a flipped bit there would otherwise be signed. */
function tailMatches(from: TreeState, size: number, db: AnyDb, getNode: GetNode): boolean {
  const range = CompactRange.from(sha256, from.size, from.hashes)
  const rows = db.prepare<[number, number], Buffer>('SELECT bytes FROM leaf WHERE seq >= ? AND seq < ? ORDER BY seq').pluck()
  for (const bytes of rows.iterate(from.size, size)) range.push(leafHash(sha256, bytes))
  return range.size === size && equalBytes(range.root(), rootAt(sha256, size, getNode))
}

/** Leaves held against the nodes above them at each start, chosen at random: what replaces a table as a whole does not get past these. */
const SPOT_CHECKS = 64

function spotsMatch(size: number, db: AnyDb, getNode: GetNode): boolean {
  const pairs = Math.floor(size / 2)
  const leaf = db.prepare<[number], Buffer>('SELECT bytes FROM leaf WHERE seq = ?').pluck()
  for (let i = 0; i < Math.min(SPOT_CHECKS, pairs); i++) {
    const index = Math.floor(Math.random() * pairs)
    const [left, right] = [leaf.get(2 * index), leaf.get(2 * index + 1)]
    // Missing ones are for the verification: whole tiles may have been disposed of.
    if (!left || !right) continue
    if (!equalBytes(nodeHash(sha256, leafHash(sha256, left), leafHash(sha256, right)), getNode(1, index))) return false
  }
  return true
}

/** Size and root of a note that this log signed; undefined when it is none. */
export function signedNote(text: string, key: LogKey): { readonly size: number; readonly root: Uint8Array } | undefined {
  try {
    const { size, root } = parseCheckpoint(text)
    const signed = key.logPublicKeys.some((one) => verifyCheckpoint(sha256, ed25519Verify, text, formatVkey(sha256, key.origin, one)))
    return signed ? { size, root } : undefined
  } catch {
    return undefined
  }
}

/** Whether the stored tree of that size has this root. */
export function hasRoot(found: Pick<FoundTree, 'size' | 'getNode'>, other: { readonly size: number; readonly root: Uint8Array }): boolean {
  try {
    return other.size <= found.size && equalBytes(rootAt(sha256, other.size, found.getNode), other.root)
  } catch {
    return false
  }
}

/** The size that a note signed by this log vouches for here: its root is that of the stored tree. Undefined when it is not its note, or does not fit. */
export function noteFits(text: string, key: LogKey, found: Pick<FoundTree, 'size' | 'getNode'>): number | undefined {
  const note = signedNote(text, key)
  return note && hasRoot(found, note) ? note.size : undefined
}

/** Reads what is there and says whether it holds together: nodes for all leaves, the last checkpoint, the leaves behind it. Never throws. */
export function findTree(ledger: AnyDb, key: LogKey): FoundTree {
  let size = 0
  const getNode = nodeReader(ledger)
  const failed = (fault: string): FoundTree => ({ size, getNode, tree: undefined, fault, verified: empty(), checkpoint: undefined })
  try {
    size = leafCount(ledger)
    const checkpoint = lastCheckpoint(ledger)
    if (nodeCount(ledger) !== expectedNodes(size)) return failed(`The tree of the ledger is incomplete for its ${size} leaves.`)
    if (checkpoint && noteFits(checkpoint.note, key, { size, getNode }) !== checkpoint.size)
      return failed(`The last signed checkpoint (size ${checkpoint.size}) does not match the leaves.`)
    const verified = checkpoint ? treeAt(checkpoint.size, getNode) : empty()
    if (!tailMatches(verified, size, ledger, getNode)) return failed(`A leaf after ${verified.size} was changed on disk.`)
    if (!spotsMatch(size, ledger, getNode)) return failed('Leaves do not fit the nodes of the tree above them.')
    return { size, getNode, tree: treeAt(size, getNode), fault: undefined, verified, checkpoint }
  } catch (error) {
    return failed(`The ledger cannot be read completely (${error instanceof Error ? error.message : 'unreadable'}).`)
  }
}

/**
 * The size of the newest checkpoint in the ledger, of fewer than `below` leaves, that fits the stored tree. Looks back in growing steps: an
 * older one than the newest that fits may be given, never a wrong one.
 */
export function trustedSize(ledger: AnyDb, key: LogKey, found: FoundTree, below: number): number | null {
  try {
    const older = ledger.prepare<[number, number], CheckpointRow>(
      'SELECT size, signed_us, note FROM checkpoint WHERE size < ? ORDER BY size DESC LIMIT 1 OFFSET ?'
    )
    for (let back = 0; ; back = 2 * back + 1) {
      const row = older.get(below, back)
      if (!row) return null
      if (noteFits(row.note, key, found) !== undefined) return row.size
    }
  } catch {
    return null
  }
}
