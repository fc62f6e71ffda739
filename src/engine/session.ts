// SPDX-License-Identifier: Apache-2.0
import { AffidavitError } from '../shared/contract/errors.ts'
import type { FromEngine, ToEngine } from '../shared/contract/wire.ts'
import type { Caller } from './handlers.ts'
import type { Router } from './router.ts'

/** One peer on a message port: its calls, cancels and subscriptions. Malformed messages are ignored; they cannot come from a good peer. */
export class Session {
  readonly #router: Router
  readonly #caller: (signal?: AbortSignal) => Caller
  readonly #post: (message: FromEngine) => void
  readonly #calls = new Map<string, AbortController>()
  readonly #subscriptions = new Map<string, () => void>()

  /** @param caller who works through this peer now; asked at each call and event, never taken from a message */
  constructor(router: Router, caller: (signal?: AbortSignal) => Caller, post: (message: FromEngine) => void) {
    this.#router = router
    this.#caller = caller
    this.#post = post
  }

  receive(message: ToEngine): void {
    switch (message.kind) {
      case 'call':
        void this.#call(message.id, message.op, message.input)
        return
      case 'cancel':
        this.#calls.get(message.id)?.abort()
        return
      case 'subscribe':
        this.#subscribe(message.id, message.topic, message.input)
        return
      case 'unsubscribe':
        this.#subscriptions.get(message.id)?.()
        this.#subscriptions.delete(message.id)
        return
    }
  }

  /** Cancels what runs and ends all subscriptions. */
  close(): void {
    for (const abort of this.#calls.values()) abort.abort()
    for (const off of this.#subscriptions.values()) off()
    this.#subscriptions.clear()
  }

  async #call(id: string, op: string, input: unknown): Promise<void> {
    const abort = new AbortController()
    this.#calls.set(id, abort)
    const reply = await this.#router.call(op, input, this.#caller(abort.signal))
    this.#calls.delete(id)
    this.#post({ kind: 'reply', id, reply })
  }

  #subscribe(id: string, topic: string, input: unknown): void {
    try {
      this.#subscriptions.set(
        id,
        this.#router.subscribe(
          topic,
          input,
          (event) => this.#post({ kind: 'event', id, event }),
          () => this.#caller()
        )
      )
    } catch (error) {
      const failure =
        error instanceof AffidavitError ? error.toFailure() : { code: 'internal' as const, message: 'the subscription failed' }
      this.#post({ kind: 'reply', id, reply: { ok: false, error: failure } })
    }
  }
}
