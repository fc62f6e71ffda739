// SPDX-License-Identifier: Apache-2.0
import type { PrivacySettings } from '../../../shared/contract/privacy.ts'
import type { IngestResult } from '../../../shared/event/ingest.ts'
import { type ClassRule, classOf } from '../../../shared/policy/retention.ts'
import type { Actor, LeafDraft } from '../../ledger/draft.ts'
import { redactorOf } from '../../privacy/detectors.ts'
import { draftOf } from '../call-draft.ts'
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

/** The leaf of an event as it is read, redacted by the settings in force. */
export function drafted(
  read: () => IngestResult | null,
  {
    line,
    call,
    channel,
    actor,
    rules
  }: {
    readonly line: number
    readonly call?: IncomingEvent['call']
    readonly channel: 'http' | 'otlp'
    readonly actor: Actor
    readonly rules: DraftRules
  }
): Drafted {
  const result = read()
  if (result === null) return { kind: 'malformed' }
  if (!result.ok) return { kind: 'rejected', code: result.code, message: result.message }
  const event = redactorOf(rules.privacy)(result.event)
  const draft = draftOf({ line, event, sourceKey: result.sourceKey, call }, { channel, actor }, (record) => classOf(rules.classes, record))
  return 'code' in draft ? { kind: 'rejected', ...draft } : { kind: 'drafted', draft }
}
