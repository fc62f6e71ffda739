// SPDX-License-Identifier: Apache-2.0
// Gathers what a look needs and judges it, on a reader thread: windows of a million records and exact p-values take
// longer than the engine's own thread may be held.
import { AffidavitError } from '../../shared/contract/errors.ts'
import type { LookInput } from '../../shared/drift/judge.ts'
import type { HistoryBody, LookSettingsBody } from '../../shared/event/drift-bodies.ts'
import type { FilterExpression } from '../../shared/filter/filter.ts'
import { formatFilter } from '../../shared/filter/format.ts'
import { CellReader, hourOf } from '../catalog/cells.ts'
import { type Counted, Tally, windowBody } from '../catalog/tally.ts'
import { eachRecord, tallyOf } from '../catalog/windows.ts'
import type { ReaderContext, ReaderControl } from '../threads/reader-context.ts'
import { HistoryReader, type Waiting } from './history.ts'
import type { StoredBaseline } from './listings.ts'
import { type JudgedLook, judge } from './look.ts'
import { appliedSize, baselineBody, keyOf, type Plan, type PlanArgs, plansOf } from './plans.ts'
import { type MovingWindow, movingReference, movingWindow, newestWindow, referenceHours } from './references.ts'
import { selectedOf } from './windows.ts'

/** What to judge. */
export interface LookArgs extends PlanArgs {
  /** Condition on the current records beside their series; no terms: none. */
  readonly filter: FilterExpression
  readonly settings: LookSettingsBody
  /** Hours of the first window of a series that was never judged against a reference that moves. */
  readonly firstHours: number
  /** Now, microseconds since 1970 UTC: the looks of the 28 days before are the history of the gate. */
  readonly nowUs: number
}

/** New leaves that one pass reads for all series together; a series that waited longer is read by itself. */
const ONE_PASS = 200_000
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

const NO_LOOKS: HistoryBody = { looks: 0, max_unalarmed_l: 0, max_d: 0, previous_fired: false }

/**
 * One look at every series that has a reference, in one read transaction. The current records of a series with a baseline are those that
 * asked for its model from its source, without the ones that its baseline was made of: all of them for a person, the new ones for the
 * schedule. A series without one is judged by its newest hours, or by what arrived since the schedule last judged it. Where a series waits for
 * a second look, a person judges what arrived since the first, once that is enough to test: only then do both looks rest on different requests.
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
  const ranged = args.filter.terms.length > 0
  const planned = plansOf(context, args, history)
  /** Series that wait for a second look which a person may give them now. */
  const awaited = new Map<string, Waiting>()
  if (args.trigger === 'person' && !ranged)
    for (const plan of planned) {
      const waiting = history.waiting({ model: plan.model, source: plan.source, reference: plan.referenceId })
      if (waiting) awaited.set(keyOf(plan), waiting)
    }
  const plans = planned.map((plan) => ({ ...plan, since: awaited.get(keyOf(plan))?.from ?? plan.since }))
  if (plans.length === 0)
    throw new AffidavitError(
      'nothing_selected',
      'no series has a baseline yet: pin one first, or choose what series without one are compared with'
    )
  const arrived = arrivals(context, plans, toSeq)
  const arrivedTo = (plan: Plan): readonly Counted[] | undefined => (plan.since > 0 ? arrived.get(keyOf(plan)) : undefined)
  const { filter } = args
  /** What the looks of the schedule say of a series. What a person confirms is the look that the series waits for, and no other. */
  const historyOf = (plan: Plan): LookInput['history'] => {
    const { model, source, referenceId: reference } = plan
    const past = history.of({ model, source, reference }, args.nowUs)
    if (args.trigger !== 'person') return past
    const fired = plan.since > 0 ? awaited.get(keyOf(plan))?.features : undefined
    const features = new Set([...Object.keys(past), ...(fired ?? [])])
    return Object.fromEntries(
      [...features].map((name) => [name, { ...(past[name] ?? NO_LOOKS), previous_fired: fired?.has(name) === true }])
    )
  }
  const pinnedInput = (plan: Plan, baseline: StoredBaseline): LookInput => {
    const { model, source, since } = plan
    const body = baselineBody(context, baseline)
    const { window: against } = body
    const records = arrivedTo(plan)
    const own = since < baseline.to_seq ? selectedOf(catalog, { model, source, toSeq: baseline.to_seq }, body) : []
    const tally = records ? tallied(records) : tallyOf(catalog, { filter, model, source, fromSeq: since, toSeq }, own)
    return {
      model,
      source,
      reference: { kind: 'baseline', id: baseline.id, seq: baseline.seq, sha256: baseline.hash },
      against,
      fresh: null,
      since,
      current: windowBody(tally, against.token_basis),
      history: historyOf(plan)
    }
  }
  const windowOf = (plan: Plan): MovingWindow | undefined => {
    const { model, source, since } = plan
    const records = arrivedTo(plan)
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
      history: historyOf(plan)
    }
  }
  const inputs = plans.flatMap((plan): LookInput[] => {
    if (control.cancelled()) throw new AffidavitError('cancelled', 'cancelled')
    const inputOf = (one: Plan) => (one.baseline ? pinnedInput(one, one.baseline) : movingInput(one))
    const input = inputOf(plan)
    if (!awaited.has(keyOf(plan))) return input ? [input] : []
    const enough = input !== undefined && input.current.error_rate.total >= args.settings.min_current
    const judged = enough ? input : inputOf({ ...plan, since: 0 })
    return judged ? [judged] : []
  })
  return { inputs, toSeq, texts }
}
