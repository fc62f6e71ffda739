// SPDX-License-Identifier: Apache-2.0
import type { PrivacySettings } from '../../shared/contract/privacy.ts'
import type { RecordDetail } from '../../shared/contract/record.ts'
import type { CorrectionChange } from '../../shared/event/correction.ts'
import { Masker } from '../../shared/privacy/mask.ts'
import { detectorsOf, maskCorrected, maskWritten } from './detectors.ts'

type Shown = Omit<RecordDetail, 'view_seq'>

/** A record as it leaves the engine by default: what the settings say is masked does not reach the page at all. */
export function maskDetail(detail: Shown, settings: PrivacySettings): Shown {
  // What is redacted at ingest is masked too: records of before the setting still hold it.
  const masker = new Masker(detectorsOf(settings, ['mask', 'redact']))
  const { input_messages, output_messages } = maskWritten(
    { input_messages: detail.input_messages, output_messages: detail.output_messages },
    masker,
    null
  )
  const tools = detail.tools === undefined ? {} : { tools: masker.json(detail.tools) }
  const error = detail.error === null ? null : masker.text(detail.error)
  const subject = settings.packs.subject === 'off' ? null : settings.subject_attributes
  const event = maskWritten(detail.event, masker, subject)
  const maskName = (change: CorrectionChange): CorrectionChange =>
    'attribute' in change.what ? { ...change, what: { attribute: masker.text(change.what.attribute) } } : change
  const corrections = detail.corrections.map((one) => ({
    ...one,
    reason: masker.text(one.reason),
    changes: maskCorrected(one.changes, masker, subject).map(maskName)
  }))
  return {
    ...detail,
    ...tools,
    input_messages,
    output_messages,
    error,
    event,
    corrections,
    masked: { total: masker.total, kinds: masker.counts }
  }
}
