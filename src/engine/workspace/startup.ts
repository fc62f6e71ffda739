// SPDX-License-Identifier: Apache-2.0
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { CompactRange, emptyRoot } from '../../shared/evidence/merkle.ts'
import { sha256 } from '../crypto.ts'
import type { TreeState } from '../ledger/group-writer.ts'
import { HeadFile } from '../ledger/head.ts'
import { headCopyOf } from '../ledger/head-copy.ts'
import { GROUP_LEAVES } from '../ledger/ledger.ts'
import { ledgerMigrations } from '../ledger/migrations.ts'
import { type CheckpointRow, keysEnd, leafCount } from '../ledger/store.ts'
import type { WritableDb } from '../sqlite/open.ts'
import { schemaDifference } from '../sqlite/schema.ts'
import { openBlock } from '../vault/key-block.ts'
import { vaultMigrations } from '../vault/migrations.ts'
import type { WorkspacePaths } from './paths.ts'
import { type Finding, problemOf, type StartProblem } from './start-problem.ts'
import { expectedNodes, type FoundTree, findTree, hasRoot, type LogKey, noteFits, signedNote, trustedSize } from './start-tree.ts'

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
  /** The leaves as they were found; undefined where they do not hold together. */
  readonly tree: TreeState | undefined
}

export interface StartInput extends LogKey {
  readonly paths: WorkspacePaths
  readonly state: string
  readonly ledger: WritableDb
  readonly keys: WritableDb
  /** Key-encryption keys by id; null when the keyring is not here, and `keysMissing` says why. */
  readonly keks: ReadonlyMap<string, Uint8Array> | null
  readonly keysMissing?: string
  /** The keyring was made at this start: this machine never had a log of that name. */
  readonly keysMade: boolean
}

