// SPDX-License-Identifier: Apache-2.0
import type { PrivacySettings } from '../../shared/contract/privacy.ts'
import type { Message, RecordDetail } from '../../shared/contract/record.ts'
import type { Leaf } from '../../shared/evidence/leaf.ts'
import { placeOf } from '../../shared/place/place.ts'
import { costOfCall } from '../../shared/price/cost.ts'
import { priceTable } from '../prices/listing.ts'
import { maskDetail } from '../privacy/masked-detail.ts'
import type { AnyDb } from '../sqlite/open.ts'
import type { PayloadReader } from '../vault/payload-reader.ts'
import { correctionsOf, reviewsOf } from './notes-on-records.ts'
import { erasureLeaves } from './record-life.ts'
import { type StoredRecord, sealedSize, toRow } from './rows.ts'
import { storedWrapper } from './wrappers.ts'

/**
 * One record with its conversation, decrypted now and masked by the settings, clear where these are null; undefined when the leaf is no record.
 * @param wrappers a span around calls is shown as well
 */
export function recordDetail(
  catalog: AnyDb,
  ledger: AnyDb,
  payloads: PayloadReader,
  seq: number,
  privacy: PrivacySettings | null,
  wrappers = false
): Omit<RecordDetail, 'view_seq'> | undefined {
  const record =
    catalog.prepare<[number], StoredRecord>('SELECT * FROM record WHERE seq = ?').get(seq) ??
    (wrappers ? storedWrapper(catalog, ledger, seq) : undefined)
  const bytes = ledger.prepare<[number], Buffer>('SELECT bytes FROM leaf WHERE seq = ?').pluck().get(seq)
  if (!record || !bytes) return undefined
  const json = bytes.toString('utf8')
  const leaf = JSON.parse(json) as Pick<Leaf, 'type' | 'class' | 'actor' | 'parts'>
  const payload = payloads.open(seq)
  const text = new Map(payload.state === 'present' ? payload.parts.map((part) => [part.name, Buffer.from(part.data).toString('utf8')]) : [])
  const absent = (leaf.parts ?? []).map((part) => part.name).filter((name) => !text.has(name))
  const decoded = (name: string): { readonly messages?: Message[]; readonly tools?: unknown } => {
    const part = text.get(name)
    return part === undefined ? {} : (JSON.parse(part) as { messages?: Message[] })
  }
  const request = decoded('request')
  const sealed = text.get('event')
  const event = sealed === undefined ? {} : (JSON.parse(sealed) as Record<string, unknown>)
  const row = toRow(record, sealedSize(ledger))
  const clear: Omit<RecordDetail, 'view_seq'> = {
    row,
    payload: payload.state === 'present' || payload.state === 'none' ? 'present' : payload.state,
    withheld: payload.state === 'erased' || payload.state === 'missing' ? [] : absent,
    input_messages: request.messages ?? [],
    output_messages: decoded('response').messages ?? [],
    ...(request.tools === undefined ? {} : { tools: request.tools }),
    error: text.get('error') ?? null,
    place: placeOf(event),
    cost: costOfCall(priceTable(catalog), {
      provider: row.provider,
      model: row.model,
      served: row.served_model,
      input_tokens: row.input_tokens,
      output_tokens: row.output_tokens,
      day: row.timestamp.slice(0, 10),
      event: sealed === undefined ? null : event
    }),
    event,
    masked: { total: 0, kinds: {} },
    erased_by: erasureLeaves(catalog, seq),
    reviews: reviewsOf(catalog, payloads, seq),
    corrections: correctionsOf(catalog, payloads, seq),
    leaf: { seq, type: leaf.type, json, actor: leaf.actor.ref, class: leaf.class ?? null }
  }
  return privacy ? maskDetail(clear, privacy) : clear
}
