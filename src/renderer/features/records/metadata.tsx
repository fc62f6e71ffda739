// SPDX-License-Identifier: Apache-2.0
import type { ReactNode } from 'react'
import type { RecordDetail } from '../../../shared/contract/record.ts'
import { exactMoment } from '../../ui/format.ts'
import { Masked } from '../../ui/masked.tsx'
import { Facts } from '../../ui/parts.tsx'
import { Who } from '../../ui/who.tsx'
import { Corrections } from './corrections.tsx'
import { Cost } from './cost.tsx'
import { Kept } from './kept.tsx'
import { Place } from './place.tsx'
import { Reviews } from './reviews.tsx'

const shown = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value))

/** What is known of a call besides its words, what people noted on it, and the leaf itself. */
export function Metadata({ detail, onUnmask }: { readonly detail: RecordDetail; readonly onUnmask: (detail: RecordDetail) => void }) {
  const { row } = detail
  const own = Object.entries(detail.event).filter(([name]) => name !== 'attributes')
  const attributes = Object.entries((detail.event.attributes ?? {}) as Record<string, unknown>)
  return (
    <div className="column gap-12" style={{ minHeight: 'auto' }}>
      <Facts
        width={132}
        rows={[
          ['Appended', exactMoment(row.appended)],
          ['Way in', row.channel],
          ['Provider', row.provider],
          ['Answered', <Place key="p" detail={detail} />],
          ['Operation', row.operation],
          ['Status', row.status],
          ['Cost', <Cost key="c" detail={detail} />],
          ['Actor', <Who key="a" actor={detail.leaf.actor} />],
          ['Leaf type', detail.leaf.type]
        ]}
      />
      <Kept seq={row.seq} />
      <Reviews seq={row.seq} reviews={detail.reviews} />
      <Corrections detail={detail} onUnmask={onUnmask} />
      <h3 className="panel-title">Event as sealed</h3>
      <AsSealed entries={own} />
      {attributes.length > 0 && (
        <>
          <h3 className="panel-title">Attributes</h3>
          <AsSealed entries={attributes} />
        </>
      )}
      <h3 className="panel-title">Leaf, exact bytes</h3>
      <pre className="leaf-json">{detail.leaf.json}</pre>
    </div>
  )
}

/** Members of the sealed event, masked as the settings say. */
function AsSealed({ entries }: { readonly entries: readonly (readonly [string, unknown])[] }) {
  const rows = entries.map(([name, value]): readonly [string, ReactNode] => [
    name,
    <span key={name} className="mono">
      <Masked text={shown(value)} />
    </span>
  ])
  return <Facts width={132} rows={rows} />
}
