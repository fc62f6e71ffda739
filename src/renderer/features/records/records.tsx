// SPDX-License-Identifier: Apache-2.0
import './records.css'
import { Button } from '@mantine/core'
import { IconDownload, IconUpload } from '@tabler/icons-react'
import { useNavigate } from '@tanstack/react-router'
import { type DragEvent, useCallback, useEffect, useRef, useState } from 'react'
import type { OperationOutput } from '../../../shared/contract/contract.ts'
import type { RecordRow, SortOrder } from '../../../shared/contract/record.ts'
import { useEngineBack, useStatus } from '../../app/engine-state.tsx'
import { Screen } from '../../app/shell.tsx'
import { useSingleKeys } from '../../app/single-keys.ts'
import { call, pathOf } from '../../client/bridge.ts'
import { codeOf, useTopic } from '../../client/hooks.ts'
import { count, counted, fixed } from '../../ui/format.ts'
import { cx } from '../../ui/parts.tsx'
import { PermittedButton } from '../../ui/permitted-button.tsx'
import { Rail } from '../../ui/rail.tsx'
import { Empty, Failed, Reading } from '../../ui/states.tsx'
import { type Reveal, VirtualGrid } from '../../ui/virtual-grid.tsx'
import { recordColumns } from './columns.tsx'
import { FilterBar } from './filter-bar.tsx'
import { ImportDialog } from './import-dialog.tsx'
import { Nothing } from './nothing.tsx'
import { RecordPane } from './record-pane.tsx'

type Opened = OperationOutput<'records.open'>

const PANE = 'affidavit.pane-width'
const defaultPane = (): number => (window.innerWidth >= 1700 ? 560 : window.innerWidth >= 1340 ? 412 : 372)

export interface RecordsProps {
  readonly query?: string | undefined
  readonly seq?: number | undefined
  readonly import?: boolean | undefined
}

/** Runs the filter and keeps its result; a new text cancels the running one. */
function useResult(query: string, sort: SortOrder) {
  const [state, setState] = useState<{ readonly opened: Opened | null; readonly error: unknown; readonly running: boolean }>({
    opened: null,
    error: null,
    running: true
  })
  const [again, setAgain] = useState(0)
  const abort = useRef<AbortController | null>(null)
  useEffect(() => {
    // `again` runs the same filter anew.
    void again
    const mine = new AbortController()
    abort.current = mine
    setState((before) => ({ ...before, running: true, error: null }))
    call('records.open', { query, sort }, mine.signal).then(
      (opened) => !mine.signal.aborted && setState({ opened, error: null, running: false }),
      (error: unknown) => !mine.signal.aborted && setState({ opened: null, error, running: false })
    )
    return () => mine.abort()
  }, [query, sort, again])
  const handle = state.opened?.handle
  useEffect(() => {
    if (handle === undefined) return
    return () => void call('records.close', { handle }).catch(() => {})
  }, [handle])
  const cancel = () => {
    abort.current?.abort()
    setState((before) => ({ ...before, running: false }))
  }
  const refresh = () => setAgain((n) => n + 1)
  // Another engine keeps no result of the one before.
  useEngineBack(refresh)
  return { ...state, refresh, cancel }
}

