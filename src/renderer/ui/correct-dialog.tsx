// SPDX-License-Identifier: Apache-2.0
import { Button, Modal, Select, Textarea } from '@mantine/core'
import { useState } from 'react'
import type { RecordDetail } from '../../shared/contract/record.ts'
import { placeKey, recordedAt, standsAt } from '../../shared/event/correction.ts'
import { MASK } from '../../shared/privacy/mask.ts'
import { sentenceOf, useAction } from '../client/hooks.ts'
import { DialogButtons } from './dialog-buttons.tsx'
import { count } from './format.ts'
import { Masked } from './masked.tsx'
import { Note } from './parts.tsx'
import { placeName, placesOf } from './record-places.ts'
import { UnmaskDialog } from './unmask-dialog.tsx'

interface CorrectDialogProps {
  /** The record as it is shown, masked or not. */
  readonly detail: RecordDetail
  /** The request for rectification that is answered. */
  readonly requestId?: string
  readonly onUnmask: (detail: RecordDetail) => void
  readonly onCorrected?: (seq: number) => void
  readonly onClose: () => void
}

/** Whether a text has masks of a view in it; what ingest redacted is all that was recorded. */
const isMasked = (text: string): boolean => [...text.matchAll(MASK)].some(([, redacted]) => redacted === undefined)

/** Says what should stand at places of a record: the original on the left stays as it is. */
export function CorrectDialog({ detail, requestId, onUnmask, onCorrected, onClose }: CorrectDialogProps) {
  const groups = placesOf(detail)
  const places = groups.flatMap((one) => one.places)
  const [chosen, setChosen] = useState<string | null>(null)
  const [edits, setEdits] = useState<Readonly<Record<string, string>>>({})
  const [reason, setReason] = useState('')
  const [unmasking, setUnmasking] = useState(false)
  const correct = useAction('records.correct', ['records.get', 'requests.list', 'recipients.list'])
  const place = places.find((one) => placeKey(one) === chosen) ?? places[0]
  if (!place) return null
  const key = placeKey(place)
  const { seq } = detail.row
  const original = recordedAt(detail, place) ?? ''
  const stands = standsAt(detail, place) ?? ''
  const masked = isMasked(original) || isMasked(stands)
  const changes = places.flatMap((what) => {
    const now = edits[placeKey(what)]
    return now === undefined || now === standsAt(detail, what) ? [] : [{ what, now }]
  })
  return (
    <Modal opened onClose={onClose} closeOnEscape={!unmasking} title={`Correct leaf ${count(seq)}`} size={860}>
      <form
        className="column gap-12"
        onSubmit={(event) => {
          event.preventDefault()
          correct.mutate(
            { seq, changes, reason, ...(requestId === undefined ? {} : { request_id: requestId }) },
            {
              onSuccess: (leaf) => {
                onCorrected?.(leaf.seq)
                onClose()
              }
            }
          )
        }}
      >
        <p className="soft">The record stays as it is. What should stand there is recorded beside it, for good.</p>
        <Select
          label="Place"
          allowDeselect={false}
          data={groups.map(({ group, places: some }) => ({
            group,
            items: some.map((one) => ({ value: placeKey(one), label: placeName(detail, one) }))
          }))}
          value={key}
          onChange={setChosen}
        />
        <div className="beside">
          <div>
            <div className="beside-title">Original</div>
            <div className="beside-text beside-original">
              {original === '' ? <span className="dim">nothing was recorded here</span> : <Masked text={original} />}
            </div>
          </div>
          <div>
            {masked ? (
              <>
                <div className="beside-title">Should be</div>
                <Note is="plain">
                  <div className="column gap-8">
                    <span>Part of this is masked, and a correction holds the whole text: unmask the record first, with a reason.</span>
                    <span>
                      <Button variant="default" size="compact-sm" onClick={() => setUnmasking(true)}>
                        Unmask…
                      </Button>
                    </span>
                  </div>
                </Note>
              </>
            ) : (
              <Textarea
                label="Should be"
                value={edits[key] ?? stands}
                autosize
                minRows={2}
                maxRows={14}
                onChange={(event) => {
                  const { value } = event.currentTarget
                  setEdits((before) => ({ ...before, [key]: value }))
                }}
              />
            )}
          </div>
        </div>
        {stands !== original && <p className="dim small">Corrected before: on the right stands the last correction.</p>}
        <Textarea
          label="Why"
          description="Kept with the correction, and erased with it."
          value={reason}
          maxLength={2000}
          autosize
          minRows={2}
          onChange={(event) => setReason(event.currentTarget.value)}
        />
        {correct.isError && <Note is="broken">{sentenceOf(correct.error)}</Note>}
        <DialogButtons
          onCancel={onClose}
          beside={
            <span className="dim small">
              {changes.length === 0 ? 'Nothing differs yet.' : changes.map(({ what }) => placeName(detail, what)).join('; ')}
            </span>
          }
        >
          <Button type="submit" loading={correct.isPending} disabled={changes.length === 0 || reason.trim().length < 3}>
            Record the correction
          </Button>
        </DialogButtons>
      </form>
      {unmasking && <UnmaskDialog seq={seq} onClose={() => setUnmasking(false)} onUnmask={onUnmask} />}
    </Modal>
  )
}
