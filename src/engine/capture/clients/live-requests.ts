// SPDX-License-Identifier: Apache-2.0
import type { ServerResponse } from 'node:http'
import type { HttpToken } from '../http/dependencies.ts'

/** Requests that are being answered, by the token that they came with: a stream outlives the look at its token. */
export class LiveRequests {
  readonly #open = new Map<string, Set<ServerResponse>>()
  readonly #cut = new WeakSet<ServerResponse>()

  add(token: HttpToken, response: ServerResponse): void {
    const open = this.#open.get(token.id) ?? new Set()
    this.#open.set(token.id, open.add(response))
    response.once('close', () => {
      open.delete(response)
      if (open.size === 0 && this.#open.get(token.id) === open) this.#open.delete(token.id)
    })
  }

  /** The token was revoked: what it opened is cut off. */
  end(token: HttpToken): void {
    for (const response of this.#open.get(token.id) ?? []) {
      this.#cut.add(response)
      response.destroy()
    }
  }

  /** Whether it was cut off here. */
  wasCut(response: ServerResponse): boolean {
    return this.#cut.has(response)
  }
}
