// SPDX-License-Identifier: Apache-2.0
import { z } from 'zod'
import { leafDataOf } from './leaf-data.ts'
import { leafTypes, recordStatuses } from './leaf-types.ts'

/** Largest leaf in bytes. A leaf is hashed and stored as these exact bytes. */
export const MAX_LEAF_BYTES = 65_535

const count = z.int().min(0)
const hash64 = z.string().length(44)
const label = z
  .string()
  .min(1)
  .max(128)
  .regex(/^[A-Za-z0-9._:/-]+$/)

/** Names of parts (EVIDENCE, Parts): a closed list. */
export const partName = z.string().regex(/^(event|request|response|error|body|attachment\.\d{1,4}|scope\.\d{1,9})$/)

/** One committed part: the leaf holds its commitment, the payload holds its opening and its bytes. */
export const leafPart = z.strictObject({
  name: partName,
  alg: z.literal('SHA-256'),
  commit: hash64,
  size_bucket: count,
  media: z.string().min(1).max(64)
})
export type LeafPart = z.infer<typeof leafPart>

/** Version 1 of the leaf. Unknown values are absent; there are no nulls, no fractions, no personal data and no client free text. */
export const leafSchema = z.strictObject({
  v: z.literal(1),
  seq: count,
  id: z.uuid(),
  ts: z.iso.datetime({ precision: 3 }),
  type: z.enum(leafTypes),
  actor: z.strictObject({ ref: label, kind: z.enum(['human', 'service', 'model', 'system']) }),
  channel: z.enum(['proxy', 'http', 'otlp', 'kafka', 'file']).optional(),
  source: label.optional(),
  span_role: z.enum(['inference', 'wrapper']).optional(),
  class: z.string().min(1).max(64).optional(),
  operation: label.optional(),
  provider: label.optional(),
  model: z.strictObject({ requested: label.optional(), served: label.optional(), digest: label.optional() }).optional(),
  start_us: z.int().optional(),
  status: z.enum(recordStatuses).optional(),
  metrics: z
    .strictObject({
      latency_us: count.optional(),
      ttft_us: count.optional(),
      input_tokens: count.optional(),
      output_tokens: count.optional()
    })
    .optional(),
  parts: z.array(leafPart).max(512).optional(),
  ct_sha256: hash64.optional(),
  links: z.strictObject({ request: count }).optional(),
  data: z.record(z.string(), z.unknown()).optional(),
  app: z.strictObject({ version: z.string().min(1).max(32) }),
  sample: z.literal(true).optional()
})
export type Leaf = z.infer<typeof leafSchema>

/** Whether a leaf counts as a record: a call to a model at its first leaf, not the span of a program around it. */
export const beginsRecord = ({ type, span_role }: Pick<Leaf, 'type' | 'span_role'>): boolean =>
  (type === 'llm.recorded' || type === 'llm.request') && span_role !== 'wrapper'

export type LeafProblem = {
  readonly code: 'leaf_not_json' | 'leaf_not_canonical' | 'leaf_too_large' | 'leaf_schema'
  readonly message: string
}

/**
 * Reads the exact bytes of a leaf. Refuses what is not the RFC 8785 form of a known leaf, so that two readers
 * can never see two meanings in the same bytes.
 * @param canonical the RFC 8785 serialiser, see jcs.ts
 */
export function parseLeaf(
  text: string,
  canonical: (value: never) => string
): { readonly ok: true; readonly leaf: Leaf } | { readonly ok: false; readonly problem: LeafProblem } {
  if (text.length > MAX_LEAF_BYTES)
    return { ok: false, problem: { code: 'leaf_too_large', message: `longer than ${MAX_LEAF_BYTES} bytes` } }
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return { ok: false, problem: { code: 'leaf_not_json', message: 'not JSON' } }
  }
  const parsed = leafSchema.safeParse(value)
  if (!parsed.success) {
    const first = parsed.error.issues[0]
    return { ok: false, problem: { code: 'leaf_schema', message: `${first?.path.join('.') ?? ''}: ${first?.code ?? 'invalid'}` } }
  }
  const schema = leafDataOf(parsed.data.type)
  if (schema && !schema.safeParse(parsed.data.data).success) {
    return { ok: false, problem: { code: 'leaf_schema', message: `data: not that of ${parsed.data.type}` } }
  }
  if (canonical(value as never) !== text) return { ok: false, problem: { code: 'leaf_not_canonical', message: 'not in RFC 8785 form' } }
  return { ok: true, leaf: parsed.data }
}
