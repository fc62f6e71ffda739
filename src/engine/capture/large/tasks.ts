// SPDX-License-Identifier: Apache-2.0
// What is done with a large body, from its bytes to the leaf: in a thread of its own, since the writer's must not be held for that long.
import { normaliseIngest } from '../../../shared/event/ingest.ts'
import type { Actor } from '../../ledger/draft.ts'
import { MALFORMED, parseJson } from '../http/body.ts'
import { type Drafted, type DraftRules, drafted } from './drafted.ts'
import { otlpCall, otlpLog, otlpSpan } from './otlp.ts'

export interface EventTask {
  /** JSON in UTF-8. */
  readonly bytes: Uint8Array
  readonly line: number
  readonly receivedUs: number
  /** For an event that names none itself. */
  readonly source: string
  readonly actor: Actor
  readonly rules: DraftRules
}

/** An event of the HTTP ingest. */
const event = ({ bytes, line, receivedUs, source, actor, rules }: EventTask): Drafted =>
  drafted(
    () => {
      const value = parseJson(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength))
      return value === MALFORMED ? null : normaliseIngest(value, { receivedUs, channel: 'http', defaultSource: source })
    },
    { line, channel: 'http', actor, rules }
  )

/** Everything that the thread is asked for, by name. */
export const draftTasks = { event, otlpSpan, otlpLog, otlpCall } as const

export type DraftTasks = typeof draftTasks
export type DraftTaskName = keyof DraftTasks

/** The thread, as those who read bodies know it. */
export interface Large {
  run<K extends DraftTaskName>(task: K, args: Parameters<DraftTasks[K]>[0]): Promise<Awaited<ReturnType<DraftTasks[K]>>>
  /** The settings in force. */
  rules(): DraftRules
}
