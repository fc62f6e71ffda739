// SPDX-License-Identifier: Apache-2.0
import { Button } from '@mantine/core'
import { IconArrowLeft } from '@tabler/icons-react'
import { useState } from 'react'
import type { DriftFeature, DriftSeries } from '../../../shared/contract/drift.ts'
import { codeOf, useOperation } from '../../client/hooks.ts'
import { moment } from '../../ui/format.ts'
import { Note, State } from '../../ui/parts.tsx'
import { PermittedButton } from '../../ui/permitted-button.tsx'
import { Empty, Failed, Loading } from '../../ui/states.tsx'
import { seriesMeanings, seriesWords, stateWords } from './series-words.ts'
import { ExportRecords, VerdictFacts } from './verdict-facts.tsx'
import { VerdictView } from './verdict-view.tsx'

interface SeriesVerdictProps {
  readonly series: DriftSeries
  readonly lastLook: string | null
  readonly onBack: () => void
  readonly onPin: () => void
  readonly onAlert: (id: string) => void
}

/** The feature with the largest L; the first one where none has any. */
const strongestOf = ({ numbers }: DriftSeries): DriftFeature =>
  [...numbers].sort((a, b) => (b.l ?? 0) - (a.l ?? 0))[0]?.feature ?? 'latency'

/** What the newest look says of a series against its present reference, alert or not. */
export function SeriesVerdict({ series, lastLook, onBack, onPin, onAlert }: SeriesVerdictProps) {
  const [chosen, setChosen] = useState<DriftFeature | null>(null)
  const { model, source, state, alert_id, looked_at } = series
  const looked = looked_at !== null
  const verdict = useOperation('drift.verdict', { model, source, feature: chosen ?? strongestOf(series) }, { enabled: looked })
  const head = (
    <>
      <State is={seriesMeanings[state]} size={13}>
        {stateWords[state]}
      </State>
      <span className="clip">
        {model} · {source}
      </span>
      {looked_at !== null && <span className="dim clip">looked at {moment(looked_at)}</span>}
    </>
  )
  return (
    <div className="drift series-verdict">
      {verdict.isError && codeOf(verdict.error) !== 'not_found' ? (
        <Failed what="This verdict cannot be shown" error={verdict.error} onRetry={() => void verdict.refetch()} />
      ) : !looked || verdict.isError ? (
        <Empty title={`${model} · ${source}`}>
          <p>{seriesWords(series, lastLook, Date.now())}</p>
        </Empty>
      ) : verdict.data ? (
        <VerdictView head={head} features={series.numbers} verdict={verdict.data} onFeature={setChosen} />
      ) : (
        <Loading what="Computing from the stored tables" />
      )}
      <aside className="drift-pane" aria-label="Series details">
        <div className="column gap-8" style={{ alignItems: 'flex-start' }}>
          <Button variant="subtle" size="compact-sm" leftSection={<IconArrowLeft size={14} />} onClick={onBack}>
            All series
          </Button>
          {alert_id !== null && (
            <>
              <Note is="attention">An alert of this series is not resolved.</Note>
              <Button size="compact-sm" onClick={() => onAlert(alert_id)}>
                Open the alert
              </Button>
            </>
          )}
          <PermittedButton permission="drift" variant="default" size="compact-sm" onClick={onPin}>
            Pin a baseline for it…
          </PermittedButton>
          {verdict.data && <ExportRecords verdict={verdict.data} />}
        </div>
        {verdict.data && <VerdictFacts verdict={verdict.data} />}
      </aside>
    </div>
  )
}
