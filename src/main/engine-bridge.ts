// SPDX-License-Identifier: Apache-2.0
import type { Failure } from '../shared/contract/errors.ts'
import type { ShellEngineState } from '../shared/contract/shell.ts'
import type { FromEngine, ToEngine } from '../shared/contract/wire.ts'

/** Calls one window may have in flight, and topics it may follow. */
export const MAX_CALLS = 512
export const MAX_SUBSCRIPTIONS = 64

/** A window's end of the bridge. */
export interface Peer {
  readonly id: number
  readonly send: (message: FromEngine) => void
}

interface Pending {
  readonly peer: Peer
  /** The id the page uses. */
  readonly id: string
  readonly message: ToEngine
  sent: boolean
}

export interface EngineBridgeOptions {
  readonly send: (message: ToEngine) => void
  readonly state: () => ShellEngineState
  /** Before each id, so that two bridges to one engine cannot meet. */
  readonly prefix?: string
}

/**
 * Carries calls and subscriptions of the windows to the engine and answers back. Ids of pages are replaced, so that windows cannot meet.
 * While the engine starts, calls wait; when it ends, calls it was working on fail, and subscriptions are made again with the next one.
 */
export class EngineBridge {
  readonly #options: EngineBridgeOptions
  readonly #calls = new Map<string, Pending>()
  readonly #subscriptions = new Map<string, Pending>()
  #next = 0

  constructor(options: EngineBridgeOptions) {
    this.#options = options
  }

  receive(peer: Peer, message: ToEngine): void {
    switch (message.kind) {
      case 'call':
        this.#open(this.#calls, MAX_CALLS, peer, message)
        return
      case 'subscribe':
        this.#open(this.#subscriptions, MAX_SUBSCRIPTIONS, peer, message)
        return
      case 'cancel': {
        const key = this.#find(this.#calls, peer, message.id)
        const pending = key === undefined ? undefined : this.#calls.get(key)
        if (key === undefined || pending === undefined) return
        // The engine answers a cancelled call itself; one that still waits here is answered here.
        if (pending.sent) this.#options.send({ kind: 'cancel', id: key })
        else this.#fail(key, pending, { code: 'cancelled', message: 'the call was cancelled' })
        return
      }
      case 'unsubscribe': {
        const key = this.#find(this.#subscriptions, peer, message.id)
        if (key !== undefined) this.#unsubscribe(key)
        return
      }
    }
  }

  #open(map: Map<string, Pending>, most: number, peer: Peer, message: ToEngine): void {
    const error = this.#refusal(map, most, peer, message)
    if (error !== null) {
      peer.send({ kind: 'reply', id: message.id, reply: { ok: false, error } })
      return
    }
    this.#next += 1
    const key = `${this.#options.prefix ?? ''}${this.#next}`
    const pending: Pending = { peer, id: message.id, message: { ...message, id: key }, sent: false }
    map.set(key, pending)
    if (this.#options.state().state === 'running') this.#send(pending)
  }

  #refusal(map: ReadonlyMap<string, Pending>, most: number, peer: Peer, message: ToEngine): Failure | null {
    if (this.#find(map, peer, message.id) !== undefined) return { code: 'bad_request', message: 'the id is in use' }
    let have = 0
    for (const pending of map.values()) if (pending.peer.id === peer.id) have += 1
    if (have >= most) return { code: 'too_many', message: `more than ${most} at a time` }
    const { state, code, message: reason } = this.#options.state()
    if (state !== 'failed' || message.kind !== 'call') return null
    return { code: 'engine_unavailable', message: reason ?? 'the engine does not run', ...(code === null ? {} : { details: { code } }) }
  }

  #send(pending: Pending): void {
    pending.sent = true
    this.#options.send(pending.message)
  }

  #find(map: ReadonlyMap<string, Pending>, peer: Peer, id: string): string | undefined {
    for (const [key, pending] of map) if (pending.peer.id === peer.id && pending.id === id) return key
    return undefined
  }

  #fail(key: string, pending: Pending, error: Failure): void {
    this.#calls.delete(key)
    pending.peer.send({ kind: 'reply', id: pending.id, reply: { ok: false, error } })
  }

  #unsubscribe(key: string): void {
    const pending = this.#subscriptions.get(key)
    this.#subscriptions.delete(key)
    if (pending?.sent) this.#options.send({ kind: 'unsubscribe', id: key })
  }

  /** What the engine says. Answers to calls whose window is gone are dropped. */
  fromEngine(message: FromEngine): void {
    if (message.kind === 'reply') {
      const map = this.#calls.has(message.id) ? this.#calls : this.#subscriptions
      const pending = map.get(message.id)
      map.delete(message.id)
      pending?.peer.send({ ...message, id: pending.id })
      return
    }
    const pending = this.#subscriptions.get(message.id)
    pending?.peer.send({ ...message, id: pending.id })
  }

  /** The engine's state changed: sends what waited, or fails what it was working on. */
  engineChanged(): void {
    const { state, message } = this.#options.state()
    if (state === 'running') {
      for (const pending of [...this.#subscriptions.values(), ...this.#calls.values()]) if (!pending.sent) this.#send(pending)
      return
    }
    for (const [key, pending] of this.#calls) {
      if (!pending.sent && state !== 'failed') continue
      this.#fail(key, pending, { code: 'engine_unavailable', message: message ?? 'the engine is being started again' })
    }
    for (const pending of this.#subscriptions.values()) pending.sent = false
  }

  /**
   * The windows turn to another engine, which `change` puts in place. The one they leave hears no more of them: what it was working on for
   * them fails; topics are followed again with the next one.
   */
  turn(change: () => void): void {
    for (const [key, pending] of this.#calls) {
      if (!pending.sent) continue
      this.#options.send({ kind: 'cancel', id: key })
      this.#fail(key, pending, { code: 'engine_unavailable', message: 'another workspace was opened' })
    }
    for (const [key, pending] of this.#subscriptions) {
      if (pending.sent) this.#options.send({ kind: 'unsubscribe', id: key })
      pending.sent = false
    }
    change()
    this.engineChanged()
  }

  /** A window was closed or loaded a new document: nothing of it is left in the engine. */
  detach(peerId: number): void {
    for (const [key, pending] of this.#calls) {
      if (pending.peer.id !== peerId) continue
      this.#calls.delete(key)
      if (pending.sent) this.#options.send({ kind: 'cancel', id: key })
    }
    for (const [key, pending] of this.#subscriptions) if (pending.peer.id === peerId) this.#unsubscribe(key)
  }
}
