// SPDX-License-Identifier: Apache-2.0
// Gathers what a look or a verdict needs and computes it, on a reader thread: windows of a million records and exact p-values take
// longer than the engine's own thread may be held.
import type { DriftFeature, DriftVerdict } from '../../shared/contract/drift.ts'
import { AffidavitError } from '../../shared/contract/errors.ts'
import type { BaselineBody, LookBody, LookSettingsBody } from '../../shared/event/drift-bodies.ts'
import type { LeafData } from '../../shared/evidence/leaf-data.ts'
import type { FilterExpression } from '../../shared/filter/filter.ts'
import { formatFilter } from '../../shared/filter/format.ts'
import { leafData } from '../catalog/listings.ts'
import { bodyOf } from '../catalog/project-event.ts'
import { countTables, type TokenBasis } from '../catalog/windows.ts'
import type { ReaderContext, ReaderControl } from '../threads/reader-context.ts'
import { firstLookSince, judgedUpTo, seriesHistory } from './history.ts'
import { listBaselines, type StoredBaseline } from './listings.ts'
import { type JudgedLook, judge, type LookInput } from './look.ts'
import { driftVerdict } from './verdict.ts'
import { storedFilter, windowBody } from './windows.ts'

/** What to judge. */
export interface LookArgs {
  readonly trigger: 'person' | 'schedule'
  /** Condition on the current records beside their series. */
  readonly filter: FilterExpression
  /** Records before this leaf are judged; the catalog has applied them. */
  readonly toSeq: number
  readonly settings: LookSettingsBody
  /** Looks since this time, microseconds since 1970 UTC, are the history of the gate. */
  readonly historySinceUs: number
}

function baselineBody({ payloads }: ReaderContext, baseline: StoredBaseline): BaselineBody {
  const body = bodyOf(payloads, baseline.seq) as Partial<BaselineBody>
  if (!body.window)
    throw new AffidavitError('payload_missing', 'the tables of a baseline cannot be opened: pin a new baseline for its series', {
      baseline: baseline.id,
      seq: baseline.seq
    })
  return body as BaselineBody
}

/**
 * One look at every series with a baseline. The current records of a series are those that asked for its model from its source,
 * without the ones that its baseline was made of: all of them for a person, the new ones for the schedule.
 * @throws AffidavitError nothing_selected: no baseline; payload_missing: a baseline cannot be opened; cancelled
 */
export function judgeLook(context: ReaderContext, args: LookArgs, control: Pick<ReaderControl, 'cancelled'>): JudgedLook {
  const { catalog } = context
  const { filter, toSeq } = args
  const active = listBaselines(catalog).filter((baseline) => baseline.active)
  if (active.length === 0) throw new AffidavitError('nothing_selected', 'no series has a baseline yet: pin one first')
  const firstLook = firstLookSince(catalog, args.historySinceUs)
  const inputs = active.map((baseline): LookInput => {
    if (control.cancelled()) throw new AffidavitError('cancelled', 'cancelled')
    const { model, source } = baseline
    const series = { model, source, baseline: baseline.id }
    const reference = baselineBody(context, baseline)
    const since = args.trigger === 'schedule' ? judgedUpTo(catalog, series) : 0
    const except = { filter: storedFilter(baseline.query), toSeq: baseline.to_seq }
    const basis: TokenBasis = reference.window.token_basis
    return {
      model,
      source,
      baseline,
      reference,
      since,
      current: windowBody(countTables(catalog, { filter, model, source, fromSeq: since, toSeq, except }, basis)),
      history: firstLook === undefined ? {} : seriesHistory(catalog, series, firstLook)
    }
  })
  return judge(inputs, args.settings, formatFilter(filter), toSeq)
}

/** Which feature of which look. */
export interface VerdictArgs {
  readonly alertId: string | null
  readonly look: number
  readonly model: string
  readonly source: string
  readonly feature: DriftFeature
}

/** The verdict of a look on one feature, computed again from the tables in its leaf and in that of its baseline. @throws AffidavitError not_found, payload_missing */
export function verdictOf(context: ReaderContext, args: VerdictArgs): DriftVerdict {
  const leaf = leafData(context.ledger, args.look)
  const body = bodyOf(context.payloads, args.look) as Partial<LookBody>
  if (leaf && !body.series) throw new AffidavitError('payload_missing', 'the tables of this look cannot be opened', { seq: args.look })
  const series = body.series?.find((one) => one.model === args.model && one.source === args.source)
  const baseline = listBaselines(context.catalog).find((one) => one.id === series?.baseline_id)
  if (!leaf || !series || !baseline) throw new AffidavitError('not_found', 'there is no such verdict')
  const { to_seq: _, ...shown } = baseline
  return driftVerdict({
    alertId: args.alertId,
    look: { seq: args.look, time: leaf.ts, data: leaf.data as LeafData<'drift.look'> },
    body: body as LookBody,
    series,
    baseline: shown,
    reference: baselineBody(context, baseline),
    feature: args.feature
  })
}
