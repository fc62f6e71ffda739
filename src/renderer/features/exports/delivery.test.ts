// SPDX-License-Identifier: Apache-2.0
import { expect, it } from 'vitest'
import { isSealable, plainDelivery, recipientProblem } from './delivery.tsx'

const PUBLIC = `age1${'q'.repeat(58)}`

it('a key of the recipient has its form, and its secret half is called that', () => {
  expect([recipientProblem(''), recipientProblem(` ${PUBLIC} `)]).toEqual([null, null])
  expect(recipientProblem('age1short')).toContain('62 characters')
  for (const secret of [`AGE-SECRET-KEY-1${'Q'.repeat(58)}`, 'age-secret-key-1qq']) {
    expect(recipientProblem(secret)).toContain('secret half')
    expect(isSealable({ ...plainDelivery, sealing: 'recipient', secret })).toBe(false)
  }
})
