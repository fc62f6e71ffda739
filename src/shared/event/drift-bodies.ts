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

/** Body of `baseline.set`. */
export interface BaselineBody {
  readonly name: string
  readonly query: string
  readonly from: string | null
  readonly to: string | null
  readonly window: WindowBody
}

export interface LookSettingsBody {
  readonly looks_per_false_alarm: number
  readonly effect_floor: number
  readonly error_rate_floor: number
  readonly min_current: number
  readonly min_reference: number
  readonly procedure: 'BH' | 'BY'
}

/** Body of `drift.look`. The reference table is named by the hash of the baseline's body. */
export interface LookBody {
  readonly settings: LookSettingsBody
  readonly query: string
  readonly series: readonly {
    readonly model: string
    readonly source: string
    readonly baseline_id: string
    readonly baseline_seq: number
    readonly baseline_sha256: string
    readonly current: WindowBody
    readonly verdicts: readonly { readonly numbers: VerdictNumbers; readonly fired: boolean }[]
  }[]
}

/** Body of `drift.alert`: the alarmed features in full. */
export interface AlertBody {
  readonly features: readonly VerdictNumbers[]
}
