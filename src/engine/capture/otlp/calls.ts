// SPDX-License-Identifier: Apache-2.0
// Calls that spans and log records tell of, on their way to the ledger: read on the spot, or large and read beside the writer.
import { hasContent } from '../../../shared/event/otlp/content.ts'
import { type CallSpan, eventOfCall } from '../../../shared/event/otlp/map.ts'
import type { RequestOrigin } from '../http/intake.ts'
import type { DraftedEvent, IncomingEvent } from '../ingest.ts'
import { type CallTask, digestOf } from '../large/otlp.ts'

/** A span that is a call. */
export interface SpanCall {
  readonly key: string
  readonly source: string | undefined
  readonly inference: boolean
  /** Whether it says itself what was asked and answered. */
  readonly content: boolean
  readonly digest: () => string
  /** The span, or the bytes of a large one. */
  readonly of: CallSpan | Extract<CallTask['of'], { readonly item: Uint8Array }>
  readonly bytes: number
}

/** A span that was read on the spot; `bytes`: about how much it is. */
export const spanCall = (call: CallSpan, bytes: number): SpanCall => ({
  key: call.key,
  source: typeof call.raw.source === 'string' ? call.raw.source : undefined,
  inference: call.raw.span_role === 'inference',
  content: hasContent(call.content),
  digest: () => digestOf(call),
  of: call,
  bytes
})

/** A call on its way to the ledger. */
export interface Item {
  /** Read on the spot, */
  readonly call?: () => CallSpan
  /** or beside the writer. */
  readonly large?: Pick<CallTask, 'of' | 'logs'>
  /** About how much there is to seal. */
  readonly bytes: number
  readonly two?: IncomingEvent['call']
  /** Told what became of it: its leaf, null for one that was refused. */
  readonly done: (seq: number | null) => void
}

/** The event or the leaf of a call, or why it is not taken. */
export type ReadCall = IncomingEvent | DraftedEvent | { readonly code: string }

/** Reads a call where the writer is. */
export function onTheSpot({ call, two }: Item, line: number, receivedUs: number, { source }: RequestOrigin): ReadCall {
  const read = call ? eventOfCall(call(), receivedUs, source) : ({ ok: false, code: 'internal' } as const)
  return read.ok ? { line, event: read.event, sourceKey: read.sourceKey, call: two } : { code: read.code }
}
