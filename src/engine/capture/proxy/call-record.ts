// SPDX-License-Identifier: Apache-2.0
import { isUtf8 } from 'node:buffer'
import { createHash } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import type { Upstream } from '../../../shared/contract/proxy.ts'
import { type CanonicalEvent, type OpenEvent, responseChars } from '../../../shared/event/canonical-event.ts'
import { wireOperation, wireReader, wireRequest } from '../../../shared/event/wire/routes.ts'
import { type Framing, feed, framingOf } from '../../../shared/event/wire/split.ts'
import {
  asGoReads,
  errorOf,
  isObject,
  known,
  parseJson,
  textMessage,
  type WireAnswer,
  type WireApi,
  type WireFields
} from '../../../shared/event/wire/wire.ts'
import { BoundedCopy, type CopyBudget, decodeCopy } from './bounded-copy.ts'
import type { Outcome } from './pass-on.ts'

/** What is known of a call before its body is. */
export interface CallHead {
  readonly api: WireApi
  readonly upstream: Upstream
  readonly url: URL
  readonly source: string
  readonly userAgent: string | undefined
  readonly requestEncoding: string | undefined
}

const digest = (base64: string): string => createHash('sha256').update(Buffer.from(base64, 'base64')).digest('hex')
const MODEL = /"model"\s*:\s*"([^"\\]{1,200})"/
const SLICE_MS = 8
const MOST_TEXT = 4_096
const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

/** Collects what passes of one call and makes its two events: one when the request has arrived, one when it is over. */
export class CallRecord {
  readonly head: CallHead
  readonly #request: BoundedCopy
  readonly #response: BoundedCopy
  readonly #startUs = Date.now() * 1000
  readonly #started = performance.now()
  #asked: Promise<OpenEvent> | undefined
  #firstByte: number | undefined
  #answer: IncomingMessage | undefined
  #whole = false
  #over: number | undefined

  constructor(head: CallHead, budget: CopyBudget) {
    this.head = head
    this.#request = new BoundedCopy(budget)
    this.#response = new BoundedCopy(budget)
  }

  requestChunk(chunk: Buffer): void {
    this.#request.add(chunk)
  }

  /** The whole request has arrived. */
  requestEnd(): void {
    this.#whole = true
  }

  answer(response: IncomingMessage): void {
    this.#answer = response
  }

  answerChunk(chunk: Buffer): void {
    this.#firstByte ??= performance.now()
    this.#response.add(chunk)
  }

  /** The call is over; what is read afterwards takes its own time. */
  over(): void {
    this.#over = performance.now()
  }

  /** Bytes kept of the answer. */
  get keptBytes(): number {
    return this.#response.size
  }

  /** The event of the request, from what has arrived of it when this is first called. */
  opened(): Promise<OpenEvent> {
    this.#asked ??= this.#readRequest()
    return this.#asked
  }

