// SPDX-License-Identifier: Apache-2.0
// The heads of all logs of this machine, in the state folder: they show a rollback of a whole workspace folder.
import { copyFileSync, existsSync, readdirSync, renameSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { syncFolder } from '../../node/durable-file.ts'
import { MemoryFile } from '../../node/memory-file.ts'
import { equalBytes } from '../../shared/evidence/bytes.ts'

const NAME = 'heads.json'
const ASIDE = `${NAME}.unreadable-`

/** A size and its root, kept outside of the workspace. It may lag and must be a prefix. */
export interface HeadCopy {
  readonly size: number
  readonly root: Uint8Array
}

const entrySchema = z.strictObject({ size: z.int().min(0), root: z.base64() })
const memoryIn = (state: string): MemoryFile<z.infer<typeof entrySchema>> =>
  new MemoryFile({ folder: state, name: NAME }, entrySchema, 'the memory of the heads of all logs')

/** The copy for one origin. @throws AffidavitError file_unreadable: it must not look like none */
export function readHeadCopy(state: string, origin: string): HeadCopy | undefined {
  const entry = memoryIn(state).read()[origin]
  return entry && { size: entry.size, root: new Uint8Array(Buffer.from(entry.root, 'base64')) }
}

/** Replaces the copy for one origin, keeping the others. @throws AffidavitError file_unreadable, not_writable */
export function writeHeadCopy(state: string, origin: string, head: HeadCopy): undefined {
  memoryIn(state).change(origin, () => ({ size: head.size, root: Buffer.from(head.root).toString('base64') }))
}

/**
 * What can be said of the copy for one origin at a start. `lost`: the file cannot be read, or one that could not was set aside and nothing was
 * remembered of this log since.
 */
export function headCopyOf(state: string, origin: string): { readonly copy: HeadCopy | undefined; readonly lost: boolean } {
  try {
    const copy = readHeadCopy(state, origin)
    return { copy, lost: copy === undefined && existsSync(state) && readdirSync(state).some((name) => name.startsWith(ASIDE)) }
  } catch {
    return { copy: undefined, lost: true }
  }
}

/**
 * Sets an unreadable file aside, where it can still be examined. What was in it stays lost for every log: see {@link headCopyOf}.
 * Gives its new name; null where the file can be read.
 */
export function setHeadCopiesAside(state: string): string | null {
  try {
    memoryIn(state).read()
    return null
  } catch {
    const aside = `${ASIDE}${Date.now()}`
    renameSync(join(state, NAME), join(state, aside))
    syncFolder(state)
    return aside
  }
}

/** What was found in place of the copy that the running engine wrote last. */
export interface HeadCopyFinding {
  readonly reason: 'head_copy_unreadable' | 'head_copy_changed' | 'head_copy_gone'
  /** Sizes of the copy that was written last, and of the one found; 0 for none. */
  readonly written: number
  readonly found: number
  /** The file as it was found, for an examination; null where there was none. */
  readonly aside: string | null
}

const sameHead = (a: HeadCopy | undefined, b: HeadCopy | undefined): boolean =>
  a === b || (a !== undefined && b !== undefined && a.size === b.size && equalBytes(a.root, b.root))

/**
 * The copy for one log while its engine runs. Nobody else writes it meanwhile: whatever else stands in its place was put there. Then the file as
 * found is kept aside and the copy is made anew, from what this engine knows of its log.
 */
export class HeadCopyKeeper {
  readonly #state: string
  readonly #origin: string
  #written: HeadCopy | undefined

  constructor(state: string, origin: string) {
    this.#state = state
    this.#origin = origin
    this.#written = headCopyOf(state, origin).copy
  }

  /** Replaces the copy. Gives what was amiss with the one before. @throws AffidavitError not_writable; what the file system says */
  save(head: HeadCopy): HeadCopyFinding | undefined {
    const finding = this.#look()
    writeHeadCopy(this.#state, this.#origin, head)
    this.#written = head
    return finding
  }

  #look(): HeadCopyFinding | undefined {
    const written = this.#written?.size ?? 0
    const unreadable = setHeadCopiesAside(this.#state)
    if (unreadable !== null) return { reason: 'head_copy_unreadable', written, found: 0, aside: unreadable }
    const found = readHeadCopy(this.#state, this.#origin)
    if (sameHead(found, this.#written)) return undefined
    if (!found) return { reason: 'head_copy_gone', written, found: 0, aside: null }
    const aside = `${NAME}.changed-${Date.now()}`
    copyFileSync(join(this.#state, NAME), join(this.#state, aside))
    return { reason: 'head_copy_changed', written, found: found.size, aside }
  }
}
