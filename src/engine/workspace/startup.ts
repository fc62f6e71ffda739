// SPDX-License-Identifier: Apache-2.0
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { equalBytes } from '../../shared/evidence/bytes.ts'
import { CompactRange, emptyRoot, leafHash, rootAt } from '../../shared/evidence/merkle.ts'
import { formatVkey, parseCheckpoint, verifyCheckpoint } from '../../shared/evidence/note.ts'
import { ed25519Verify, sha256 } from '../crypto.ts'
import { HeadFile, readHeadCopy } from '../ledger/head.ts'
import { GROUP_LEAVES, type TreeState } from '../ledger/ledger.ts'
import { type CheckpointRow, keysEnd, lastCheckpoint, leafCount, nodeCount, nodeReader } from '../ledger/store.ts'
import type { WritableDb } from '../sqlite/open.ts'
import type { WorkspacePaths } from './paths.ts'

/** Why a workspace opens read-only: a stable code, and words that say what is lost, what can be trusted and what to do. */
export interface StartProblem {
  readonly code: 'rollback_detected' | 'vault_damaged' | 'ledger_damaged'
  readonly message: string
}

export interface StartState {
  readonly head: HeadFile | undefined
  readonly range: CompactRange
  readonly nodes: number
  /** The tree at the last checkpoint, re-checked against its signature. */
  readonly verified: TreeState
  readonly checkpoint: CheckpointRow | undefined
  readonly secondCopy: 'matches' | 'behind' | 'none' | 'differs'
  /** Leaves beyond `head`: committed by a process that died before it could acknowledge them. */
  readonly recovered: number
  readonly problem: StartProblem | undefined
}

export interface StartInput {
  readonly paths: WorkspacePaths
  readonly state: string
  readonly ledger: WritableDb
  readonly keys: WritableDb
  readonly origin: string
  /** The present key of the log and those before it. */
  readonly logPublicKeys: readonly Uint8Array[]
}

type GetNode = (level: number, index: number) => Uint8Array

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
function tailMatches(from: TreeState, size: number, db: WritableDb, getNode: GetNode): boolean {
  const range = CompactRange.from(sha256, from.size, from.hashes)
  const rows = db.prepare<[number, number], Buffer>('SELECT bytes FROM leaf WHERE seq >= ? AND seq < ? ORDER BY seq').pluck()
  for (const bytes of rows.iterate(from.size, size)) range.push(leafHash(sha256, bytes))
  return range.size === size && equalBytes(range.root(), rootAt(sha256, size, getNode))
}

const restore = 'Restore the folder from a backup, or keep it as it is for an examination: nothing is written to it.'

/**
 * Everything checked before the first append (EVIDENCE, Connection rules): a torn WAL opens cleanly with its tail gone, so the ledger is held
 * against `head`, the copy outside the workspace and the last checkpoint. Changes nothing, except that a fresh workspace gets its `head`
 * and keys of leaves that never were (a crash between the two commits) are removed.
 */
