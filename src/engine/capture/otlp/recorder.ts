// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto'
import { AffidavitError } from '../../../shared/contract/errors.ts'
import {
  addLogs,
  type CallLog,
  type CallSpan,
  callLogOf,
  callOf,
  callOfLogs,
  type NotTaken,
  type Origin,
  originOf
} from '../../../shared/event/otlp/map.ts'
import { OtlpError } from '../../../shared/event/otlp/message.ts'
import type { HttpDependencies } from '../http/dependencies.ts'
import type { RequestOrigin } from '../http/intake.ts'
import type { HttpLimits } from '../http/limits.ts'
import type { DraftedEvent, IncomingEvent } from '../ingest.ts'
import type { Drafted } from '../large/drafted.ts'
import type { CallTask, LogLook } from '../large/otlp.ts'
import type { Large } from '../large/tasks.ts'
import { TimeSlice } from '../time-slice.ts'
import { type Item, onTheSpot, type ReadCall, type SpanCall, spanCall } from './calls.ts'
import { CallJoin, type OpenCall, type Piece, pieceOf, type Taken } from './join.ts'
import type { OtlpBody } from './read-body.ts'

/** What became of an export: how many of its items were refused, and the code of the first. */
export interface Outcome {
  readonly rejected: number
  readonly first: string
}

export const NOTHING: Outcome = { rejected: 0, first: '' }

/** Both: what was refused first stays first. */
const sumOf = (a: Outcome, b: Outcome): Outcome => ({ rejected: a.rejected + b.rejected, first: a.first || b.first })

const ignore = (): void => {}

