// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto'
import type { CallLog, Origin } from '../../../shared/event/otlp/map.ts'
import type { RequestOrigin } from '../http/intake.ts'

/** How long the pieces of a call wait for each other, and how much is remembered of them. Milliseconds, bytes, counts. */
export interface JoinLimits {
  /** How long a request with log records is held for their spans: exporters send spans every 5 s and give up after 10 s. */
  readonly spanMs: number
  /** Log records of a request that is held, at most: the exporter that sends more has a row of them and sends no more until it is answered. */
  readonly heldLogs: number
  /** How long a request with spans is held for log records of an application that sends such, every second by default. */
  readonly contentMs: number
  /** How long a call whose content is on disk stays open for its span. */
  readonly openMs: number
  /** How long log records are remembered for a span that comes later, and that an application sends such. */
  readonly rememberMs: number
  /** Log records of one call that are joined, at most. */
  readonly perCall: number
  /** Log records and calls remembered, at most. */
  readonly most: number
  /** Bytes of log records remembered, at most. */
  readonly bytes: number
}

export const joinLimits: JoinLimits = {
  spanMs: 7_000,
  heldLogs: 500,
  contentMs: 3_000,
  openMs: 120_000,
  rememberMs: 600_000,
  perCall: 1_000,
  most: 50_000,
  bytes: 64 * 1024 * 1024
}

/** A log record of a call. */
export interface Piece {
  readonly log: CallLog
  /** Names its content: a second delivery is no second message. */
  readonly digest: string
  readonly bytes: number
  /** The leaf that holds it is under way: true once it is on disk, false when it was refused. */
  written: Promise<boolean> | null
}

export function pieceOf(log: CallLog): Piece {
  const text = JSON.stringify([log.timeUs ?? null, log.name, log.fields])
  return { log, digest: createHash('sha256').update(text).digest('base64url').slice(0, 22), bytes: text.length, written: null }
}

/** A call whose content is on disk while its span is still to come. */
export interface OpenCall {
  /** The leaf that holds the content; null when it was refused. */
  readonly request: Promise<number | null>
  readonly from: Origin
  readonly origin: RequestOrigin
}

interface Call {
  /** By digest; null: on disk with its span, and no longer kept here. */
  readonly pieces: Map<string, Piece | null>
  /** Its span: what it says without these log records, and whether its record is on disk. */
  span: { readonly digest: string; readonly recorded: Promise<boolean> } | null
  open: OpenCall | null
  at: number
}

/** What a span finds here: its log records and the open call that it ends, or that it was recorded with them before. */
export type Taken =
  | { readonly kind: 'logs'; readonly logs: readonly CallLog[]; readonly bytes: number; readonly open: OpenCall | null }
  | { readonly kind: 'known'; readonly recorded: Promise<boolean> }

interface Wait {
  readonly what: 'span' | 'content'
  readonly keys: Set<string>
  readonly resolve: () => void
}

const SWEEP_MS = 5_000
const MOST_SOURCES = 1_000

/**
 * Brings the log records of a call to its span, by trace and span id. What is remembered here is on disk, or a request that waits for its answer
 * sees to it: when there is too much, the oldest is forgotten and stays the record that it is.
 */
export class CallJoin {
  readonly #limits: JoinLimits
  readonly #end: (key: string, open: OpenCall, logs: readonly CallLog[], bytes: number) => void
  /** The one that changed last comes last. */
  readonly #calls = new Map<string, Call>()
  readonly #sources = new Map<string, number>()
  readonly #waits = new Set<Wait>()
  #pieces = 0
  #bytes = 0
  #timer: NodeJS.Timeout | undefined
  #closed = false

  /** @param end told of every open call whose span is waited for no more, with its content */
  constructor(limits: JoinLimits, end: (key: string, open: OpenCall, logs: readonly CallLog[], bytes: number) => void) {
    this.#limits = limits
    this.#end = end
  }

