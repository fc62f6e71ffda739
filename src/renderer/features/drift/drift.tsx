// SPDX-License-Identifier: Apache-2.0
import './drift.css'
import { Button, SegmentedControl } from '@mantine/core'
import { notifications } from '@mantine/notifications'
import { IconPin } from '@tabler/icons-react'
import { useNavigate } from '@tanstack/react-router'
import { useState } from 'react'
import type { DriftAlert } from '../../../shared/contract/drift.ts'
import { useStatus } from '../../app/engine-state.tsx'
import { Screen } from '../../app/shell.tsx'
import { codeOf, messageOf, useCancellable, useOperation, useRefresh, useTopic } from '../../client/hooks.ts'
import { clock, count, counted, day } from '../../ui/format.ts'
import { PermittedButton } from '../../ui/permitted-button.tsx'
import { Empty, Failed, Loading } from '../../ui/states.tsx'
import { useAlertPages } from './alert-pages.ts'
import { BacktestView } from './backtest/backtest-view.tsx'
import { BaselineDialog, type BaselineTarget } from './baseline-dialog.tsx'
import { Baselines } from './baselines.tsx'
import { type CompareSearch, CompareView } from './compare-view.tsx'
import { Investigation } from './investigation.tsx'
import { SeriesTable } from './series-table.tsx'
import { SeriesVerdict } from './series-verdict.tsx'

export type DriftView = 'alerts' | 'series' | 'baselines' | 'compare' | 'backtest'

export interface DriftProps extends CompareSearch {
  readonly alert?: string | undefined
  readonly view?: DriftView | undefined
  /** The series shown under All series. */
  readonly model?: string | undefined
  readonly source?: string | undefined
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

export function Drift({ alert: wanted, view = 'alerts', model, source, run, ...compared }: DriftProps) {
  const navigate = useNavigate()
  const refresh = useRefresh()
  const status = useStatus()
  const alerts = useAlertPages(wanted)
  const series = useOperation('drift.series', {}, { keep: true, refetchMs: 10_000 })
  const { action: look, cancel } = useCancellable('drift.look', ['drift.alerts', 'drift.series', 'drift.verdict'])
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
            message: `${count(result.tests)} tests, ${count(result.collecting)} collecting, ${count(result.alarmed)} alarmed${opened > 0 ? `; ${count(opened)} new alert${opened === 1 ? '' : 's'}` : result.alarmed > 0 ? ', of series whose alert is not resolved or was within the cool-down' : ''}.`
          })
          if (result.opened[0] !== undefined) show(result.opened[0])
        },
        onError: (error) =>
          notifications.show(
            codeOf(error) === 'cancelled'
              ? { title: 'The look was cancelled', message: 'Nothing of it is on record.' }
              : { color: 'red', title: 'No look was made', message: messageOf(error) }
          )
      }
    )

  const show = (id: string) => void navigate({ to: '/drift', search: { alert: id } })
  const opened = series.data?.series.find((one) => one.model === model && one.source === source)

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
      {look.isPending && (
        <Button variant="default" size="compact-sm" onClick={cancel}>
          Cancel the look
        </Button>
      )}
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
        opened ? (
          <SeriesVerdict
            key={`${opened.model} ${opened.source}`}
            series={opened}
            lastLook={series.data?.last_look ?? null}
            onBack={() => void navigate({ to: '/drift', search: { view: 'series' } })}
            onPin={() => setPinning({ model: opened.model, source: opened.source })}
            onAlert={show}
          />
        ) : (
          <SeriesTable
            query={series}
            onOpen={(row) => void navigate({ to: '/drift', search: { view: 'series', model: row.model, source: row.source } })}
          />
        )
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
        <Investigation groups={alerts.groups} shown={shown} onShow={show} />
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
              {counted(status?.ledger.records ?? 0, 'record')} {status?.ledger.records === 1 ? 'is' : 'are'} there to choose from.
            </p>
          )}
          <div className="row">
            <PermittedButton
              permission="drift"
              loading={look.isPending}
              onClick={() => (hasReference ? runLook() : setPinning({ model: null, source: null }))}
            >
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
