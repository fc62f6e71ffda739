// SPDX-License-Identifier: Apache-2.0
import './dashboard.css'
import { SegmentedControl } from '@mantine/core'
import { useCallback, useEffect, useMemo, useRef, useState } from 'react'
import type { Dashboard as DashboardData } from '../../../shared/contract/workspace.ts'
import { useStatus } from '../../app/engine-state.tsx'
import { Screen } from '../../app/shell.tsx'
import { useOperation, useRefresh, useTopic } from '../../client/hooks.ts'
import { ageOf, compact, count, day, duration, percent } from '../../ui/format.ts'
import { LazyChart } from '../../ui/lazy-chart.tsx'
import { Panel, Spark } from '../../ui/parts.tsx'
import { Failed, Loading } from '../../ui/states.tsx'
import { BundlePanel } from './bundle-panel.tsx'
import { errorsOption, latencyOption, tokensOption, volumeOption } from './charts.ts'
import { FirstRun } from './first-run.tsx'
import { DriftPanel, Health, Integrity } from './judgement.tsx'
import { LiveAudit } from './live-audit.tsx'

const ranges = { '1 h': 3_600_000, '24 h': 86_400_000, '7 d': 7 * 86_400_000, '30 d': 30 * 86_400_000, All: null } as const
type RangeName = keyof typeof ranges

/** The width of a bin: 15 min, 6 h, 2 days. */
const binName = (ms: number): string =>
  ms < 3_600_000 ? `${ms / 60_000} min` : ms < 86_400_000 ? `${ms / 3_600_000} h` : ms === 86_400_000 ? 'day' : `${ms / 86_400_000} days`

export function Dashboard() {
  const status = useStatus()
  const [range, setRange] = useState<RangeName>('All')
  const [anchor, setAnchor] = useState(() => Date.now())
  const span = ranges[range]
  const input = useMemo(
    () => (span === null ? {} : { from: new Date(anchor - span).toISOString(), to: new Date(anchor + 60_000).toISOString() }),
    [span, anchor]
  )
  const data = useOperation('workspace.dashboard', input, { keep: true })
  const refresh = useRefresh()
  const records = status?.ledger.records
  const shown = useRef(records)
  const refreshed = useRef(0)
  useTopic('records', () => {
    // Charts are drawn again at most once a second, however fast records arrive; the live rows follow by themselves.
    if (Date.now() - refreshed.current < 1_000) return
    refreshed.current = Date.now()
    // The window moves on with the clock; the query key changes at most once a minute.
    setAnchor(Math.floor(Date.now() / 60_000) * 60_000)
    refresh('workspace.dashboard')
  })
  // What arrived within the last second is drawn when nothing more comes.
  useEffect(() => {
    const timer = setInterval(() => {
      if (records !== undefined && shown.current !== records) refresh('workspace.dashboard')
      shown.current = records
    }, 1_500)
    return () => clearInterval(timer)
  }, [records, refresh])
  const tools = (
    <>
      <SegmentedControl
        aria-label="Time range"
        data={Object.keys(ranges)}
        value={range}
        onChange={(value) => setRange(value as RangeName)}
      />
      {data.data && data.data.totals.records > 0 && (
        <span className="dim small nowrap">
          {day(data.data.from)} – {day(data.data.to)}, UTC
        </span>
      )}
    </>
  )
  if (status && status.ledger.records === 0) {
    return (
      <Screen title="Dashboard">
        <FirstRun status={status} />
      </Screen>
    )
  }
  return (
    <Screen title="Dashboard" tools={tools}>
      {data.isError ? (
        <Failed what="The dashboard cannot be read" error={data.error} onRetry={() => void data.refetch()} />
      ) : data.data ? (
        <Board data={data.data} />
      ) : (
        <Loading what="Counting records" />
      )}
    </Screen>
  )
}

const Figure = (props: {
  readonly name: string
  readonly value: string
  readonly unit?: string
  readonly detail: string
  readonly spark?: readonly (number | null)[]
}) => (
  <div className="figure">
    <span className="name">{props.name}</span>
    <span className="value">
      {props.value}
      {props.unit !== undefined && props.unit !== '' && <small>{props.unit}</small>}
    </span>
    {props.spark && <Spark values={props.spark} />}
    <span className="detail">{props.detail}</span>
  </div>
)

