// SPDX-License-Identifier: Apache-2.0
import type { z } from 'zod'

type Issue = z.core.$ZodIssue

/** A number of characters of a text, of entries of a list, or a number alone. */
function amount(n: number | bigint, origin: string): string {
  const one = Number(n) === 1
  if (origin === 'string') return one ? '1 character' : `${n} characters`
  const list = origin === 'array' || origin === 'set' || origin === 'map' || origin === 'record'
  return list ? (one ? '1 entry' : `${n} entries`) : String(n)
}

/** What the schema itself says of it, when it says something. */
const own = ({ message }: Issue, otherwise: string): string => (message.startsWith('Invalid ') ? otherwise : message)

function expected(issue: Issue): string {
  switch (issue.code) {
    case 'too_big':
      return `at most ${amount(issue.maximum, issue.origin)}`
    case 'too_small':
      return `at least ${amount(issue.minimum, issue.origin)}`
    case 'invalid_value':
      return issue.values.length === 1 ? String(issue.values[0]) : `one of ${issue.values.map(String).join(', ')}`
    case 'invalid_type':
      return `expected ${issue.expected}`
    case 'invalid_format':
      if (issue.format === 'datetime') return 'expected a time such as 2026-03-01T09:00:00Z'
      if (issue.format === 'date') return 'expected a day such as 2026-03-01'
      return issue.format === 'regex' ? own(issue, 'has another form than expected') : `expected ${issue.format}`
    case 'not_multiple_of':
      return `a multiple of ${issue.divisor}`
    case 'unrecognized_keys':
      return 'has fields that this operation does not know'
    case 'custom':
      return own(issue, 'does not fit')
    default:
      return issue.code.replaceAll('_', ' ')
  }
}

/** The first thing that is wrong with an input: its field, and what is expected there. Never a value of the input. */
export function inputProblem(error: z.ZodError): string {
  const [issue] = error.issues
  if (issue === undefined) return 'the input does not fit'
  return `${issue.path.length === 0 ? 'the input' : issue.path.join('.')}: ${expected(issue)}`
}
