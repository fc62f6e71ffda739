// SPDX-License-Identifier: Apache-2.0
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { writeFileDurably } from '../../../node/durable-file.ts'

const stored = z.record(z.string(), z.strictObject({ secret: z.string(), after: z.int(), delivered: z.int(), given_up: z.int() }))
type Stored = z.infer<typeof stored>
export type WebhookState = Stored[string]

/** Secrets of webhooks and how far each was told, in a file only its owner reads, outside of the workspace. */
export class WebhookStore {
  readonly #path: string
  #state: Stored

  /** @param origin of the log: several workspaces may share a state folder */
  constructor(folder: string, origin: string) {
    this.#path = join(folder, `webhooks-${origin.slice(-16)}.json`)
    this.#state = {}
    try {
      if (existsSync(this.#path)) this.#state = stored.parse(JSON.parse(readFileSync(this.#path, 'utf8')))
    } catch {
      // Unreadable: the webhooks are still on record, their secrets have to be made again.
    }
  }

  get(id: string): WebhookState | undefined {
    return this.#state[id]
  }

  /** No webhook was told beyond the leaves that there are. */
  rewind(size: number): void {
    for (const [id, state] of Object.entries(this.#state)) if (state.after > size) this.set(id, { ...state, after: size })
  }

  /** On disk when it returns. */
  set(id: string, state: WebhookState | undefined): void {
    const { [id]: _, ...others } = this.#state
    this.#state = state ? { ...others, [id]: state } : others
    writeFileDurably(this.#path, JSON.stringify(this.#state))
  }
}