function useAgeOf(iso: string | null): string | null {
  const [now, setNow] = useState(Date.now)
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 10_000)
    return () => clearInterval(timer)
  }, [])
  return iso === null ? null : ageOf(now - Date.parse(iso))
}

function Board({ data }: { readonly data: DashboardData }) {
  const status = useStatus()
  const { totals, bins } = data
  const tokens = compact(totals.input_tokens + totals.output_tokens)
  const failed = totals.records === 0 ? null : (totals.error + totals.aborted) / totals.records
  const oldest = useAgeOf(status?.alerts.oldest_open ?? null)
  const per = binName(data.bin_ms)
  const median = totals.p50_ms === null ? '–' : duration(totals.p50_ms)
  const [value = '–', unit = ''] = median.split(' ')
  return (
    <div className="dashboard">
      <div className="figures">
        <Figure
          name="Requests"
          value={count(totals.records)}
          detail={`${count(totals.success)} answered · ${count(totals.in_flight)} waiting`}
          spark={bins.map((bin) => bin.records)}
        />
        <Figure
          name="Latency, median"
          value={value}
          unit={unit}
          detail={
            totals.p95_ms === null || totals.p99_ms === null
              ? 'no durations on record'
              : `p95 ${duration(totals.p95_ms)} · p99 ${duration(totals.p99_ms)}`
          }
          spark={bins.map((bin) => bin.p50_ms)}
        />
        <Figure
          name="Tokens"
          value={tokens.value}
          unit={tokens.unit}
          detail={`${totals.input_tokens === 0 ? 'input not reported' : `${count(totals.input_tokens)} in`} · ${count(totals.output_tokens)} out`}
          spark={bins.map((bin) => bin.input_tokens + bin.output_tokens)}
        />
        <Figure
          name="Errors and aborted"
          value={failed === null ? '–' : percent(failed).replace(' %', '')}
          unit={failed === null ? '' : '%'}
          detail={`${totals.error === 1 ? '1 error' : `${count(totals.error)} errors`} · ${count(totals.aborted)} aborted by client`}
          spark={bins.map((bin) => (bin.records === 0 ? null : (bin.error + bin.aborted) / bin.records))}
        />
        <Figure
          name="Open drift alerts"
          value={count(status?.alerts.open ?? 0)}
          detail={[
            // There is room for two.
            status?.alerts.resting ? `${count(status.alerts.resting)} resting` : oldest === null ? 'none open' : `oldest ${oldest}`,
            `${count(status?.alerts.acknowledged ?? 0)} acknowledged`
          ].join(' · ')}
        />
      </div>
      <ChartPanel title="Volume" sub={`requests per ${per}`} data={data} option={volumeOption} label={`Requests per ${per}`} />
      <ChartPanel
        title="Latency"
        sub="seconds, log scale"
        data={data}
        option={latencyOption}
        label="Latency p50, p95 and p99 over time, logarithmic"
      />
      {status?.review ? <BundlePanel review={status.review} /> : <Integrity />}
      <ChartPanel title="Tokens" sub={`per ${per}`} data={data} option={tokensOption} label={`Input and output tokens per ${per}`} />
      <ChartPanel
        title="Errors"
        sub="share of requests"
        data={data}
        option={errorsOption}
        label="Share of requests that ended in an error or were aborted"
      />
      <DriftPanel />
      <LiveAudit initial={data.newest} />
      {!status?.review && <Health />}
    </div>
  )
}

interface ChartPanelProps {
  readonly title: string
  readonly sub: string
  readonly data: DashboardData
  readonly option: (data: DashboardData) => Parameters<typeof LazyChart>[0]['option']
  readonly label: string
}

function ChartPanel({ title, sub, data, option, label }: ChartPanelProps) {
  const make = useCallback((tokens: Parameters<ReturnType<typeof option>>[0]) => option(data)(tokens), [option, data])
  return (
    <Panel title={title} sub={sub} className="four">
      <LazyChart option={make} label={label} />
    </Panel>
  )
}
