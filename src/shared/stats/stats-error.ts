// SPDX-License-Identifier: Apache-2.0

/** Every reason for which a function of this folder refuses its input. */
export type StatsErrorCode =
  | 'stats.empty'
  | 'stats.not_a_number'
  | 'stats.not_an_integer'
  | 'stats.bad_count'
  | 'stats.bad_table'
  | 'stats.bad_argument'

/** Thrown on input that has no statistical meaning. `message` never holds a measured value. */
export class StatsError extends Error {
  readonly code: StatsErrorCode

  constructor(code: StatsErrorCode, message: string) {
    super(message)
    this.name = 'StatsError'
    this.code = code
  }
}
