// SPDX-License-Identifier: Apache-2.0
import { expect, it } from 'vitest'
import { z } from 'zod'
import { inputProblem } from './input-problem.ts'

const input = z.strictObject({
  limit: z.number().int().min(1).max(1000).optional(),
  from: z.iso.datetime({ offset: true }).optional(),
  day: z.iso.date().optional(),
  state: z.enum(['open', 'resolved']).optional(),
  name: z
    .string()
    .min(2)
    .max(5)
    .regex(/^[a-z]+$/)
    .optional(),
  note: z.string().regex(/\S/, 'say why').optional(),
  even: z
    .number()
    .refine((n) => n % 2 === 0)
    .optional(),
  ids: z.array(z.uuid()).max(2).optional(),
  letter: z.string().min(1).optional(),
  one: z.array(z.number()).max(1).optional()
})

it.each([
  [{ limit: 5000 }, 'limit: at most 1000'],
  [{ limit: 0 }, 'limit: at least 1'],
  [{ limit: '5' }, 'limit: expected number'],
  [{ from: 'secret' }, 'from: expected a time such as 2026-03-01T09:00:00Z'],
  [{ day: 'secret' }, 'day: expected a day such as 2026-03-01'],
  [{ state: 'secret' }, 'state: one of open, resolved'],
  [{ name: 'secret' }, 'name: at most 5 characters'],
  [{ name: 'x' }, 'name: at least 2 characters'],
  [{ name: '123' }, 'name: has another form than expected'],
  [{ note: ' ' }, 'note: say why'],
  [{ even: 3 }, 'even: does not fit'],
  [{ ids: ['a'] }, 'ids.0: expected uuid'],
  [{ ids: Array(3).fill('0188d3a0-0000-7000-8000-000000000000') }, 'ids: at most 2 entries'],
  [{ letter: '' }, 'letter: at least 1 character'],
  [{ one: [1, 2] }, 'one: at most 1 entry'],
  [{ secret: 1 }, 'the input: has fields that this operation does not know'],
  [null, 'the input: expected object']
])('%j is answered with what is expected', (value, message) => {
  const parsed = input.safeParse(value)
  if (parsed.success) throw new Error('it fits')
  expect(inputProblem(parsed.error)).toBe(message)
})
