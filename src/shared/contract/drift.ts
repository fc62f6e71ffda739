// SPDX-License-Identifier: Apache-2.0
import { z } from 'zod'
import { movingReferences } from '../event/drift-bodies.ts'
import { operation } from './operation.ts'
import { timestamp } from './record.ts'

const count = z.int().min(0)
const share = z.number().min(0).max(1)
/** Why, in words: a decision without a reason is none. */
const note = z.string().max(2000).regex(/\S/, 'say why')

export const driftFeatures = ['latency', 'token_usage', 'response_length', 'error_rate'] as const
export const driftFeature = z.enum(driftFeatures)
export type DriftFeature = z.infer<typeof driftFeature>

/** One tested (or still collecting) series of a look: DRIFT steps 4 to 6. `n` is the reference, `m` the current window. */
export const verdictNumbers = z.object({
  feature: driftFeature,
  state: z.enum(['tested', 'collecting']),
  n: count,
  m: count,
  d: share.nullable(),
  l: share.nullable(),
  p: share.nullable(),
  q: share.nullable(),
  method: z.enum(['exact', 'asymptotic', 'fisher']).nullable(),
  minimum_effect: share.nullable(),
  alarmed: z.boolean(),
  /** Closed words for why it alarmed or not, such as p_above_threshold, effect_below_floor, gate, first_of_two. */
  reasons: z.array(z.string()),
  sentence: z.string()
})
export type VerdictNumbers = z.infer<typeof verdictNumbers>

export const driftAlert = z.object({
  id: z.string(),
  /** The leaf that opened it. */
  seq: count,
  timestamp,
  model: z.string(),
  source: z.string(),
  state: z.enum(['open', 'acknowledged', 'resolved']),
  drift_score: share,
  drifted_features: z.string(),
  features: z.array(verdictNumbers),
  look_seq: count,
  /** The baseline, or the kind of a reference that moves. */
  baseline_id: z.string(),
  /** Until when it asks for nobody's attention; null when it does. */
  snoozed_until: timestamp.nullable(),
  history: z.array(
    z.object({
      seq: count,
      time: timestamp,
      what: z.enum(['opened', 'acknowledged', 'snoozed', 'returned', 'resolved']),
      actor: z.string(),
      note: z.string()
    })
  )
})
export type DriftAlert = z.infer<typeof driftAlert>

/** A pinned baseline, or a reference that moves in the same form: `id` is then its kind and `seq` the leaf that holds its table. */
export const baseline = z.object({
  id: z.string(),
  kind: z.enum(['baseline', ...movingReferences]),
  seq: count,
  name: z.string(),
  model: z.string(),
  source: z.string(),
  /** The filter whose records are the reference. */
  query: z.string(),
  records: count,
  from: timestamp.nullable(),
  to: timestamp.nullable(),
  hash: z.string(),
  set_at: timestamp,
  actor: z.string(),
  active: z.boolean()
})
export type Baseline = z.infer<typeof baseline>

const point = z.object({ x: z.number(), y: share })
const interval = z.object({ estimate: z.number(), low: z.number().nullable(), high: z.number().nullable() })

/** How often the values of a field occur on either side, and whether chance explains it: permutation chi-square. Never deciding. */
export const besideTest = z.object({
  field: z.enum(['finish', 'served', 'script']),
  chi_square: z.number().min(0),
  p: share,
  method: z.enum(['exact', 'permutation']),
  cramers_v: share,
  largest: z.object({ value: z.string(), before: share, after: share }).nullable()
})
export type BesideTest = z.infer<typeof besideTest>

/** Values of the current side above the 99th percentile of the reference, with the chance of at least so many. Never deciding. */
export const tailTest = z.object({ level: share, threshold: z.number(), exceeding: count, share, p: share })

/** Everything the investigation shows for one feature; recomputable from the two count tables named by their hashes. */
export const driftVerdict = z.object({
  alert_id: z.string().nullable(),
  look_seq: count,
  look_time: timestamp,
  model: z.string(),
  source: z.string(),
  unit: z.string(),
  numbers: verdictNumbers,
  headline: z.string(),
  detail: z.string(),
  /** Steps of both distribution functions, at most 2,000 points each. Empty for error_rate. */
  ecdf: z.object({ reference: z.array(point), current: z.array(point) }),
  gap: z.object({ x: z.number(), reference: share, current: share }).nullable(),
  quantiles: z.array(z.object({ q: share, before: interval, after: interval })),
  shift: z.array(z.object({ q: share, estimate: z.number(), low: z.number().nullable(), high: z.number().nullable() })),
  counts: z.object({ reference_errors: count, reference_total: count, current_errors: count, current_total: count }).nullable(),
  companions: z.object({ psi: z.number().nullable(), js: z.number().nullable(), wasserstein_log: z.number().nullable() }),
  tail: tailTest.nullable(),
  /** From the counts stored with both windows. */
  beside: z.array(besideTest),
  reference: baseline,
  current: z.object({ from: timestamp.nullable(), to: timestamp.nullable(), from_seq: count, to_seq: count, query: z.string() }),
  settings: z.object({
    level: z.number(),
    threshold: z.number(),
    procedure: z.enum(['BH', 'BY']),
    tests: count,
    looks_per_false_alarm: count
  }),
  hashes: z.object({ reference_table: z.string(), current_table: z.string(), look_body: z.string() })
})
export type DriftVerdict = z.infer<typeof driftVerdict>

