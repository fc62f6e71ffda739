// SPDX-License-Identifier: Apache-2.0
import { Link } from '@tanstack/react-router'
import type { ReviewState } from '../../../shared/contract/review-state.ts'
import { useOperation } from '../../client/hooks.ts'
import { count, counted, moment } from '../../ui/format.ts'
import { Facts, Mark, type Meaning, Panel, State } from '../../ui/parts.tsx'

const meaning: Readonly<Record<ReviewState['kind'], Meaning>> = {
  valid: 'holds',
  consistent: 'attention',
  unchecked: 'attention',
  invalid: 'broken'
}

/** In place of the integrity of a ledger: the verdict on the bundle, and which part of the tree it brings. */
export function BundlePanel({ review }: { readonly review: ReviewState }) {
  const found = useOperation('review.report', {})
  const { size, origin } = found.data?.report.bundle ?? { size: null, origin: null }
  return (
    <Panel
      title="Bundle"
      className="four tall"
      right={
        <Link className="link" to="/exports">
          Verification
        </Link>
      }
    >
      <div className="row" style={{ gap: 10, alignItems: 'flex-start' }}>
        <Mark is={meaning[review.kind]} size={20} />
        <div className="grow">
          <div className="strong clip" style={{ fontSize: 15, lineHeight: '20px' }}>
            {review.verdict.charAt(0).toUpperCase()}
            {review.verdict.slice(1)}
          </div>
          <div className="soft small clip">
            {counted(review.records, 'record')}, {counted(review.leaves, 'leaf', 'leaves')}
            {size === null ? '' : ` of a tree of ${count(size)}`}
          </div>
        </div>
      </div>
      <div style={{ marginTop: 12 }}>
        <Facts
          width={72}
          rows={[
            [
              'From',
              <span key="o" className="mono clip">
                {origin ?? '…'}
              </span>
            ],
            ['Written', review.written === null ? 'not said' : moment(review.written)],
            ['For', `${review.recipient}: ${review.purpose}`],
            [
              'Keys',
              <State key="k" is={review.confirmed ? 'holds' : 'attention'}>
                {review.confirmed ? 'compared' : 'unknown until compared'}
              </State>
            ]
          ]}
        />
      </div>
    </Panel>
  )
}