export function checkStart(input: StartInput): StartState {
  const { paths, ledger, keys, origin } = input
  const size = leafCount(ledger)
  const getNode = nodeReader(ledger)
  const copy = readHeadCopy(join(input.state, 'heads.json'), origin)
  const empty: TreeState = { size: 0, root: emptyRoot(sha256), hashes: [] }
  const failed = (code: StartProblem['code'], message: string, head?: HeadFile): StartState => ({
    head,
    range: CompactRange.from(sha256, 0, []),
    nodes: 0,
    verified: empty,
    checkpoint: lastCheckpoint(ledger),
    secondCopy: copy ? 'differs' : 'none',
    recovered: 0,
    problem: { code, message }
  })

  if (!existsSync(paths.head) && size === 0 && keysEnd(keys) === 0) {
    if (copy && copy.size > 0)
      return failed(
        'rollback_detected',
        `The ledger is empty, but ${copy.size} leaves of this log were seen on this machine before. ${restore}`
      )
    const head = HeadFile.create(paths.head, empty.root)
    return {
      head,
      range: CompactRange.from(sha256, 0, []),
      nodes: 0,
      verified: empty,
      checkpoint: undefined,
      secondCopy: copy ? 'matches' : 'none',
      recovered: 0,
      problem: undefined
    }
  }
  const head = existsSync(paths.head) ? HeadFile.open(paths.head) : undefined
  if (head === undefined)
    return failed(
      'rollback_detected',
      `The high-water mark (file head) is missing or unreadable, so a lost tail could not be noticed. The ledger holds ${size} leaves. ${restore}`
    )
  const mark = head.current
  if (size < mark.size) {
    return failed(
      'rollback_detected',
      `The ledger holds ${size} leaves, but ${mark.size} were acknowledged: the last ${mark.size - size} are gone, by a rollback, a torn file or an older copy. ${restore}`,
      head
    )
  }
  try {
    if (nodeCount(ledger) !== expectedNodes(size))
      return failed('ledger_damaged', `The tree of the ledger is incomplete for its ${size} leaves. ${restore}`, head)
    if (!equalBytes(rootAt(sha256, mark.size, getNode), mark.root)) {
      return failed(
        'rollback_detected',
        `The first ${mark.size} leaves are not those that were acknowledged: their root differs from the high-water mark. ${restore}`,
        head
      )
    }
    if (copy && (copy.size > size || !equalBytes(rootAt(sha256, copy.size, getNode), copy.root))) {
      return failed(
        'rollback_detected',
        `This machine has seen a longer or different history of this log (${copy.size} leaves): the workspace folder was rolled back or replaced. ${restore}`,
        head
      )
    }
    const checkpoint = lastCheckpoint(ledger)
    const verified = checkpoint ? treeAt(checkpoint.size, getNode) : empty
    if (checkpoint && !checkpointHolds(checkpoint, verified, input)) {
      return failed('ledger_damaged', `The last signed checkpoint (size ${checkpoint.size}) does not match the leaves. ${restore}`, head)
    }
    if (!tailMatches(verified, size, ledger, getNode))
      return failed('ledger_damaged', `A leaf after ${verified.size} was changed on disk. ${restore}`, head)
    const vault = checkVault(keys, size, mark.keysEnd)
    if (vault) return failed(vault.code, `${vault.message} ${restore}`, head)
    const tree = treeAt(size, getNode)
    if (size > mark.size) head.write({ size, root: tree.root, keysEnd: size })
    return {
      head,
      range: CompactRange.from(sha256, size, tree.hashes),
      nodes: expectedNodes(size),
      verified,
      checkpoint,
      secondCopy: copy === undefined ? 'none' : copy.size === size ? 'matches' : 'behind',
      recovered: size - mark.size,
      problem: undefined
    }
  } catch (error) {
    const what = error instanceof Error ? error.message : 'unreadable'
    return failed('ledger_damaged', `The ledger cannot be read completely (${what}). ${restore}`, head)
  }
}

function checkpointHolds(row: CheckpointRow, tree: TreeState, input: StartInput): boolean {
  const note = parseCheckpoint(row.note)
  return (
    note.size === row.size &&
    equalBytes(note.root, tree.root) &&
    input.logPublicKeys.some((key) => verifyCheckpoint(sha256, ed25519Verify, row.note, formatVkey(sha256, input.origin, key)))
  )
}

/** Keys must cover every leaf without a gap; keys beyond the ledger are leftovers of at most one group. */
function checkVault(keys: WritableDb, size: number, markedEnd: number): StartProblem | undefined {
  let next = 0
  for (const row of keys
    .prepare<[], { first_seq: number; count: number }>('SELECT first_seq, count FROM key_block ORDER BY first_seq')
    .iterate()) {
    if (row.first_seq >= size) break
    if (row.first_seq !== next)
      return {
        code: 'vault_damaged',
        message: `The keys of leaves ${next} to ${row.first_seq - 1} are missing: their content cannot be opened.`
      }
    next = row.first_seq + row.count
  }
  if (next < size)
    return { code: 'vault_damaged', message: `The keys of leaves ${next} to ${size - 1} are missing: their content cannot be opened.` }
  const end = keysEnd(keys)
  if (end < markedEnd) return { code: 'vault_damaged', message: `Keys up to ${markedEnd} were acknowledged, the vault ends at ${end}.` }
  if (end > size + GROUP_LEAVES + 1)
    return {
      code: 'rollback_detected',
      message: `The vault holds keys up to ${end}, the ledger only ${size} leaves: the ledger was rolled back.`
    }
  if (end > size) keys.prepare('DELETE FROM key_block WHERE first_seq >= ?').run(size)
  return undefined
}
