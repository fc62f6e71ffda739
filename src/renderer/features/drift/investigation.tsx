// SPDX-License-Identifier: Apache-2.0
import { useState } from 'react'
import type { DriftAlert, DriftFeature } from '../../../shared/contract/drift.ts'
import { useOperation } from '../../client/hooks.ts'
import { moment } from '../../ui/format.ts'
import { Masked } from '../../ui/masked.tsx'
import { State } from '../../ui/parts.tsx'
import { Failed, Loading } from '../../ui/states.tsx'
import { AlertList } from './alert-list.tsx'
import type { AlertGroup } from './alert-pages.ts'
import { AlertPane } from './alert-pane.tsx'
import { VerdictView } from './verdict-view.tsx'

interface InvestigationProps {
  readonly groups: readonly AlertGroup[]
  readonly shown: DriftAlert
  readonly onShow: (id: string) => void
}

/** Latency where it alarmed, else the feature with the largest L. */
const firstFeature = ({ features }: DriftAlert): DriftFeature =>
  features.some((one) => one.feature === 'latency')
    ? 'latency'
    : ([...features].sort((a, b) => (b.l ?? 0) - (a.l ?? 0))[0]?.feature ?? 'latency')

/** The list of alerts, the verdict of the one that is shown, and what is done about it. */
export function Investigation({ groups, shown, onShow }: InvestigationProps) {
  // A feature is chosen for one alert; another one begins with its own. A verdict never stands under an alert it does not belong to.
  const [chosen, setChosen] = useState<{ readonly id: string; readonly feature: DriftFeature } | null>(null)
  const feature = chosen?.id === shown.id ? chosen.feature : firstFeature(shown)
  const verdict = useOperation('drift.verdict', { alert_id: shown.id, feature })
  const head = (
    <>
      <State is={shown.state === 'open' ? 'attention' : shown.state} size={13}>
        {shown.state}
      </State>
      <span className="clip">
        <Masked text={shown.model} /> · <Masked text={shown.source} />
      </span>
      <span className="dim nowrap">opened {moment(shown.timestamp)}</span>
    </>
  )
  return (
    <div className="drift">
      <AlertList groups={groups} selected={shown.id} onSelect={onShow} />
      {verdict.isError ? (
        <Failed what="This verdict cannot be shown" error={verdict.error} onRetry={() => void verdict.refetch()} />
      ) : verdict.data ? (
        <VerdictView
          head={head}
          features={shown.features}
          verdict={verdict.data}
          onFeature={(next) => setChosen({ id: shown.id, feature: next })}
        />
      ) : (
        <Loading what="Computing from the stored tables" />
      )}
      <AlertPane alert={shown} verdict={verdict.data ?? null} />
    </div>
  )
}
