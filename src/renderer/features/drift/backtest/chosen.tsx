// SPDX-License-Identifier: Apache-2.0
import { Button } from '@mantine/core'
import { useNavigate } from '@tanstack/react-router'
import { formatFilter } from '../../../../shared/filter/format.ts'
import { count, moment } from '../../../ui/format.ts'
import { Facts } from '../../../ui/parts.tsx'
import type { Episode, EpisodeRow } from './episodes.ts'

const at = (time: number): string => moment(new Date(time).toISOString())

const words = (episode: Episode | null): string =>
  episode === null
    ? 'opens nothing'
    : `opens ${at(episode.from)}; ${count(episode.alarms)} alarm${episode.alarms === 1 ? '' : 's'} up to ${at(episode.to)}, ${episode.features.join(', ').replaceAll('_', ' ')}, score ${episode.score.toFixed(3)}`

interface ChosenProps {
  readonly row: EpisodeRow
  /** How long before the opening the judged window may have begun. */
  readonly slack: number
  readonly onClose: () => void
}

/** One episode on each side, and the way to its records. */
export function Chosen({ row, slack, onClose }: ChosenProps) {
  const navigate = useNavigate()
  const { alert } = row
  const query = formatFilter({
    terms: [
      { kind: 'is', field: 'model', value: row.model, negated: false },
      { kind: 'is', field: 'source', value: row.source, negated: false },
      { kind: 'time', from: (row.from - slack) * 1000, to: row.to * 1000 }
    ]
  })
  const reference = (row.tried ?? row.present)?.reference
  return (
    <aside className="chosen-episode" aria-label="Chosen episode">
      <Facts
        width={88}
        rows={[
          ...(row.tried ? [['Tried', words(row.tried)] as const] : []),
          ['As they are', words(row.present)],
          [
            'On record',
            alert === null
              ? 'no alert was opened about this time'
              : `opened ${moment(alert.timestamp)}, ${alert.state}, score ${alert.drift_score.toFixed(3)}`
          ],
          ...(reference === undefined ? [] : [['Reference', reference.replaceAll('_', ' ')] as const])
        ]}
      />
      <div className="row">
        <Button variant="default" size="compact-sm" onClick={() => void navigate({ to: '/records', search: { query } })}>
          Records of this time
        </Button>
        {alert && (
          <Button variant="default" size="compact-sm" onClick={() => void navigate({ to: '/drift', search: { alert: alert.id } })}>
            Open the alert
          </Button>
        )}
        <span className="grow" />
        <Button variant="subtle" size="compact-sm" onClick={onClose}>
          Close
        </Button>
      </div>
    </aside>
  )
}
