// SPDX-License-Identifier: Apache-2.0
import type { IncomingMessage } from 'node:http'
import type { CanonicalEvent, OpenEvent } from '../../../shared/event/canonical-event.ts'
import type { CallRecord } from './call-record.ts'
import type { Outcome, Watcher } from './pass-on.ts'

/** Where the two events of a call go. */
export interface Recorder {
  /** A request that could not be recorded is not forwarded, and no record of it follows. */
  readonly closed: boolean
  /** @param bytes how long the request is */
  open(bytes: number, event: OpenEvent): Promise<number | null>
  /** @param asked how long the request is; @param keptBytes how long the answer is; @param read makes the event of it */
  end(asked: number, keptBytes: number, read: () => Promise<CanonicalEvent>, request: number | null): Promise<void>
  digest(model: string | undefined): Promise<string | undefined>
  /** Something that was to be recorded could not be made into a leaf. */
  failed(): void
}

/** Follows a call from its arrival to its end and records both. */
export class Following implements Watcher {
  readonly #call: CallRecord
  readonly #recorder: Recorder
  #begun: Promise<number | null> | undefined
  #finish: () => void = () => {}
  /** Resolves when everything of the call is recorded, or lost. */
  readonly done = new Promise<void>((resolve) => {
    this.#finish = resolve
  })

  constructor(call: CallRecord, recorder: Recorder) {
    this.#call = call
    this.#recorder = recorder
  }

  /** Puts the request on record; true when it is on disk. */
  async begin(): Promise<boolean> {
    return (await this.#begin()) !== null
  }

  #begin(): Promise<number | null> {
    this.#begun ??= this.#call.opened().then(
      (event) => this.#recorder.open(this.#call.askedBytes, event),
      () => {
        this.#recorder.failed()
        return null
      }
    )
    return this.#begun
  }

  requestChunk(chunk: Buffer): void {
    this.#call.requestChunk(chunk)
  }

  requestEnd(): void {
    this.#call.requestEnd()
    if (!this.#recorder.closed) void this.#begin()
  }

  answer(response: IncomingMessage): void {
    this.#call.answer(response)
  }

  answerChunk(chunk: Buffer): void {
    this.#call.answerChunk(chunk)
  }

  over(outcome: Outcome): void {
    this.#call.over()
    void this.#end(outcome)
      .catch(() => this.#recorder.failed())
      .finally(() => this.#finish())
  }

  async #end(outcome: Outcome): Promise<void> {
    // Where nothing goes on unrecorded, a request that was refused left nothing behind, and none that broke off before it was asked for.
    if (outcome.kind === 'refused') return
    const request = await this.#begin()
    const read = () => this.#call.ended(outcome, (model) => this.#recorder.digest(model))
    await this.#recorder.end(this.#call.askedBytes, this.#call.keptBytes, read, request)
  }
}

/** Sees nothing: for calls that are none to a model. */
export const blind: Watcher = { requestChunk: () => {}, requestEnd: () => {}, answer: () => {}, answerChunk: () => {}, over: () => {} }
