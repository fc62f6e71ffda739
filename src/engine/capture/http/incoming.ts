// SPDX-License-Identifier: Apache-2.0
import type { IncomingEvent, LineResult } from '../ingest.ts'
import { isTooDeep } from './body.ts'
import type { RequestOrigin } from './intake.ts'

type Rejected = Extract<LineResult, { kind: 'rejected' }>

export function readEvent(line: number, value: unknown, origin: RequestOrigin, depth: number): IncomingEvent | Rejected {
  if (isTooDeep(value, depth)) return { line, kind: 'rejected', code: 'too_deep', message: 'The record is nested too deeply.' }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return { line, kind: 'rejected', code: 'not_an_object', message: 'The record is not a JSON object.' }
  return { line, event: { source: origin.source, ...value } as never, sourceKey: null }
}
