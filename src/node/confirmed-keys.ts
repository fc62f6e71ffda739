// SPDX-License-Identifier: Apache-2.0
// Keys of other logs that a person of this machine compared with their owner by another way, in `confirmed-keys.json` of the state folder.
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { AffidavitError } from '../shared/contract/errors.ts'
import type { Trust } from '../shared/evidence/verify-steps.ts'
import { replaceFile } from './replace-file.ts'

const confirmed = z.strictObject({
  /** `log.vkey` and `allowed_signers` as the bundle brought them. */
  log_vkey: z.string().max(4096),
  allowed_signers: z.string().max(4096),
  time: z.iso.datetime(),
  how: z.string()
})
const schema = z.record(z.string(), confirmed)
export type ConfirmedKeys = z.infer<typeof confirmed>

export class KeyMemory {
  readonly #path: string

  constructor(stateFolder: string) {
    this.#path = join(stateFolder, 'confirmed-keys.json')
  }

  /** What was confirmed for a log. @throws AffidavitError file_unreadable: a memory that cannot be read must not look like none */
  of(origin: string): ConfirmedKeys | undefined {
    return this.#read()[origin]
  }

  /** The confirmed keys as a verification takes them. */
  trustOf(origin: string): Trust | undefined {
    const found = this.of(origin)
    return found && { logVkey: found.log_vkey, allowedSigners: found.allowed_signers }
  }

  confirm(origin: string, keys: ConfirmedKeys): void {
    replaceFile(this.#path, `${JSON.stringify({ ...this.#read(), [origin]: keys }, null, 1)}\n`)
  }

  forget(origin: string): void {
    const { [origin]: _, ...others } = this.#read()
    replaceFile(this.#path, `${JSON.stringify(others, null, 1)}\n`)
  }

  #read(): z.infer<typeof schema> {
    if (!existsSync(this.#path)) return {}
    try {
      return schema.parse(JSON.parse(readFileSync(this.#path, 'utf8')))
    } catch {
      throw new AffidavitError(
        'file_unreadable',
        `the list of confirmed keys cannot be read: ${this.#path}; restore it from a backup, or move it away to begin anew`
      )
    }
  }
}
