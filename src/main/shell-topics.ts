// SPDX-License-Identifier: Apache-2.0
import type { Failure } from '../shared/contract/errors.ts'
import { type ShellTopicEvent, type ShellTopicName, shellTopics } from '../shared/contract/shell.ts'
import { MAX_SUBSCRIPTIONS, type Peer } from './engine-bridge.ts'

type Present = { readonly [N in ShellTopicName]?: () => ShellTopicEvent<N> }

/** Who follows which topic of the shell. A new follower gets the present value first where there is one. */
export class ShellTopics {
  readonly #present: Present
  readonly #followers = new Map<string, { readonly peer: Peer; readonly id: string; readonly topic: ShellTopicName }>()

  constructor(present: Present) {
    this.#present = present
  }

  subscribe(peer: Peer, id: string, topic: string): void {
    const error = this.#refusal(peer, topic)
    if (error !== null) {
      peer.send({ kind: 'reply', id, reply: { ok: false, error } })
      return
    }
    const known = topic as ShellTopicName
    this.#followers.set(`${peer.id} ${id}`, { peer, id, topic: known })
    const present = this.#present[known]
    if (present) peer.send({ kind: 'event', id, event: present() })
  }

  #refusal(peer: Peer, topic: string): Failure | null {
    if (!Object.hasOwn(shellTopics, topic)) return { code: 'unknown_operation', message: 'there is no such topic' }
    const have = [...this.#followers.values()].filter((follower) => follower.peer.id === peer.id).length
    return have < MAX_SUBSCRIPTIONS ? null : { code: 'too_many', message: `more than ${MAX_SUBSCRIPTIONS} at a time` }
  }

  /** Returns whether the id was a subscription to a topic of the shell. */
  unsubscribe(peer: Peer, id: string): boolean {
    return this.#followers.delete(`${peer.id} ${id}`)
  }

  push<N extends ShellTopicName>(topic: N, event: ShellTopicEvent<N>): void {
    for (const follower of this.#followers.values()) {
      if (follower.topic === topic) follower.peer.send({ kind: 'event', id: follower.id, event })
    }
  }

  detach(peerId: number): void {
    for (const [key, follower] of this.#followers) if (follower.peer.id === peerId) this.#followers.delete(key)
  }
}
