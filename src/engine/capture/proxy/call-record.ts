// SPDX-License-Identifier: Apache-2.0

import { isUtf8 } from 'node:buffer'
import { createHash } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import type { Upstream } from '../../../shared/contract/proxy.ts'
import { type CanonicalEvent, type OpenEvent, responseChars } from '../../../shared/event/canonical-event.ts'
import { LEFT_OUT, withoutCredentials } from '../../../shared/event/credentials.ts'
import { wireOperation, wireReader } from '../../../shared/event/wire/routes.ts'
import { type Framing, feed, framingOf } from '../../../shared/event/wire/split.ts'
import { errorOf, known, parseJson, textMessage, type WireAnswer, type WireApi } from '../../../shared/event/wire/wire.ts'
import { isWellFormed } from '../../../shared/evidence/jcs.ts'
import { betweenSteps } from '../time-slice.ts'
import { BoundedCopy, COPY_BYTES, decodeCopy } from './bounded-copy.ts'
import type { Outcome } from './pass-on.ts'
import { readRequest } from './read-request.ts'
import type { CopyBudget } from './slabs.ts'

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
  #askedBytes = 0
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

  /** About how many bytes were kept of the request, once it was read. */
  get askedBytes(): number {
    return this.#askedBytes
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
    const { api, upstream, url, source, userAgent, requestEncoding: encoding } = this.head
    // What a packed body holds is known when it is unpacked: as much as is kept of one, for all that can be told here.
    this.#askedBytes = encoding === undefined ? this.#request.size : COPY_BYTES
    const fields = await readRequest(this.#request.take(), { api, upstream, encoding, whole: this.#whole }, digest)
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
      attributes: withoutCredentials({ upstream: upstream.name, api, ...fields.attributes })
    }) as OpenEvent
  }

  /** The event of the whole call. */
  async ended(outcome: Outcome, modelDigest: (model: string | undefined) => Promise<string | undefined>): Promise<CanonicalEvent> {
    const latency = Math.round(((this.#over ?? performance.now()) - this.#started) * 1000)
    const opened = await this.opened()
    const status = this.#answer?.statusCode
    const framing = framingOf(this.#answer?.headers['content-type'])
    const { head, tail, truncated, bytes, sha256 } = this.#response.take()
    const encoding = this.#answer?.headers['content-encoding']
    const decoded = await decodeCopy(head, encoding)
    const lacking = truncated || (head.length > 0 && (decoded?.truncated ?? true))
    const cut = lacking || outcome.kind !== 'complete'
    const text = decoded?.bytes.toString('utf8') ?? ''
    const answer = await this.#readAnswer(framing, text, cut, decoded?.bytes === head ? tail : null)
    await betweenSteps(text.length)()
    // A copy that was cut here says nothing of how the answer ended.
    const broken = decoded?.broken === true && !truncated
    const judged = judge({ outcome, status, answer, cut: lacking, broken, framing, text })
    const { fields } = answer
    // Such as a page of a gateway, or a long object of which only the beginning is here. Vectors are not kept in any form.
    const unread = framing === 'json' && !answer.ended && !answer.error && text !== '' && opened.operation !== 'embeddings'
    // Half of a surrogate pair, which a record cannot hold and a stream may still complete; bytes that are no text at all.
    const halves = !lacking && !isWellFormed([fields, judged])
    const garbled = !cut && decoded !== null && !isUtf8(decoded.bytes)
    const asSent = unread || (halves && opened.operation !== 'embeddings')
    const event = known({
      ...opened,
      ...fields,
      output_messages: asSent ? [textMessage('assistant', text)] : fields.output_messages,
      attributes: {
        ...bothOf(opened.attributes ?? {}, withoutCredentials(fields.attributes ?? {})),
        ...(asSent ? { response_form: 'as sent, not read' } : {}),
        ...(lacking || halves || garbled ? { response_bytes: bytes, response_sha256: sha256() } : {})
      },
      response_model: fields.response_model?.slice(0, MOST_TEXT),
      latency_us: latency,
      ttft_us: framing === 'json' || this.#firstByte === undefined ? undefined : Math.round((this.#firstByte - this.#started) * 1000),
      model_digest: await modelDigest(fields.response_model ?? opened.request_model),
      http_status: status,
      ...judged,
      content_state:
        opened.content_state === 'kept' && (lacking || garbled || answer.partial) ? ('truncated' as const) : opened.content_state
    }) as CanonicalEvent
    const chars = lacking || halves || answer.partial ? undefined : responseChars(event)
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

/** Attributes of question and answer, with the names of what was left out of either. */
function bothOf(one: Readonly<Record<string, unknown>>, other: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const left = [one, other].flatMap((from) => (Array.isArray(from[LEFT_OUT]) ? (from[LEFT_OUT] as unknown[]) : []))
  return { ...one, ...other, ...(left.length === 0 ? {} : { [LEFT_OUT]: left }) }
}

interface Seen {
  readonly outcome: Outcome
  readonly status: number | undefined
  readonly answer: WireAnswer
  /** Whether the copy lacks some of the answer. */
  readonly cut: boolean
  /** Whether the answer as it came cannot be unpacked to its end. */
  readonly broken: boolean
  readonly framing: Framing
  readonly text: string
}

/** How the call ended, from the transport, the HTTP status and what the answer itself says. */
function judge({
  outcome,
  status,
  answer,
  cut,
  broken,
  framing,
  text
}: Seen): Pick<CanonicalEvent, 'status' | 'error_type' | 'error_message'> {
  const failed = (type: string, message?: string) => ({ status: 'error' as const, error_type: type.slice(0, 128), error_message: message })
  switch (outcome.kind) {
    case 'aborted':
      return { status: 'aborted' }
    case 'revoked':
      return { status: 'aborted', error_type: 'token_revoked' }
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
      if (answer.ended || (cut && !broken && framing === 'json')) return { status: 'success' }
      return { status: 'incomplete' }
    }
  }
}
