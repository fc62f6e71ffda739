// SPDX-License-Identifier: Apache-2.0
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { writeFileDurably } from '../../files.ts'

const count = z.int().min(0)
const schema = z.record(
  z.string(),
  z.array(z.strictObject({ erasure_id: z.uuid(), intents: z.array(count), seqs: z.array(count), done: z.iso.datetime().nullable() }))
)
type Register = z.infer<typeof schema>
export type RegisteredErasure = Register[string][number]

const pathOf = (state: string): string => join(state, 'erasures.json')

/** The erasures of a log as the state folder knows them: what a restored backup has to do again. Holds numbers only. */
export function readErasures(state: string, origin: string): readonly RegisteredErasure[] {
  return read(state)[origin] ?? []
}

function read(state: string): Register {
  if (!existsSync(pathOf(state))) return {}
  // A damaged register is an error to be seen, not an empty one: a restore would bring erased content back.
  return schema.parse(JSON.parse(readFileSync(pathOf(state), 'utf8')))
}

/** Enters an erasure, or replaces its entry. Durable when it returns. */
export function registerErasure(state: string, origin: string, entry: RegisteredErasure): void {
  const all = read(state)
  const others = (all[origin] ?? []).filter((one) => one.erasure_id !== entry.erasure_id)
  writeFileDurably(pathOf(state), JSON.stringify({ ...all, [origin]: [...others, entry] }))
}
