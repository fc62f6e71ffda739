// SPDX-License-Identifier: Apache-2.0
import { z } from 'zod'
import type { KnownLog } from '../shared/evidence/remembered.ts'
import { MemoryFile } from './memory-file.ts'

const count = z.int().min(0)
const known = z.strictObject({
  heads: z.array(z.strictObject({ size: count, root: z.base64(), seen: z.iso.datetime(), signed: z.iso.datetime().optional() })),
  revoked: z.array(z.strictObject({ key: z.base64(), seq: count }))
})

/** Heads kept for each log: the widest ones. */
const MOST_HEADS = 200
const NOTHING: KnownLog = { heads: [], revoked: [] }

/** The heads seen on this machine, by log, in `seen-heads.json` of the state folder. */
export class HeadMemory {
  readonly #file: MemoryFile<z.infer<typeof known>>

  constructor(stateFolder: string) {
    this.#file = new MemoryFile({ folder: stateFolder, name: 'seen-heads.json' }, known, 'the memory of seen heads')
  }

  /** What is known of a log. @throws AffidavitError file_unreadable */
  known(origin: string): KnownLog {
    return this.#file.of(origin) ?? NOTHING
  }

  /** Keeps a head and the revoked keys of its log, on disk when this returns. */
  remember(origin: string, head: KnownLog['heads'][number], revoked: KnownLog['revoked']): void {
    this.#file.change(origin, (before = { heads: [], revoked: [] }) => {
      const same = (one: KnownLog['heads'][number]): boolean => one.size === head.size && one.root === head.root
      const heads = before.heads.some(same)
        ? before.heads.map((one) => (same(one) && one.signed === undefined ? { ...one, signed: head.signed } : one))
        : [...before.heads, head]
      const keys = [...before.revoked, ...revoked.filter((one) => !before.revoked.some((old) => old.key === one.key))]
      return { heads: heads.toSorted((a, b) => b.size - a.size).slice(0, MOST_HEADS), revoked: keys }
    })
  }
}
