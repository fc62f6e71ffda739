// SPDX-License-Identifier: Apache-2.0
// What a restored folder is, until its engine has recorded it: remembered in the state folder, because whoever can roll a workspace folder back
// can put a file into it. The folder itself only names the restore.
import { randomUUID } from 'node:crypto'
import { existsSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { syncFolder, writeFileDurably } from '../../node/durable-file.ts'
import { MemoryFile } from '../../node/memory-file.ts'

const count = z.int().min(0)
const range = z.tuple([count, count]).readonly()

/** A backup that a restore found: the one that was restored, or one beside it. */
export const foundBackups = z
  .array(
    z.strictObject({
      id: z.uuid(),
      path: z.string(),
      made: z.iso.datetime(),
      size: count,
      checkpoint_size: count,
      bytes: count,
      /** It holds leaves that the restored log does not. */
      other: z.boolean()
    })
  )
  .readonly()
export type FoundBackups = z.infer<typeof foundBackups>

const noteSchema = z.strictObject({
  backup_id: z.string(),
  made: z.string(),
  origin: z.string(),
  size: count,
  root: z.base64(),
  /** The head that this machine remembered, where a person chose to go back behind it. */
  seen: z.strictObject({ size: count, root: z.base64() }).nullable(),
  /** Who restored it, as they are known in the workspace of that origin; absent for notes of earlier versions. */
  by: z.strictObject({ ref: z.string(), kind: z.enum(['human', 'service', 'model', 'system']), origin: z.string().nullable() }).optional(),
  /** The backup itself and those beside it: their leaves are not in the copy. Absent for notes of earlier versions. */
  backups: foundBackups.optional(),
  /** What was erased after the backup was made, and was carried out on it again. */
  reapplied: z.array(z.strictObject({ case: z.string(), intent: count, ranges: z.array(range).readonly(), leaves: count })).readonly()
})
export type RestoredNote = z.infer<typeof noteSchema>

const NAME = 'restored.json'
const nameSchema = z.strictObject({ v: z.literal(1), restore: z.uuid() })

const memoryIn = (state: string): MemoryFile<RestoredNote> =>
  new MemoryFile({ folder: state, name: 'restores.json' }, noteSchema, 'the list of restores that are not on record yet')

/** Remembers a restore whose files are in `folder`, which is not in its place yet. Gives what takes it back. */
export function rememberRestore(state: string, folder: string, note: RestoredNote): () => void {
  const restore = randomUUID()
  memoryIn(state).change(restore, () => note)
  writeFileDurably(join(folder, NAME), `${JSON.stringify({ v: 1, restore })}\n`)
  return () => memoryIn(state).change(restore, () => undefined)
}

function nameIn(workspace: string): string | undefined {
  try {
    return nameSchema.parse(JSON.parse(readFileSync(join(workspace, NAME), 'utf8'))).restore
  } catch {
    return undefined
  }
}

/** The restore that a folder came from and that is not on record yet; undefined for any other, and for one that this machine knows nothing of. */
export function restoredNote(state: string, workspace: string): RestoredNote | undefined {
  const name = nameIn(workspace)
  return name === undefined ? undefined : memoryIn(state).read()[name]
}

/** The restore is on record: it is named once and never again. */
export function forgetRestore(state: string, workspace: string): void {
  const name = nameIn(workspace)
  if (name !== undefined) memoryIn(state).change(name, () => undefined)
  if (!existsSync(join(workspace, NAME))) return
  rmSync(join(workspace, NAME), { force: true })
  syncFolder(workspace)
}
