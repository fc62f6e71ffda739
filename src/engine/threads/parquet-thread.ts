// SPDX-License-Identifier: Apache-2.0
// Decodes one Parquet file, a piece for each time it is asked.
import { parentPort, workerData } from 'node:worker_threads'
import { ParquetRefused } from '../capture/imports/parquet-codecs.ts'
import { type ParquetPiece, parquetPieces } from '../capture/imports/parquet-file.ts'
import { MOST_VALUES } from '../capture/imports/parquet-pages.ts'
import type { ParquetMessage } from '../capture/imports/parquet-rows.ts'

// The decoder believes what a page says of itself: a run of a few bytes may stand for two billion values, and a list that outgrows the heap
// in one step ends the whole process, not the thread. So no list of this thread takes a value at this place or beyond.
Object.defineProperty(Array.prototype, MOST_VALUES, {
  set: () => {
    throw new ParquetRefused('too_large', 'the Parquet file has a page of more than four million values')
  }
})

const port = parentPort
if (!port) throw new Error('a reader of Parquet runs in a worker thread')
const answer = (message: ParquetMessage) => port.postMessage(message)
const { path, size } = workerData as { readonly path: string; readonly size: number }
const pieces: AsyncGenerator<ParquetPiece> = parquetPieces(path, size)

async function next(): Promise<void> {
  try {
    const { done, value } = await pieces.next()
    answer(done ? { kind: 'end' } : { kind: 'piece', piece: value })
  } catch (error) {
    const known = error instanceof ParquetRefused
    answer({
      kind: 'refused',
      code: known ? error.code : 'not_this_format',
      message: known ? error.message : 'the Parquet file is damaged'
    })
  }
}
port.on('message', () => void next())
