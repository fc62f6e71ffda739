// SPDX-License-Identifier: Apache-2.0
// The bodies of drift leaves: what a verdict is computed from, so that anyone can compute it again. RFC 8785 form, hashed into the leaf.
import type { VerdictNumbers } from '../contract/drift.ts'
import type { SeqRange } from '../policy/ranges.ts'
import type { CountTableJson } from '../stats/count-table.ts'

/** Features tested by Kolmogorov-Smirnov. */
export type ValueFeature = 'latency' | 'token_usage' | 'response_length'

/** What is shown beside the features and never alarms: counts of each value of finish reason, model served and script of the answer. */
export type BesideCounts = Readonly<Record<'finish' | 'served' | 'script', Readonly<Record<string, number>>>>

/** Exact count tables of one window. `token_basis` says what token_usage counts: input + output, or output alone. */
export interface WindowBody {
  readonly records: number
  readonly from: string | null
  readonly to: string | null
  readonly from_seq: number | null
  readonly to_seq: number | null
  readonly token_basis: 'total' | 'output'
  readonly tables: Readonly<Record<ValueFeature, CountTableJson>>
  readonly error_rate: { readonly errors: number; readonly total: number }
  readonly beside: BesideCounts
}

/** Body of `baseline.set`. The leaf itself names model and source only as far as they are plain labels; here they are in full. */
export interface BaselineBody {
  readonly model: string
  readonly source: string
  readonly name: string
  readonly query: string
  readonly from: string | null
  readonly to: string | null
  readonly window: WindowBody
  /** Ascending runs of leaves, first and last: of the records of its series, the baseline was made of those in them. Older ones do not say. */
  readonly selected?: readonly SeqRange[]
}

/** References that move with the window: the days before it, the same hours of the week in four weeks before, the same hours of the day before. */
export const movingReferences = ['rolling', 'hour_of_week', 'hour_of_day'] as const
export type MovingReference = (typeof movingReferences)[number]
/** What a window is compared with. */
export type ReferenceKind = 'baseline' | MovingReference

/** A reference that moves, as the look that used it first holds it; named by the SHA-256 of its RFC 8785 bytes. */
export interface ReferenceBody {
  readonly kind: MovingReference
  readonly model: string
  readonly source: string
  /** Whole hours that the reference was taken from: the first, and the one after the last; null when there is none. */
  readonly from: string | null
  readonly to: string | null
  readonly window: WindowBody
}

/** How a look decided. `alpha` is the error of the bounds L of one look, shared by `k` features. */
export interface LookSettingsBody {
  readonly alpha: number
  readonly k: number
  readonly step_budget: number
  readonly looks_per_false_alarm: number
  readonly effect_floor: number
  readonly error_rate_floor: number
  readonly min_current: number
  readonly min_reference: number
  readonly procedure: 'BH' | 'BY'
}

/** What earlier looks at the series and its reference say; null before the first tested one. An input of the decision. */
export interface HistoryBody {
  readonly looks: number
  readonly max_unalarmed_l: number
  readonly max_d: number
  readonly previous_fired: boolean
}

/** The reference of one series of a look. `id`: of the baseline, or the kind of one that moves. `seq`: the leaf whose body holds the table, null when it is this look. */
export interface SeriesReference {
  readonly kind: ReferenceKind
  readonly id: string
  readonly seq: number | null
  /** SHA-256 of the RFC 8785 bytes of the body that holds the table: of `baseline.set`, or of the entry in `references`. */
  readonly sha256: string
}

/** One series of a look with its verdicts, in the fixed order of the features. */
export interface SeriesBody {
  readonly model: string
  readonly source: string
  readonly reference: SeriesReference
  /** Records from this leaf on were judged; those of the reference are left out. */
  readonly since: number
  readonly current: WindowBody
  readonly verdicts: readonly { readonly numbers: VerdictNumbers; readonly fired: boolean; readonly history: HistoryBody | null }[]
}

/** Body of `drift.look`: with the references that it names, all that the decision rests on. */
export interface LookBody {
  readonly settings: LookSettingsBody
  readonly query: string
  /** References that no earlier leaf holds, by their hash. */
  readonly references: Readonly<Record<string, ReferenceBody>>
  readonly series: readonly SeriesBody[]
}

/** Body of `drift.alert`: the series by its full names and the alarmed features in full. */
export interface AlertBody {
  readonly model: string
  readonly source: string
  readonly features: readonly VerdictNumbers[]
}
