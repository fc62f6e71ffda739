// SPDX-License-Identifier: Apache-2.0
import './activity.css'
import { Button, Select, TextInput } from '@mantine/core'
import { useNavigate } from '@tanstack/react-router'
import { useCallback, useEffect, useMemo, useRef, useState } from 'react'
import { type ActivityEntry, type ActivityKind, activityKinds } from '../../../shared/contract/activity.ts'
import { useEngineBack } from '../../app/engine-state.tsx'
import { call, shell } from '../../client/bridge.ts'
import { messageOf, useOperation } from '../../client/hooks.ts'
import { useMay } from '../../client/session.tsx'
import { count, counted, exactMoment, listTime } from '../../ui/format.ts'
import { Facts, Note } from '../../ui/parts.tsx'
import { Empty, Failed, Loading } from '../../ui/states.tsx'
import { type GridColumn, VirtualGrid } from '../../ui/virtual-grid.tsx'
import { useNameOf, Who } from '../../ui/who.tsx'

const kindNames: Readonly<Record<ActivityKind, string>> = {
  search: 'Searches',
  view: 'Views and unmasking',
  export: 'Exports',
  verify: 'Verifications',
  sign_in: 'Sign-ins',
  people: 'People and clients',
  approval: 'Approvals',
  setting: 'Settings and keys',
  policy: 'Retention, holds, erasure',
  drift: 'Drift',
  record: 'Imports and reviews',
  system: 'The engine'
}

const periods = { all: 'Any time', day: 'Last 24 hours', week: 'Last 7 days', month: 'Last 30 days' } as const
type Period = keyof typeof periods
const hours: Readonly<Record<Period, number>> = { all: 0, day: 24, week: 168, month: 720 }

interface Filter {
  readonly person?: string
  readonly kind?: ActivityKind
  readonly from?: string
  readonly text?: string
}

const PAGE = 200

/** Pages one after another: the engine goes on from the leaf where the last page ended. */
function usePagesInOrder(filter: Filter, version: string) {
  const starts = useRef<(number | undefined)[]>([undefined])
  const [known, setKnown] = useState<{ readonly version: string; readonly rows: number; readonly more: boolean } | null>(null)
  const [error, setError] = useState<Error | null>(null)
  const getPage = useCallback(
    async (offset: number, _limit: number, signal: AbortSignal): Promise<readonly ActivityEntry[]> => {
      const page = offset / PAGE
      let before = starts.current[page]
      const rows: ActivityEntry[] = []
      try {
        for (;;) {
          const found = await call(
            'activity.list',
            { ...filter, limit: PAGE - rows.length, ...(before === undefined ? {} : { before }) },
            signal
          )
          rows.push(...found.entries)
          before = found.next ?? undefined
          if (found.next === null || rows.length === PAGE) break
        }
      } catch (failure) {
        if (!signal.aborted && failure instanceof Error) setError(failure)
        throw failure
      }
      if (signal.aborted) return rows
      starts.current[page + 1] = before
      setKnown((now) =>
        now?.version === version && now.rows >= offset + rows.length
          ? now
          : { version, rows: offset + rows.length, more: before !== undefined }
      )
      return rows
    },
    [filter, version]
  )
  useEffect(() => {
    // A new filter begins anew.
    void version
    starts.current = [undefined]
    setError(null)
  }, [version])
  return { getPage, known: known?.version === version ? known : null, error }
}

/** Who did what, when, on which leaf. Looking at it is itself on record. */
export function Activity() {
  const { may, why } = useMay('activity')
  if (!may) {
    return (
      <Empty title="Not part of your role">
        <p>Who did what is shown to those who oversee it. {why}</p>
      </Empty>
    )
  }
  return <ActivityLog />
}

