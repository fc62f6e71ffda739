// SPDX-License-Identifier: Apache-2.0
// What is done with a large body, from its bytes to the leaf: in a thread of its own, since the writer's must not be held for that long.
import type { PrivacySettings } from '../../../shared/contract/privacy.ts'
import type { CanonicalEvent } from '../../../shared/event/canonical-event.ts'
import { normaliseIngest } from '../../../shared/event/ingest.ts'
import { type ClassRule, classOf } from '../../../shared/policy/retention.ts'
import type { Actor, LeafDraft } from '../../ledger/draft.ts'
import { redactorOf } from '../../privacy/detectors.ts'
import { draftOf, INVALID_UNICODE } from '../call-draft.ts'
import { MALFORMED, parseJson } from '../http/body.ts'
import type { IncomingEvent } from '../ingest.ts'

/** The settings that decide what of an event is sealed, and as what. */
export interface DraftRules {
  readonly privacy: PrivacySettings
  readonly classes: readonly ClassRule[]
}

/** What became of one body. */
export type Drafted =
  | { readonly kind: 'drafted'; readonly draft: LeafDraft }
  | { readonly kind: 'rejected'; readonly code: string; readonly message: string }
  | { readonly kind: 'malformed' }

export interface EventTask {
  /** JSON in UTF-8. */
  readonly bytes: Uint8Array
  readonly line: number
  readonly receivedUs: number
  /** For an event that names none itself. */
  readonly source: string
  readonly actor: Actor
  readonly rules: DraftRules
}

function drafted(item: IncomingEvent, channel: 'http' | 'otlp', actor: Actor, { privacy, classes }: DraftRules): Drafted {
  const redact: (event: CanonicalEvent) => CanonicalEvent = redactorOf(privacy)
  const draft = draftOf({ ...item, event: redact(item.event) }, { channel, actor }, (record) => classOf(classes, record))
  return draft === undefined ? { kind: 'rejected', ...INVALID_UNICODE } : { kind: 'drafted', draft }
}

/** An event of the HTTP ingest. */
function event({ bytes, line, receivedUs, source, actor, rules }: EventTask): Drafted {
  const value = parseJson(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength))
  if (value === MALFORMED) return { kind: 'malformed' }
  const read = normaliseIngest(value, { receivedUs, channel: 'http', defaultSource: source })
  if (!read.ok) return { kind: 'rejected', code: read.code, message: read.message }
  return drafted({ line, event: read.event, sourceKey: read.sourceKey }, 'http', actor, rules)
}

/** Everything that the thread is asked for, by name. */
export const draftTasks = { event } as const

export type DraftTasks = typeof draftTasks
export type DraftTaskName = keyof DraftTasks
