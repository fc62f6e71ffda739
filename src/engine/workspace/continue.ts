// SPDX-License-Identifier: Apache-2.0
// Going on after a rollback: a person's choice, written down before the restart that carries it out, so that a crash in between loses nothing.
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { syncFolder, writeFileDurably } from '../../node/durable-file.ts'
import { CompactRange } from '../../shared/evidence/merkle.ts'
import { sha256 } from '../crypto.ts'
import { bodyPart } from '../ledger/body-part.ts'
import type { Actor, LeafDraft } from '../ledger/draft.ts'
import { HeadFile } from '../ledger/head.ts'
import type { WritableDb } from '../sqlite/open.ts'
import { repairSchema } from '../sqlite/schema.ts'
import { type Kek, openBlock, sealBlock } from '../vault/key-block.ts'
import type { WorkspacePaths } from './paths.ts'
import { startCodes } from './start-problem.ts'
import { expectedNodes, findTree } from './start-tree.ts'
import { anchoredNotes, contradiction, missingKeys, type StartInput, type StartState, schemasOf } from './startup.ts'

const choiceSchema = z.strictObject({
  v: z.literal(1),
  code: z.enum(startCodes),
  actor: z.strictObject({ ref: z.string(), kind: z.enum(['human', 'service', 'model', 'system']) }),
  reason: z.string(),
  findings: z.array(z.string()),
  head_size: z.int().min(0),
  found_size: z.int().min(0)
})
/** What a person chose, kept in `continue.json` until it is on record. */
export type Choice = z.infer<typeof choiceSchema>

const pathOf = (paths: WorkspacePaths): string => join(paths.root, 'continue.json')

/** Writes the choice down; the next start carries it out. */
export function choose(paths: WorkspacePaths, start: StartState, size: number, actor: Actor, reason: string): void {
  const { problem } = start
  if (!problem) throw new Error('there is nothing to choose')
  const choice: Choice = {
    v: 1,
    code: problem.code,
    actor,
    reason,
    findings: problem.findings.map((one) => `${one.code}: ${one.message}`),
    head_size: start.head?.current.size ?? 0,
    found_size: size
  }
  writeFileDurably(pathOf(paths), `${JSON.stringify(choice)}\n`)
}

/** The choice that waits; undefined without one, or when the file is not one. */
export function waitingChoice(paths: WorkspacePaths): Choice | undefined {
  if (!existsSync(pathOf(paths))) return undefined
  try {
    return choiceSchema.parse(JSON.parse(readFileSync(pathOf(paths), 'utf8')))
  } catch {
    return undefined
  }
}

/** Whether the choice was carried out already and only not forgotten yet. */
export function onRecord(ledger: WritableDb, choice: Choice): boolean {
  const bytes = ledger.prepare<[number], Buffer>('SELECT bytes FROM leaf WHERE seq = ?').pluck().get(choice.found_size)
  return bytes !== undefined && (JSON.parse(bytes.toString('utf8')) as { type?: string }).type === 'rollback.detected'
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

/** The choice is on record. */
export function forgetChoice(paths: WorkspacePaths): void {
  rmSync(pathOf(paths), { force: true })
  syncFolder(paths.root)
}

/**
 * Makes the workspace fit to be written to as it was found: triggers are brought back, keys beyond the ledger and contradicting checkpoints are
 * set aside (none is removed), the head is set to what is there. Each step may be repeated. The caller appends `rollback.detected` first of all.
 */
export function acceptStart(input: StartInput, start: StartState, kek: Kek): StartState {
  const { paths, keys } = input
  for (const { db, repair } of schemasOf(input)) if (repair && repair.length > 0) repairSchema(db, repair)
  const found = findTree(input.ledger, input)
  const { size, tree } = found
  if (!tree) return start
  setKeysAside(keys, size, input.keks ?? new Map(), kek)
  const lost = keys.prepare<[number, number]>('INSERT OR IGNORE INTO key_lost (first_seq, count) VALUES (?, ?)')
  for (const { from, to } of missingKeys(keys, size)) lost.run(from, to - from)
  for (const { file, text } of anchoredNotes(paths.anchors)) {
    if (!contradiction(text, input, found)) continue
    const aside = join(paths.anchors, 'contradicting')
    mkdirSync(aside, { recursive: true, mode: 0o700 })
    renameSync(join(paths.anchors, file), join(aside, `${Date.now()}-${file}`))
    syncFolder(aside)
    syncFolder(paths.anchors)
  }
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
    problem: undefined
  }
}

/** Blocks of leaves that are gone move to a table of their own: should the lost tail turn up, its content can still be opened. */
function setKeysAside(keys: WritableDb, size: number, keks: ReadonlyMap<string, Uint8Array>, kek: Kek): void {
  const beyond = keys
    .prepare<[number], { first_seq: number; count: number; kek_id: string; ct: Buffer }>(
      'SELECT first_seq, count, kek_id, ct FROM key_block WHERE first_seq + count > ?'
    )
    .all(size)
  const aside = keys.prepare<[number, number, string, Buffer]>('INSERT INTO key_aside (first_seq, count, kek_id, ct) VALUES (?, ?, ?, ?)')
  const remove = keys.prepare<[number]>('DELETE FROM key_block WHERE first_seq = ?')
  const keep = keys.prepare<[number, number, string, Buffer]>('INSERT INTO key_block (first_seq, count, kek_id, ct) VALUES (?, ?, ?, ?)')
  keys.transaction(() => {
    for (const { first_seq, count, kek_id, ct } of beyond) {
      aside.run(first_seq, count, kek_id, ct)
      remove.run(first_seq)
      const key = keks.get(kek_id)
      const left = size - first_seq
      if (left <= 0 || !key) continue
      const opened = openBlock({ id: kek_id, key }, first_seq, count, ct)
      const own = Array.from({ length: left }, (_, i) => opened.subarray(32 * i, 32 * (i + 1)))
      keep.run(first_seq, left, kek.id, sealBlock(kek, first_seq, own))
    }
  })()
}