  async #readRequest(): Promise<OpenEvent> {
    const { api, upstream, url, source, userAgent, requestEncoding } = this.head
    const { head, truncated } = this.#request.take()
    const decoded = await decodeCopy(head, requestEncoding)
    const text = decoded?.bytes.toString('utf8') ?? ''
    const cut = truncated || !this.#whole || (decoded?.truncated ?? true)
    const parsed = cut ? undefined : parseJson(text)
    const body = !isObject(parsed) ? null : upstream.kind === 'ollama' ? asGoReads(parsed) : parsed
    // A server may be content with less than JSON, such as an object with something behind it: then the record has what it was sent.
    const asSent = body === null && !cut && text !== '' && decoded !== null && isUtf8(decoded.bytes)
    const fields: WireFields =
      body === null
        ? known({ request_model: MODEL.exec(text)?.[1], input_messages: asSent ? [textMessage('user', text)] : undefined })
        : wireRequest(api, body, digest)
    return known({
      ...fields,
      channel: 'proxy' as const,
      source,
      received_us: this.#startUs,
      start_us: this.#startUs,
      operation: wireOperation(api),
      provider: upstream.kind,
      request_model: fields.request_model?.slice(0, MOST_TEXT),
      server_address: url.hostname,
      server_port: url.port === '' ? (url.protocol === 'https:' ? 443 : 80) : Number(url.port),
      client_ua: userAgent?.slice(0, MOST_TEXT),
      span_role: 'inference' as const,
      attributes: { upstream: upstream.name, api, ...(asSent ? { request_form: 'as sent, not read' } : {}) },
      content_state: body !== null || asSent ? ('kept' as const) : cut ? ('truncated' as const) : ('withheld' as const)
    }) as OpenEvent
  }

  /** The event of the whole call. */
  async ended(outcome: Outcome, modelDigest: (model: string | undefined) => Promise<string | undefined>): Promise<CanonicalEvent> {
    const latency = Math.round(((this.#over ?? performance.now()) - this.#started) * 1000)
    const opened = await this.opened()
    const status = this.#answer?.statusCode
    const framing = framingOf(this.#answer?.headers['content-type'])
    const { head, tail, truncated } = this.#response.take()
    const encoding = this.#answer?.headers['content-encoding']
    const decoded = await decodeCopy(head, encoding)
    const cut = truncated || (decoded?.truncated ?? true) || outcome.kind !== 'complete'
    const text = decoded?.bytes.toString('utf8') ?? ''
    const answer = await this.#readAnswer(framing, text, cut, decoded?.bytes === head ? tail : null)
    const judged = judge({ outcome, status, answer, cut: truncated || (decoded?.truncated ?? true), framing, text })
    const { fields } = answer
    const event = known({
      ...opened,
      ...fields,
      response_model: fields.response_model?.slice(0, MOST_TEXT),
      latency_us: latency,
      ttft_us: framing === 'json' || this.#firstByte === undefined ? undefined : Math.round((this.#firstByte - this.#started) * 1000),
      model_digest: await modelDigest(fields.response_model ?? opened.request_model),
      http_status: status,
      ...judged,
      content_state: opened.content_state === 'kept' && truncated ? ('truncated' as const) : opened.content_state
    }) as CanonicalEvent
    const chars = truncated ? undefined : responseChars(event)
    return chars === undefined ? event : { ...event, response_chars: chars }
  }

  async #readAnswer(framing: Framing, text: string, cut: boolean, tail: Buffer | null): Promise<WireAnswer> {
    const reader = wireReader(this.head.api, framing === 'sse', digest)
    const pieces = [{ text, cut }]
    if (tail !== null && framing !== 'json') {
      // The first event of the tail is cut off in front.
      const from = tail.indexOf(framing === 'sse' ? '\n\n' : '\n')
      if (from >= 0) pieces.push({ text: tail.subarray(from + (framing === 'sse' ? 2 : 1)).toString('utf8'), cut: false })
    }
    let slice = performance.now()
    for (const piece of pieces) {
      for (const _ of feed(reader, framing, piece.text, piece.cut)) {
        if (performance.now() - slice < SLICE_MS) continue
        await nextTurn()
        slice = performance.now()
      }
    }
    return reader.done()
  }
}

interface Seen {
  readonly outcome: Outcome
  readonly status: number | undefined
  readonly answer: WireAnswer
  /** Whether the copy lacks some of the answer. */
  readonly cut: boolean
  readonly framing: Framing
  readonly text: string
}

/** How the call ended, from the transport, the HTTP status and what the answer itself says. */
function judge({ outcome, status, answer, cut, framing, text }: Seen): Pick<CanonicalEvent, 'status' | 'error_type' | 'error_message'> {
  const failed = (type: string, message?: string) => ({ status: 'error' as const, error_type: type.slice(0, 128), error_message: message })
  switch (outcome.kind) {
    case 'aborted':
      return { status: 'aborted' }
    case 'unreachable':
      return failed('upstream_unreachable')
    case 'refused':
      return failed('not_recorded')
    case 'lost':
      return failed('connection_lost', answer.error?.message)
    case 'complete': {
      if (status !== undefined && status >= 400) {
        const told = answer.error ?? errorOf(parseJson(text))
        return failed(told?.type ?? `http_${status}`, told?.message)
      }
      if (answer.error) return failed(answer.error.type, answer.error.message)
      // Of a long answer that is no stream only the beginning was kept: it ended as its transport did.
      if (answer.ended || (cut && framing === 'json')) return { status: 'success' }
      return { status: 'incomplete' }
    }
  }
}
