// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto'
import { hasContent } from '../../../shared/event/otlp/content.ts'
import {
  addLogs,
  type CallSpan,
  callLogOf,
  callOf,
  callOfLogs,
  eventOfCall,
  type Origin,
  originOf
} from '../../../shared/event/otlp/map.ts'
import type { HttpDependencies } from '../http/dependencies.ts'
import type { RequestOrigin } from '../http/intake.ts'
import type { HttpLimits } from '../http/limits.ts'
import type { IncomingEvent } from '../ingest.ts'
import { TimeSlice } from '../time-slice.ts'
import { CallJoin, type OpenCall, type Piece, pieceOf, type Taken } from './join.ts'
import type { OtlpBody } from './read-body.ts'

/** What became of an export: how many of its items were refused, and the code of the first. */
export interface Outcome {
  readonly rejected: number
  readonly first: string
}

export const NOTHING: Outcome = { rejected: 0, first: '' }

/** A call on its way to the ledger. */
interface Item {
  readonly call: () => CallSpan
  /** About how much there is to seal. */
  readonly bytes: number
  readonly two?: IncomingEvent['call']
  /** Told what became of it: its leaf, null for one that was refused. */
  readonly done: (seq: number | null) => void
}

const ignore = (): void => {}

function pending<T>(): { readonly promise: Promise<T>; readonly resolve: (value: T) => void } {
  let resolve: (value: T) => void = ignore
  const promise = new Promise<T>((settle) => {
    resolve = settle
  })
  return { promise, resolve }
}

/** Makes records of the spans and log records of exports. */
export class OtlpRecorder {
  readonly #deps: HttpDependencies
  readonly #limits: HttpLimits
  readonly #join: CallJoin

