// SPDX-License-Identifier: Apache-2.0
import type { PrivacySettings } from '../../shared/contract/privacy.ts'
import type { Message, RecordDetail } from '../../shared/contract/record.ts'
import { maskDetail } from '../privacy/masked-detail.ts'
import type { AnyDb } from '../sqlite/open.ts'
import type { PayloadReader } from '../vault/payload-reader.ts'
import { type StoredRecord, sealedSize, toRow } from './rows.ts'

/** One record with its conversation, decrypted now and masked by the settings, clear where these are null; undefined when the leaf is no record. */
export function recordDetail(
  catalog: AnyDb,
  ledger: AnyDb,
  payloads: PayloadReader,
  seq: number,
  privacy: PrivacySettings | null
): Omit<RecordDetail, 'view_seq'> | undefined {
  const record = catalog.prepare<[number], StoredRecord>('SELECT * FROM record WHERE seq = ?').get(seq)
  const bytes = ledger.prepare<[number], Buffer>('SELECT bytes FROM leaf WHERE seq = ?').pluck().get(seq)
  if (!record || !bytes) return undefined
  const json = bytes.toString('utf8')
  const leaf = JSON.parse(json) as { type: string; class?: string; actor: { ref: string } }
  const payload = payloads.open(seq)
  const text = new Map(payload.state === 'present' ? payload.parts.map((part) => [part.name, Buffer.from(part.data).toString('utf8')]) : [])
  const decoded = (name: string): { readonly messages?: Message[]; readonly tools?: unknown } => {
    const part = text.get(name)
    return part === undefined ? {} : (JSON.parse(part) as { messages?: Message[] })
  }
  const request = decoded('request')
  const event = text.get('event')
  const clear: Omit<RecordDetail, 'view_seq'> = {
    row: toRow(record, sealedSize(ledger)),
    payload: payload.state === 'present' || payload.state === 'none' ? 'present' : payload.state,
    input_messages: request.messages ?? [],
    output_messages: decoded('response').messages ?? [],
    ...(request.tools === undefined ? {} : { tools: request.tools }),
    error: text.get('error') ?? null,
    event: event === undefined ? {} : (JSON.parse(event) as Record<string, unknown>),
    masked: { total: 0, kinds: {} },
    leaf: { seq, type: leaf.type, json, actor: leaf.actor.ref, class: leaf.class ?? null }
  }
  return privacy ? maskDetail(clear, privacy) : clear
}
