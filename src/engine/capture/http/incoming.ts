// SPDX-License-Identifier: Apache-2.0
import { normaliseIngest } from '../../../shared/event/ingest.ts'
import type { IncomingEvent, LineResult } from '../ingest.ts'

/** One parsed record as a canonical event that arrived now, or its rejection. @param source for an event that names none */
export function readEvent(line: number, value: unknown, source: string): IncomingEvent | Extract<LineResult, { kind: 'rejected' }> {
  const read = normaliseIngest(value, { receivedUs: Date.now() * 1000, channel: 'http', defaultSource: source })
  return read.ok
    ? { line, event: read.event, sourceKey: read.sourceKey }
    : { line, kind: 'rejected', code: read.code, message: read.message }
}
