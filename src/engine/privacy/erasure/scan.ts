// SPDX-License-Identifier: Apache-2.0
// Looks through every byte of every file for many texts at once, by a hash of the eight bytes before each (R. Karp, M. Rabin, 1987).
import { closeSync, type Dirent, fstatSync, openSync, readdirSync, readSync, statSync } from 'node:fs'
import { basename, join } from 'node:path'
import { AffidavitError } from '../../../shared/contract/errors.ts'
import { phraseOf } from '../../catalog/full-text.ts'
import type { ReaderContext, ReaderControl } from '../../threads/reader-context.ts'
import { SHORTEST } from './needles.ts'
import { type Folders, type TraceFile, traceFile } from './traces.ts'

const CHUNK = 4 * 1024 * 1024
const BITS = 24
const MOST_HITS = 1_000

/** Mixes eight bytes, given as two little-endian words, to {@link BITS} bits. */
function hashOf(low: number, high: number): number {
  const mixed = Math.imul(low, 0x9e3779b1) ^ Math.imul(high, 0x85ebca6b)
  return Math.imul(mixed ^ (mixed >>> 15), 0x2c1b3c6d) >>> (32 - BITS)
}

/** Finds all of many byte strings of at least {@link SHORTEST} bytes in one pass, however many they are. */
export class ByteFinder {
  /** One bit for each hash of the first eight bytes of a string. */
  readonly #begun = new Uint8Array(1 << (BITS - 3))
  readonly #byBeginning = new Map<number, Buffer[]>()
  /** Length of the longest. */
  readonly longest: number

  constructor(needles: readonly Uint8Array[]) {
    let longest = SHORTEST
    for (const needle of needles) {
      const bytes = Buffer.from(needle.buffer, needle.byteOffset, needle.byteLength)
      longest = Math.max(longest, bytes.length)
      const hash = hashOf(bytes.readInt32LE(0), bytes.readInt32LE(4))
      this.#begun[hash >>> 3] = (this.#begun[hash >>> 3] as number) | (1 << (hash & 7))
      const same = this.#byBeginning.get(hash)
      if (same) same.push(bytes)
      else this.#byBeginning.set(hash, [bytes])
    }
    this.longest = longest
  }

  /** Calls `hit` for each occurrence that begins before `until`. */
  search(bytes: Buffer, until: number, hit: (needle: Buffer, at: number) => void): void {
    const begun = this.#begun
    const stop = Math.min(bytes.length, until + SHORTEST - 1)
    let low = 0
    let high = 0
    for (let last = 0; last < stop; last++) {
      low = (low >>> 8) | (high << 24)
      high = (high >>> 8) | ((bytes[last] as number) << 24)
      const hash = hashOf(low, high)
      const at = last - SHORTEST + 1
      if (((begun[hash >>> 3] as number) & (1 << (hash & 7))) === 0 || at < 0) continue
      // What only begins at the end of a file is no occurrence.
      for (const needle of this.#byBeginning.get(hash) ?? [])
        if (at + needle.length <= bytes.length && bytes.compare(needle, 0, needle.length, at, at + needle.length) === 0) hit(needle, at)
    }
  }
}

/** What cannot be read cannot be searched: the message names it, for whoever is to see to it. */
function unreadable(error: unknown, path: string): never {
  if (error instanceof AffidavitError || typeof (error as { code?: unknown }).code !== 'string') throw error
  throw new AffidavitError(
    'file_unreadable',
    `${basename(path)} cannot be read and so not be searched for the erased texts: the erasure is not done. Make it readable, or remove it; it is tried again by itself`
  )
}

function* filesIn(folder: string): Generator<string> {
  let entries: Dirent[]
  try {
    entries = readdirSync(folder, { withFileTypes: true })
  } catch (error) {
    // A folder that is gone by now holds nothing.
    if ((error as { code?: string }).code === 'ENOENT') return
    unreadable(error, folder)
  }
  for (const entry of entries) {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) yield* filesIn(path)
    else if (entry.isFile()) yield path
  }
}

