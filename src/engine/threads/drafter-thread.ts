// SPDX-License-Identifier: Apache-2.0
// Reads large bodies and makes leaves of them. Holds nothing and opens no file.
import { parentPort } from 'node:worker_threads'
import { type DraftTaskName, type DraftTasks, draftTasks } from '../capture/large/tasks.ts'

/** Engine → drafter. */
export type DraftRequest = {
  readonly [K in DraftTaskName]: { readonly id: number; readonly task: K; readonly args: Parameters<DraftTasks[K]>[0] }
}[DraftTaskName]

/** Drafter → engine. */
export type DraftReply =
  | { readonly id: number; readonly ok: true; readonly value: Awaited<ReturnType<DraftTasks[DraftTaskName]>> }
  | { readonly id: number; readonly ok: false }

const port = parentPort
if (!port) throw new Error('a drafter runs in a worker thread')

/** The bytes of parts go over as they are. */
function transferOf(value: unknown): ArrayBuffer[] {
  if (typeof value !== 'object' || value === null || !('draft' in value)) return []
  const { parts } = (value as { readonly draft: { readonly parts: readonly { readonly data: Uint8Array }[] } }).draft
  return parts.flatMap(({ data }) =>
    data.buffer instanceof ArrayBuffer && data.byteLength === data.buffer.byteLength ? [data.buffer] : []
  )
}

port.on('message', ({ id, task, args }: DraftRequest) => {
  try {
    const value = draftTasks[task](args as never)
    port.postMessage({ id, ok: true, value } satisfies DraftReply, transferOf(value))
  } catch {
    port.postMessage({ id, ok: false } satisfies DraftReply)
  }
})
