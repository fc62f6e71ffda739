// SPDX-License-Identifier: Apache-2.0
import { isUtf8 } from 'node:buffer'
import type { IncomingMessage } from 'node:http'
import { parseExact } from '../../../shared/event/exact-json.ts'
import { MALFORMED_BODY } from './bare-server.ts'

/** Why a body could not be had: past its limit, not in time, or the client went away. */
export type BodyProblem = 'too_large' | 'timeout' | 'gone'

/** Reads a whole body. Never rejects. After a problem the rest of the body is still unread: see {@link discardRest}. */
export function readBody(request: IncomingMessage, limit: number, withinMs: number): Promise<Buffer | BodyProblem>
/** @param room takes memory for each piece; false when there is none, which ends the reading as `busy` */
export function readBody(
  request: IncomingMessage,
  limit: number,
  withinMs: number,
  room: (bytes: number) => boolean
): Promise<Buffer | BodyProblem | 'busy'>
export function readBody(
  request: IncomingMessage,
  limit: number,
  withinMs: number,
  room: (bytes: number) => boolean = () => true
): Promise<Buffer | BodyProblem | 'busy'> {
  if (Number(request.headers['content-length']) > limit) return Promise.resolve('too_large')
  return new Promise((resolve) => {
    let first: Buffer | null = null
    let more: Buffer[] | null = null
    let size = 0
    const timer = setTimeout(() => finish('timeout'), withinMs)
    const finish = (outcome: Buffer | BodyProblem | 'busy'): void => {
      clearTimeout(timer)
      request.off('data', onData)
      request.off('end', onEnd)
      request.off('close', onGone)
      if (typeof outcome === 'string') request.pause()
      resolve(outcome)
    }
    const onData = (chunk: Buffer): void => {
      size += chunk.length
      if (size > limit) finish('too_large')
      else if (!room(chunk.length)) finish('busy')
      else if (first === null) first = chunk
      else if (more === null) more = [first, chunk]
      else more.push(chunk)
    }
    const onEnd = (): void => finish(more === null ? (first ?? Buffer.alloc(0)) : Buffer.concat(more, size))
    const onGone = (): void => finish('gone')
    request.on('data', onData)
    request.on('end', onEnd)
    request.on('close', onGone)
    request.on('error', ignore)
  })
}

/** A stream of bytes read on demand, so that a slow store slows the sender. */
export class BodyReader {
  readonly #request: IncomingMessage
  readonly #idleMs: number
  #ended = false
  #malformed = false
  #wake: (() => void) | null = null

  constructor(request: IncomingMessage, idleMs: number) {
    this.#request = request
    this.#idleMs = idleMs
    request.on('readable', this.#onEvent)
    request.on('end', this.#onEnd)
    request.on('close', this.#onEvent)
    request.on(MALFORMED_BODY, this.#onMalformed)
    request.on('error', ignore)
  }

  /** All bytes that have arrived; null at a proper end; a problem when they stop coming. Silence while nobody asks is not counted. */
  async next(): Promise<Buffer | null | BodyProblem | 'malformed'> {
    for (;;) {
      const chunk = this.#request.read() as Buffer | null
      if (chunk !== null) return chunk
      if (this.#ended) return null
      if (this.#request.destroyed) return 'gone'
      if (this.#malformed) return 'malformed'
      const waited = await this.#wait()
      if (waited === 'timeout') return 'timeout'
    }
  }

  /** Whether the client has gone before its end. */
  get gone(): boolean {
    return !this.#ended && this.#request.destroyed
  }

  close(): void {
    this.#request.off('readable', this.#onEvent)
    this.#request.off('end', this.#onEnd)
    this.#request.off('close', this.#onEvent)
    this.#request.off(MALFORMED_BODY, this.#onMalformed)
  }

  #wait(): Promise<'event' | 'timeout'> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => {
        this.#wake = null
        resolve('timeout')
      }, this.#idleMs)
      this.#wake = () => {
        this.#wake = null
        clearTimeout(timer)
        resolve('event')
      }
    })
  }

  readonly #onEvent = (): void => this.#wake?.()
  readonly #onMalformed = (): void => {
    this.#malformed = true
    this.#wake?.()
  }
  readonly #onEnd = (): void => {
    this.#ended = true
    this.#wake?.()
  }
}

const DISCARD_BYTES = 64 * 1024 * 1024
const DISCARD_MS = 10_000

/**
 * Lets the client finish sending what is no longer wanted, so that it gets to read its answer instead of a reset connection;
 * past 64 MiB or 10 s the connection is closed.
 */
export function discardRest(request: IncomingMessage): void {
  if (request.complete || request.destroyed) return
  let size = 0
  const timer = setTimeout(() => request.destroy(), DISCARD_MS)
  timer.unref()
  request.on('data', (chunk: Buffer) => {
    size += chunk.length
    if (size > DISCARD_BYTES) request.destroy()
  })
  request.once('close', () => clearTimeout(timer))
  request.on('error', ignore)
  request.resume()
}

/** What {@link parseJson} gives for bytes that are not JSON in UTF-8. */
export const MALFORMED = Symbol('malformed')

/** JSON in UTF-8, strictly and without losing a digit: invalid UTF-8 is refused and never replaced. A byte order mark is dropped. */
export function parseJson(bytes: Buffer): unknown {
  if (!isUtf8(bytes)) return MALFORMED
  const from = bytes.length >= 3 && bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? 3 : 0
  try {
    return parseExact(bytes.toString('utf8', from))
  } catch {
    return MALFORMED
  }
}

/** Whether a parsed value nests deeper than allowed; iterates no further than that. */
export function isTooDeep(value: unknown, limit: number): boolean {
  if (typeof value !== 'object' || value === null) return false
  if (limit === 0) return true
  if (Array.isArray(value)) {
    for (const item of value) if (typeof item === 'object' && isTooDeep(item, limit - 1)) return true
    return false
  }
  for (const key in value) {
    const item = (value as Readonly<Record<string, unknown>>)[key]
    if (typeof item === 'object' && isTooDeep(item, limit - 1)) return true
  }
  return false
}

function ignore(): void {}
