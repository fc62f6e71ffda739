// SPDX-License-Identifier: Apache-2.0
// What was asked for, as the body of its `export.intent` keeps it: enough to do the same work again.
import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { z } from 'zod'
import type { ParsedInput } from '../../shared/contract/contract.ts'
import { type InterruptedExport, leafRange } from '../../shared/contract/exports.ts'
import { type JsonValue, jcs } from '../../shared/evidence/jcs.ts'
import { toRanges } from '../../shared/policy/ranges.ts'
import type { OpenExportIntent } from '../catalog/listings.ts'
import type { DraftPart } from '../ledger/draft.ts'
import type { AgeTarget } from './encrypt.ts'
import { readJournal } from './export-journal.ts'
import type { Selection } from './selection.ts'

const bodySchema = z.strictObject({
  query: z.string(),
  range: leafRange.optional(),
  recipient: z.string(),
  purpose: z.string(),
  withhold: z.array(z.enum(['request', 'response', 'error', 'event'])),
  withhold_reason: z.string().optional(),
  withhold_personal: z.boolean(),
  pdf: z.boolean(),
  parquet: z.boolean(),
  encrypt: z.union([z.enum(['none', 'passphrase']), z.strictObject({ recipient: z.string() })]),
  out: z.string(),
  replace: z.boolean()
})
/** An export that was asked for, without its passphrase. */
export type ExportRequest = z.infer<typeof bodySchema>

/** The part of the record of it. The passphrase is in none. */
export function requestOf(input: ParsedInput<'export.start'>, query: string): ExportRequest {
  const { range, recipient, purpose, withhold, withhold_reason, withhold_personal, pdf, parquet, encrypt, out, replace } = input
  return {
    query,
    ...(range === undefined ? {} : { range }),
    recipient,
    purpose,
    withhold,
    ...(withhold_reason === undefined ? {} : { withhold_reason }),
    withhold_personal,
    pdf,
    parquet,
    encrypt: encrypt === undefined ? 'none' : 'recipient' in encrypt ? encrypt : 'passphrase',
    out,
    replace
  }
}

/** The body of the intent: what was asked for, and which records that came to, so that whom to tell of them can be read from it for good. */
export const bodyPartOf = (request: ExportRequest, records: Iterable<number>): DraftPart => ({
  name: 'body',
  media: 'application/json',
  data: Buffer.from(jcs({ ...request, selected: toRanges(records) } as unknown as JsonValue), 'utf8')
})

/** To whom it is encrypted; undefined where the passphrase is needed and not given. */
export function targetOf({ encrypt }: ExportRequest, passphrase: string | undefined): AgeTarget | null | undefined {
  if (encrypt === 'none') return null
  if (encrypt === 'passphrase') return passphrase === undefined ? undefined : { passphrase }
  return encrypt
}

/** SHA-256 over the numbers of all selected leaves, so that a later selection can be told to be the same. */
export function selectionDigest({ range, records, requests, alerts, reviews, corrections, keys, erasures }: Selection): string {
  const hash = createHash('sha256')
  for (const seqs of [records, requests, alerts, reviews, corrections, keys, erasures, range ? [range.first, range.last] : []]) {
    hash.update(`${seqs.length}\n`)
    hash.update(new Uint8Array(Float64Array.from(seqs).buffer))
  }
  return hash.digest('hex')
}

/**
 * Files of an export that is not finished. Beside its target stands what will get its name: where that is encrypted, nothing in clear ever lies
 * there, and the bundle is made in the workspace.
 */
export const filesOf = (id: string, { out, encrypt }: Pick<ExportRequest, 'out' | 'encrypt'>, journals: string) => {
  const beside = `${out}.${id.slice(0, 8)}.partial`
  return { partial: encrypt === 'none' ? beside : join(journals, `${id}.partial`), beside, journal: join(journals, `${id}.jsonl`) }
}

/** An intent that nothing followed, with what the journal knows; undefined where its body cannot be read. */
export function interruptedOf(
  { seq, asked, actor, data, body }: OpenExportIntent,
  journals: string
): { readonly request: ExportRequest; readonly row: InterruptedExport; readonly selection: string } | undefined {
  const { selected: _, ...asked_for } = body
  const parsed = bodySchema.safeParse(asked_for)
  if (!parsed.success) return undefined
  const { out, replace: __, range, withhold_reason, ...request } = parsed.data
  const { partial, journal } = filesOf(data.export_id, parsed.data, journals)
  const last = readJournal(journal).points.at(-1)
  return {
    request: parsed.data,
    selection: data.selection_sha256,
    row: {
      id: data.export_id,
      seq,
      asked,
      actor,
      ...request,
      range: range ?? null,
      withhold_reason: withhold_reason ?? null,
      path: out,
      partial,
      size: data.size,
      records: data.records,
      leaves: data.leaves,
      finished: { done: last?.done ?? 0, total: last?.total ?? 0, bytes: last?.end ?? 0 }
    }
  }
}