  constructor(deps: HttpDependencies, limits: HttpLimits) {
    this.#deps = deps
    this.#limits = limits
    this.#join = new CallJoin(limits.otlpJoin, (key, open, logs) => {
      this.#endAlone(key, open, logs).catch(() => deps.log.warn({ event: 'otlp.open_call_not_ended' }))
    })
  }

  /** Answers what is held. */
  close(): void {
    this.#join.close()
  }

  /** Resolves when every span that is a call of a model is on disk or refused. */
  async traces(body: OtlpBody, origin: RequestOrigin): Promise<Outcome> {
    const end = performance.now() + this.#limits.otlpJoin.contentMs
    let items = 0
    let left: CallSpan[] = []
    await this.#each(body, (item, from) => {
      items++
      const call = callOf(body.encoding.span(item), from)
      if (call !== undefined) left.push(call)
    })
    const bytes = body.size / Math.max(1, items)
    const total = { rejected: 0, first: '' }
    while (left.length > 0) {
      const late = this.#join.closed || performance.now() >= end
      const waiting: CallSpan[] = []
      const now: CallSpan[] = []
      for (const call of left) {
        const waits = !late && isInference(call) && !hasContent(call.content) && this.#expects(call, origin) && !this.#join.has(call.key)
        ;(waits ? waiting : now).push(call)
      }
      // An exporter that sends one request after the other sends the next log records when those before have their spans.
      const outcome = await this.#spans(now, bytes, origin)
      total.rejected += outcome.rejected
      total.first ||= outcome.first
      if (waiting.length > 0)
        await this.#join.content(
          waiting.map(({ key }) => key),
          end
        )
      left = waiting
    }
    return total
  }

  /**
   * Resolves when all content of calls is on disk: with its span, or by itself when that is not here in time.
   * @param release called when only what was remembered for the spans is still needed
   */
  async logs(body: OtlpBody, origin: RequestOrigin, release: () => void): Promise<Outcome> {
    const { spanMs, heldLogs, perCall } = this.#limits.otlpJoin
    const end = performance.now() + spanMs
    const byKey = new Map<string, { readonly pieces: Piece[]; readonly from: Origin }>()
    let items = 0
    await this.#each(body, (item, from) => {
      items++
      const log = callLogOf(body.encoding.log(item))
      if (log === undefined) return
      const known = byKey.get(log.key)
      if (known === undefined) byKey.set(log.key, { pieces: [pieceOf(log)], from })
      else known.pieces.push(pieceOf(log))
    })
    if (byKey.size === 0) return NOTHING
    const left = new Map<string, { readonly pieces: readonly Piece[]; readonly from: Origin }>()
    const slice = new TimeSlice(this.#limits.sliceMs)
    let held = items <= heldLogs
    for (const [key, { pieces, from }] of byKey) {
      const pending: Piece[] = []
      for (let i = 0; i < pieces.length; i += perCall) {
        const offered = this.#join.offer(key, pieces.slice(i, i + perCall), from.source ?? origin.source)
        pending.push(...offered.pending)
        if (!offered.joined) held = false
        if (slice.over) await slice.pause()
      }
      if (pending.length > 0) left.set(key, { pieces: pending, from })
    }
    if (held) {
      release()
      await this.#join.spans(left.keys(), end)
    }
    const alone: Item[] = []
    for (const [key, { pieces, from }] of left) {
      const without: Piece[] = []
      for (const piece of pieces) if (piece.written === null || !(await piece.written)) without.push(piece)
      for (let i = 0; i < without.length; i += perCall) {
        alone.push(this.#contentOf(key, without.slice(i, i + perCall), from, origin))
        if (slice.over) await slice.pause()
      }
    }
    return this.#record(alone, origin)
  }

  #expects(call: CallSpan, origin: RequestOrigin): boolean {
    return this.#join.expects(typeof call.raw.source === 'string' ? call.raw.source : origin.source)
  }

  async #spans(calls: readonly CallSpan[], bytes: number, origin: RequestOrigin): Promise<Outcome> {
    const items: Item[] = []
    const again: Promise<boolean>[] = []
    const slice = new TimeSlice(this.#limits.sliceMs)
    for (const call of calls) {
      const { promise, resolve } = pending<boolean>()
      const taken: Taken = !isInference(call)
        ? { kind: 'logs', logs: [], open: null }
        : this.#join.take(call.key, () => digestOf(call), this.#expects(call, origin), promise)
      if (taken.kind === 'known') {
        again.push(taken.recorded)
        continue
      }
      addLogs(call, taken.logs)
      const seq = taken.open === null ? null : await taken.open.request
      items.push({ call: () => call, bytes, two: seq === null ? undefined : { ends: seq }, done: (at) => resolve(at !== null) })
      if (slice.over) await slice.pause()
    }
    const outcome = await this.#record(items, origin)
    // Sent twice at once: the second is on disk when the first is.
    const refused = (await Promise.all(again)).filter((done) => !done).length
    return { rejected: outcome.rejected + refused, first: outcome.first || (refused > 0 ? 'busy' : '') }
  }

  /** Log records whose span has not come: they open their call, or are a record of their own when it has begun before. */
  #contentOf(key: string, pieces: readonly Piece[], from: Origin, origin: RequestOrigin): Item {
    const { promise, resolve } = pending<number | null>()
    const opens = this.#join.mayOpen(key, pieces)
    this.#join.write(
      key,
      pieces,
      promise.then((seq) => seq !== null)
    )
    if (opens) this.#join.open(key, { request: promise, from, origin })
    const hash = createHash('sha256')
    for (const { digest } of pieces) hash.update(digest)
    const delivery = hash.digest('hex').slice(0, 32)
    const logs = pieces.map(({ log }) => log)
    return {
      call: () => callOfLogs(key, delivery, logs, from),
      bytes: pieces.reduce((sum, one) => sum + one.bytes, 0),
      two: opens ? 'opens' : undefined,
      done: resolve
    }
  }

  /** A span that was waited for has not come: the call ends without it. */
  async #endAlone(key: string, { request, from, origin }: OpenCall, logs: Parameters<typeof callOfLogs>[2]): Promise<void> {
    const seq = await request
    if (seq !== null)
      await this.#record([{ call: () => callOfLogs(key, `ends ${seq}`, logs, from), bytes: 0, two: { ends: seq }, done: ignore }], origin)
  }

  /** Records calls; resolves when all are on disk or refused. */
  async #record(items: readonly Item[], origin: RequestOrigin): Promise<Outcome> {
    let rejected = 0
    let first = ''
    const refuse = ({ done }: Item, code: string): void => {
      rejected++
      first ||= code
      done(null)
    }
    const receivedUs = Date.now() * 1000
    const slice = new TimeSlice(this.#limits.sliceMs)
    let next = 0
    try {
      while (next < items.length) {
        const batch: IncomingEvent[] = []
        const taken: Item[] = []
        const from = next
        for (let bytes = 0; next < items.length && batch.length < this.#limits.batchLines && bytes < this.#limits.batchBytes; next++) {
          const item = items[next]
          if (item === undefined) continue
          bytes += item.bytes
          const read = eventOfCall(item.call(), receivedUs, origin.source)
          if (read.ok) {
            taken.push(item)
            batch.push({ line: batch.length + 1, event: read.event, sourceKey: read.sourceKey, call: item.two })
          } else refuse(item, read.code)
          if (slice.over) await slice.pause()
        }
        if (batch.length === 0) continue
        const results = await this.#deps.ingest.append(batch, { channel: 'otlp', actor: origin.actor }).catch((error: unknown) => {
          next = from
          throw error
        })
        for (const [i, item] of taken.entries()) {
          const result = results[i]
          if (result === undefined || result.kind === 'rejected') refuse(item, result?.code ?? 'internal')
          else item.done(result.seq)
        }
      }
    } finally {
      for (const { done } of items.slice(next)) done(null)
    }
    return { rejected, first }
  }

  /** Every item of a body with where it comes from; others get a turn after each slice of time. */
  async #each(body: OtlpBody, take: (item: unknown, from: Origin) => void): Promise<void> {
    const slice = new TimeSlice(this.#limits.sliceMs)
    for (const group of body.groups) {
      const from = originOf(group.resource)
      for (const item of group.items) {
        take(item, from)
        if (slice.over) await slice.pause()
      }
    }
  }
}

const isInference = (call: CallSpan): boolean => call.raw.span_role === 'inference'

const digestOf = ({ raw, content }: CallSpan): string =>
  createHash('sha256')
    .update(JSON.stringify([raw, content]))
    .digest('base64url')
    .slice(0, 22)
