// SPDX-License-Identifier: Apache-2.0
import type { ClientRequest, IncomingMessage, ServerResponse } from 'node:http'
import { finished as whenOver } from 'node:stream'
import type { Agents } from './agents.ts'
import { responseHeaders } from './headers.ts'
import { type CopyBudget, Slabs } from './slabs.ts'

/** How a call ended, seen from here. `aborted`: the client went. `revoked`: it was cut off, its token being taken. `lost`: the upstream broke off in its answer. `unreachable`: it gave none. */
export type Outcome =
  | { readonly kind: 'complete' }
  | { readonly kind: 'aborted' }
  | { readonly kind: 'revoked' }
  | { readonly kind: 'lost' }
  | { readonly kind: 'unreachable'; readonly error: unknown }
  | { readonly kind: 'refused' }

/** Told of everything that passes, as it passes; must not keep the call waiting and must not throw. */
export interface Watcher {
  requestChunk(chunk: Buffer): void
  /** The whole request has arrived. */
  requestEnd(): void
  answer(response: IncomingMessage): void
  answerChunk(chunk: Buffer): void
  /** Once, last. */
  over(outcome: Outcome): void
}

export interface Passage {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly agents: Agents
  readonly url: URL
  readonly target: string
  readonly headers: readonly string[]
  readonly watcher: Watcher
  /** Whether the answer was cut off on this side. */
  readonly cutOff: () => boolean
  /** Milliseconds of silence after which a request whose body is still missing is given up. */
  readonly idleMs: number
  /**
   * Nothing is sent before this resolves, and nothing at all when it gives false: then it has answered. Asked once, when the request has arrived
   * or as much of it as `holdBytes`. Null: sent at once.
   */
  readonly permit: (() => Promise<boolean>) | null
  readonly holdBytes: number
  /** What is held takes its memory from here; when there is none, it is asked at once. */
  readonly budget: CopyBudget
  /** Answers in place of an upstream that cannot be reached. */
  readonly onUnreachable: (error: unknown) => void
}

/**
 * Passes one call on: bytes as they are in both directions, the head of the answer at once, each side no faster than the other takes it. When the
 * client goes, the upstream is let go too; when the upstream breaks off, so does the answer.
 */
export function passOn(passage: Passage): void {
  const { request, response, watcher } = passage
  let upstream: ClientRequest | null = null
  let over = false
  const held = new Slabs(passage.budget)
  /** What came when there was no memory left to hold it. */
  let last: Buffer | null = null
  let asked = passage.permit === null
  let arrived = false

  const end = (outcome: Outcome): void => {
    if (over) return
    over = true
    clearTimeout(idle)
    held.clear()
    watcher.over(outcome)
    // What the client still sends is read and dropped, so that its connection can be used again.
    if (outcome.kind !== 'aborted' && !request.destroyed) request.resume()
  }
  const idle = setTimeout(() => {
    if (request.isPaused()) idle.refresh()
    else request.destroy()
  }, passage.idleMs)
  idle.unref()

  whenOver(response, () => {
    if (over) return
    end({ kind: passage.cutOff() ? 'revoked' : 'aborted' })
    upstream?.destroy()
  })

  const open = (): void => {
    const { agents, url, target, headers } = passage
    try {
      upstream = agents.request(url, { method: request.method, path: target, headers: headers as string[] })
    } catch (error) {
      passage.onUnreachable(error)
      end({ kind: 'unreachable', error })
      return
    }
    const sent = upstream
    sent.on('response', (answer) => onAnswer(sent, answer))
    sent.on('upgrade', (_answer, socket) => {
      socket.destroy()
      sent.destroy()
    })
    sent.on('error', (error) => onError(error))
    sent.on('drain', () => request.resume())
    if (held.size > 0) sent.write(held.take())
    if (last !== null) sent.write(last)
    last = null
    if (arrived) sent.end()
    else request.resume()
  }
  const onError = (error: Error): void => {
    if (over) return
    if (response.headersSent) {
      end({ kind: 'lost' })
      response.destroy()
    } else {
      passage.onUnreachable(error)
      end({ kind: 'unreachable', error })
    }
  }
  const onAnswer = (sent: ClientRequest, answer: IncomingMessage): void => {
    if (over) {
      answer.destroy()
      return
    }
    watcher.answer(answer)
    try {
      response.sendDate = false
      response.writeHead(answer.statusCode ?? 502, answer.statusMessage, responseHeaders(answer.rawHeaders))
      response.flushHeaders()
    } catch (error) {
      sent.destroy(error instanceof Error ? error : undefined)
      return
    }
    answer.on('data', (chunk: Buffer) => {
      watcher.answerChunk(chunk)
      if (!response.write(chunk)) answer.pause()
    })
    response.on('drain', () => answer.resume())
    answer.on('end', () => {
      if (over) return
      if (answer.rawTrailers.length > 0) response.addTrailers(pairs(answer.rawTrailers))
      end({ kind: 'complete' })
      response.end()
    })
    answer.on('error', (error) => onError(error))
    answer.on('close', () => {
      if (!answer.complete) onError(new Error('cut off'))
    })
  }
  const ask = (): void => {
    if (asked) return
    asked = true
    request.pause()
    passage.permit?.().then(
      (granted) => {
        if (over) return
        if (granted) open()
        else end({ kind: 'refused' })
      },
      () => {}
    )
  }

  request.on('data', (chunk: Buffer) => {
    idle.refresh()
    if (over) return
    watcher.requestChunk(chunk)
    if (upstream !== null) {
      if (!upstream.write(chunk)) request.pause()
      return
    }
    // At most one more comes after the body is paused.
    if (last !== null) last = Buffer.concat([last, chunk])
    else if (!held.add(chunk)) last = chunk
    if (last !== null || held.size >= passage.holdBytes) ask()
  })
  request.on('end', () => {
    clearTimeout(idle)
    if (over) return
    arrived = true
    watcher.requestEnd()
    if (upstream !== null) upstream.end()
    else ask()
  })
  request.on('error', () => {})
  if (passage.permit === null) open()
}

const pairs = (flat: readonly string[]): [string, string][] => {
  const out: [string, string][] = []
  for (let i = 0; i + 1 < flat.length; i += 2) out.push([flat[i] ?? '', flat[i + 1] ?? ''])
  return out
}
