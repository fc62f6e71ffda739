// SPDX-License-Identifier: Apache-2.0
// What of an export is finished, kept in the workspace and not beside the file: what is carried on with is held against these digests first, so
// that nobody who changes a half-written file has the change signed. No word of a record is in it.
import { appendFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { z } from 'zod'

const count = z.int().min(0)
const hex64 = z.string().regex(/^[0-9a-f]{64}$/)
const place = z.strictObject({ leaf: count, part: count })

const entry = z.strictObject({
  name: z.string(),
  sha256: hex64,
  crc: count,
  size: count,
  packed: count,
  offset: count,
  streamed: z.boolean(),
  /** What the next list begins with; null behind anything but a list. */
  next: place.nullable()
})

const point = z.strictObject({
  /** Entries since the point before, in the order of the file. */
  entries: z.array(entry).min(1),
  /** Bytes of the file up to here, and their SHA-256. */
  end: count,
  prefix_sha256: hex64,
  done: count,
  total: count
})

const written = z.strictObject({
  bytes: count,
  sha256: hex64,
  tagManifestSha256: hex64,
  records: count,
  leaves: count,
  withheld: count,
  encryptedSha256: hex64.nullable()
})

/** A bundle as it stands on disk; `encryptedSha256`: of the file that stands there instead. */
export type WrittenBundle = z.infer<typeof written>
/** Where a list of contents begins: the place of a leaf in the selection, and of one of its parts. */
export type Place = z.infer<typeof place>
/** A finished file in the zip. */
export type JournalEntry = z.infer<typeof entry>
/** A moment up to which the half-written file can be checked and kept. */
export type JournalPoint = z.infer<typeof point>

const line = z.union([point, z.strictObject({ written })])

/** What was noted of one export; whatever comes after a line that cannot be read does not count. */
export function readJournal(path: string): { readonly points: readonly JournalPoint[]; readonly written: WrittenBundle | undefined } {
  const points: JournalPoint[] = []
  let finished: WrittenBundle | undefined
  let text = ''
  try {
    text = readFileSync(path, 'utf8')
  } catch {
    // No journal: nothing is kept.
  }
  for (const one of text.split('\n').slice(0, -1)) {
    const parsed = line.safeParse(jsonOf(one))
    if (!parsed.success) break
    if ('written' in parsed.data) finished = parsed.data.written
    else points.push(parsed.data)
  }
  return { points, written: finished }
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** Adds a line. It need not be on disk at once: a point that is lost is only work done again. */
export function note(path: string, content: JournalPoint | { readonly written: WrittenBundle }): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
  appendFileSync(path, `${JSON.stringify(content)}\n`, { mode: 0o600 })
}

/** Leaves only these points. */
export function rewrite(path: string, points: readonly JournalPoint[]): void {
  if (points.length === 0) forget(path)
  else writeFileSync(path, points.map((one) => `${JSON.stringify(one)}\n`).join(''), { mode: 0o600 })
}

/** Forgets what was noted. */
export const forget = (path: string): void => rmSync(path, { force: true })
