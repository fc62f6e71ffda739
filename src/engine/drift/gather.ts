// SPDX-License-Identifier: Apache-2.0
// Gathers what a look or a verdict needs and computes it, on a reader thread: windows of a million records and exact p-values take
// longer than the engine's own thread may be held.
import type { Baseline, DriftFeature, DriftVerdict } from '../../shared/contract/drift.ts'
import { AffidavitError } from '../../shared/contract/errors.ts'
import type { Settings } from '../../shared/contract/workspace.ts'
import type { LookInput } from '../../shared/drift/judge.ts'
import type { BaselineBody, LookBody, LookSettingsBody, ReferenceBody, SeriesBody } from '../../shared/event/drift-bodies.ts'
import type { LeafData } from '../../shared/evidence/leaf-data.ts'
import type { FilterExpression } from '../../shared/filter/filter.ts'
import { formatFilter } from '../../shared/filter/format.ts'
import { CellReader, hourOf } from '../catalog/cells.ts'
import { leafData } from '../catalog/listings.ts'
import { bodyOf } from '../catalog/project-event.ts'
import { type Counted, Tally, windowBody } from '../catalog/tally.ts'
import { eachRecord, listSeries, tallyOf } from '../catalog/windows.ts'
import type { ReaderContext, ReaderControl } from '../threads/reader-context.ts'
import { HistoryReader } from './history.ts'
import { listBaselines, type StoredBaseline } from './listings.ts'
import { type JudgedLook, judge, type LookTrigger } from './look.ts'
import { type MovingWindow, movingReference, movingWindow, newestWindow, referenceHours } from './references.ts'
import { driftVerdict } from './verdict.ts'
import { storedFilter } from './windows.ts'

/** A series by name. */
export interface SeriesName {
  readonly model: string
  readonly source: string
}

/** What to judge. */
export interface LookArgs {
  readonly trigger: LookTrigger
  /** Condition on the current records beside their series; no terms: none. */
  readonly filter: FilterExpression
  readonly settings: LookSettingsBody
  /** What series without a baseline are compared with. */
  readonly reference: Pick<Settings, 'reference' | 'reference_days'>
  /** Hours of the first window of a series that was never judged against a reference that moves. */
  readonly firstHours: number
  /** Now, microseconds since 1970 UTC: the looks of the 28 days before are the history of the gate. */
  readonly nowUs: number
  /** These series only; all when absent. */
  readonly only?: readonly SeriesName[]
}

/** Most series of one look that have no baseline; those with the most records are judged. */
const MOST_SERIES = 10_000
/** New leaves that one pass reads for all series together; a series that waited longer is read by itself. */
const ONE_PASS = 200_000
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

const keyOf = ({ model, source }: SeriesName): string => JSON.stringify([model, source])

/** A series with what it is compared with and from where on it is judged. */
interface Plan extends SeriesName {
  readonly baseline: StoredBaseline | undefined
  readonly referenceId: string
  readonly since: number
}

