// SPDX-License-Identifier: Apache-2.0
import { SegmentedControl } from '@mantine/core'
import { useCallback, useEffect, useMemo, useRef, useState } from 'react'
import type { BacktestResult, BacktestRun, BacktestSettings } from '../../../../shared/contract/drift-backtest.ts'
import { useOperation } from '../../../client/hooks.ts'
import { count, day, fixed, moment } from '../../../ui/format.ts'
import { Panel, State } from '../../../ui/parts.tsx'
import { Empty } from '../../../ui/states.tsx'
import { type GridColumn, VirtualGrid } from '../../../ui/virtual-grid.tsx'
import { Chosen } from './chosen.tsx'
import { type Difference, differs, type Episode, type EpisodeRow, episodeRows, episodesOf } from './episodes.ts'
import { Lanes } from './lanes.tsx'
import { changedSettings, changeWords } from './settings-words.ts'
import { UseSettings } from './use-settings.tsx'

const HOUR_MS = 3_600_000
const MOST_ON_RECORD = 1000
const alerts = (n: number): string => `${count(n)} alert${n === 1 ? '' : 's'}`

function headline({ present, proposed }: BacktestResult): string {
  if (!proposed) return `The settings as they are would have opened ${alerts(present.alerts)}.`
  return proposed.alerts === present.alerts
    ? `These settings would have opened ${alerts(proposed.alerts)}, as many as the settings as they are.`
    : `These settings would have opened ${alerts(proposed.alerts)}, the settings as they are ${count(present.alerts)}.`
}

function recordWords(inside: number, more: boolean, outside: number): string {
  const first =
    inside === 0
      ? 'No alert on record was opened in this time'
      : `On record ${inside === 1 ? 'is' : 'are'} ${more ? 'more than ' : ''}${alerts(inside)} opened in this time`
  return outside > 0 ? `${first}; ${count(outside)} outside of it, such as by looks at imported records.` : `${first}.`
}