export interface ScanInput {
  readonly folders: Folders
  readonly needles: readonly Uint8Array[]
  /** The erased records: none of their rows may be in the full text. */
  readonly seqs: readonly number[]
}

export interface ScanReport {
  readonly files: number
  readonly bytes: number
  readonly needles: number
  /** Occurrences that no kept record explains: each is a trace. */
  readonly found: number
  /** Occurrences in texts that kept records have too, such as a common phrase. */
  readonly kept: number
  /** Files with traces, as they were when they were read. */
  readonly where: readonly TraceFile[]
  readonly seconds: number
}

/**
 * Searches all files of the folders. Files that vanish meanwhile are left out.
 * @throws AffidavitError file_unreadable: one is there and cannot be read
 */
export function scanFiles(context: ReaderContext, input: ScanInput, control: ReaderControl): ScanReport {
  const started = performance.now()
  const finder = new ByteFinder(input.needles)
  const hits = new Map<string, Map<string, Buffer>>()
  let bytes = 0
  let files = 0
  const buffer = Buffer.alloc(CHUNK + finder.longest)
  const stats = new Map<string, TraceFile>()
  for (const path of [input.folders.workspace, input.folders.state].flatMap((folder) => [...filesIn(folder)])) {
    let fd: number
    try {
      fd = openSync(path, 'r')
    } catch (error) {
      if ((error as { code?: string }).code === 'ENOENT') continue
      unreadable(error, path)
    }
    files++
    try {
      const before = fstatSync(fd)
      let held = 0
      for (;;) {
        const read = readSync(fd, buffer, held, CHUNK, null)
        const length = held + read
        const end = read === 0 ? length : Math.max(0, length - finder.longest + 1)
        finder.search(buffer.subarray(0, length), end, (needle) => {
          const here = hits.get(path) ?? new Map<string, Buffer>()
          hits.set(path, here)
          stats.set(path, traceFile(input.folders, path, before))
          if (here.size < MOST_HITS) here.set(needle.toString('latin1'), Buffer.from(needle))
        })
        bytes += read
        if (read === 0) break
        held = length - end
        buffer.copyWithin(0, end, length)
      }
    } catch (error) {
      unreadable(error, path)
    } finally {
      closeSync(fd)
    }
    if (control.cancelled()) break
    control.progress(files, files)
  }
  let found = 0
  let kept = 0
  const where = new Map<string, TraceFile>()
  const explained = keptTexts(context)
  for (const [path, needles] of hits) {
    for (const needle of needles.values()) {
      if (basename(path).startsWith('catalog.db') && explained(needle.toString('utf8'))) kept++
      else {
        found++
        where.set(path, stats.get(path) as TraceFile)
      }
    }
  }
  const rows = context.catalog
    .prepare<[number], number>('SELECT 1 FROM record_text_docsize WHERE id = (SELECT rid FROM record WHERE seq = ?)')
    .pluck()
  for (const seq of input.seqs) {
    if (rows.get(seq) === undefined) continue
    found++
    const path = join(input.folders.workspace, 'catalog.db')
    where.set(path, traceFile(input.folders, path, statSync(path)))
  }
  return {
    files,
    bytes,
    needles: input.needles.length,
    found,
    kept,
    where: [...where].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, file]) => file),
    seconds: (performance.now() - started) / 1000
  }
}

/** Whether a kept record has a text too: in its row, or in its words. */
function keptTexts({ catalog }: ReaderContext): (text: string) => boolean {
  const inRow = catalog
    .prepare<[string, string, string, string, string], number>(
      'SELECT 1 FROM record WHERE erased = 0 AND (instr(preview, ?) OR conversation = ? OR model = ? OR source = ? OR id = ?) LIMIT 1'
    )
    .pluck()
  const inText = catalog.prepare<[string], number>('SELECT 1 FROM record_text WHERE record_text MATCH ? LIMIT 1').pluck()
  return (text) => {
    if (inRow.get(text, text, text, text, text) !== undefined) return true
    return /[\p{L}\p{N}]/u.test(text) && inText.get(`${phraseOf(text)}*`) !== undefined
  }
}