function plansOf({ catalog }: ReaderContext, args: Pick<LookArgs, 'reference' | 'trigger' | 'only'>, history: HistoryReader): Plan[] {
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

/** Records that arrived for series of which only the newest leaves are judged, read in one pass. */
function arrivals({ catalog }: ReaderContext, plans: readonly Plan[], toSeq: number): ReadonlyMap<string, readonly Counted[]> {
  const recent = plans.filter((plan) => plan.since > 0 && plan.since >= toSeq - ONE_PASS && plan.since >= (plan.baseline?.to_seq ?? 0))
  const found = new Map(recent.map((plan) => [keyOf(plan), { since: plan.since, records: [] as Counted[] }]))
  if (recent.length === 0) return new Map()
  const fromSeq = Math.min(...recent.map((plan) => plan.since))
  eachRecord(catalog, { filter: { terms: [] }, fromSeq, toSeq }, (model, source, record) => {
    const entry = found.get(keyOf({ model, source }))
    if (entry && record.seq >= entry.since) entry.records.push(record)
  })
  return new Map([...found].map(([key, entry]) => [key, entry.records]))
}

function tallied(records: readonly Counted[]): Tally {
  const tally = new Tally()
  for (const record of records) tally.add(record)
  return tally
}

/**
 * One look at every series that has a reference, in one read transaction. The current records of a series with a baseline are those that
 * asked for its model from its source, without the ones that its baseline was made of: all of them for a person, the new ones for the
 * schedule. A series without one is judged by its newest hours, or by what arrived since the schedule last judged it.
 * @throws AffidavitError nothing_selected: no series has a reference; payload_missing: a baseline cannot be opened; cancelled
 */
export function judgeLook(context: ReaderContext, args: LookArgs, control: Pick<ReaderControl, 'cancelled'>): JudgedLook {
  const { inputs, toSeq, texts } = context.catalog.transaction(() => gatherLook(context, args, control))()
  return judge(inputs, args.settings, formatFilter(args.filter), toSeq, texts)
}

function gatherLook(
  context: ReaderContext,
  args: LookArgs,
  control: Pick<ReaderControl, 'cancelled'>
): { readonly inputs: readonly LookInput[]; readonly toSeq: number; readonly texts: ReadonlyMap<string, string> } {
  const { catalog } = context
  const texts = new Map<string, string>()
  const toSeq = appliedSize(catalog)
  const cells = new CellReader(catalog)
  const history = new HistoryReader(catalog)
  const stored = catalog.prepare<[string], number>('SELECT seq FROM reference WHERE hash = ?').pluck()
  const plans = plansOf(context, args, history)
  if (plans.length === 0)
    throw new AffidavitError(
      'nothing_selected',
      'no series has a baseline yet: pin one first, or choose what series without one are compared with'
    )
  const arrived = arrivals(context, plans, toSeq)
  const ranged = args.filter.terms.length > 0
  const { filter } = args
  const pinnedInput = (plan: Plan, baseline: StoredBaseline): LookInput => {
    const { model, source, since } = plan
    const { window: against } = baselineBody(context, baseline)
    const records = arrived.get(keyOf(plan))
    const except = { filter: storedFilter(baseline.query), toSeq: baseline.to_seq }
    const tally = records ? tallied(records) : tallyOf(catalog, { filter, model, source, fromSeq: since, toSeq, except })
    return {
      model,
      source,
      reference: { kind: 'baseline', id: baseline.id, seq: baseline.seq, sha256: baseline.hash },
      against,
      fresh: null,
      since,
      current: windowBody(tally, against.token_basis),
      history: history.of({ model, source, reference: baseline.id }, args.nowUs)
    }
  }
  const windowOf = (plan: Plan): MovingWindow | undefined => {
    const { model, source, since } = plan
    const records = arrived.get(keyOf(plan))
    if (records) return movingWindow(records)
    if (!ranged && since === 0) return newestWindow(cells, plan, args.settings.min_current, args.firstHours)
    if (!ranged) {
      const late: Counted[] = []
      const series: FilterExpression = { terms: [] }
      eachRecord(catalog, { filter: series, model, source, fromSeq: since, toSeq }, (_model, _source, record) => late.push(record))
      return movingWindow(late)
    }
    const tally = tallyOf(catalog, { filter, model, source, toSeq })
    return tally.records === 0 ? undefined : { tally, first: hourOf(tally.lowUs), last: hourOf(tally.highUs) }
  }
  const movingInput = (plan: Plan): LookInput | undefined => {
    const { model, source, since } = plan
    const kind = args.reference.reference
    if (kind === 'none') return undefined
    const window = windowOf(plan)
    // Nothing new is nothing to judge; a thousand silent series would fill every leaf.
    if (!window) return undefined
    const { body, sha256, text } = movingReference(
      cells,
      plan,
      kind,
      referenceHours(kind, window.first, window.last, args.reference.reference_days)
    )
    const seq = stored.get(sha256) ?? null
    if (seq === null) texts.set(sha256, text)
    return {
      model,
      source,
      reference: { kind, id: kind, seq, sha256 },
      against: body.window,
      fresh: seq === null ? body : null,
      since,
      current: windowBody(window.tally, body.window.token_basis),
      history: history.of({ model, source, reference: kind }, args.nowUs)
    }
  }
  const inputs = plans.flatMap((plan): LookInput[] => {
    if (control.cancelled()) throw new AffidavitError('cancelled', 'cancelled')
    const input = plan.baseline ? pinnedInput(plan, plan.baseline) : movingInput(plan)
    return input ? [input] : []
  })
  return { inputs, toSeq, texts }
}

/** Leaves that the catalog shows. */
const appliedSize = (catalog: ReaderContext['catalog']): number =>
  Number(catalog.prepare<[], string>("SELECT value FROM meta WHERE key = 'applied'").pluck().get() ?? 0)

type References = Pick<LookArgs, 'reference'>

const countedPlans = (context: ReaderContext, { reference }: References): Plan[] =>
  plansOf(context, { reference, trigger: 'count' }, new HistoryReader(context.catalog))

/** Whether a series that has a reference got a record at this leaf or after it. */
export function anythingNew(context: ReaderContext, args: References & { readonly fromSeq: number }): boolean {
  const names = new Set(countedPlans(context, args).map(keyOf))
  return listSeries(context.catalog, MOST_SERIES).some((series) => series.lastSeq >= args.fromSeq && names.has(keyOf(series)))
}

/** Newest leaves within which new requests are counted. */
const MOST_COUNTED = 1_000_000

/** Series that have a reference and at least `least` requests the schedule has not judged, and the most that any series has. */
export function dueSeries(
  context: ReaderContext,
  args: References & { readonly least: number }
): { readonly due: readonly SeriesName[]; readonly most: number } {
  const { catalog } = context
  const plans = countedPlans(context, args).map((plan) => ({ ...plan, from: Math.max(plan.since, plan.baseline?.to_seq ?? 0), count: 0 }))
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
