// SPDX-License-Identifier: Apache-2.0
import { statSync } from 'node:fs'
import { Worker } from 'node:worker_threads'
import { AffidavitError } from '../../../shared/contract/errors.ts'
import { NotThisForm } from './line-reader.ts'
import type { ParquetPiece } from './parquet-file.ts'
import type { FileRow, RowOptions } from './rows.ts'

/** Thread → reader. */
export type ParquetMessage =
  | { readonly kind: 'piece'; readonly piece: ParquetPiece }
  | { readonly kind: 'end' }
  | { readonly kind: 'refused'; readonly code: 'not_this_format' | 'too_large'; readonly message: string }

/** Heap of the thread: a page of a few bytes may claim millions of values. */
const HEAP_MB = 1_024
/** Longer than this for one piece is no work but a trap. */
const PATIENCE_MS = 120_000

/** The entry: in the sources when these run directly, else in the flat folder of the build. */
const entry = (): URL =>
  new URL(import.meta.url.endsWith('.ts') ? '../../threads/parquet-thread.ts' : './parquet-thread.js', import.meta.url)

function ask(worker: Worker, signal: AbortSignal | undefined): Promise<ParquetMessage> {
  return new Promise((resolve, reject) => {
    const settle = (end: () => void) => {
      clearTimeout(timer)
      worker.off('message', answered).off('error', failed).off('exit', exited)
      signal?.removeEventListener('abort', aborted)
      end()
    }
    const refuse = (code: 'cancelled' | 'too_large' | 'not_this_format', message: string) =>
      settle(() => reject(new AffidavitError(code, message)))
    const answered = (message: ParquetMessage) => settle(() => resolve(message))
    const failed = (error: NodeJS.ErrnoException) =>
      error.code === 'ERR_WORKER_OUT_OF_MEMORY'
        ? refuse('too_large', 'the Parquet file needs too much memory: write smaller row groups')
        : exited()
    const exited = () => refuse('not_this_format', 'the Parquet file cannot be decoded')
    const aborted = () => refuse('cancelled', 'cancelled')
    const timer = setTimeout(() => refuse('too_large', 'the Parquet file took too long to decode'), PATIENCE_MS)
    signal?.addEventListener('abort', aborted)
    worker.on('message', answered).on('error', failed).on('exit', exited)
    worker.postMessage('next')
    if (signal?.aborted) aborted()
  })
}

/**
 * The rows of a Parquet file; `line` counts them from 1.
 * @throws NotThisForm the columns are refused; AffidavitError not_this_format: damaged; too_large; cancelled
 */
export async function* parquetRows(path: string, { header, signal, span }: RowOptions): AsyncGenerator<FileRow> {
  const size = span?.bytes ?? statSync(path).size
  const worker = new Worker(entry(), { workerData: { path, size }, name: 'parquet', resourceLimits: { maxOldGenerationSizeMb: HEAP_MB } })
  let line = 0
  let shown = false
  // The next piece is decoded while this one is mapped.
  let next = ask(worker, signal)
  try {
    for (;;) {
      const message = await next
      if (message.kind === 'refused') throw new AffidavitError(message.code, message.message)
      if (message.kind === 'end') return
      const { names, rows, share } = message.piece
      if (!shown && header && header(names) === undefined) throw new NotThisForm()
      shown = true
      next = ask(worker, signal)
      const read = Math.floor(size * share)
      for (const value of rows) {
        line++
        yield value === null
          ? { line, read, ok: false, code: 'line_too_long', message: 'the row is longer than 10 MiB' }
          : { line, read, ok: true, value }
      }
    }
  } finally {
    next.catch(() => {})
    worker.on('error', () => {})
    await worker.terminate()
  }
}
