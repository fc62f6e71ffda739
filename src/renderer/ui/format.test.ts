// SPDX-License-Identifier: Apache-2.0
import { expect, it } from 'vitest'
import { axisTime, counted, isDay, listTime, shortDay } from './format.ts'

const now = Date.parse('2026-11-27T10:00:00Z')
const DAY = 86_400_000

it('the year of a time is seen where it is not this one', () => {
  expect(listTime('2026-07-24T14:31:34Z', now)).toBe('24 Jul 14:31:34')
  expect(listTime('2023-07-24T14:31:34Z', now)).toBe('24 Jul 2023 14:31:34')
  expect([shortDay('2026-01-01T00:00:00Z', now), shortDay('2025-12-31T23:59:59Z', now)]).toEqual(['1 Jan', '31 Dec 2025'])
})

it('an axis over years names them', () => {
  expect(axisTime('2023-07-24T14:31:34Z', 28 * DAY, 700 * DAY)).toBe('Jul 2023')
  expect(axisTime('2023-07-24T14:31:34Z', DAY / 4, 22 * DAY)).toBe('24 Jul')
  expect(axisTime('2023-07-24T14:31:34Z', DAY / 48, 2 * DAY)).toBe('24 Jul 14:31')
  expect(axisTime('2023-07-24T14:31:34Z', DAY / 96, DAY)).toBe('14:31')
})

it('one is not many', () => {
  expect([0, 1, 2000].map((n) => counted(n, 'record'))).toEqual(['0 records', '1 record', '2,000 records'])
  expect([1, 2].map((n) => counted(n, 'leaf', 'leaves'))).toEqual(['1 leaf', '2 leaves'])
})

it('a day is one of the calendar', () => {
  expect(['2026-11-23', '2024-02-29'].every(isDay)).toBe(true)
  expect(['', '2026-11', '2026-13-45', '2026-02-30', '23.11.2026'].some(isDay)).toBe(false)
})
