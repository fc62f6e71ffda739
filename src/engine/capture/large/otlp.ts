// SPDX-License-Identifier: Apache-2.0
// Large spans and log records of OTLP, from their bytes to the leaf: in the thread of tasks.ts.
import { createHash } from 'node:crypto'
import { hasContent } from '../../../shared/event/otlp/content.ts'
import {
  addLogs,
  type CallLog,
  type CallSpan,
  callLogOf,
  callOf,
  callOfLogs,
  eventOfCall,
  type NotTaken,
  type Origin
} from '../../../shared/event/otlp/map.ts'
import { OtlpError } from '../../../shared/event/otlp/message.ts'
import { protobufEncoding } from '../../../shared/event/otlp/protobuf.ts'
import type { Actor } from '../../ledger/draft.ts'
import type { IncomingEvent } from '../ingest.ts'
import { type Piece, pieceOf } from '../otlp/join.ts'
import { jsonItems } from '../otlp/json-groups.ts'
import { type Drafted, type DraftRules, drafted } from './drafted.ts'

/** One span or log record in the bytes of its form. */
export interface OtlpItem {
  readonly item: Uint8Array
  readonly form: 'protobuf' | 'json'
}

/** What is known of a span before it is laid out. */
export interface SpanLook {
  readonly key: string
  readonly source: string | undefined
  readonly inference: boolean
  /** Whether it says itself what was asked and answered. */
  readonly content: boolean
  /** Names what it says without its log records. */
  readonly digest: string
}

export interface CallTask {
  /** The span, read or not, or what names log records that have none. */
  readonly of:
    | CallSpan
    | (OtlpItem & { readonly from: Origin })
    | { readonly key: string; readonly delivery: string; readonly from: Origin }
  readonly logs: readonly CallLog[]
  readonly call: IncomingEvent['call']
  readonly receivedUs: number
  readonly source: string
  readonly actor: Actor
  readonly rules: DraftRules
}

export const digestOf = ({ raw, content }: CallSpan): string =>
  createHash('sha256')
    .update(JSON.stringify([raw, content]))
    .digest('base64url')
    .slice(0, 22)

const encodingOf = (form: OtlpItem['form']) => (form === 'json' ? jsonItems : protobufEncoding)
const bufferOf = ({ buffer, byteOffset, byteLength }: Uint8Array): Buffer => Buffer.from(buffer, byteOffset, byteLength)

/** What `read` gives; `undecodable` for what is no OTLP. */
function orUndecodable<T>(read: () => T): T | 'undecodable' {
  try {
    return read()
  } catch (error) {
    if (error instanceof OtlpError) return 'undecodable'
    throw error
  }
}

const spanOf = ({ item, form, from }: OtlpItem & { readonly from: Origin }): CallSpan | NotTaken | undefined =>
  callOf(encodingOf(form).span(bufferOf(item)), from)

/** Null: a span that is no call of a model. */
export const otlpSpan = (of: OtlpItem & { readonly from: Origin }): SpanLook | NotTaken | null | 'undecodable' =>
  orUndecodable(() => {
    const call = spanOf(of)
    if (typeof call !== 'object') return call ?? null
    const { key, raw, content } = call
    const source = typeof raw.source === 'string' ? raw.source : undefined
    return { key, source, inference: raw.span_role === 'inference', content: hasContent(content), digest: digestOf(call) }
  })

/** A log record of a call, ready to be joined. */
export interface LogLook {
  readonly key: string
  readonly piece: Piece
}

/** Null: a log record without content of a call. What its members hold comes as JSON texts: a tree of a million would be handed over for seconds. */
export const otlpLog = ({ item, form, from }: OtlpItem & { readonly from: Origin }): LogLook | NotTaken | null | 'undecodable' =>
  orUndecodable(() => {
    const log = callLogOf(encodingOf(form).log(bufferOf(item)), from)
    if (typeof log !== 'object') return log ?? null
    const fields = Object.entries(log.fields)
      .slice(0, MOST_FIELDS)
      .map(([name, value]) => [name, typeof value === 'object' && value !== null ? JSON.stringify(value) : value])
    return { key: log.key, piece: pieceOf({ ...log, fields: Object.fromEntries(fields) }) }
  })

/** Members of a large log record, at most; its content is in few of them. */
const MOST_FIELDS = 1_000

/** The leaf of a call, with its log records. */
export const otlpCall = ({ of, logs, call: two, receivedUs, source, actor, rules }: CallTask): Drafted =>
  drafted(
    () => {
      const call = 'item' in of ? spanOf(of) : 'delivery' in of ? callOfLogs(of.key, of.delivery, logs, of.from) : of
      if (typeof call !== 'object') return { ok: false, code: 'not_an_object', message: 'no call of a model' }
      if (!('delivery' in of)) addLogs(call, logs)
      return eventOfCall(call, receivedUs, source)
    },
    { line: 0, call: two, channel: 'otlp', actor, rules }
  )
