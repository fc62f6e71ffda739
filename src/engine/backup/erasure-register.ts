// SPDX-License-Identifier: Apache-2.0
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { writeFileDurably } from '../../node/durable-file.ts'
import { inTurnAside } from '../../node/file-lock.ts'
import { AffidavitError } from '../../shared/contract/errors.ts'
import { writeFileDurablyAside } from '../files.ts'
import { leafMarks, marksLeft } from './leaf-marks.ts'

/**
 * One erasure or disposal: a line of JSON beside heads.json, so that a restore can carry it out again on an older copy (EVIDENCE, Files of a
 * workspace). Fields of other versions stay as they are.
 */
const entrySchema = z.looseObject({
  v: z.literal(1),
  origin: z.string().min(1).max(200),
  case: z.string().min(1).max(64),
  /** The leaf of the intent. */
  intent: z.int().min(0),
  /** First and last seq of each run of leaves whose content was erased. */
  ranges: z.array(z.tuple([z.int().min(0), z.int().min(0)]).readonly()).max(1_000_000),
  /** By what these leaves are known again; absent in entries of earlier versions. */
  marks: leafMarks.optional()
})
export type ErasureEntry = z.infer<typeof entrySchema>

const pathIn = (state: string): string => join(state, 'erasures.jsonl')

let last: Promise<unknown> = Promise.resolve()

/**
 * Adds an erasure, once; on disk when this returns. Called before anything is destroyed, and again after a crash. One at a time: each reads what
 * is there and writes the whole; an erasure and a disposal may begin together, and engines of several workspaces share the folder.
 * @throws AffidavitError internal: no entry that could be read again; workspace_damaged: a line of the same log cannot be read
 */
export async function registerErasure(state: string, entry: ErasureEntry): Promise<void> {
  const { success } = entrySchema.safeParse(entry)
  if (!success) throw new AffidavitError('internal', 'an erasure that the register could not carry out again: nothing is erased')
  const work = last.then(() => inTurnAside(pathIn(state), () => add(state, entry)))
  last = work.catch(() => {})
  return work
}

/**
 * What is left of an erasure that was refused after it was noted: a restore must not carry out what was not. With no ranges it is taken out.
 * @throws AffidavitError workspace_damaged: a line cannot be read
 */
export function reviseErasure(state: string, entry: Pick<ErasureEntry, 'origin' | 'case' | 'ranges'>): Promise<void> {
  const work = last.then(() => inTurnAside(pathIn(state), () => revise(state, entry)))
  last = work.catch(() => {})
  return work
}

async function revise(state: string, { origin, case: id, ranges }: Pick<ErasureEntry, 'origin' | 'case' | 'ranges'>): Promise<void> {
  const path = pathIn(state)
  if (!existsSync(path)) return
  const lines = linesIn(path, origin).flatMap(({ text, entry }) => {
    if (entry?.case !== id) return [text]
    if (ranges.length === 0) return []
    const { marks: before, ...rest } = entry
    const marks = before && marksLeft(entry.ranges, before, ranges)
    return [JSON.stringify({ ...rest, ranges, ...(marks ? { marks } : {}) })]
  })
  await writeFileDurablyAside(path, lines.map((line) => `${line}\n`).join(''))
}

async function add(state: string, entry: ErasureEntry): Promise<void> {
  const path = pathIn(state)
  if (erasuresAfter(state, entry.origin, entry.intent).some((one) => one.case === entry.case)) return
  // A torn last line was never acknowledged: it goes with the next entry.
  const known = existsSync(path) ? readFileSync(path, 'utf8') : ''
  await writeFileDurablyAside(path, `${known.slice(0, known.lastIndexOf('\n') + 1)}${JSON.stringify(entry)}\n`)
}

/**
 * The erasures of a log whose intent is at or above `size`: those a copy of that size knows nothing of.
 * @throws AffidavitError workspace_damaged: a line of this log, or of who knows which, cannot be read; a restore must not guess what was erased
 */
export function erasuresAfter(state: string, origin: string, size: number): ErasureEntry[] {
  const path = pathIn(state)
  if (!existsSync(path)) return []
  return linesIn(path, origin).flatMap(({ entry }) => (entry && entry.intent >= size ? [entry] : []))
}

/** A line as it stands, with the entry that it is for one log; null where it is another's, or names nothing. */
interface Line {
  readonly text: string
  readonly entry: ErasureEntry | null
}

/** Names nothing that was erased: what an earlier version wrote for an erasure of what an earlier one had taken. */
const emptySchema = z.looseObject({ intent: z.null(), ranges: z.array(z.unknown()).max(0) })
const ORIGIN = /"origin":"([^"\\]+)"/

function linesIn(path: string, origin: string): Line[] {
  const lines = readFileSync(path, 'utf8').split('\n')
  // A torn last line was never acknowledged: the erasure it stands for had not begun.
  return lines.slice(0, -1).map((text, i): Line => {
    let value: { readonly origin?: unknown } | null = null
    let whose: unknown
    try {
      value = JSON.parse(text)
      whose = value?.origin
    } catch {
      whose = ORIGIN.exec(text)?.[1]
    }
    // Engines of other workspaces write here too: damage to what is theirs is for them to see.
    if (typeof whose === 'string' && whose !== origin) return { text, entry: null }
    const parsed = entrySchema.safeParse(value)
    if (parsed.success) return { text, entry: parsed.data }
    if (whose === origin && emptySchema.safeParse(value).success) return { text, entry: null }
    throw new AffidavitError(
      'workspace_damaged',
      `line ${i + 1} of the register of erasures cannot be read: what was erased cannot be erased in the copy too`
    )
  })
}

/** Writes the erasures of a log into another folder, for restores on a machine that has not seen them. */
export function copyErasures(state: string, folder: string, origin: string): void {
  const lines = erasuresAfter(state, origin, 0).map((entry) => `${JSON.stringify(entry)}\n`)
  writeFileDurably(pathIn(folder), lines.join(''))
}