/** What each run came to, beside what the budget allows it in false alarms. */
function Runs({ result }: { readonly result: BacktestResult }) {
  const rows: readonly (readonly [string, BacktestRun])[] = [
    ...(result.proposed ? [['Tried', result.proposed] as const] : []),
    ['As they are', result.present]
  ]
  return (
    <table className="table runs">
      <thead>
        <tr>
          <th>Settings</th>
          <th className="right">Series</th>
          <th className="right">Looks</th>
          <th className="right">Tests</th>
          <th className="right">Alarms</th>
          <th className="right">Alerts</th>
          <th className="right">False ones, at most</th>
        </tr>
      </thead>
      <tbody>
        {rows.map(([name, run]) => (
          <tr key={name}>
            <td className="strong">{name}</td>
            <td className="right">{count(run.series)}</td>
            <td className="right">{count(run.looks)}</td>
            <td className="right">{count(run.tests)}</td>
            <td className="right">{count(run.alarms)}</td>
            <td className="right strong">{count(run.alerts)}</td>
            <td className="right" title="Looks divided by looks per false alarm: what the budget allows while nothing drifts">
              {fixed(run.looks / run.settings.looks_per_false_alarm, 1)}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  )
}

const featureWords = (row: EpisodeRow): string => row.features.join(', ').replaceAll('_', ' ')

const would = (episode: Episode | null) =>
  episode ? (
    <State is="attention" size={13}>
      opens
    </State>
  ) : (
    <span className="dim">–</span>
  )

interface ResultProps {
  readonly result: BacktestResult
  /** The settings as they are now: others may have changed them since. */
  readonly now: BacktestSettings
}

export function Result({ result, now }: ResultProps) {
  const { present, proposed } = result
  const [by, setBy] = useState<Difference>('all')
  const [active, setActive] = useState(0)
  const [chosen, setChosen] = useState<EpisodeRow | null>(null)
  const grid = useRef<HTMLDivElement>(null)
  const onRecord = useOperation('drift.alerts', { from: result.from, to: result.to, limit: MOST_ON_RECORD })
  const statistics = useOperation('drift.statistics', {})
  const tested = proposed ?? present
  const episodes = useMemo(
    () => ({ tried: proposed ? episodesOf(proposed.list) : null, present: episodesOf(present.list) }),
    [proposed, present]
  )
  const found = onRecord.data?.alerts
  const slack = Math.max(1, ...[tested, present].map((run) => Math.ceil((run.settings.look_every_minutes || 60) / 60))) * HOUR_MS
  const rows = useMemo(() => episodeRows(episodes.tried, episodes.present, found ?? [], slack), [episodes, found, slack])
  const shown = useMemo(() => rows.filter((row) => differs(row, by)), [rows, by])
  const getPage = useCallback(async (offset: number, limit: number) => shown.slice(offset, offset + limit), [shown])
  const columns = useMemo<GridColumn<EpisodeRow>[]>(
    () => [
      { name: 'Opens, UTC', width: '150px', cell: (row) => moment(new Date(row.from).toISOString()).slice(0, -7) },
      {
        name: 'Model',
        width: 'minmax(140px, 1.3fr)',
        cell: (row) => <span title={row.model}>{row.model}</span>,
        className: () => 'strong'
      },
      { name: 'Source', width: 'minmax(72px, 0.6fr)', cell: (row) => <span title={row.source}>{row.source}</span> },
      { name: 'Features', width: 'minmax(110px, 2fr)', cell: (row) => <span title={featureWords(row)}>{featureWords(row)}</span> },
      { name: 'Score L', width: '64px', align: 'right', cell: (row) => row.score.toFixed(3) },
      ...(proposed ? [{ name: 'Tried', width: '82px', cell: (row: EpisodeRow) => would(row.tried) }] : []),
      { name: 'As they are', width: '88px', cell: (row) => would(row.present) },
      {
        name: 'On record',
        width: '110px',
        cell: (row) =>
          row.alert ? (
            <State is={row.alert.state === 'open' ? 'attention' : row.alert.state}>{row.alert.state}</State>
          ) : (
            <span className="dim">–</span>
          )
      }
    ],
    [proposed]
  )
  const choices = (
    [
      ['all', 'All'],
      ...(proposed
        ? ([
            ['tried', 'Only tried'],
            ['present', 'Only as they are']
          ] as const)
        : []),
      ['record', 'Only on record']
    ] as const
  ).map(([value, label]) => ({ value, label: `${label} ${count(rows.filter((row) => differs(row, value)).length)}` }))
  const changed = proposed ? changedSettings(present.settings, proposed.settings) : []
  const elsewhere = statistics.data && found && !onRecord.data?.next_cursor ? statistics.data.total_alerts - found.length : 0
  const cut = [tested, present].some((run) => run.alarms > run.list.length)
  const close = () => {
    setChosen(null)
    grid.current?.querySelector<HTMLElement>('[role=row][tabindex="0"]')?.focus()
  }
  useEffect(() => {
    if (!chosen) return
    const onKey = (event: KeyboardEvent) => {
      if (event.key === 'Escape' && event.target instanceof Element && event.target.closest('.backtest')) close()
    }
    document.addEventListener('keydown', onKey)
    return () => document.removeEventListener('keydown', onKey)
  }, [chosen])
  const span = { from: Date.parse(result.from), to: Date.parse(result.to) }
  return (
    <>
      <div>
        <div className="row soft" style={{ fontSize: 12 }}>
          <span className="dim clip">
            {day(result.from)} to {day(new Date(span.to - 1).toISOString())} · tested in {fixed(result.seconds, 1)} s · nothing was opened
            or changed
          </span>
          <span className="grow" />
          {proposed && <UseSettings now={now} tried={proposed.settings} />}
        </div>
        <h2 className="headline">{headline(result)}</h2>
        <p className="soft">
          {proposed && <>Tried: {changed.map((name) => changeWords(name, present.settings, proposed.settings)).join('; ')}. </>}
          {found === undefined
            ? onRecord.isError
              ? 'The alerts on record cannot be read.'
              : ''
            : recordWords(found.length, onRecord.data?.next_cursor !== null, elsewhere)}
          {result.outside > 0 && ` ${count(result.outside)} records claim times far from all others and were left out.`}
        </p>
      </div>
      <Panel title="Runs" flush level={3} className="runs-panel">
        <Runs result={result} />
        <Lanes
          {...span}
          lanes={[
            ...(episodes.tried ? [{ name: 'Tried', tone: 'current' as const, spans: episodes.tried }] : []),
            { name: 'As they are', tone: 'reference', spans: episodes.present },
            {
              name: 'On record',
              tone: 'record',
              spans: (found ?? []).map((one) => ({ from: Date.parse(one.timestamp), to: Date.parse(one.timestamp) }))
            }
          ]}
        />
      </Panel>
      <Panel
        title="Episodes"
        sub={cut ? 'the first thousand alarms of each run' : 'one line for what is about the same time in a series'}
        flush
        level={3}
        className="episodes-panel"
        right={
          <SegmentedControl
            size="xs"
            aria-label="Which episodes"
            data={choices}
            value={by}
            onChange={(value) => {
              setBy(value as Difference)
              setChosen(null)
              setActive(0)
            }}
          />
        }
      >
        {shown.length === 0 ? (
          <Empty title={rows.length === 0 ? 'Nothing would have alarmed' : 'No such episode'}>
            <p>
              {rows.length === 0
                ? `In ${count(tested.looks)} looks of ${count(tested.series)} series no shift was beyond these settings, and no alert was opened in this time.`
                : 'Both sides agree here.'}
            </p>
          </Empty>
        ) : (
          <>
            <div className="column grow" ref={grid}>
              <VirtualGrid
                label="Episodes"
                count={shown.length}
                columns={columns}
                getPage={getPage}
                version={`${by} ${onRecord.dataUpdatedAt}`}
                active={active}
                onActive={setActive}
                selected={chosen ? shown.findIndex((row) => row.key === chosen.key) : null}
                onOpen={(_, row) => setChosen(row)}
              />
            </div>
            {chosen && <Chosen row={chosen} slack={slack} onClose={close} />}
          </>
        )}
      </Panel>
    </>
  )
}