/** Notes of checkpoints kept as files, with their names. */
export function anchoredNotes(folder: string): { readonly file: string; readonly text: string }[] {
  try {
    return readdirSync(folder, { withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => ({ file: entry.name, text: readFileSync(join(folder, entry.name), 'utf8') }))
      .filter(({ text }) => text.startsWith('affidavit.invalid/') && text.includes('\n\n\u2014 '))
  } catch {
    return []
  }
}

/** What a note that is signed by this log and does not fit the tree means; undefined when it fits, or is none of ours. */
export function contradiction(text: string, key: LogKey, found: FoundTree): Finding | undefined {
  const note = signedNote(text, key)
  if (!note || hasRoot(found, note)) return undefined
  const { size } = note
  if (size > found.size)
    return {
      code: 'rollback_detected',
      message: `A signed checkpoint of ${size} leaves is kept in anchors, the ledger holds ${found.size}.`
    }
  return {
    code: 'fork_detected',
    message: `There are two histories of ${size} leaves: a signed checkpoint kept in anchors has another root than the ledger.`
  }
}

function headFindings(mark: HeadFile['current'], found: FoundTree): Finding[] {
  const { size, tree } = found
  if (size < mark.size)
    return [
      {
        code: 'rollback_detected',
        message: `The ledger holds ${size} leaves, but ${mark.size} were acknowledged: the last ${mark.size - size} are gone, by a rollback, a torn file or an older copy.`
      }
    ]
  if (tree && !hasRoot(found, mark))
    return [
      {
        code: 'fork_detected',
        message: `The first ${mark.size} leaves are another history than the one that was acknowledged: their root differs from the high-water mark.`
      }
    ]
  if (size > mark.size + GROUP_LEAVES + 1)
    return [
      {
        code: 'unacknowledged_leaves',
        message: `The ledger holds ${size - mark.size} leaves more than were acknowledged; a crash leaves at most ${GROUP_LEAVES + 1}.`
      }
    ]
  return []
}

function copyFindings(copy: { readonly size: number; readonly root: Uint8Array } | undefined, found: FoundTree): Finding[] {
  if (!copy) return []
  if (copy.size > found.size)
    return [
      {
        code: 'rollback_detected',
        message: `This machine has seen ${copy.size} leaves of this log, the ledger holds ${found.size}: the workspace folder was rolled back or replaced.`
      }
    ]
  if (found.tree && !hasRoot(found, copy))
    return [
      {
        code: 'fork_detected',
        message: `There are two histories of ${copy.size} leaves: the root that this machine remembers is another than that of the ledger.`
      }
    ]
  return []
}

/** Stretches of leaves without a key, that no person has accepted as lost. */
export function missingKeys(keys: WritableDb, size: number): { readonly from: number; readonly to: number }[] {
  const missing: { from: number; to: number }[] = []
  let next = 0
  const rows = keys
    .prepare<[], { first_seq: number; count: number }>(
      'SELECT first_seq, count FROM key_block UNION ALL SELECT first_seq, count FROM key_lost ORDER BY first_seq'
    )
    .iterate()
  for (const row of rows) {
    if (row.first_seq >= size) break
    if (row.first_seq > next) missing.push({ from: next, to: row.first_seq })
    next = Math.max(next, row.first_seq + row.count)
  }
  if (next < size) missing.push({ from: next, to: size })
  return missing
}

/** Keys must cover every leaf; keys beyond the ledger are leftovers of at most one group; those of leaves beyond `head` must open. */
function vaultFindings(input: StartInput, size: number, mark: HeadFile['current'] | undefined): Finding[] {
  const { keys, keks } = input
  const findings: Finding[] = missingKeys(keys, size).map(({ from, to }) => ({
    code: 'vault_damaged',
    message: `The keys of leaves ${from} to ${to - 1} are missing: their content cannot be opened.`
  }))
  const end = keysEnd(keys)
  if (mark && findings.length === 0 && end < mark.keysEnd && mark.keysEnd <= size)
    findings.push({ code: 'vault_damaged', message: `Keys up to ${mark.keysEnd} were acknowledged, the vault ends at ${end}.` })
  if (end > size + GROUP_LEAVES + 1)
    findings.push({
      code: 'rollback_detected',
      message: `The vault holds keys up to ${end}, the ledger only ${size} leaves: the ledger was rolled back.`
    })
  if (mark && keks && size > mark.size) {
    const beyond = keys
      .prepare<[number, number], { first_seq: number; count: number; kek_id: string; ct: Buffer }>(
        'SELECT first_seq, count, kek_id, ct FROM key_block WHERE first_seq + count > ? AND first_seq < ?'
      )
      .all(mark.size, size)
    const opens = ({ first_seq, count, kek_id, ct }: (typeof beyond)[number]): boolean => {
      const key = keks.get(kek_id)
      try {
        return key !== undefined && openBlock({ id: kek_id, key }, first_seq, count, ct).length > 0
      } catch {
        return false
      }
    }
    if (!beyond.every(opens))
      findings.push({
        code: 'unacknowledged_leaves',
        message: `The leaves from ${mark.size} on were not acknowledged and their keys are not by this program: somebody else appended them.`
      })
  }
  return findings
}

/** Schemas of both databases against what the migrations make. */
export const schemasOf = (input: Pick<StartInput, 'ledger' | 'keys'>) => [
  { file: 'ledger.db', db: input.ledger, ...schemaDifference(input.ledger, ledgerMigrations) },
  { file: 'keys.db', db: input.keys, ...schemaDifference(input.keys, vaultMigrations) }
]

/**
 * Everything checked before the first append (EVIDENCE, Connection rules): a torn WAL opens cleanly with its tail gone, so the ledger is held
 * against `head`, the copy outside the workspace, the signed checkpoints in the ledger and in anchors, the vault, and the schema that it should
 * have. Changes nothing when anything is wrong; otherwise a fresh workspace gets its `head`, and keys of leaves that never were (a crash between
 * the two commits) are removed.
 */
export function checkStart(input: StartInput): StartState {
  const { paths, ledger, keys } = input
  const { copy, lost } = headCopyOf(input.state, input.origin)
  const empty: TreeState = { size: 0, root: emptyRoot(sha256), hashes: [] }
  const fresh = !existsSync(paths.head) && leafCount(ledger) === 0 && keysEnd(keys) === 0
  const head = existsSync(paths.head) ? HeadFile.open(paths.head) : undefined
  const found = findTree(ledger, input)
  const { size } = found
  const schemas = schemasOf(input)
  const findings: Finding[] = [
    ...(input.keks ? [] : [{ code: 'keys_missing' as const, message: input.keysMissing ?? 'The keys of this workspace are missing.' }]),
    ...(found.fault === undefined ? [] : [{ code: 'ledger_damaged' as const, message: found.fault }]),
    ...(head || fresh
      ? []
      : [
          {
            code: 'head_missing' as const,
            message: `The high-water mark (file head) is missing or unreadable, so a lost tail could not be noticed. The ledger holds ${size} leaves.`
          }
        ]),
    ...(head ? headFindings(head.current, found) : []),
    ...(lost && !(fresh && input.keysMade)
      ? [
          {
            code: 'head_copy_lost' as const,
            message:
              'What this machine remembers of its logs (heads.json in the state folder) cannot be read, or could not before and nothing was remembered of this log since: a rollback of the whole folder could not be noticed.'
          }
        ]
      : []),
    ...copyFindings(copy, found),
    ...anchoredNotes(paths.anchors).flatMap(({ text }) => contradiction(text, input, found) ?? []),
    ...schemas.flatMap(({ file, differs }) =>
      differs.length === 0
        ? []
        : [{ code: 'schema_changed' as const, message: `The schema of ${file} was changed: ${differs.join(', ')}.` }]
    ),
    ...(schemas.every(({ repair }) => repair !== null) ? vaultFindings(input, size, head?.current) : [])
  ]
  const forked = findings.some((one) => one.code === 'fork_detected')
  const problem = problemOf(findings, {
    size,
    // Two histories: the ledger's own checkpoints cannot say which one is right.
    trusted: forked ? trustedApart(input, found) : trustedSize(ledger, input, found, Number.MAX_SAFE_INTEGER),
    canContinue: found.tree !== undefined && schemas.every(({ repair }) => repair !== null)
  })
  const base = {
    range: CompactRange.from(sha256, 0, []),
    nodes: 0,
    verified: empty,
    checkpoint: found.checkpoint,
    recovered: 0,
    tree: found.tree
  }
  if (problem) return { ...base, head, secondCopy: copy || lost ? 'differs' : 'none', problem }
  if (fresh) return { ...base, head: HeadFile.create(paths.head, empty.root), secondCopy: copy ? 'matches' : 'none', problem }
  const mark = head as HeadFile
  const tree = found.tree as TreeState
  const acknowledged = mark.current.size
  keys.prepare('DELETE FROM key_block WHERE first_seq >= ?').run(size)
  if (size > acknowledged) mark.write({ size, root: tree.root, keysEnd: size })
  return {
    head: mark,
    range: CompactRange.from(sha256, size, tree.hashes),
    nodes: expectedNodes(size),
    verified: found.verified,
    checkpoint: found.checkpoint,
    secondCopy: copy === undefined ? 'none' : copy.size === size ? 'matches' : 'behind',
    recovered: size - acknowledged,
    problem,
    tree
  }
}

/** After a fork only what a checkpoint kept outside the ledger also vouches for. */
function trustedApart(input: StartInput, found: FoundTree): number | null {
  const sizes = anchoredNotes(input.paths.anchors).flatMap(({ text }) => noteFits(text, input, found) ?? [])
  return sizes.length === 0 ? null : Math.max(...sizes)
}
