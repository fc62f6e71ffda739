// SPDX-License-Identifier: Apache-2.0
// Keys of other logs that a person of this machine compared with their owner by another way, in `confirmed-keys.json` of the state folder.
import { z } from 'zod'
import type { Trust } from '../shared/evidence/verify-steps.ts'
import { MemoryFile } from './memory-file.ts'

const confirmed = z.strictObject({
  /** `log.vkey` and `allowed_signers` as the bundles brought them, those that were confirmed last first. */
  log_vkey: z.string().max(65_536),
  allowed_signers: z.string().max(65_536),
  time: z.iso.datetime(),
  how: z.string()
})
export type ConfirmedKeys = z.infer<typeof confirmed>

/** The lines of both, each once. */
function together(now: string, before = ''): string {
  const lines = [...now.split('\n'), ...before.split('\n')].filter((line) => line.trim() !== '')
  return [...new Set(lines)].map((line) => `${line}\n`).join('')
}

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

  /** The confirmed keys as a verification takes them: they confirm a bundle, and say nothing against one with others. */
  trustOf(origin: string): Trust | undefined {
    const found = this.of(origin)
    return found && { logVkey: found.log_vkey, allowedSigners: found.allowed_signers, remembered: true }
  }

  /** Keeps the keys that were confirmed before: bundles that they signed are as genuine as they were. */
  confirm(origin: string, keys: ConfirmedKeys): void {
    this.#file.change(origin, (before) => ({
      ...keys,
      log_vkey: together(keys.log_vkey, before?.log_vkey),
      allowed_signers: together(keys.allowed_signers, before?.allowed_signers)
    }))
  }

  forget(origin: string): void {
    this.#file.change(origin, () => undefined)
  }
}