/** Why an item that was read beside the writer is not taken, if it is not. */
type Looked = Promise<NotTaken | undefined>

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
    this.#join = new CallJoin(limits.otlpJoin, (key, open, logs, bytes) => {
      this.#endAlone(key, open, logs, bytes).catch(() => deps.log.warn({ event: 'otlp.open_call_not_ended' }))
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
    let left: SpanCall[] = []
    for (const { items: all } of body.groups) items += all.length
    const bytes = body.size / Math.max(1, items)
    let total = await this.#each(body, (item, from) => {
      const large = this.#isLarge(item)
      if (large !== null) return this.#look(large, { item: item as Uint8Array, form: body.form, from }, (call) => left.push(call))
      const call = callOf(body.encoding.span(item), from)
      if (typeof call !== 'object') return call
      left.push(spanCall(call, bytes))
    })
    while (left.length > 0) {
      const late = this.#join.closed || performance.now() >= end
      const waiting: SpanCall[] = []
      const now: SpanCall[] = []
      for (const call of left) {
        const waits = !late && call.inference && !call.content && this.#expects(call, origin) && !this.#join.has(call.key)
        ;(waits ? waiting : now).push(call)
      }
      // An exporter that sends one request after the other sends the next log records when those before have their spans.
      total = sumOf(total, await this.#spans(now, origin))
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
    const take = (key: string, piece: Piece, from: Origin): void => {
      const known = byKey.get(key)
      if (known === undefined) byKey.set(key, { pieces: [piece], from })
      else known.pieces.push(piece)
    }
    const unread = await this.#each(body, (item, from) => {
      items++
      const large = this.#isLarge(item)
      if (large !== null)
        return this.#lookAtLog(large, { item: item as Uint8Array, form: body.form, from }, ({ key, piece }) => take(key, piece, from))
      const log = callLogOf(body.encoding.log(item), from)
      if (typeof log !== 'object') return log
      take(log.key, pieceOf(log), from)
    })
    if (byKey.size === 0) return unread
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
    return sumOf(unread, await this.#record(alone, origin))
  }

  #expects(call: SpanCall, origin: RequestOrigin): boolean {
    return this.#join.expects(call.source ?? origin.source)
  }

  /** The thread for an item that is read beside the writer; null for any other. */
  #isLarge(item: unknown): Large | null {
    const { large } = this.#deps.ingest
    return large !== undefined && item instanceof Uint8Array && item.length >= this.#limits.largeBytes ? large : null
  }

  async #look(large: Large, of: Extract<CallTask['of'], { readonly item: Uint8Array }>, take: (call: SpanCall) => void): Looked {
    const look = await large.run('otlpSpan', of)
    if (look === 'undecodable') throw new OtlpError('a large span')
    if (look === null || typeof look === 'string') return look ?? undefined
    take({ ...look, digest: () => look.digest, of, bytes: of.item.length })
  }

  async #lookAtLog(large: Large, of: Extract<CallTask['of'], { readonly item: Uint8Array }>, take: (log: LogLook) => void): Looked {
    const log = await large.run('otlpLog', of)
    if (log === 'undecodable') throw new OtlpError('a large log record')
    if (log === null || typeof log === 'string') return log ?? undefined
    take(log)
  }

  /** How a call is laid out: on the spot, unless there is much of it or it was not read yet. */
  #layOut(of: CallTask['of'], logs: readonly CallLog[], bytes: number, make: () => CallSpan): Pick<Item, 'call' | 'large'> {
    return this.#deps.ingest.large !== undefined && ('item' in of || bytes >= this.#limits.largeBytes)
      ? { large: { of, logs } }
      : { call: make }
  }

  async #spans(calls: readonly SpanCall[], origin: RequestOrigin): Promise<Outcome> {
    const items: Item[] = []
    const again: Promise<boolean>[] = []
    const slice = new TimeSlice(this.#limits.sliceMs)
    for (const call of calls) {
      const { promise, resolve } = pending<boolean>()
      const taken: Taken = !call.inference
        ? { kind: 'logs', logs: [], bytes: 0, open: null }
        : this.#join.take(call.key, call.digest, this.#expects(call, origin), promise)
      if (taken.kind === 'known') {
        again.push(taken.recorded)
        continue
      }
      const seq = taken.open === null ? null : await taken.open.request
      const { of } = call
      const logs = call.content ? [] : taken.logs
      const bytes = call.bytes + (call.content ? 0 : taken.bytes)
      const make = (): CallSpan => {
        if ('item' in of) throw new AffidavitError('internal', 'a large span is read beside the writer')
        addLogs(of, logs)
        return of
      }
      items.push({
        ...this.#layOut(of, logs, bytes, make),
        bytes,
        two: seq === null ? undefined : { ends: seq },
        done: (at) => resolve(at !== null)
      })
      if (slice.over) await slice.pause()
    }
    const outcome = await this.#record(items, origin)
    // Sent twice at once: the second is on disk when the first is.
    const refused = (await Promise.all(again)).filter((done) => !done).length
    return sumOf(outcome, { rejected: refused, first: refused > 0 ? 'busy' : '' })
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
    const bytes = pieces.reduce((sum, one) => sum + one.bytes, 0)
    return {
      ...this.#layOut({ key, delivery, from }, logs, bytes, () => callOfLogs(key, delivery, logs, from)),
      bytes,
      two: opens ? 'opens' : undefined,
      done: resolve
    }
  }

  /** A span that was waited for has not come: the call ends without it. */
  async #endAlone(key: string, { request, from, origin }: OpenCall, logs: readonly CallLog[], bytes: number): Promise<void> {
    const seq = await request
    if (seq === null) return
    const delivery = `ends ${seq}`
    const laidOut = this.#layOut({ key, delivery, from }, logs, bytes, () => callOfLogs(key, delivery, logs, from))
    await this.#record([{ ...laidOut, bytes, two: { ends: seq }, done: ignore }], origin)
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
        const batch: (IncomingEvent | DraftedEvent)[] = []
        const taken: Item[] = []
        const from = next
        for (let bytes = 0; next < items.length && batch.length < this.#limits.batchLines && bytes < this.#limits.batchBytes; next++) {
          const item = items[next]
          if (item === undefined) continue
          bytes += item.bytes
          const line = batch.length + 1
          const thread = item.large && this.#deps.ingest.large
          const read = thread ? await this.#large(thread, item, line, receivedUs, origin) : onTheSpot(item, line, receivedUs, origin)
          if ('line' in read) {
            taken.push(item)
            batch.push(read)
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

  /** The event or the leaf of a call, or why it is not taken. */
  async #large(thread: Large, item: Item, line: number, receivedUs: number, { source, actor }: RequestOrigin): Promise<ReadCall> {
    if (item.large === undefined) return { code: 'internal' }
    const drafted: Drafted = await thread.run('otlpCall', {
      ...item.large,
      call: item.two,
      receivedUs,
      source,
      actor,
      rules: thread.rules()
    })
    if (drafted.kind !== 'drafted') return { code: drafted.kind === 'rejected' ? drafted.code : 'malformed_json' }
    return { line, draft: drafted.draft, call: item.two }
  }

  /** Every item of a body with where it comes from; others get a turn after each slice of time. Resolves with those that were not taken. */
  async #each(body: OtlpBody, take: (item: unknown, from: Origin) => NotTaken | undefined | Looked): Promise<Outcome> {
    let outcome = NOTHING
    const slice = new TimeSlice(this.#limits.sliceMs)
    for (const group of body.groups) {
      const from = originOf(group.resource)
      for (const item of group.items) {
        const taking = take(item, from)
        const code = taking instanceof Promise ? await taking : taking
        if (code !== undefined) outcome = sumOf(outcome, { rejected: 1, first: code })
        if (slice.over) await slice.pause()
      }
    }
    return outcome
  }
}
