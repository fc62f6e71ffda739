// SPDX-License-Identifier: Apache-2.0
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { AffidavitError } from '../shared/contract/errors.ts'
import type { KnownLog } from '../shared/evidence/remembered.ts'
import { replaceFile } from './replace-file.ts'

const count = z.int().min(0)
const schema = z.record(
  z.string(),
  z.strictObject({
    heads: z.array(z.strictObject({ size: count, root: z.base64(), seen: z.iso.datetime() })),
    revoked: z.array(z.strictObject({ key: z.base64(), seq: count }))
  })
)
type Memory = z.infer<typeof schema>

/** Heads kept for each log: the widest ones. */
const MOST_HEADS = 200
const NOTHING: KnownLog = { heads: [], revoked: [] }

/** The heads seen on this machine, by log, in `seen-heads.json` of the state folder. */
export class HeadMemory {
  readonly #path: string

  constructor(stateFolder: string) {
    this.#path = join(stateFolder, 'seen-heads.json')
  }

  /** What is known of a log. @throws AffidavitError file_unreadable: a memory that cannot be read must not look like none */
  known(origin: string): KnownLog {
    return this.#read()[origin] ?? NOTHING
  }

  /** Keeps a head and the revoked keys of its log, on disk when this returns. */
  remember(origin: string, head: KnownLog['heads'][number], revoked: KnownLog['revoked']): void {
    const all = this.#read()
    const before = all[origin] ?? NOTHING
    const heads = before.heads.some((one) => one.size === head.size && one.root === head.root) ? before.heads : [...before.heads, head]
    const keys = [...before.revoked, ...revoked.filter((one) => !before.revoked.some((old) => old.key === one.key))]
    const kept = heads.toSorted((a, b) => b.size - a.size).slice(0, MOST_HEADS)
    this.#write({ ...all, [origin]: { heads: [...kept], revoked: [...keys] } })
  }

  #read(): Memory {
    if (!existsSync(this.#path)) return {}
    try {
      return schema.parse(JSON.parse(readFileSync(this.#path, 'utf8')))
    } catch {
      throw new AffidavitError(
        'file_unreadable',
        `the memory of seen heads cannot be read: ${this.#path}; restore it from a backup, or move it away to begin anew`
      )
    }
  }

  #write(memory: Memory): void {
    replaceFile(this.#path, `${JSON.stringify(memory, null, 1)}\n`)
  }
}
