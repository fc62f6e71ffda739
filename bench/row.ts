// SPDX-License-Identifier: Apache-2.0

/** One measured figure. */
export interface BenchRow {
  /** What was measured, such as `single POST, 32 connections`. */
  readonly name: string
  readonly value: number
  /** Such as `requests/s`, `ms`, `MiB`. */
  readonly unit: string
  /** The figure it is meant to reach; a lower bound for rates, an upper bound for times and sizes. */
  readonly target?: number
  readonly note?: string
  /** What the figure is expected to be, in words, and whether it is. */
  readonly expected?: string
  readonly holds?: boolean
  /** What the machine itself allows, measured in the same run, and the figure divided by it. */
  readonly limit?: { readonly name: string; readonly value: number }
  readonly ratio?: number
}
