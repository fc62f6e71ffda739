// SPDX-License-Identifier: Apache-2.0
import type { ServerResponse } from 'node:http'
import type { Failure } from '../../../shared/contract/errors.ts'
import type { LineError } from '../../../shared/contract/imports.ts'
import type { LineResult } from '../ingest.ts'
import { statusOf } from './errors.ts'
import type { HttpLimits } from './limits.ts'

/** Counts results and keeps the first rejected lines. */
export class Tally {
  readonly #listed: number
  accepted = 0
  duplicates = 0
  rejectedTotal = 0
  readonly rejected: LineError[] = []

  constructor(listed: number) {
    this.#listed = listed
  }

  take(results: readonly LineResult[]): void {
    for (const result of results) {
      if (result.kind === 'accepted') this.accepted++
      else if (result.kind === 'duplicate') this.duplicates++
      else {
        this.rejectedTotal++
        if (this.rejected.length < this.#listed) this.rejected.push({ line: result.line, code: result.code, message: result.message })
      }
    }
  }

  /** Whether any record was taken or known already. */
  get anyGood(): boolean {
    return this.accepted + this.duplicates > 0
  }

  /** `{accepted, duplicates, rejected, rejected_total}`; rejected lines in line order. */
  summary(): {
    readonly accepted: number
    readonly duplicates: number
    readonly rejected: readonly LineError[]
    readonly rejected_total: number
  } {
    const rejected = this.rejected.sort((a, b) => a.line - b.line)
    return { accepted: this.accepted, duplicates: this.duplicates, rejected, rejected_total: this.rejectedTotal }
  }
}

const HELD_LINES = 1000

/**
 * The streamed answer: one line per record after its commit, a summary at the end. The status is decided as late as possible: while
 * only rejected lines are known (at most 1,000) they are held back, so that a request without any good record still gets its 422.
 */
export class ResultStream {
  readonly #response: ServerResponse
  readonly #headers: Readonly<Record<string, string>>
  readonly #limits: HttpLimits
  readonly #tally: Tally
  #held = ''
  #heldLines = 0

  constructor(response: ServerResponse, headers: Readonly<Record<string, string>>, limits: HttpLimits, tally: Tally) {
    this.#response = response
    this.#headers = headers
    this.#limits = limits
    this.#tally = tally
  }

  take(results: readonly LineResult[]): void {
    this.#tally.take(results)
    let text = ''
    for (const result of results) text += `${JSON.stringify(lineOf(result))}\n`
    if (!this.#response.headersSent) {
      this.#held += text
      this.#heldLines += results.length
      if (!this.#tally.anyGood && this.#heldLines < HELD_LINES) return
      this.#begin(200)
      text = this.#held
      this.#held = ''
    }
    if (!this.#response.destroyed) this.#response.write(text)
  }

  /** Waits while the client does not read its results. False when it has not read for too long, or has gone. */
  async room(): Promise<boolean> {
    const response = this.#response
    if (response.destroyed) return false
    if (response.writableLength <= this.#limits.resultBytes) return true
    return waitForDrain(response, this.#limits.idleMs)
  }

  /** Ends the answer: `failure` when the request as a whole ended badly after some records. */
  end(failure: Failure | null): void {
    if (this.#response.destroyed) return
    if (!this.#response.headersSent) {
      this.#begin(failure === null ? 200 : statusOf(failure.code))
      if (this.#held !== '') this.#response.write(this.#held)
    }
    const { accepted, duplicates, rejected_total } = this.#tally.summary()
    const counts = { accepted, duplicates, rejected_total }
    this.#response.end(`${JSON.stringify(failure === null ? { summary: counts } : { summary: counts, error: failure })}\n`)
  }

  #begin(status: number): void {
    this.#response.writeHead(status, { ...this.#headers, 'content-type': 'application/x-ndjson' })
  }
}

function lineOf(result: LineResult): object {
  switch (result.kind) {
    case 'accepted':
      return { line: result.line, id: result.id, seq: result.seq }
    case 'duplicate':
      return { line: result.line, id: result.id, seq: result.seq, duplicate: true }
    case 'rejected':
      return { line: result.line, code: result.code, message: result.message }
  }
}

/** Resolves true when everything written has left, false when the other side has gone or takes nothing for the given time. */
export function waitForDrain(response: ServerResponse, withinMs: number): Promise<boolean> {
  if (response.destroyed) return Promise.resolve(false)
  if (!response.writableNeedDrain) return Promise.resolve(true)
  return new Promise((resolve) => {
    const finish = (drained: boolean): void => {
      clearTimeout(timer)
      response.off('drain', onDrain)
      response.off('close', onClose)
      resolve(drained)
    }
    const onDrain = (): void => finish(true)
    const onClose = (): void => finish(false)
    const timer = setTimeout(onClose, withinMs)
    response.on('drain', onDrain)
    response.on('close', onClose)
  })
}
