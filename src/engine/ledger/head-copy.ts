// SPDX-License-Identifier: Apache-2.0
// The heads of all logs of this machine, in the state folder: they show a rollback of a whole workspace folder.
import { existsSync, readdirSync, renameSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { syncFolder } from '../../node/durable-file.ts'
import { MemoryFile } from '../../node/memory-file.ts'

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
export function writeHeadCopy(state: string, origin: string, head: HeadCopy): void {
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

/** Sets an unreadable file aside, where it can still be examined. What was in it stays lost for every log: see {@link headCopyOf}. */
export function setHeadCopiesAside(state: string): void {
  try {
    memoryIn(state).read()
  } catch {
    renameSync(join(state, NAME), join(state, `${ASIDE}${Date.now()}`))
    syncFolder(state)
  }
}
