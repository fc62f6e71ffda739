// SPDX-License-Identifier: Apache-2.0
import type { CountTable } from './count-table.ts'
import type { Direction } from './explain.ts'
import type { FdrProcedure } from './fdr.ts'
import type { FeatureName } from './features.ts'
import type { Proportion } from './fisher.ts'

/** What earlier looks of the last 28 days say about a series. Looks in which it was collecting do not count. */
export interface SeriesHistory {
  /** Number of tested looks. */
  readonly looks: number
  /** Largest L among those that did not alarm; 0 when there are none. */
  readonly maxUnalarmedL: number
  /** Largest D among all of them; 0 when there are none. */
  readonly maxD: number
  /** Whether the look before this one fired (`fired` of its verdict), whether or not it alarmed. */
  readonly previousFired: boolean
}

interface SeriesName {
  readonly model: string
  /** The calling application. */
  readonly source: string
  readonly history?: SeriesHistory
}

/** Integer values of one feature: reference window and current window, of the same basis. */
export interface ValueSeries extends SeriesName {
  readonly kind: 'ks'
  readonly feature: Exclude<FeatureName, 'error_rate'>
  readonly reference: CountTable
  readonly current: CountTable
}

/** Failed requests among ended requests: reference window and current window. */
export interface RateSeries extends SeriesName {
  readonly kind: 'fisher'
  readonly feature: 'error_rate'
  readonly reference: Proportion
  readonly current: Proportion
}

/** One (model, source, feature) of a look. */
export type Series = ValueSeries | RateSeries

/** How a look decides. Defaults: DEFAULT_LOOK_SETTINGS. */
export interface LookSettings {
  /** Error of the lower bounds L of one look, shared by `k` features. */
  readonly alpha: number
  readonly k: number
  /** Smallest L that alarms, for values and for the error rate. */
  readonly floor: number
  readonly errorFloor: number
  /** At most one false alarm in this many looks while nothing drifts. */
  readonly looksPerFalseAlarm: number
  readonly procedure: FdrProcedure
  /** Fewer observations than these: the series is collecting. */
  readonly minCurrent: number
  readonly minReference: number
  /** State updates that exact p-values of the whole look may take. */
  readonly stepBudget: number
  /** False leaves out the minimum detectable effects, which decide nothing: for many looks in a row. */
  readonly minimumEffect?: boolean
  /** Do not wait for a second look in a row: for a single comparison with a pinned baseline. */
  readonly immediate?: boolean
}

/** Why a verdict is what it is: the met conditions of an alarm, or the unmet ones without it. */
export type Reason =
  | 'too_few_current'
  | 'too_few_reference'
  | 'p_above_threshold'
  | 'effect_below_floor'
  | 'gate_closed'
  | 'waiting_for_second_look'
  | 'p_below_threshold'
  | 'effect_at_floor'
  | 'gate_short_history'
  | 'gate_beyond_usual'
  | 'gate_record_gap'
  | 'large_effect'
  | 'second_look'
  | 'immediate'

interface VerdictBase {
  readonly model: string
  readonly source: string
  readonly feature: FeatureName
  /** Observations of the reference. */
  readonly n: number
  /** Observations of the current window. */
  readonly m: number
  /** Smallest true effect that p <= threshold and L >= floor find with 80 % power; undefined when none is at n and m. */
  readonly minimumDetectable: number | undefined
  readonly reasons: readonly Reason[]
}

/** Too few observations to test. */
export interface CollectingVerdict extends VerdictBase {
  readonly state: 'collecting'
  readonly alarmed: false
  readonly fired: false
}

/** A test with its decision. */
export interface TestedVerdict extends VerdictBase {
  readonly state: 'tested'
  /** Largest gap of the distribution functions; for the error rate the difference of proportions, without sign. */
  readonly d: number
  /** Value at which the gap is attained; undefined for the error rate. */
  readonly dLocation: number | undefined
  readonly direction: Direction
  readonly p: number
  /** p adjusted over all tests of the look: the smallest level at which this series would be below the threshold. */
  readonly q: number
  readonly method: 'exact' | 'asymptotic'
  /** L: lower confidence bound of the true effect, the score of an alarm. */
  readonly l: number
  /** p, L and the gate all hold: an alarm as soon as the same holds in the next look, or at once when L is large. */
  readonly fired: boolean
  readonly alarmed: boolean
}

/** The outcome for one series. */
export type Verdict = CollectingVerdict | TestedVerdict

/** One look over all series. `verdicts` are in the order of the input. */
export interface LookResult {
  readonly verdicts: readonly Verdict[]
  /** 1 / looksPerFalseAlarm, the level of the whole family. */
  readonly level: number
  /** p at or below this is significant in this look. */
  readonly threshold: number
  /** Series tested, that is the size of the family. */
  readonly tests: number
  readonly alarms: number
  /** State updates spent on exact p-values, at most `stepBudget`, and how many series got one. */
  readonly exactSteps: number
  readonly exactTests: number
}

/** The alarms of one (model, source): what one alert says. */
export interface AlarmGroup {
  readonly model: string
  readonly source: string
  /** The largest L among the alarmed features. */
  readonly driftScore: number
  /** Names of the alarmed features in their fixed order, joined with commas: "latency,token_usage". */
  readonly driftedFeatures: string
  readonly features: readonly FeatureName[]
}
