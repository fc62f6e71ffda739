// SPDX-License-Identifier: Apache-2.0
import './drift.css'
import { Button, SegmentedControl } from '@mantine/core'
import { notifications } from '@mantine/notifications'
import { IconPin } from '@tabler/icons-react'
import { useNavigate } from '@tanstack/react-router'
import { useEffect, useState } from 'react'
import type { DriftAlert } from '../../../shared/contract/drift.ts'
import { useStatus } from '../../app/engine-state.tsx'
import { Screen } from '../../app/shell.tsx'
import { messageOf, useAction, useOperation, useRefresh, useTopic } from '../../client/hooks.ts'
import { clock, count, day } from '../../ui/format.ts'
import { PermittedButton } from '../../ui/permitted-button.tsx'
import { Empty, Failed, Loading } from '../../ui/states.tsx'
import { AlertList } from './alert-list.tsx'
import { type AlertGroup, useAlertPages } from './alert-pages.ts'
import { AlertPane } from './alert-pane.tsx'
import { BacktestView } from './backtest/backtest-view.tsx'
import { BaselineDialog, type BaselineTarget } from './baseline-dialog.tsx'
import { type CompareSearch, CompareView } from './compare-view.tsx'
import { Baselines, SeriesTable } from './tables.tsx'
import { VerdictView } from './verdict-view.tsx'

export type DriftView = 'alerts' | 'series' | 'baselines' | 'compare' | 'backtest'

export interface DriftProps extends CompareSearch {
  readonly alert?: string | undefined
  readonly view?: DriftView | undefined
  /** The back-test shown. */
  readonly run?: string | undefined
}

const views = [
  { value: 'alerts', label: 'Alerts' },
  { value: 'series', label: 'All series' },
  { value: 'baselines', label: 'Baselines' },
  { value: 'compare', label: 'Compare' },
  { value: 'backtest', label: 'Back-test' }
]

