// SPDX-License-Identifier: Apache-2.0

/** Whether the `YYYY-MM-DD` that a text begins with is a day of the calendar. `Date.parse` takes 30 February for 2 March. */
export function isIsoDay(text: string): boolean {
  const ms = Date.parse(`${text.slice(0, 10)}T00:00:00Z`)
  return !Number.isNaN(ms) && new Date(ms).toISOString().slice(0, 10) === text.slice(0, 10)
}
