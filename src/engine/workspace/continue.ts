// SPDX-License-Identifier: Apache-2.0
// Going on after a rollback: a person's choice, written down before the restart that carries it out, so that a crash in between loses nothing.
import { existsSync, mkdirSync, renameSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { syncFolder } from '../../node/durable-file.ts'
import { MemoryFile } from '../../node/memory-file.ts'
import { toBase64 } from '../../shared/evidence/bytes.ts'
import { CompactRange } from '../../shared/evidence/merkle.ts'
import { sha256 } from '../crypto.ts'
import { bodyPart } from '../ledger/body-part.ts'
import type { Actor, LeafDraft } from '../ledger/draft.ts'
import { HeadFile } from '../ledger/head.ts'
import { setHeadCopiesAside } from '../ledger/head-copy.ts'
import { repairSchema } from '../sqlite/schema.ts'
import { cutKeys } from '../vault/cut-keys.ts'
import { type Finding, startCodes } from './start-problem.ts'
import { expectedNodes, findTree } from './start-tree.ts'
import { anchoredNotes, contradiction, missingKeys, type StartInput, type StartState, schemasOf } from './startup.ts'

const choiceSchema = z.strictObject({
  code: z.enum(startCodes),
  actor: z.strictObject({ ref: z.string(), kind: z.enum(['human', 'service', 'model', 'system']) }),
  reason: z.string(),
  findings: z.array(z.string()),
  head_size: z.int().min(0),
  found_size: z.int().min(0),
  found_root: z.base64()
})
/** What a person chose, kept until it is on record. */
export type Choice = z.infer<typeof choiceSchema>

/** In the state folder, by origin: whoever can roll a workspace folder back can put a file into it. */
const memoryIn = (state: string): MemoryFile<Choice> =>
  new MemoryFile({ folder: state, name: 'continue.json' }, choiceSchema, 'the choice to go on')

const sentence = ({ code, message }: Finding): string => `${code}: ${message}`

/** Writes the choice down; the next start carries it out. @throws AffidavitError file_unreadable, not_writable */
export function choose(state: string, origin: string, start: StartState, actor: Actor, reason: string): void {
  const { problem, tree } = start
  if (!problem || !tree) throw new Error('there is nothing to choose')
  memoryIn(state).change(origin, () => ({
    code: problem.code,
    actor,
    reason,
    findings: problem.findings.map(sentence),
    head_size: start.head?.current.size ?? 0,
    found_size: tree.size,
    found_root: toBase64(tree.root)
  }))
}

/** The choice that waits; undefined without one, or when the file cannot be read. */
export function waitingChoice(state: string, origin: string): Choice | undefined {
  try {
    return memoryIn(state).read()[origin]
  } catch {
    return undefined
  }
}

/**
 * Whether a choice was made for what is found now: the same leaves, and nothing beside them that the person was not shown. A crash while it was
 * carried out leaves fewer findings than there were.
 */
export function fits({ findings, found_root, found_size }: Choice, { problem, tree }: StartState): boolean {
  if (tree?.size !== found_size || toBase64(tree.root) !== found_root) return false
  return problem === undefined || (problem.can_continue && problem.findings.every((one) => findings.includes(sentence(one))))
}

/** The first leaf after a rollback. */
export function choiceDraft(choice: Choice): LeafDraft {
  const { code, head_size, found_size, reason, findings } = choice
  return {
    type: 'rollback.detected',
    actor: choice.actor,
    data: { reason: code, head_size, found_size },
    parts: [bodyPart({ reason, findings }).part]
  }
}

/** The choice is on record, or was made for something else than what is here now. */
export function forgetChoice(state: string, origin: string): void {
  memoryIn(state).change(origin, () => undefined)
}

/**
 * Makes the workspace fit to be written to as it was found: triggers are brought back, keys beyond the ledger and contradicting checkpoints are
 * set aside (none is removed), the head is set to what is there. Each step may be repeated. The caller appends `rollback.detected` first of all.
 */
export function acceptStart(input: StartInput, start: StartState): StartState {
  const { paths, keys } = input
  for (const { db, repair } of schemasOf(input)) if (repair && repair.length > 0) repairSchema(db, repair)
  const found = findTree(input.ledger, input)
  const { size, tree } = found
  if (!tree) return start
  const aside = keys.prepare<[number, number, string, Buffer]>('INSERT INTO key_aside (first_seq, count, kek_id, ct) VALUES (?, ?, ?, ?)')
  // Should the lost tail turn up, its content can still be opened.
  cutKeys(keys, size, input.keks ?? new Map(), ({ first_seq, count, kek_id, ct }) => aside.run(first_seq, count, kek_id, ct))
  const lost = keys.prepare<[number, number]>('INSERT OR IGNORE INTO key_lost (first_seq, count) VALUES (?, ?)')
  for (const { from, to } of missingKeys(keys, size)) lost.run(from, to - from)
  for (const { file, text } of anchoredNotes(paths.anchors)) {
    if (!contradiction(text, input, found)) continue
    const folder = join(paths.anchors, 'contradicting')
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    renameSync(join(paths.anchors, file), join(folder, `${Date.now()}-${file}`))
    syncFolder(folder)
    syncFolder(paths.anchors)
  }
  setHeadCopiesAside(input.state)
  let head = start.head
  if (!head) {
    if (existsSync(paths.head)) renameSync(paths.head, `${paths.head}.unreadable-${Date.now()}`)
    head = HeadFile.create(paths.head, tree.root)
  }
  head.write({ size, root: tree.root, keysEnd: size })
  return {
    head,
    range: CompactRange.from(sha256, size, tree.hashes),
    nodes: expectedNodes(size),
    verified: found.verified,
    checkpoint: found.checkpoint,
    secondCopy: 'differs',
    recovered: 0,
    problem: undefined,
    tree
  }
}