function ActivityLog() {
  const people = useOperation('people.names', {})
  const [person, setPerson] = useState<string | null>(null)
  const [kind, setKind] = useState<ActivityKind | null>(null)
  const [period, setPeriod] = useState<Period>('all')
  const [typed, setTyped] = useState('')
  const [text, setText] = useState('')
  const [run, setRun] = useState(0)
  const [active, setActive] = useState(0)
  const [opened, setOpened] = useState<ActivityEntry | null>(null)
  const [written, setWritten] = useState<{ readonly is: 'holds' | 'broken'; readonly text: string } | null>(null)
  const filter = useMemo<Filter>(
    () => ({
      ...(person === null ? {} : { person }),
      ...(kind === null ? {} : { kind }),
      ...(period === 'all' ? {} : { from: new Date(Date.now() - hours[period] * 3_600_000).toISOString() }),
      ...(text === '' ? {} : { text })
    }),
    [person, kind, period, text]
  )
  const version = `${JSON.stringify(filter)} ${run}`
  const { getPage, known, error } = usePagesInOrder(filter, version)
  useEngineBack(() => setRun((n) => n + 1))
  const nameOf = useNameOf()
  const begin = (change: () => void) => {
    change()
    setOpened(null)
    setActive(0)
    setWritten(null)
  }
  const columns = useMemo<GridColumn<ActivityEntry>[]>(
    () => [
      { name: 'Leaf', width: '84px', align: 'right', cell: (row) => count(row.seq), className: () => 'dim' },
      { name: 'Time, UTC', width: '148px', cell: (row) => <span title={exactMoment(row.time)}>{listTime(row.time)}</span> },
      { name: 'Who', width: 'minmax(110px, 190px)', cell: (row) => <span title={row.actor}>{nameOf(row.actor)}</span> },
      { name: 'What', width: 'minmax(210px, 1fr)', cell: (row) => <span title={row.what}>{row.what}</span> },
      {
        name: 'On',
        width: 'minmax(90px, 170px)',
        cell: (row) => (row.on_seq !== null ? `leaf ${count(row.on_seq)}` : row.on_person !== null ? nameOf(row.on_person) : '')
      },
      {
        name: 'Search, reason or note',
        width: 'minmax(150px, 1fr)',
        cell: (row) => {
          // The name of a person stands in the column before already.
          const detail = row.on_person !== null && row.detail === nameOf(row.on_person) ? '' : row.detail
          return <span title={detail}>{detail}</span>
        }
      }
    ],
    [nameOf]
  )
  const save = async () => {
    setWritten(null)
    try {
      const { path } = await shell('shell.saveFile', { title: 'Export the activity', suggested_name: 'activity.csv' })
      if (path === null) return
      const done = await call('activity.export', { ...filter, out: path })
      setWritten({ is: 'holds', text: `${counted(done.rows, 'line')} written to ${done.path}` })
    } catch (failure) {
      setWritten({ is: 'broken', text: messageOf(failure) })
    }
  }
  const others = ['local', 'engine', 'http']
  const who = [
    ...(people.data?.names ?? []).map(({ ref, name }) => ({ value: ref, label: name })),
    ...others.map((ref) => ({ value: ref, label: nameOf(ref) }))
  ]
  return (
    <div className="activity">
      <form
        className="activity-filters"
        onSubmit={(event) => {
          event.preventDefault()
          begin(() => {
            setText(typed.trim())
            setRun((n) => n + 1)
          })
        }}
      >
        <Select
          aria-label="Person"
          placeholder="Everybody"
          size="xs"
          w={180}
          clearable
          searchable
          data={who}
          value={person}
          onChange={(value) => begin(() => setPerson(value))}
        />
        <Select
          aria-label="Kind"
          placeholder="Everything"
          size="xs"
          w={180}
          clearable
          data={(Object.keys(activityKinds) as ActivityKind[]).map((value) => ({ value, label: kindNames[value] }))}
          value={kind}
          onChange={(value) => begin(() => setKind(value as ActivityKind | null))}
        />
        <Select
          aria-label="Time"
          size="xs"
          w={140}
          allowDeselect={false}
          data={Object.entries(periods).map(([value, label]) => ({ value, label }))}
          value={period}
          onChange={(value) => begin(() => setPeriod((value ?? 'all') as Period))}
        />
        <TextInput
          aria-label="Words in a search, reason or note"
          placeholder="Words in a search, reason or note"
          size="xs"
          w={250}
          maxLength={200}
          value={typed}
          onChange={(event) => setTyped(event.currentTarget.value)}
        />
        <Button type="submit" size="compact-sm" variant="default">
          Show
        </Button>
        <span className="grow" />
        <span className="dim small">Looking at this is itself recorded.</span>
        <Button size="compact-sm" variant="default" onClick={() => void save()}>
          Export as CSV…
        </Button>
      </form>
      {written && <Note is={written.is}>{written.text}</Note>}
      {error ? (
        <Failed what="The activity cannot be read" error={error} onRetry={() => setRun((n) => n + 1)} />
      ) : known?.rows === 0 && !known.more ? (
        <Empty title="Nothing on record matches">
          <p>Widen the time, or drop the person, the kind or the words.</p>
        </Empty>
      ) : (
        <div className={opened ? 'activity-body with-pane' : 'activity-body'}>
          <div className="column">
            {known === null && <Loading what="Reading the activity" />}
            <div className={known === null ? 'hidden-text' : 'column grow'}>
              <VirtualGrid
                label="Activity"
                count={known === null ? PAGE : known.rows + (known.more ? PAGE : 0)}
                columns={columns}
                getPage={getPage}
                version={version}
                active={active}
                onActive={setActive}
                selected={opened ? active : null}
                onOpen={(_, row) => setOpened(row)}
              />
            </div>
          </div>
          {opened && <Entry entry={opened} onClose={() => setOpened(null)} />}
        </div>
      )}
    </div>
  )
}

function Entry({ entry, onClose }: { readonly entry: ActivityEntry; readonly onClose: () => void }) {
  const navigate = useNavigate()
  const { on_seq } = entry
  return (
    <aside className="activity-pane" aria-label={`Leaf ${entry.seq}`} onKeyDown={(event) => event.key === 'Escape' && onClose()}>
      <div className="row">
        <h2 className="grow">{entry.what}</h2>
        <Button size="compact-sm" variant="subtle" onClick={onClose}>
          Close
        </Button>
      </div>
      <Facts
        width={96}
        rows={[
          ['Leaf', count(entry.seq)],
          ['Time', exactMoment(entry.time)],
          ['Who', <Who key="w" actor={entry.actor} />],
          ['Pseudonym', <code key="r">{entry.actor}</code>],
          ['Type', <code key="t">{entry.type}</code>],
          ...(entry.on_person === null ? [] : [['Person', <Who key="p" actor={entry.on_person} />] as const]),
          ...(entry.detail === '' ? [] : [['In words', entry.detail] as const])
        ]}
      />
      <pre>{JSON.stringify(entry.data, null, 1)}</pre>
      {on_seq !== null && (
        <div>
          <Button variant="default" onClick={() => void navigate({ to: '/records', search: { seq: on_seq } })}>
            Go to leaf {count(on_seq)}
          </Button>
        </div>
      )}
    </aside>
  )
}
