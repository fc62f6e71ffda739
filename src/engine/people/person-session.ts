// SPDX-License-Identifier: Apache-2.0
import { randomUUID } from 'node:crypto'
import type { LeafData } from '../../shared/evidence/leaf-data.ts'
import { type Clock, systemClock } from '../clock.ts'
import type { Actor } from '../ledger/draft.ts'

export interface SignedIn {
  readonly id: string
  readonly ref: string
  readonly method: LeafData<'session.opened'>['method']
  readonly since: string
  /** False when the workspace is read-only and the sign-in could not be written. */
  readonly recorded: boolean
}

/**
 * Who works through one peer: a desktop app or a command. Lives in the engine's memory alone, so nothing of it can be carried over a restart
 * or be claimed in a message.
 */
export class PersonSession {
  readonly surface: 'desktop' | 'cli'
  readonly #listeners = new Set<() => void>()
  #current: SignedIn | null = null
  #locked: string | null = null
  readonly #clock: Clock
  #touched: { readonly wall: number; readonly monotonic: number }

  constructor(surface: 'desktop' | 'cli', clock: Clock = systemClock) {
    this.surface = surface
    this.#clock = clock
    this.#touched = { wall: clock.now(), monotonic: clock.monotonic() }
  }

  get current(): SignedIn | null {
    return this.#current
  }

  /** Who was signed in when it was locked; null when it is not. */
  get locked(): string | null {
    return this.#locked
  }

  /** Who acts: `unknown` while people are set up and nobody is signed in. */
  actor(single: boolean): Actor {
    return { ref: single ? 'local' : (this.#current?.ref ?? 'unknown'), kind: 'human' }
  }

  open(ref: string, method: SignedIn['method'], recorded: boolean, id = randomUUID()): void {
    this.#current = { id, ref, method, since: new Date().toISOString(), recorded }
    this.#locked = null
    this.touch()
    this.changed()
  }

  close(lock: boolean): void {
    this.#locked = lock ? (this.#current?.ref ?? this.#locked) : null
    this.#current = null
    this.changed()
  }

  touch(): void {
    this.#touched = { wall: this.#clock.now(), monotonic: this.#clock.monotonic() }
  }

  /**
   * Time without input, by the clock that says more: the monotonic one stands still while the machine sleeps, the other can be set back. A clock
   * set forward locks early, which costs a sign-in and nothing else.
   */
  get idleMs(): number {
    return Math.max(this.#clock.monotonic() - this.#touched.monotonic, this.#clock.now() - this.#touched.wall)
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** Tells whoever follows: another person, a lock, another role. */
  changed(): void {
    for (const listener of this.#listeners) listener()
  }
}