export function Records({ query = '', seq, import: importing }: RecordsProps) {
  const navigate = useNavigate()
  const status = useStatus()
  const [sort, setSort] = useState<SortOrder>({ by: 'seq', dir: 'desc' })
  const result = useResult(query, sort)
  const { opened } = result
  const [active, setActive] = useState(0)
  const [selected, setSelected] = useState<{ readonly seq: number; readonly index: number | null } | null>(null)
  const [view, setView] = useState({ first: 0, visible: 1 })
  const [reveal, setReveal] = useState<Reveal | null>(null)
  const [total, setTotal] = useState<number | null>(null)
  const [paneWidth, setPaneWidth] = useState(() => Number(localStorage.getItem(PANE)) || defaultPane())
  const [dropped, setDropped] = useState<string | null>(null)
  const [dragging, setDragging] = useState(false)
  const filterInput = useRef<HTMLInputElement>(null)

  useTopic('records', (event) => setTotal(event.total))
  const fresh = opened && total !== null ? Math.max(0, total - opened.total) : 0

  const search = (next: { readonly query?: string; readonly seq?: number; readonly import?: boolean }) =>
    void navigate({
      to: '/records',
      search: { ...(query === '' ? {} : { query }), ...(seq === undefined ? {} : { seq }), ...next },
      replace: true
    })
  const setQuery = (text: string) => {
    setSelected(null)
    void navigate({ to: '/records', search: text.trim() === '' ? {} : { query: text.trim() } })
  }

  const handle = opened?.handle
  // The engine keeps a result until newer ones take its place, records leave it, or the catalog is made anew.
  const [expired, setExpired] = useState<string | null>(null)
  const gone = handle !== undefined && expired === handle
  const getPage = useCallback(
    async (offset: number, limit: number, signal: AbortSignal): Promise<readonly RecordRow[]> => {
      if (handle === undefined) return []
      try {
        return (await call('records.page', { handle, offset, limit }, signal)).rows
      } catch (error) {
        if (codeOf(error) === 'handle_expired') setExpired(handle)
        throw error
      }
    },
    [handle]
  )
  const onScroll = useCallback(
    (first: number, visible: number) =>
      setView((before) => (before.first === first && before.visible === visible ? before : { first, visible })),
    []
  )

  // A leaf named in the address: bring its row into view, open it and go on from there.
  useEffect(() => {
    if (seq === undefined || handle === undefined) return
    let live = true
    call('records.locate', { handle, seq }).then(
      ({ offset }) => {
        if (!live) return
        setSelected({ seq, index: offset })
        if (offset !== null) {
          setActive(offset)
          setReveal({ index: offset, as: 'focus' })
        }
      },
      () => {}
    )
    return () => {
      live = false
    }
  }, [seq, handle])

  const close = () => {
    setSelected(null)
    void navigate({ to: '/records', search: query === '' ? {} : { query }, replace: true })
    requestAnimationFrame(() => document.querySelector<HTMLElement>('[role=grid] [role=row][tabindex="0"]')?.focus())
  }
  useSingleKeys({
    '/': () => filterInput.current?.focus(),
    Escape: () => selected && close()
  })

  const toggleSort = (by: SortOrder['by']) => setSort((before) => ({ by, dir: before.by === by && before.dir === 'desc' ? 'asc' : 'desc' }))
  const onDrop = (event: DragEvent) => {
    event.preventDefault()
    setDragging(false)
    const file = event.dataTransfer.files[0]
    const path = file ? pathOf(file) : ''
    if (path === '') return
    setDropped(path)
    search({ import: true })
  }
  const tools = opened && (
    <span className="dim small nowrap num" role="status">
      {query === '' ? counted(opened.count, 'record') : `${count(opened.count)} of ${counted(opened.total, 'record')} match`} ·{' '}
      {fixed(opened.took_ms, opened.took_ms < 10 ? 1 : 0)} ms
    </span>
  )
  const sealedTo = status?.checkpoint?.size ?? 0

  return (
    <Screen title="Records" tools={tools}>
      {/* biome-ignore lint/a11y/noStaticElementInteractions: dropping a file is a second way to what the Import button does. */}
      <div
        className={cx('column grow', dragging && 'drop-here')}
        onDragOver={(event) => {
          event.preventDefault()
          setDragging(true)
        }}
        onDragLeave={() => setDragging(false)}
        onDrop={onDrop}
      >
        <div className="records-bar">
          <FilterBar query={query} onQuery={setQuery} input={filterInput} />
          <span className="grow" />
          {fresh > 0 && (
            <Button variant="light" size="compact-sm" onClick={result.refresh}>
              {count(fresh)} new
            </Button>
          )}
          <PermittedButton
            permission="record"
            variant="default"
            size="compact-sm"
            leftSection={<IconUpload size={14} />}
            onClick={() => search({ import: true })}
          >
            Import…
          </PermittedButton>
          <Button
            variant="default"
            size="compact-sm"
            leftSection={<IconDownload size={14} />}
            disabled={!opened || opened.count === 0}
            onClick={() => void navigate({ to: '/exports', search: { view: 'new', query } })}
          >
            Export…
          </Button>
        </div>
        <div className={cx('records-body', selected !== null && 'with-pane')} style={{ ['--pane-width' as string]: `${paneWidth}px` }}>
          <div className="column" id="records-grid">
            {result.error !== null ? (
              <Failed
                what={query === '' ? 'The records cannot be read' : 'This filter did not run'}
                error={result.error}
                onRetry={codeOf(result.error) === 'invalid_filter' ? undefined : result.refresh}
              >
                {query !== '' && (
                  <Button variant="default" size="compact-sm" onClick={() => setQuery('')}>
                    Show all records
                  </Button>
                )}
              </Failed>
            ) : !opened ? (
              <Reading what="Searching" under={result.running} onCancel={result.cancel} onAgain={result.refresh} />
            ) : gone ? (
              <Empty title="This result is not kept any more">
                <p>Newer searches took its place, records left it, or the catalog was made anew. Nothing that was recorded is affected.</p>
                <Button variant="default" onClick={result.refresh}>
                  Search again
                </Button>
              </Empty>
            ) : opened.count === 0 ? (
              <Nothing query={query} total={opened.total} onClear={() => setQuery('')} onImport={() => search({ import: true })} />
            ) : (
              <VirtualGrid
                label="Records"
                count={opened.count}
                columns={recordColumns(sort, toggleSort, sealedTo)}
                getPage={getPage}
                version={opened.handle}
                active={Math.min(active, opened.count - 1)}
                onActive={setActive}
                selected={selected?.index ?? null}
                onOpen={(index, row) => setSelected({ seq: row.seq, index })}
                onScroll={onScroll}
                reveal={reveal}
              />
            )}
          </div>
          <Rail
            marks={opened?.rail ?? []}
            count={opened?.count ?? 0}
            first={view.first}
            visible={view.visible}
            onJump={(index) => setReveal({ index, as: 'top' })}
          />
          {selected !== null && (
            <RecordPane
              seq={selected.seq}
              onClose={close}
              onWidth={(width) => {
                const next = Math.max(320, Math.min(900, width))
                localStorage.setItem(PANE, String(next))
                setPaneWidth(next)
              }}
            />
          )}
        </div>
      </div>
      <ImportDialog
        opened={importing === true}
        file={dropped}
        onClose={() => {
          setDropped(null)
          void navigate({ to: '/records', search: query === '' ? {} : { query }, replace: true })
          result.refresh()
        }}
      />
    </Screen>
  )
}
