// SPDX-License-Identifier: Apache-2.0
// Which series have a reference, from where on each is judged, and whether anything came to them.
import { AffidavitError } from '../../shared/contract/errors.ts'
import type { Settings } from '../../shared/contract/workspace.ts'
import type { BaselineBody } from '../../shared/event/drift-bodies.ts'
import { bodyOf } from '../catalog/project-event.ts'
import { eachRecord, listSeries } from '../catalog/windows.ts'
import type { ReaderContext } from '../threads/reader-context.ts'
import { HistoryReader } from './history.ts'
import { listBaselines, type StoredBaseline } from './listings.ts'
import type { LookTrigger } from './look.ts'

/** A series by name. */
export interface SeriesName {
  readonly model: string
  readonly source: string
}

/** Most series of one look that have no baseline; those with the most records are judged. */
const MOST_SERIES = 10_000
/** Bodies of baselines kept by a reader thread: they never change. */
const KEPT_BODIES = 2_000

const bodies = new Map<string, BaselineBody>()

/** The body of a baseline. @throws AffidavitError payload_missing */
export function baselineBody({ payloads }: ReaderContext, baseline: Pick<StoredBaseline, 'id' | 'seq' | 'hash'>): BaselineBody {
  const key = `${baseline.seq} ${baseline.hash}`
  const known = bodies.get(key)
  if (known) return known
  const body = bodyOf(payloads, baseline.seq) as Partial<BaselineBody>
  if (!body.window)
    throw new AffidavitError('payload_missing', 'the tables of a baseline cannot be opened: pin a new baseline for its series', {
      baseline: baseline.id,
      seq: baseline.seq
    })
  if (bodies.size >= KEPT_BODIES) bodies.clear()
  bodies.set(key, body as BaselineBody)
  return body as BaselineBody
}

export const keyOf = ({ model, source }: SeriesName): string => JSON.stringify([model, source])

/** What decides which series are judged. */
export interface PlanArgs {
  readonly trigger: LookTrigger
  /** What series without a baseline are compared with. */
  readonly reference: Pick<Settings, 'reference' | 'reference_days'>
  /** These series only; all when absent. */
  readonly only?: readonly SeriesName[]
}

/** A series with what it is compared with and from where on it is judged. */
export interface Plan extends SeriesName {
  readonly baseline: StoredBaseline | undefined
  readonly referenceId: string
  readonly since: number
}

export function plansOf({ catalog }: ReaderContext, args: PlanArgs, history: HistoryReader): Plan[] {
  const wanted = args.only && new Set(args.only.map(keyOf))
  const { reference } = args.reference
  const pinned = listBaselines(catalog).filter((baseline) => baseline.active)
  const known = new Set(pinned.map(keyOf))
  const others = reference === 'none' ? [] : listSeries(catalog, MOST_SERIES).filter((series) => !known.has(keyOf(series)))
  const plan = (series: SeriesName, baseline: StoredBaseline | undefined): Plan => {
    const { model, source } = series
    const referenceId = baseline?.id ?? reference
    const since = args.trigger === 'person' ? 0 : history.judgedUpTo({ model, source, reference: referenceId })
    return { model, source, baseline, referenceId, since }
  }
  const all = [...pinned.map((baseline) => plan(baseline, baseline)), ...others.map((series) => plan(series, undefined))]
  return wanted ? all.filter((one) => wanted.has(keyOf(one))) : all
}

/** Leaves that the catalog shows. */
export const appliedSize = (catalog: ReaderContext['catalog']): number =>
  Number(catalog.prepare<[], string>("SELECT value FROM meta WHERE key = 'applied'").pluck().get() ?? 0)

type References = Pick<PlanArgs, 'reference'>

const countedPlans = (context: ReaderContext, { reference }: References, history = new HistoryReader(context.catalog)): Plan[] =>
  plansOf(context, { reference, trigger: 'count' }, history)

/** Whether a series that has a reference got a record at this leaf or after it. */
export function anythingNew(context: ReaderContext, args: References & { readonly fromSeq: number }): boolean {
  const names = new Set(countedPlans(context, args).map(keyOf))
  return listSeries(context.catalog, MOST_SERIES).some((series) => series.lastSeq >= args.fromSeq && names.has(keyOf(series)))
}

/** Newest leaves within which new requests are counted. */
const MOST_COUNTED = 1_000_000

/** Series that have a reference and got at least `least` requests since they were judged or last looked at by count, and the most that any got. */
export function dueSeries(
  context: ReaderContext,
  args: References & { readonly least: number }
): { readonly due: readonly SeriesName[]; readonly most: number } {
  const { catalog } = context
  const history = new HistoryReader(catalog)
  const plans = countedPlans(context, args, history).map((plan) => {
    const { model, source, referenceId, baseline } = plan
    return { ...plan, from: Math.max(history.countedUpTo({ model, source, reference: referenceId }), baseline?.to_seq ?? 0), count: 0 }
  })
  if (plans.length === 0) return { due: [], most: 0 }
  const known = new Map(plans.map((plan) => [keyOf(plan), plan]))
  const fromSeq = Math.max(appliedSize(catalog) - MOST_COUNTED, Math.min(...plans.map((plan) => plan.from)))
  eachRecord(catalog, { filter: { terms: [] }, fromSeq }, (model, source, record) => {
    const plan = known.get(keyOf({ model, source }))
    if (plan && record.seq >= plan.from) plan.count++
  })
  const due = plans.filter((plan) => plan.count >= args.least).map(({ model, source }) => ({ model, source }))
  return { due, most: Math.max(...plans.map((plan) => plan.count)) }
}