export const driftLook = z.object({
  seq: count,
  id: z.string(),
  time: timestamp,
  trigger: z.enum(['person', 'schedule', 'count']),
  tests: count,
  collecting: count,
  alarmed: count,
  level: z.number(),
  threshold: z.number(),
  series: z.array(z.object({ model: z.string(), source: z.string(), baseline_id: z.string(), numbers: z.array(verdictNumbers) })),
  opened: z.array(z.string())
})
export type DriftLook = z.infer<typeof driftLook>

export const driftSeries = z.object({
  model: z.string(),
  source: z.string(),
  records: count,
  first: timestamp,
  last: timestamp,
  /** Of the newest look against its present reference; `alarmed` also while an alert is not resolved, `waiting` for a second look. */
  state: z.enum(['no_baseline', 'not_looked', 'collecting', 'quiet', 'waiting', 'alarmed']),
  baseline_id: z.string().nullable(),
  /** What it is compared with; null when it has no reference. */
  reference: z.enum(['baseline', ...movingReferences]).nullable(),
  alert_id: z.string().nullable(),
  score: share.nullable(),
  numbers: z.array(verdictNumbers),
  looked_at: timestamp.nullable()
})
export type DriftSeries = z.infer<typeof driftSeries>

export const driftOperations = {
  'drift.series': operation({
    summary: 'Every (model, source) on record with its latest verdict',
    input: z.strictObject({}),
    output: z.object({ series: z.array(driftSeries), last_look: timestamp.nullable(), next_look: timestamp.nullable() }),
    access: 'read',
    leaves: []
  }),
  'drift.alerts': operation({
    summary: 'Alerts, newest first',
    input: z.strictObject({
      state: z.enum(['open', 'acknowledged', 'resolved']).optional(),
      from: z.iso.datetime({ offset: true }).optional(),
      to: z.iso.datetime({ offset: true }).optional(),
      model: z.string().max(256).optional(),
      source: z.string().max(256).optional(),
      feature: driftFeature.optional(),
      limit: z.coerce.number().int().min(1).max(1000).default(100),
      cursor: z.string().max(256).optional()
    }),
    output: z.object({ alerts: z.array(driftAlert), next_cursor: z.string().nullable() }),
    access: 'read',
    leaves: []
  }),
  'drift.statistics': operation({
    summary: 'Counts of alerts and the newest of them',
    input: z.strictObject({}),
    output: z.object({
      total_alerts: count,
      unacknowledged_alerts: count,
      avg_drift_score: z.number(),
      recent_alerts: z.array(z.object({ id: z.string(), timestamp, drift_score: z.number(), drifted_features: z.string() }))
    }),
    access: 'read',
    leaves: []
  }),
  'drift.verdict': operation({
    summary: 'One feature of an alert or of the latest look, with both distributions',
    input: z.union([
      z.strictObject({ alert_id: z.string().max(64), feature: driftFeature }),
      z.strictObject({ model: z.string().max(256), source: z.string().max(256), feature: driftFeature })
    ]),
    output: driftVerdict,
    access: 'read',
    leaves: []
  }),
  'drift.baselines': operation({
    summary: 'Baselines, newest first; the newest of a series is active',
    input: z.strictObject({}),
    output: z.object({ baselines: z.array(baseline) }),
    access: 'read',
    leaves: []
  }),
  'drift.baseline_preview': operation({
    summary: 'How many records a filter would pin, per feature',
    input: z.strictObject({ query: z.string().max(4096) }),
    output: z.object({
      query: z.string(),
      records: count,
      from: timestamp.nullable(),
      to: timestamp.nullable(),
      per_feature: z.record(z.string(), count)
    }),
    access: 'read',
    leaves: ['search.run']
  }),
  'drift.set_baseline': operation({
    summary: 'Pins the records of a filter as the reference of a series',
    input: z.strictObject({
      name: z.string().min(1).max(200),
      query: z.string().max(4096),
      model: z.string().min(1).max(256),
      source: z.string().min(1).max(256)
    }),
    output: baseline,
    access: 'write',
    leaves: ['baseline.set']
  }),
  'drift.look': operation({
    summary: 'Compares every series that has a reference with it, now',
    input: z.strictObject({
      /** Records to judge, by claimed start; all records of the series outside its baseline when absent. */
      from: z.iso.datetime({ offset: true }).optional(),
      to: z.iso.datetime({ offset: true }).optional()
    }),
    output: driftLook,
    access: 'write',
    leaves: ['drift.look', 'drift.alert']
  }),
  'drift.acknowledge': operation({
    summary: 'Acknowledges an open alert with a note',
    input: z.strictObject({ id: z.string().max(64), note }),
    output: driftAlert,
    access: 'write',
    leaves: ['drift.ack']
  }),
  'drift.acknowledge_many': operation({
    summary: 'Acknowledges open alerts with one note; those that are not open any more are named, the others go on',
    input: z.strictObject({ ids: z.array(z.string().max(64)).min(1).max(200), note }),
    output: z.object({
      alerts: z.array(driftAlert),
      refused: z.array(z.object({ id: z.string(), code: z.string(), message: z.string() }))
    }),
    access: 'write',
    leaves: ['drift.ack']
  }),
  'drift.snooze': operation({
    summary: 'Lets an alert rest until a time, at most 90 days away, with a reason',
    input: z.strictObject({ id: z.string().max(64), until: z.iso.datetime({ offset: true }), reason: note }),
    output: driftAlert,
    access: 'write',
    leaves: ['drift.snooze']
  }),
  'drift.resolve': operation({
    summary: 'Closes an alert with a note',
    input: z.strictObject({ id: z.string().max(64), note }),
    output: driftAlert,
    access: 'write',
    leaves: ['drift.resolve']
  })
} as const
