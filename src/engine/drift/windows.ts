// SPDX-License-Identifier: Apache-2.0
import { AffidavitError } from '../../shared/contract/errors.ts'
import type { FilterExpression } from '../../shared/filter/filter.ts'
import { parseFilter } from '../../shared/filter/parse.ts'

/** The filter of a stored body. @throws AffidavitError payload_missing: it is none, so the body is not what was written */
export function storedFilter(query: string): FilterExpression {
  const result = parseFilter(query)
  if (!result.ok) throw new AffidavitError('payload_missing', 'a stored filter cannot be read')
  return result.filter
}
