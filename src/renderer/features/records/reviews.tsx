// SPDX-License-Identifier: Apache-2.0
import { Button, Modal, SegmentedControl, Textarea } from '@mantine/core'
import { useState } from 'react'
import type { RecordDetail } from '../../../shared/contract/record.ts'
import { reviewDecisions } from '../../../shared/evidence/leaf-data.ts'
import { sentenceOf, useAction } from '../../client/hooks.ts'
import { DialogButtons } from '../../ui/dialog-buttons.tsx'
import { count, moment } from '../../ui/format.ts'
import { Note } from '../../ui/parts.tsx'
import { PermittedButton } from '../../ui/permitted-button.tsx'
import { Who } from '../../ui/who.tsx'

type Decision = (typeof reviewDecisions)[number]

const labels: Readonly<Record<Decision, string>> = { accepted: 'Accepted', rejected: 'Rejected', escalated: 'Escalated' }

/** What people decided on a record after reading it, and the way to add to it. */
export function Reviews({ seq, reviews }: { readonly seq: number; readonly reviews: RecordDetail['reviews'] }) {
  const [deciding, setDeciding] = useState(false)
  return (
    <div className="column gap-8">
      <div className="row">
        <h3 className="panel-title">Human review</h3>
        <span className="grow" />
        <PermittedButton permission="review" variant="default" size="compact-sm" onClick={() => setDeciding(true)}>
          Review…
        </PermittedButton>
      </div>
      {reviews.length === 0 ? (
        <p className="dim small">Nobody has reviewed this record yet.</p>
      ) : (
        reviews.map((one) => (
          <div key={one.seq}>
            <b>{labels[one.decision]}</b>{' '}
            <span className="dim small">
              {moment(one.time)}, by <Who actor={one.by} />, leaf {count(one.seq)}
            </span>
            <div>{one.note}</div>
          </div>
        ))
      )}
      {deciding && <Review seq={seq} onClose={() => setDeciding(false)} />}
    </div>
  )
}

function Review({ seq, onClose }: { readonly seq: number; readonly onClose: () => void }) {
  const [decision, setDecision] = useState<Decision>('accepted')
  const [note, setNote] = useState('')
  const review = useAction('records.review', ['records.get'])
  return (
    <Modal opened onClose={onClose} title={`Review of leaf ${count(seq)}`}>
      <form
        className="column gap-12"
        onSubmit={(event) => {
          event.preventDefault()
          review.mutate({ seq, decision, note }, { onSuccess: onClose })
        }}
      >
        <SegmentedControl
          aria-label="Decision"
          data={reviewDecisions.map((value) => ({ value, label: labels[value] }))}
          value={decision}
          onChange={(value) => setDecision(value as Decision)}
        />
        <Textarea
          label="Why"
          description="Kept for good, and in every bundle with this record: name no client."
          value={note}
          maxLength={2000}
          autosize
          minRows={2}
          data-autofocus
          onChange={(event) => setNote(event.currentTarget.value)}
        />
        {review.isError && <Note is="broken">{sentenceOf(review.error)}</Note>}
        <DialogButtons onCancel={onClose}>
          <Button type="submit" loading={review.isPending} disabled={note.trim().length < 3}>
            Record the review
          </Button>
        </DialogButtons>
      </form>
    </Modal>
  )
}
