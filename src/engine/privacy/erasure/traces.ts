// SPDX-License-Identifier: Apache-2.0
// What a search of the files found after an erasure: which files, so that a person can remove them. Of what was found nothing is kept.
import { type Stats, statSync } from 'node:fs'
import { basename, join, relative, sep } from 'node:path'
import { AffidavitError } from '../../../shared/contract/errors.ts'

/** What is searched. */
export interface Folders {
  readonly workspace: string
  readonly state: string
}

/** A file with traces of erased texts, as it was when it was read. */
export interface TraceFile {
  readonly folder: keyof Folders
  /** Its path in the folder. */
  readonly file: string
  readonly bytes: number
  /** When it was last written, in milliseconds since 1970. */
  readonly written_ms: number
}

/** A search that found traces, as `erasure.searched` records it. */
export interface Traced {
  readonly leaf: number
  readonly found: number
  /** How many files had traces; `where` names the first of them. */
  readonly files: number
  readonly where: readonly TraceFile[]
}

/** What became of a file with traces: it was searched again, it is gone, it was written since, or it is as it was. */
export type TraceNow = 'searched' | 'gone' | 'written' | 'same'

/** Databases of the workspace are written all the time, also without their file changing. */
const DATABASES = /^(ledger|keys|catalog)\.db/

const writtenMs = (stats: Stats): number => Math.floor(stats.mtimeMs)

export const traceFile = (folders: Folders, path: string, stats: Stats): TraceFile => {
  const folder = path.startsWith(join(folders.workspace, sep)) ? 'workspace' : 'state'
  return { folder, file: relative(folders[folder], path), bytes: stats.size, written_ms: writtenMs(stats) }
}

/** What became of a file since traces were found in it. */
export function traceNow(folders: Folders, { folder, file, bytes, written_ms }: TraceFile): Exclude<TraceNow, 'searched'> {
  const stats = statSync(join(folders[folder], file), { throwIfNoEntry: false })
  if (!stats) return 'gone'
  if (folder === 'workspace' && DATABASES.test(basename(file))) return 'written'
  return stats.size === bytes && writtenMs(stats) === written_ms ? 'same' : 'written'
}

/** Most files that a leaf names. */
export const MOST_NAMED = 100
const NAMED = 10

/** Files by name and folder, for a person. */
export function fileNames(where: readonly Pick<TraceFile, 'folder' | 'file'>[], files: number): string {
  const names = where.slice(0, NAMED).map(({ folder, file }) => `${file} (${folder === 'state' ? 'state folder' : 'workspace'})`)
  return files > names.length ? `${names.join(', ')} and ${files - names.length} more` : names.join(', ')
}

const plural = (n: number, one: string): string => `${n.toLocaleString('en-US')} ${n === 1 ? one : `${one}s`}`

/** Traces are left: the erasure waits until these files are gone or were written anew. */
export class TracesLeft extends AffidavitError {
  readonly where: readonly TraceFile[]

  constructor({ found, files, where }: Omit<Traced, 'leaf'>) {
    super(
      'conflict',
      `${plural(found, 'trace')} of the erased texts ${found === 1 ? 'is' : 'are'} still in ${plural(files, 'file')}: ${fileNames(where, files)}. The erasure is not done; remove ${files === 1 ? 'it' : 'them'}, and it is tried again by itself`
    )
    this.where = where
  }
}
