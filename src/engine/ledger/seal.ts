// SPDX-License-Identifier: Apache-2.0
import type { RandomPool } from '../crypto.ts'
import type { OpenPart } from '../vault/payload.ts'
import { type SealedContent, sealContent } from '../vault/seal-content.ts'
import type { LeafDraft } from './draft.ts'

/** A leaf ready to be written. `ct` is absent when the draft had no parts. */
export interface SealedLeaf {
  readonly seq: number
  readonly id: string
  readonly bytes: Buffer
  readonly key: Buffer
  readonly ct: Buffer | undefined
  readonly parts: readonly OpenPart[]
}

export interface SealContext {
  readonly random: RandomPool
  readonly appVersion: string
  readonly sample: boolean
}

/** The smallest power of two that holds `bytes`, 0 for nothing: enough to plan with, too coarse to recognise a text. */
export const sizeBucket = (bytes: number): number => (bytes <= 1 ? bytes : 2 ** Math.ceil(Math.log2(bytes)))

const HEX = Array.from({ length: 256 }, (_, i) => i.toString(16).padStart(2, '0'))

/** UUIDv7 (RFC 9562 5.7) of a time in milliseconds. */
export function uuidV7(ms: number, random: RandomPool): string {
  const b = random.take(10)
  const at = (i: number): number => b[i] ?? 0
  const hex = (i: number): string => HEX[at(i)] ?? '00'
  const time = ms.toString(16).padStart(12, '0')
  const version = (0x7000 | ((at(0) & 0x0f) << 8) | at(1)).toString(16)
  const variant = (0x8000 | ((at(2) & 0x3f) << 8) | at(3)).toString(16)
  return `${time.slice(0, 8)}-${time.slice(8)}-${version}-${variant}-${hex(4)}${hex(5)}${hex(6)}${hex(7)}${hex(8)}${hex(9)}`
}

/** Copies a JSON value with object keys in RFC 8785 order, so that JSON.stringify writes its canonical form. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted)
  if (typeof value !== 'object' || value === null) return value
  const entries = Object.entries(value).filter(([, v]) => v !== undefined)
  entries.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
  return Object.fromEntries(entries.map(([k, v]) => [k, sorted(v)]))
}

/**
 * Writes the leaf of a draft whose content is sealed. The object literal below is in RFC 8785 key order and holds only strings, booleans and
 * safe integers, so JSON.stringify gives its canonical bytes (a test compares with jcs.ts); `undefined` members are left out by JSON.stringify.
 * @param content the sealed parts of this very draft; sealed here when absent
 */
export function sealLeaf(
  draft: LeafDraft,
  seq: number,
  nowMs: number,
  context: SealContext,
  content: SealedContent = sealContent(draft.parts, context.random)
): SealedLeaf {
  const parts = draft.parts.map((part, i) => ({
    alg: 'SHA-256',
    commit: content.commitments[i],
    media: part.media,
    name: part.name,
    size_bucket: sizeBucket(part.data.length)
  }))
  const id = uuidV7(nowMs, context.random)
  const { metrics, model } = draft
  const text = JSON.stringify({
    actor: { kind: draft.actor.kind, ref: draft.actor.ref },
    app: { version: context.appVersion },
    channel: draft.channel,
    class: draft.class,
    ct_sha256: content.ctSha256,
    data: draft.data && sorted(draft.data),
    id,
    links: draft.links,
    metrics: metrics && {
      input_tokens: metrics.input_tokens,
      latency_us: metrics.latency_us,
      output_tokens: metrics.output_tokens,
      ttft_us: metrics.ttft_us
    },
    model: model && { digest: model.digest, requested: model.requested, served: model.served },
    operation: draft.operation,
    parts: parts.length > 0 ? parts : undefined,
    provider: draft.provider,
    sample: context.sample ? true : undefined,
    seq,
    source: draft.source,
    span_role: draft.span_role,
    start_us: draft.start_us,
    status: draft.status,
    ts: new Date(nowMs).toISOString(),
    type: draft.type,
    v: 1
  })
  return { seq, id, bytes: Buffer.from(text, 'utf8'), key: content.key, ct: content.ct, parts: content.parts }
}