export function Drift({ alert: wanted, view = 'alerts', run, ...compared }: DriftProps) {
  const navigate = useNavigate()
  const refresh = useRefresh()
  const status = useStatus()
  const alerts = useAlertPages(wanted)
  const series = useOperation('drift.series', {}, { keep: true, refetchMs: 10_000 })
  const look = useAction('drift.look', ['drift.alerts', 'drift.series'])
  const [pinning, setPinning] = useState<BaselineTarget | null>(null)
  useTopic('alerts', () => refresh('drift.alerts', 'drift.series', 'drift.verdict'))
  const list = alerts.groups.flatMap((group) => group.alerts)
  const shown: DriftAlert | undefined = list.find((one) => one.id === wanted) ?? list.find((one) => one.state === 'open') ?? list[0]

  const runLook = () =>
    look.mutate(
      {},
      {
        onSuccess: (result) => {
          const opened = result.opened.length
          notifications.show({
            title: 'Look done',
            message: `${count(result.tests)} tests, ${count(result.collecting)} collecting, ${count(result.alarmed)} alarmed${opened > 0 ? `; ${count(opened)} new alert${opened === 1 ? '' : 's'}` : result.alarmed > 0 ? ', already in an open alert' : ''}.`
          })
          if (result.opened[0] !== undefined) void navigate({ to: '/drift', search: { alert: result.opened[0] } })
        },
        onError: (error) => notifications.show({ color: 'red', title: 'No look was made', message: messageOf(error) })
      }
    )

  // A pinned baseline, or a reference that moves: what a look needs.
  const hasReference = series.data?.series.some((one) => one.reference !== null) ?? false
  const tools = (
    <>
      <SegmentedControl
        aria-label="View"
        data={views}
        value={view}
        onChange={(value) => void navigate({ to: '/drift', search: { view: value as DriftView } })}
      />
      <PermittedButton
        permission="drift"
        size="compact-sm"
        variant="default"
        leftSection={<IconPin size={14} />}
        onClick={() => setPinning({ model: null, source: null })}
      >
        Pin a baseline…
      </PermittedButton>
      <PermittedButton
        permission="drift"
        size="compact-sm"
        onClick={runLook}
        loading={look.isPending}
        disabled={!hasReference}
        title={hasReference ? 'Compares every series that has a reference, now' : 'Pin a baseline first'}
      >
        Look now
      </PermittedButton>
      {series.data && (
        <span className="dim small nowrap lesser">
          {count(series.data.series.length)} series ·{' '}
          {series.data.last_look === null ? 'no look yet' : `last look ${clock(series.data.last_look)} UTC`}
        </span>
      )}
    </>
  )
  return (
    <Screen title="Drift" tools={tools}>
      {view === 'series' ? (
        <SeriesTable query={series} onPin={setPinning} onAlert={(id) => void navigate({ to: '/drift', search: { alert: id } })} />
      ) : view === 'baselines' ? (
        <Baselines onPin={() => setPinning({ model: null, source: null })} />
      ) : view === 'compare' ? (
        <CompareView {...compared} />
      ) : view === 'backtest' ? (
        <BacktestView run={run} />
      ) : alerts.error ? (
        <Failed what="Alerts cannot be read" error={alerts.error} onRetry={alerts.refetch} />
      ) : !alerts.ready ? (
        <Loading what="Reading alerts" />
      ) : shown ? (
        <Investigation groups={alerts.groups} shown={shown} onShow={(id) => void navigate({ to: '/drift', search: { alert: id } })} />
      ) : (
        <Empty title="No alert so far">
          {hasReference ? (
            <p>
              {series.data?.last_look
                ? `The last look, ${day(series.data.last_look)} ${clock(series.data.last_look)} UTC, found no series beyond its budget.`
                : 'There is something to compare with. The first look follows on schedule, or now.'}
            </p>
          ) : (
            <p>
              A series is judged against a baseline that a person pins: any filter, also another model version.{' '}
              {count(status?.ledger.records ?? 0)} records are there to choose from.
            </p>
          )}
          <div className="row">
            <PermittedButton permission="drift" onClick={() => (hasReference ? runLook() : setPinning({ model: null, source: null }))}>
              {hasReference ? 'Look now' : 'Pin a baseline…'}
            </PermittedButton>
            <Button variant="default" onClick={() => void navigate({ to: '/drift', search: { view: 'series' } })}>
              All series
            </Button>
          </div>
        </Empty>
      )}
      <BaselineDialog target={pinning} onClose={() => setPinning(null)} />
    </Screen>
  )
}

interface InvestigationProps {
  readonly groups: readonly AlertGroup[]
  readonly shown: DriftAlert
  readonly onShow: (id: string) => void
}

function Investigation({ groups, shown, onShow }: InvestigationProps) {
  const [feature, setFeature] = useState(shown.features[0]?.feature ?? 'latency')
  // Another alert starts with its own strongest feature.
  useEffect(() => {
    const strongest = [...shown.features].sort((a, b) => (b.l ?? 0) - (a.l ?? 0))
    setFeature((shown.features.some((one) => one.feature === 'latency') ? 'latency' : strongest[0]?.feature) ?? 'latency')
  }, [shown.id])
  const verdict = useOperation('drift.verdict', { alert_id: shown.id, feature }, { keep: true })
  return (
    <div className="drift">
      <AlertList groups={groups} selected={shown.id} onSelect={onShow} />
      {verdict.isError ? (
        <Failed what="This verdict cannot be shown" error={verdict.error} onRetry={() => void verdict.refetch()} />
      ) : verdict.data ? (
        <VerdictView alert={shown} verdict={verdict.data} onFeature={setFeature} />
      ) : (
        <Loading what="Computing from the stored tables" />
      )}
      <AlertPane alert={shown} verdict={verdict.data ?? null} />
    </div>
  )
}
