// SPDX-License-Identifier: Apache-2.0
import type { RecordRow } from '../../shared/contract/record.ts'
import { lastCheckpoint } from '../ledger/store.ts'
import type { AnyDb } from '../sqlite/open.ts'

/** A row of the table `record`. */
export interface StoredRecord {
  readonly rid: number
  readonly seq: number
  readonly id: string
  readonly time_us: number
  readonly appended_us: number
  readonly channel: string
  readonly operation: string
  readonly provider: string
  readonly model: string
  readonly served: string | null
  readonly source: string
  readonly status: RecordRow['status']
  readonly http_status: number | null
  readonly error_type: string | null
  readonly finish: string | null
  readonly latency_us: number | null
  readonly ttft_us: number | null
  readonly input_tokens: number | null
  readonly output_tokens: number | null
  readonly response_chars: number | null
  readonly conversation: string | null
  readonly preview: string
  readonly sample: number
  readonly restricted: number
  readonly erased: number
}

/** ISO 8601 UTC of microseconds, whole milliseconds. */
export const isoMs = (micros: number): string => new Date(Math.floor(micros / 1000)).toISOString()

/** Leaves covered by the last checkpoint. */
export const sealedSize = (ledger: AnyDb): number => lastCheckpoint(ledger)?.size ?? 0

const millis = (micros: number | null): number | null => (micros === null ? null : micros / 1000)

/** A stored record as the contract shows it. */
export function toRow(record: StoredRecord, sealed: number): RecordRow {
  return {
    id: record.id,
    seq: record.seq,
    timestamp: isoMs(record.time_us),
    appended: isoMs(record.appended_us),
    channel: record.channel,
    operation: record.operation,
    provider: record.provider,
    model: record.model,
    served_model: record.served,
    source: record.source,
    status: record.status,
    http_status: record.http_status,
    error_type: record.error_type,
    finish: record.finish,
    processing_time_ms: millis(record.latency_us),
    ttft_ms: millis(record.ttft_us),
    input_tokens: record.input_tokens,
    output_tokens: record.output_tokens,
    response_chars: record.response_chars,
    conversation: record.conversation,
    preview: record.restricted === 0 ? record.preview : '',
    restricted: record.restricted !== 0,
    erased: record.erased !== 0,
    sample: record.sample === 1,
    sealed: record.seq < sealed
  }
}