  /** Log records of one call have come. Gives those that are not on disk with their span, as they are known here, and whether all are. */
  offer(key: string, pieces: readonly Piece[], source: string): { readonly pending: readonly Piece[]; readonly joined: boolean } {
    const now = performance.now()
    if (this.#sources.size >= MOST_SOURCES) this.#sources.clear()
    this.#sources.set(source, now)
    this.#forget(now)
    const call = this.#calls.get(key) ?? { pieces: new Map(), span: null, open: null, at: now }
    const pending: Piece[] = []
    let joined = true
    for (const piece of pieces) {
      const known = call.pieces.get(piece.digest)
      if (known === null) continue
      pending.push(known ?? piece)
      if (known !== undefined) continue
      if (call.pieces.size >= this.#limits.perCall || this.#full) {
        joined = false
        continue
      }
      call.pieces.set(piece.digest, piece)
      this.#pieces++
      this.#bytes += piece.bytes
    }
    if (call.pieces.size > 0) this.#touch(key, call)
    this.#wake('content', key)
    return { pending, joined }
  }

  /**
   * The span of a call of a model has come and takes what is here of its content.
   * @param digest of what the span says itself @param expected whether log records may still come
   * @param recorded settles once its record is on disk (true) or was refused
   */
  take(key: string, digest: () => string, expected: boolean, recorded: Promise<boolean>): Taken {
    let call = this.#calls.get(key)
    if (call === undefined) {
      if (!expected) return { kind: 'logs', logs: [], bytes: 0, open: null }
      call = { pieces: new Map(), span: null, open: null, at: performance.now() }
      if (!this.#full) this.#calls.set(key, call)
    }
    const own = digest()
    if (call.span?.digest === own) return { kind: 'known', recorded: call.span.recorded }
    const pieces = [...call.pieces.values()].filter((piece) => piece !== null)
    const { open } = call
    call.span = { digest: own, recorded }
    call.open = null
    this.#write(call, pieces, recorded)
    void recorded.then((done) => {
      if (done) return
      if (call.span?.recorded === recorded) call.span = null
      call.open ??= open
    })
    this.#wake('span', key)
    return { kind: 'logs', logs: pieces.map(({ log }) => log), bytes: pieces.reduce((sum, one) => sum + one.bytes, 0), open }
  }

  /** Log records are recorded without their span. @param recorded settles once that is on disk (true) or was refused */
  write(key: string, pieces: readonly Piece[], recorded: Promise<boolean>): void {
    const call = this.#calls.get(key)
    if (call === undefined) for (const piece of pieces) piece.written ??= recorded
    else this.#write(call, pieces, recorded)
  }

  #write(call: Call, pieces: readonly Piece[], recorded: Promise<boolean>): void {
    for (const piece of pieces) piece.written ??= recorded
    void recorded.then((done) => {
      for (const piece of pieces) {
        // What its span needs no more is only known by its digest from then on.
        if (done && call.span !== null) this.#drop(call, piece)
        else if (!done && piece.written === recorded) piece.written = null
      }
    })
  }

  /** Whether these log records may open their call: none of it is on record yet, and its span may still come. */
  mayOpen(key: string, pieces: readonly Piece[]): boolean {
    const call = this.#calls.get(key)
    return call !== undefined && call.span === null && call.open === null && pieces.every((one) => call.pieces.get(one.digest) === one)
  }

  /** The call is open from now on. */
  open(key: string, open: OpenCall): void {
    const call = this.#calls.get(key)
    if (call === undefined) return
    call.open = open
    void open.request.then((seq) => {
      if (seq === null && call.open === open) call.open = null
    })
    this.#touch(key, call)
    this.#timer ??= setInterval(() => this.#sweep(), Math.min(SWEEP_MS, this.#limits.openMs)).unref()
  }

  /** Whether content of the call is here. */
  has(key: string): boolean {
    return (this.#calls.get(key)?.pieces.size ?? 0) > 0
  }

  /** Whether this application has lately sent content as log records. */
  expects(source: string): boolean {
    return performance.now() - (this.#sources.get(source) ?? Number.NEGATIVE_INFINITY) < this.#limits.rememberMs
  }

  /** Resolves when log records of one of these calls have come, at the latest at this time. */
  content(keys: readonly string[], end: number): Promise<void> {
    return this.#until('content', new Set(keys), end)
  }

  /** Resolves when the span of each of these calls has come or is waited for no more, at the latest at this time. */
  spans(keys: Iterable<string>, end: number): Promise<void> {
    const left = new Set<string>()
    for (const key of keys) if (this.#calls.get(key)?.span === null) left.add(key)
    return left.size === 0 ? Promise.resolve() : this.#until('span', left, end)
  }

  /** Nothing is waited for any more. Open calls stay so: they end when the engine is started again. */
  close(): void {
    this.#closed = true
    clearInterval(this.#timer)
    for (const { resolve } of [...this.#waits]) resolve()
  }

  get closed(): boolean {
    return this.#closed
  }

  #until(what: Wait['what'], keys: Set<string>, end: number): Promise<void> {
    if (this.#closed) return Promise.resolve()
    return new Promise((done) => {
      const resolve = (): void => {
        clearTimeout(timer)
        this.#waits.delete(wait)
        done()
      }
      const timer = setTimeout(resolve, Math.max(0, end - performance.now()))
      const wait: Wait = { what, keys, resolve }
      this.#waits.add(wait)
    })
  }

  #wake(what: Wait['what'], key: string): void {
    for (const wait of [...this.#waits])
      if (wait.what === what && wait.keys.delete(key) && (what === 'content' || wait.keys.size === 0)) wait.resolve()
  }

  #touch(key: string, call: Call): void {
    call.at = performance.now()
    this.#calls.delete(key)
    this.#calls.set(key, call)
  }

  /** Its content is on disk for good: only that it was here is kept. */
  #drop(call: Call, piece: Piece): void {
    if (call.pieces.get(piece.digest) !== piece) return
    call.pieces.set(piece.digest, null)
    this.#bytes -= piece.bytes
  }

  get #full(): boolean {
    const { most, bytes } = this.#limits
    return this.#pieces >= most || this.#calls.size >= most || this.#bytes >= bytes
  }

  /** Oldest first, which is the order of the map; never what a request is still held for. */
  #forget(now: number): void {
    for (const [key, call] of this.#calls) {
      if (!this.#full && now - call.at < this.#limits.rememberMs) return
      for (const piece of call.pieces.values()) if (piece?.written === null) return
      this.#calls.delete(key)
      this.#pieces -= call.pieces.size
      for (const piece of call.pieces.values()) this.#bytes -= piece?.bytes ?? 0
      this.#giveUp(key, call)
    }
  }

  #sweep(): void {
    const now = performance.now()
    this.#forget(now)
    let open = 0
    for (const [key, call] of this.#calls) {
      if (call.open === null) continue
      if (now - call.at < this.#limits.openMs) open++
      else this.#giveUp(key, call)
    }
    if (open > 0) return
    clearInterval(this.#timer)
    this.#timer = undefined
  }

  #giveUp(key: string, call: Call): void {
    const { open } = call
    if (open === null) return
    call.open = null
    const pieces = [...call.pieces.values()].filter((piece) => piece !== null)
    this.#end(
      key,
      open,
      pieces.map(({ log }) => log),
      pieces.reduce((sum, one) => sum + one.bytes, 0)
    )
  }
}
