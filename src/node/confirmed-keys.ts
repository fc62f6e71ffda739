// SPDX-License-Identifier: Apache-2.0
// Keys of other logs that a person of this machine compared with their owner by another way, in `confirmed-keys.json` of the state folder.
import { z } from 'zod'
import type { Trust } from '../shared/evidence/verify-steps.ts'
import { MemoryFile } from './memory-file.ts'

const confirmed = z.strictObject({
  /** `log.vkey` and `allowed_signers` as the bundle brought them. */
  log_vkey: z.string().max(4096),
  allowed_signers: z.string().max(4096),
  time: z.iso.datetime(),
  how: z.string()
})
export type ConfirmedKeys = z.infer<typeof confirmed>

/** The keys that were confirmed on this machine, by log. */
export class KeyMemory {
  readonly #file: MemoryFile<ConfirmedKeys>

  constructor(stateFolder: string) {
    this.#file = new MemoryFile({ folder: stateFolder, name: 'confirmed-keys.json' }, confirmed, 'the list of confirmed keys')
  }

  /** What was confirmed for a log. @throws AffidavitError file_unreadable */
  of(origin: string): ConfirmedKeys | undefined {
    return this.#file.of(origin)
  }

  /** The confirmed keys as a verification takes them. */
  trustOf(origin: string): Trust | undefined {
    const found = this.of(origin)
    return found && { logVkey: found.log_vkey, allowedSigners: found.allowed_signers }
  }

  confirm(origin: string, keys: ConfirmedKeys): void {
    this.#file.change(origin, () => keys)
  }

  forget(origin: string): void {
    this.#file.change(origin, () => undefined)
  }
}
