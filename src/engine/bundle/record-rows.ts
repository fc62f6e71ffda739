// SPDX-License-Identifier: Apache-2.0
// The rows of records.csv and records.parquet.
import type { Leaf } from '../../shared/evidence/leaf.ts'
import { isoMs, type StoredRecord } from '../catalog/rows.ts'
import type { ParquetColumn } from './parquet.ts'

export const recordsHeader = [
  'seq',
  'id',
  'timestamp',
  'source',
  'provider',
  'model',
  'served_model',
  'operation',
  'status',
  'http_status',
  'processing_time_ms',
  'ttft_ms',
  'input_tokens',
  'output_tokens',
  'response_chars',
  'request'
]

/** The same columns in records.parquet. */
export const recordColumns: readonly ParquetColumn[] = recordsHeader.map((name) => ({
  name,
  type: /_ms$/.test(name) ? 'DOUBLE' : /^(seq|http_status|.*_tokens|.*_chars)$/.test(name) ? 'INT64' : 'STRING'
}))

/** One row of records.csv. @param withoutText leaves the beginning of the prompt out */
export const recordRowCells = (record: StoredRecord, withoutText: boolean): (string | number | null)[] => [
  record.seq,
  record.id,
  isoMs(record.time_us),
  record.source,
  record.provider,
  record.model,
  record.served,
  record.operation,
  record.status,
  record.http_status,
  record.latency_us === null ? null : record.latency_us / 1000,
  record.ttft_us === null ? null : record.ttft_us / 1000,
  record.input_tokens,
  record.output_tokens,
  record.response_chars,
  withoutText ? '' : record.preview
]

/**
 * A record as its leaf alone tells it: for a bundle that keeps the part `event` closed, which holds what the leaf must not say (a model or
 * source that is no plain name stands there as `other`).
 */
export const asInLeaf = (record: StoredRecord, leaf: Leaf): StoredRecord => ({
  ...record,
  provider: leaf.provider ?? 'unknown',
  model: leaf.model?.requested ?? 'unknown',
  served: leaf.model?.served ?? null,
  source: leaf.source ?? 'unknown',
  http_status: null,
  error_type: null,
  finish: null,
  response_chars: null,
  conversation: null
})
