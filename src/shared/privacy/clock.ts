// SPDX-License-Identifier: Apache-2.0

/** Days and months as GDPR 12(3) counts them: one month from receipt, two further months when extended. */
const FIRST_MONTHS = 1
const EXTENDED_MONTHS = 3

/**
 * The day on which an answer is due, `YYYY-MM-DD`: the same day of the month, or its last day where that month is shorter
 * (Regulation (EEC) 1182/71, article 3(2)(c)).
 * @param received day of receipt, `YYYY-MM-DD`
 */
export function dueDay(received: string, extended: boolean): string {
  const [year = 0, month = 1, day = 1] = received.split('-').map(Number)
  const months = month - 1 + (extended ? EXTENDED_MONTHS : FIRST_MONTHS)
  const last = new Date(Date.UTC(year, months + 1, 0)).getUTCDate()
  return new Date(Date.UTC(year, months, Math.min(day, last))).toISOString().slice(0, 10)
}

/** Whole days from today to the due day; negative when it has passed. */
export const daysLeft = (due: string, today: string): number => Math.round((Date.parse(due) - Date.parse(today)) / 86_400_000)
