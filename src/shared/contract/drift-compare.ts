// SPDX-License-Identifier: Apache-2.0
import { z } from 'zod'
import { besideTest, driftFeature, tailTest, verdictNumbers } from './drift.ts'
import { operation } from './operation.ts'
import { timestamp } from './record.ts'

const count = z.int().min(0)
const share = z.number().min(0).max(1)
const query = z.string().max(4096)
const point = z.object({ x: z.number(), y: share })
const interval = z.object({ estimate: z.number(), low: z.number().nullable(), high: z.number().nullable() })

/** One side of a comparison: the records of a filter. */
const comparedSide = z.object({
  query: z.string(),
  records: count,
  from: timestamp.nullable(),
  to: timestamp.nullable(),
  /** Values of the compared feature. */
  values: count,
  errors: count,
  ended: count,
  /** SHA-256 of the RFC 8785 bytes of its count table; of {errors, total} for error_rate. */
  table_sha256: z.string()
})

/** Fields by whose values a comparison is cut into segments. */
export const segmentFields = ['served', 'finish', 'status', 'error', 'operation', 'provider', 'model', 'source'] as const

/** The records of one value of a field on both sides. D inside is between the segment's two sides, D without is between what remains. */
const segment = z.object({
  field: z.enum(segmentFields),
  value: z.string(),
  before: count,
  after: count,
  share_before: share,
  share_after: share,
  median_before: z.number().nullable(),
  median_after: z.number().nullable(),
  d_inside: share.nullable(),
  d_without: share.nullable()
})

/** Records with one value of a request parameter: a number, true or false, or `#` and a fingerprint of a text; null for those without it. */
const parameterForms = z.array(z.object({ value: z.string().nullable(), records: count }))

/** One request parameter on both sides, the most usual value first; null in place of more than twelve values. */
const parameter = z.object({
  name: z.string(),
  /** `unknown`: a side has no record with any parameter; `varies`: more than twelve values on both sides. */
  change: z.enum(['changed', 'same', 'varies', 'unknown']),
  before: parameterForms.nullable(),
  after: parameterForms.nullable(),
  /** Permutation chi-square; null with one value in all, or too many. */
  p: share.nullable(),
  /** The earliest claimed start of b with its usual value, where none of a had it. */
  since: timestamp.nullable()
})

/** Two selections side by side, computed on demand from the records as they are. */
export const driftComparison = z.object({
  feature: driftFeature,
  unit: z.string(),
  /** Of token_usage on both sides. */
  token_basis: z.enum(['total', 'output']),
  a: comparedSide,
  b: comparedSide,
  apart: z.boolean(),
  /** Leaves before this one were read: with it as `at`, the same call reads the same records. */
  at: count,
  /** All features, judged as one family: what the rule says of these windows by themselves, without history. */
  numbers: z.array(verdictNumbers),
  settings: z.object({
    level: z.number(),
    threshold: z.number(),
    procedure: z.enum(['BH', 'BY']),
    tests: count,
    looks_per_false_alarm: count
  }),
  headline: z.string(),
  detail: z.string(),
  /** Requests of b from which on a true gap as large as the one seen is found with 80 % power; null when none are enough. */
  needed: count.nullable(),
  ecdf: z.object({ reference: z.array(point), current: z.array(point) }),
  gap: z.object({ x: z.number(), reference: share, current: share }).nullable(),
  histogram: z.object({ log: z.boolean(), bins: z.array(z.object({ from: z.number(), to: z.number(), a: share, b: share })) }),
  quantiles: z.array(z.object({ q: share, before: interval, after: interval })),
  shift: z.array(z.object({ q: share, estimate: z.number(), low: z.number().nullable(), high: z.number().nullable() })),
  companions: z.object({ psi: z.number().nullable(), js: z.number().nullable(), wasserstein_log: z.number().nullable() }),
  tail: tailTest.nullable(),
  beside: z.array(besideTest),
  /** The model served to most of b and to none of a, what a had most, and when the first of them began; null without one, or with too many names. */
  served_switch: z.object({ from: z.string(), to: z.string(), at: timestamp }).nullable(),
  /** Request parameters in the order of their names, and on how many records of each side any is on record. Never deciding. */
  parameters: z.object({ recorded: z.object({ before: count, after: count }), found: z.array(parameter) }),
  segments: z.array(segment),
  /** Index of the segment whose removal lowers D most; null when none lowers it. */
  lowers_most: count.nullable()
})
export type DriftComparison = z.infer<typeof driftComparison>

/** A series over time, in slots of equal length. */
export const driftTimeline = z.object({
  query: z.string(),
  feature: driftFeature,
  unit: z.string(),
  from: timestamp.nullable(),
  to: timestamp.nullable(),
  step_ms: count,
  /** Records whose claimed times lie far from those of all others: in no slot. */
  outside: count,
  /** Without gaps; a slot without values has no quantiles. Quantiles are within 0.1 % (log-linear buckets). */
  slots: z.array(
    z.object({ from: timestamp, records: count, p50: z.number().nullable(), p90: z.number().nullable(), errors: count, ended: count })
  )
})
export type DriftTimeline = z.infer<typeof driftTimeline>

export const driftCompareOperations = {
  'drift.compare': operation({
    summary: 'Compares any two selections of records, on demand',
    input: z.strictObject({
      a: query,
      b: query,
      feature: driftFeature,
      /** Leaves records of a out of b. */
      apart: z.boolean().default(false),
      /** Reads leaves before this one only. */
      at: count.optional()
    }),
    output: driftComparison,
    access: 'read',
    leaves: ['search.run']
  }),
  'drift.timeline': operation({
    summary: 'Median, 90th percentile and errors of a selection over time',
    input: z.strictObject({ query, feature: driftFeature, slots: z.int().min(1).max(400).default(96) }),
    output: driftTimeline,
    access: 'read',
    leaves: ['search.run']
  })
} as const
