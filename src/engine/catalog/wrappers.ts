// SPDX-License-Identifier: Apache-2.0
// Wrappers: spans of programs around calls. No records of their own, but what they hold may name a person.
import type { Leaf } from '../../shared/evidence/leaf.ts'
import type { AnyDb } from '../sqlite/open.ts'
import type { StoredRecord } from './rows.ts'

/** A wrapper in the form of a record, from its leaf: without a preview, since nothing of what was said is kept with it. Undefined for any other leaf. */
export function storedWrapper(catalog: AnyDb, ledger: AnyDb, seq: number): StoredRecord | undefined {
  const row = catalog
    .prepare<[number], Pick<StoredRecord, 'source' | 'time_us' | 'appended_us' | 'conversation' | 'restricted' | 'erased'>>(
      'SELECT source, time_us, appended_us, conversation, restricted, erased FROM aside WHERE seq = ? AND wrapper = 1'
    )
    .get(seq)
  const bytes = row && ledger.prepare<[number], Buffer>('SELECT bytes FROM leaf WHERE seq = ?').pluck().get(seq)
  if (!bytes) return undefined
  const { id, channel, operation, provider, model, status, metrics, sample } = JSON.parse(bytes.toString('utf8')) as Leaf
  return {
    ...row,
    rid: 0,
    seq,
    id,
    channel: channel ?? 'unknown',
    operation: operation ?? 'unknown',
    provider: provider ?? 'unknown',
    model: model?.requested ?? 'unknown',
    served: model?.served ?? null,
    status: status ?? 'incomplete',
    http_status: null,
    error_type: null,
    finish: null,
    latency_us: metrics?.latency_us ?? null,
    ttft_us: metrics?.ttft_us ?? null,
    input_tokens: metrics?.input_tokens ?? null,
    output_tokens: metrics?.output_tokens ?? null,
    response_chars: null,
    preview: '',
    sample: sample ? 1 : 0
  }
}

/** Those of some leaves that are wrappers. */
export function wrappersAmong(catalog: AnyDb, seqs: readonly number[]): number[] {
  const is = catalog.prepare<[number], number>('SELECT 1 FROM aside WHERE seq = ? AND wrapper = 1').pluck()
  return seqs.filter((seq) => is.get(seq) !== undefined)
}
