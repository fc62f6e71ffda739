// SPDX-License-Identifier: Apache-2.0
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { AffidavitError } from '../shared/contract/errors.ts'
import { writeFileDurably } from './durable-file.ts'
import { inTurn } from './file-lock.ts'

/**
 * What one state folder remembers of other logs: a file of one entry for each origin, read and replaced whole. Each bundle is verified in a
 * thread of its own, and the command line shares the folder: changes take turns, by a lock file beside it.
 */
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

  /** The entry of an origin, which may be any text. @throws AffidavitError as `read` */
  of(origin: string): T | undefined {
    const all = this.read()
    return Object.hasOwn(all, origin) ? all[origin] : undefined
  }

  /**
   * Makes the entry of an origin anew from what it was, or takes it out; on disk when this returns.
   * @throws AffidavitError file_unreadable, not_writable
   */
  change(origin: string, next: (before: T | undefined) => T | undefined): void {
    try {
      inTurn(this.#path, () => {
        const { [origin]: before, ...others } = this.read()
        const entry = next(before)
        writeFileDurably(this.#path, `${JSON.stringify(entry === undefined ? others : { ...others, [origin]: entry }, null, 1)}\n`)
      })
    } catch (error) {
      if (error instanceof AffidavitError) throw error
      throw new AffidavitError('not_writable', `${this.#what} cannot be written: ${this.#path}`)
    }
  }
}
