// SPDX-License-Identifier: Apache-2.0
// What happened to a record, from its capture to its end: each with who, when, and the leaf that proves it.
import { whoMay } from '../../../shared/contract/permissions.ts'
import { useStatus } from '../../app/engine-state.tsx'
import { useOperation } from '../../client/hooks.ts'
import { count, moment } from '../../ui/format.ts'
import { Note } from '../../ui/parts.tsx'
import { Failed, Loading } from '../../ui/states.tsx'
import { Who } from '../../ui/who.tsx'
import { LeafLink } from './leaf-proof.tsx'

/** The life of one record; in a review, as far as the bundle holds it. */
export function Life({ seq }: { readonly seq: number }) {
  const review = useStatus()?.review ?? null
  const life = useOperation('records.life', { seq })
  if (life.isError) return <Failed what="The life of this record cannot be read" error={life.error} onRetry={() => void life.refetch()} />
  if (!life.data) return <Loading what="Reading what happened to it" />
  const { events, reads, earlier_reads } = life.data
  return (
    <div className="column gap-12" style={{ minHeight: 'auto' }}>
      <ol className="life" aria-label="Life of the record">
        {events.map((one) => (
          <li key={one.seq}>
            <div className="row wrap" style={{ columnGap: 8, rowGap: 0 }}>
              <b>{sentence(one.what)}</b>
              <span className="grow" />
              <LeafLink seq={one.seq} />
            </div>
            <div className="dim small">
              {moment(one.time)}, by <Who actor={one.actor} />
            </div>
            {one.detail !== '' && <div className="anywhere">{one.detail}</div>}
          </li>
        ))}
      </ol>
      {earlier_reads > 0 && <p className="dim small">{count(earlier_reads)} earlier reads are in the activity.</p>}
      {review !== null ? (
        <Note is="plain">
          From the leaves that this bundle holds: how it was recorded, reviews, corrections and erasure, as of{' '}
          {review.written === null ? 'its checkpoint' : moment(review.written)}. A bundle brings no holds, restrictions or disposals, and no
          views, verifications or exports of a record: whether there were any, the workspace it came from can tell.
        </Note>
      ) : (
        !reads && <Note is="plain">Who read it is not shown here: {whoMay('activity')}.</Note>
      )}
    </div>
  )
}

const sentence = (text: string): string => `${text.charAt(0).toUpperCase()}${text.slice(1)}`
