// SPDX-License-Identifier: Apache-2.0
// The verdict of a look on one feature, from the tables in its leaf and in that of its reference, on a reader thread.
import type { Baseline, DriftFeature, DriftVerdict } from '../../shared/contract/drift.ts'
import { AffidavitError } from '../../shared/contract/errors.ts'
import type { LookBody, ReferenceBody, SeriesBody } from '../../shared/event/drift-bodies.ts'
import type { LeafData } from '../../shared/evidence/leaf-data.ts'
import { formatFilter } from '../../shared/filter/format.ts'
import { leafData } from '../catalog/listings.ts'
import { bodyOf } from '../catalog/project-event.ts'
import type { ReaderContext } from '../threads/reader-context.ts'
import { listBaselines } from './listings.ts'
import { baselineBody } from './plans.ts'
import { driftVerdict } from './verdict.ts'

/** Which feature of which look. */
export interface VerdictArgs {
  readonly alertId: string | null
  readonly look: number
  readonly model: string
  readonly source: string
  readonly feature: DriftFeature
}

const movingNames = {
  rolling: 'The days before the window',
  hour_of_week: 'The same hours of the week, four weeks before',
  hour_of_day: 'The same hours of the day before'
} as const

/** The reference of a series of a look, in the form in which it is shown, with its table. @throws AffidavitError not_found, payload_missing */
function referenceOf(context: ReaderContext, look: { readonly seq: number; readonly ts: string }, body: LookBody, series: SeriesBody) {
  const { kind, id, seq, sha256 } = series.reference
  if (kind === 'baseline') {
    const baseline = listBaselines(context.catalog).find((one) => one.id === id)
    if (!baseline) throw new AffidavitError('not_found', 'there is no such verdict')
    const { to_seq: _, ...shown } = baseline
    return { shown, window: baselineBody(context, baseline).window }
  }
  const holder = seq === null ? body : (bodyOf(context.payloads, seq) as Partial<LookBody>)
  const found: ReferenceBody | undefined = holder.references?.[sha256]
  if (!found) throw new AffidavitError('payload_missing', 'the reference of this look cannot be opened', { seq: seq ?? look.seq })
  const { window, from, to } = found
  const shown: Baseline = {
    id,
    kind,
    seq: seq ?? look.seq,
    name: movingNames[kind],
    model: series.model,
    source: series.source,
    query: formatFilter({
      terms: [
        { kind: 'is', field: 'model', value: series.model, negated: false },
        { kind: 'is', field: 'source', value: series.source, negated: false },
        ...(from === null || to === null ? [] : [{ kind: 'time' as const, from: Date.parse(from) * 1000, to: Date.parse(to) * 1000 }])
      ]
    }),
    records: window.records,
    from,
    to,
    hash: sha256,
    set_at: look.ts,
    actor: 'engine',
    active: true
  }
  return { shown, window }
}

/** The verdict of a look on one feature, computed again from the tables in its leaf and in that of its reference. @throws AffidavitError not_found, payload_missing */
export function verdictOf(context: ReaderContext, args: VerdictArgs): DriftVerdict {
  const leaf = leafData(context.ledger, args.look)
  const body = bodyOf(context.payloads, args.look) as Partial<LookBody>
  if (leaf && !body.series) throw new AffidavitError('payload_missing', 'the tables of this look cannot be opened', { seq: args.look })
  const series = body.series?.find((one) => one.model === args.model && one.source === args.source)
  if (!leaf || !series) throw new AffidavitError('not_found', 'there is no such verdict')
  const { shown, window } = referenceOf(context, { seq: args.look, ts: leaf.ts }, body as LookBody, series)
  return driftVerdict({
    alertId: args.alertId,
    look: { seq: args.look, time: leaf.ts, data: leaf.data as LeafData<'drift.look'> },
    body: body as LookBody,
    series,
    baseline: shown,
    reference: window,
    feature: args.feature
  })
}
