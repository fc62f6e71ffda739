// SPDX-License-Identifier: Apache-2.0
import { Button } from '@mantine/core'
import { useNavigate } from '@tanstack/react-router'
import { useState } from 'react'
import type { ReviewState } from '../../shared/contract/review-state.ts'
import { shell } from '../client/bridge.ts'
import { moment } from '../ui/format.ts'
import { Mark, type Meaning } from '../ui/parts.tsx'

const looks: Readonly<Record<ReviewState['kind'], { readonly mark: Meaning; readonly band: string }>> = {
  valid: { mark: 'holds', band: 'banner-holds' },
  consistent: { mark: 'attention', band: 'banner-attention' },
  unchecked: { mark: 'attention', band: 'banner-attention' },
  invalid: { mark: 'broken', band: 'banner-broken' }
}

/** On every screen of a review: the verdict, whose bundle it is, and the way back. */
export function ReviewBanner({ review, sample }: { readonly review: ReviewState; readonly sample: boolean }) {
  const navigate = useNavigate()
  const [state, setState] = useState<'idle' | 'leaving' | 'failed'>('idle')
  // Generated data is no evidence, however well it verifies.
  const { mark, band } = sample && review.kind === 'valid' ? looks.consistent : looks[review.kind]
  return (
    <div className={`banner ${band}`} role="status" aria-label="Review">
      <Mark is={mark} size={15} />
      <div className="grow">
        {sample && (
          <>
            <b>SAMPLE.</b> Generated data, no evidence.{' '}
          </>
        )}
        <b>REVIEW, {review.verdict}.</b> Written {review.written === null ? 'at an unknown time' : moment(review.written)} for{' '}
        {review.recipient === '' ? 'nobody named' : review.recipient}: {review.purpose === '' ? 'no purpose named' : review.purpose}.
        {state === 'failed' && ' The workspace could not be opened.'}
      </div>
      <Button variant="default" size="compact-sm" onClick={() => void navigate({ to: '/exports' })}>
        Verification
      </Button>
      <Button
        variant="default"
        size="compact-sm"
        loading={state === 'leaving'}
        onClick={() => {
          setState('leaving')
          shell('shell.leaveReview', {}).catch(() => setState('failed'))
        }}
      >
        Close the review
      </Button>
    </div>
  )
}
