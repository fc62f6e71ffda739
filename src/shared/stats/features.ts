// SPDX-License-Identifier: Apache-2.0

/** The features that can raise an alarm; the family over which one look shares its error (k = 4). */
export type FeatureName = 'latency' | 'token_usage' | 'response_length' | 'error_rate'

/** How a feature is tested: two-sample Kolmogorov-Smirnov on values, or Fisher's exact test on two proportions. */
export type SeriesKind = 'ks' | 'fisher'

/** What one unit of a feature's value is. */
export type FeatureUnit = 'millisecond' | 'token' | 'character' | 'request'

/** One feature: its stored name, its test and the unit of its integer values. */
export interface Feature {
  readonly name: FeatureName
  readonly kind: SeriesKind
  readonly unit: FeatureUnit
}

/**
 * The features that can raise an alarm, in the order in which they are always listed.
 * `latency` is in whole milliseconds, `token_usage` in tokens, `response_length` in characters of the answer;
 * `error_rate` counts failed requests out of ended requests.
 */
export const FEATURES = [
  { name: 'latency', kind: 'ks', unit: 'millisecond' },
  { name: 'token_usage', kind: 'ks', unit: 'token' },
  { name: 'response_length', kind: 'ks', unit: 'character' },
  { name: 'error_rate', kind: 'fisher', unit: 'request' }
] as const satisfies readonly Feature[]
