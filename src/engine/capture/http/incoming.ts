// SPDX-License-Identifier: Apache-2.0
import { normaliseIngest } from '../../../shared/event/ingest.ts'
import type { DraftedEvent, IncomingEvent, LineResult } from '../ingest.ts'
import type { Large } from '../large/tasks.ts'
import { MALFORMED, parseJson } from './body.ts'
import type { RequestOrigin } from './intake.ts'

type Rejected = Extract<LineResult, { kind: 'rejected' }>
/** A record that was read: the event of it, or its leaf already, or why it is neither. */
export type ReadRecord = IncomingEvent | DraftedEvent | Rejected

/** One parsed record as a canonical event that arrived now, or its rejection. @param source for an event that names none */
function readEvent(line: number, value: unknown, source: string): IncomingEvent | Rejected {
  const read = normaliseIngest(value, { receivedUs: Date.now() * 1000, channel: 'http', defaultSource: source })
  return read.ok
    ? { line, event: read.event, sourceKey: read.sourceKey }
    : { line, kind: 'rejected', code: read.code, message: read.message }
}

/** Reads one record from the bytes of its JSON. */
export type ReadBytes = (
  line: number,
  bytes: Buffer,
  origin: RequestOrigin
) => ReadRecord | typeof MALFORMED | Promise<ReadRecord | typeof MALFORMED>

/** Reads records: small ones on the spot, those of `largeBytes` and more beside the writer. */
export function recordReader(large: Large | undefined, largeBytes: number): ReadBytes {
  const beside = async (thread: Large, line: number, bytes: Buffer, { source, actor }: RequestOrigin) => {
    const read = await thread.run('event', { bytes, line, source, actor, receivedUs: Date.now() * 1000, rules: thread.rules() })
    if (read.kind === 'malformed') return MALFORMED
    return read.kind === 'drafted' ? { line, draft: read.draft } : ({ line, ...read } as const)
  }
  return (line, bytes, origin) => {
    if (large !== undefined && bytes.length >= largeBytes) return beside(large, line, bytes, origin)
    const value = parseJson(bytes)
    return value === MALFORMED ? MALFORMED : readEvent(line, value, origin.source)
  }
}
