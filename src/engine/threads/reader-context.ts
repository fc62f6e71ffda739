// SPDX-License-Identifier: Apache-2.0
import type { ReadableDb } from '../sqlite/open.ts'
import type { PayloadReader } from '../vault/payload-reader.ts'

/** What a reader task works on: read-only connections of its own thread. */
export interface ReaderContext {
  readonly catalog: ReadableDb
  readonly ledger: ReadableDb
  readonly keys: ReadableDb
  readonly payloads: PayloadReader
  /** How an identifier stands in the subject index. */
  readonly subjectKey: (identifier: string) => Buffer
}

/** How a running task hears of a cancel and tells of its progress. */
export interface ReaderControl {
  cancelled(): boolean
  progress(done: number, total: number): void
  /** Sleeps, so that long work leaves the processor to others. */
  rest(ms: number): void
}

/** One task. `long` ones never take the reader that answers the screens. */
export interface ReaderTask<A, R> {
  readonly long?: boolean
  readonly run: (context: ReaderContext, args: A, control: ReaderControl) => R | Promise<R>
}

export const task = <A, R>(run: ReaderTask<A, R>['run']): ReaderTask<A, R> => ({ run })
export const longTask = <A, R>(run: ReaderTask<A, R>['run']): ReaderTask<A, R> => ({ long: true, run })
