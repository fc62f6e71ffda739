// SPDX-License-Identifier: Apache-2.0
// The bodies of drift leaves: what a verdict is computed from, so that anyone can compute it again. RFC 8785 form, hashed into the leaf.
import type { VerdictNumbers } from '../contract/drift.ts'
import type { CountTableJson } from '../stats/count-table.ts'

/** Features tested by Kolmogorov-Smirnov. */
export type ValueFeature = 'latency' | 'token_usage' | 'response_length'

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

/** What earlier looks at the series and its baseline say; null before the first tested one. An input of the decision. */
export interface HistoryBody {
  readonly looks: number
  readonly max_unalarmed_l: number
  readonly max_d: number
  readonly previous_fired: boolean
}

/** Body of `drift.look`: with the baselines that it names, all that the decision rests on. The reference table is named by the hash of the baseline's body. */
export interface LookBody {
  readonly settings: LookSettingsBody
  readonly query: string
  readonly series: readonly {
    readonly model: string
    readonly source: string
    readonly baseline_id: string
    readonly baseline_seq: number
    readonly baseline_sha256: string
    /** Records from this leaf on were judged; those of the baseline are left out. */
    readonly since: number
    readonly current: WindowBody
    readonly verdicts: readonly { readonly numbers: VerdictNumbers; readonly fired: boolean; readonly history: HistoryBody | null }[]
  }[]
}

/** Body of `drift.alert`: the series by its full names and the alarmed features in full. */
export interface AlertBody {
  readonly model: string
  readonly source: string
  readonly features: readonly VerdictNumbers[]
}
