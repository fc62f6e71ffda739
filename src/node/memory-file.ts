// SPDX-License-Identifier: Apache-2.0
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { AffidavitError } from '../shared/contract/errors.ts'
import { replaceFile } from './replace-file.ts'

/** What one state folder remembers of other logs: a file of one entry for each origin, read and replaced whole. */
export class MemoryFile<T> {
  readonly #path: string
  readonly #schema: z.ZodType<Record<string, T>>
  readonly #what: string

  /** @param what names it in the message of a failure, such as `the list of confirmed keys` */
  constructor(path: { readonly folder: string; readonly name: string }, entry: z.ZodType<T>, what: string) {
    this.#path = join(path.folder, path.name)
    this.#schema = z.record(z.string(), entry)
    this.#what = what
  }

  /** All entries; none where there is no file. @throws AffidavitError file_unreadable: a memory that cannot be read must not look like none */
  read(): Readonly<Record<string, T>> {
    if (!existsSync(this.#path)) return {}
    try {
      return this.#schema.parse(JSON.parse(readFileSync(this.#path, 'utf8')))
    } catch {
      throw new AffidavitError(
        'file_unreadable',
        `${this.#what} cannot be read: ${this.#path}; restore it from a backup, or move it away to begin anew`
      )
    }
  }

  /** Sets the entry of an origin, or takes it out; on disk when this returns. @throws AffidavitError file_unreadable */
  set(origin: string, entry: T | undefined): void {
    const { [origin]: _, ...others } = this.read()
    replaceFile(this.#path, `${JSON.stringify(entry === undefined ? others : { ...others, [origin]: entry }, null, 1)}\n`)
  }
}
