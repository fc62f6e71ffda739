// SPDX-License-Identifier: Apache-2.0
import { setImmediate as nextTurn } from 'node:timers/promises'
import { AffidavitError, type Failure } from '../../../shared/contract/errors.ts'
import type { Actor } from '../../ledger/draft.ts'
import type { DraftedEvent, IncomingEvent, LineResult } from '../ingest.ts'
import type { HttpDependencies } from './dependencies.ts'
import { refusals } from './errors.ts'
import type { ReadRecord } from './incoming.ts'
import type { HttpLimits } from './limits.ts'

/** Where the result of every record goes, in the order in which they are known. */
export interface ResultSink {
  take(results: readonly LineResult[]): void
}

/** What the records of one request have in common. */
export interface RequestOrigin {
  readonly actor: Actor
  /** For events that name no source themselves. */
  readonly source: string
}

/**
 * Feeds the records of one request to the ledger: batches of bounded count and bytes, a bounded number of them waiting for their
 * commit, and a turn of the event loop for others after each slice of parsing. A batch is handed over when it is full, and at once
 * when none is waiting: a slow feed is answered record by record, a fast one in large commits.
 */
export class Intake {
  readonly #append: HttpDependencies['ingest']['append']
  readonly #origin: RequestOrigin
  readonly #limits: HttpLimits
  readonly #sink: ResultSink
  #batch: (IncomingEvent | DraftedEvent)[] = []
  #bytes = 0
  #refused: LineResult[] = []
  #inFlight = 0
  #failure: Failure | null = null
  #stopped = false
  #wake: (() => void) | null = null
  #sliceStart = performance.now()
  #sinceLook = 0

  constructor(append: HttpDependencies['ingest']['append'], origin: RequestOrigin, limits: HttpLimits, sink: ResultSink) {
    this.#append = append
    this.#origin = origin
    this.#limits = limits
    this.#sink = sink
  }

  /** Set when the ledger refused a batch as a whole; nothing is taken from then on. */
  get failure(): Failure | null {
    return this.#failure
  }

  /** Takes one record. True when {@link settle} must be awaited before the next. */
  take(read: ReadRecord, bytes: number): boolean {
    if ('kind' in read) this.#refused.push(read)
    else {
      this.#batch.push(read)
      this.#bytes += bytes
    }
    return this.#mustSettle()
  }

  /** Notes a record that could not even be parsed. */
  refuse(line: number, code: string, message: string): boolean {
    this.#refused.push({ line, kind: 'rejected', code, message })
    return this.#mustSettle()
  }

  /** A record could not be read for a reason that is not its own: nothing is taken from now on. */
  fail(failure: Failure): true {
    this.#failure ??= failure
    return true
  }

  #mustSettle(): boolean {
    if (this.#batch.length >= this.#limits.batchLines || this.#bytes >= this.#limits.batchBytes || this.#refused.length >= 1000) return true
    if (++this.#sinceLook < 16) return false
    this.#sinceLook = 0
    return performance.now() - this.#sliceStart > this.#limits.sliceMs
  }

  /** Hands over what is full, waits for room, lets others run. */
  async settle(): Promise<void> {
    this.#report()
    if (this.#batch.length >= this.#limits.batchLines || this.#bytes >= this.#limits.batchBytes) {
      while (this.#inFlight >= this.#limits.batchesInFlight && this.#failure === null && !this.#stopped) await this.#event()
      this.#dispatch()
    }
    if (performance.now() - this.#sliceStart <= this.#limits.sliceMs) return
    await nextTurn()
    this.#sliceStart = performance.now()
  }

  /** Nothing more has arrived for now: what is there goes to the ledger unless a batch is on its way already. */
  idle(): void {
    this.#report()
    if (this.#inFlight === 0) this.#dispatch()
  }

  /** Resolves when every record taken has its result, or the ledger has refused. */
  async finish(): Promise<void> {
    this.#report()
    while (this.#inFlight >= this.#limits.batchesInFlight && this.#failure === null) await this.#event()
    this.#dispatch()
    while (this.#inFlight > 0) await this.#event()
  }

  /** The client has gone: what is not handed over yet is dropped. */
  async stop(): Promise<void> {
    this.#stopped = true
    this.#batch = []
    while (this.#inFlight > 0) await this.#event()
  }

  #report(): void {
    if (this.#refused.length === 0) return
    const refused = this.#refused
    this.#refused = []
    this.#sink.take(refused)
  }

  #dispatch(): void {
    if (this.#batch.length === 0 || this.#failure !== null || this.#stopped) return
    const batch = this.#batch
    this.#batch = []
    this.#bytes = 0
    this.#inFlight++
    this.#append(batch, { channel: 'http', actor: this.#origin.actor }).then(
      (results) => {
        this.#sink.take(results)
        this.#done()
      },
      (error: unknown) => {
        this.#failure ??= failureOf(error)
        this.#done()
      }
    )
  }

  #done(): void {
    this.#inFlight--
    if (this.#inFlight === 0) this.#dispatch()
    this.#wake?.()
  }

  #event(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = () => {
        this.#wake = null
        resolve()
      }
    })
  }
}

/** The failure that an exception stands for; anything that is not an AffidavitError is `internal` and says nothing of its text. */
export const failureOf = (error: unknown): Failure => (error instanceof AffidavitError ? error.toFailure() : refusals.internal)
