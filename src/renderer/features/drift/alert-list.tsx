// SPDX-License-Identifier: Apache-2.0
import { Button } from '@mantine/core'
import { type KeyboardEvent, useEffect, useRef, useState } from 'react'
import type { DriftAlert } from '../../../shared/contract/drift.ts'
import { useMay } from '../../client/session.tsx'
import { clock, count, day, moment } from '../../ui/format.ts'
import { Masked } from '../../ui/masked.tsx'
import { Mark, type Meaning } from '../../ui/parts.tsx'
import type { AlertGroup } from './alert-pages.ts'
import { ManyAlerts } from './many-alerts.tsx'

const names: Readonly<Record<DriftAlert['state'], { readonly name: string; readonly is: Meaning }>> = {
  open: { name: 'Open', is: 'attention' },
  acknowledged: { name: 'Acknowledged', is: 'acknowledged' },
  resolved: { name: 'Resolved', is: 'resolved' }
}

/** Today's clock, else the date. */
const when = (iso: string): string => (day(iso) === day(new Date().toISOString()) ? `${clock(iso).slice(0, 5)} UTC` : day(iso).slice(0, -5))

/** 27 Nov, 14:31 UTC: what the narrow list has room for. */
const short = (iso: string): string => `${day(iso).slice(0, -5)}, ${clock(iso).slice(0, 5)} UTC`

const rests = (alert: DriftAlert): boolean => alert.snoozed_until !== null && Date.parse(alert.snoozed_until) > Date.now()

const strongestGap = (alert: DriftAlert): number => Math.max(0, ...alert.features.map((one) => one.d ?? 0))

/** Calls when it is scrolled into view. */
function Seen({ onSeen }: { readonly onSeen: () => void }) {
  const mark = useRef<HTMLDivElement>(null)
  const latest = useRef(onSeen)
  latest.current = onSeen
  useEffect(() => {
    if (!mark.current) return
    const observer = new IntersectionObserver((entries) => entries.some((entry) => entry.isIntersecting) && latest.current())
    observer.observe(mark.current)
    return () => observer.disconnect()
  }, [])
  return <div ref={mark} className="alerts-seen" aria-hidden="true" />
}

interface AlertListProps {
  readonly groups: readonly AlertGroup[]
  readonly selected: string
  readonly onSelect: (id: string) => void
}

export function AlertList({ groups, selected, onSelect }: AlertListProps) {
  const alerts = groups.flatMap((group) => group.alerts)
  // Whoever may not answer alerts has nothing to choose them for.
  const { may } = useMay('drift')
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set())
  // Only open alerts can be acknowledged; one that changed meanwhile is chosen no more.
  const still = alerts.filter((alert) => may && alert.state === 'open' && chosen.has(alert.id)).map((alert) => alert.id)
  const toggle = (alert: DriftAlert) => {
    if (may && alert.state === 'open')
      setChosen((before) => new Set(before.has(alert.id) ? [...before].filter((id) => id !== alert.id) : [...before, alert.id]))
  }
  const onKeyDown = (event: KeyboardEvent) => {
    if (may && event.key === 'a' && (event.ctrlKey || event.metaKey)) {
      event.preventDefault()
      setChosen(new Set(alerts.filter((alert) => alert.state === 'open').map((alert) => alert.id)))
      return
    }
    if (event.key === 'Escape' && still.length > 0) {
      event.preventDefault()
      setChosen(new Set())
      return
    }
    const by = { ArrowDown: 1, ArrowUp: -1 }[event.key]
    if (by === undefined) return
    event.preventDefault()
    const at = alerts.findIndex((alert) => alert.id === selected)
    const next = alerts[at + by]
    // The last one that is here of a state: the next key finds the ones after it.
    const group = groups.find((one) => one.more && one.alerts.at(-1)?.id === next?.id)
    if (group && by > 0) group.onMore()
    if (!next) return
    onSelect(next.id)
    document.getElementById(`alert-${next.id}`)?.focus()
  }
  return (
    <div className="alert-list">
      {still.length > 0 && <ManyAlerts ids={still} onDone={() => setChosen(new Set())} />}
      <div role="listbox" aria-label="Alerts" aria-multiselectable={may} tabIndex={-1} onKeyDown={onKeyDown}>
        {groups.map(({ state, alerts: members, more, loading, onMore }) => {
          const { name, is } = names[state]
          if (members.length === 0) return null
          return (
            <div key={state} role="group" aria-label={name}>
              <div className="alert-group" aria-hidden="true">
                {name}{' '}
                <span className="dim">
                  {count(members.length)}
                  {more ? '+' : ''}
                  {members.some(rests) && ` · ${count(members.filter(rests).length)} resting`}
                </span>
              </div>
              {members.map((alert) => (
                <div
                  key={alert.id}
                  id={`alert-${alert.id}`}
                  role="option"
                  className="alert-item"
                  tabIndex={alert.id === selected ? 0 : -1}
                  aria-selected={alert.id === selected}
                  onClick={(event) => (event.ctrlKey || event.metaKey ? toggle(alert) : onSelect(alert.id))}
                  {...(may && state === 'open' ? { 'aria-checked': chosen.has(alert.id) } : {})}
                  onKeyDown={(event) => {
                    if (event.key === 'Enter') onSelect(alert.id)
                    if (event.key !== ' ') return
                    event.preventDefault()
                    toggle(alert)
                  }}
                >
                  <div className="title">
                    <Mark is={is} size={13} />
                    <span className="clip">
                      <Masked text={alert.model} />
                    </span>
                    <span className="grow" />
                    <span className="num">{alert.drift_score.toFixed(2)}</span>
                  </div>
                  <div className="line">
                    <span className="clip">
                      <Masked text={alert.source} />
                    </span>
                    <span className="grow" />
                    <span className="nowrap num">
                      {chosen.has(alert.id) && <b>chosen · </b>}
                      {when(alert.timestamp)}
                    </span>
                  </div>
                  {alert.snoozed_until !== null && rests(alert) && (
                    <div className="line">
                      <span className="clip" title={moment(alert.snoozed_until)}>
                        rests until {short(alert.snoozed_until)}
                      </span>
                    </div>
                  )}
                  <div className="line">
                    <span className="dim">{alert.drifted_features.replaceAll(',', ', ').replaceAll('_', ' ')}</span>
                  </div>
                  <div className="gap-bar">
                    <i style={{ width: `${100 * strongestGap(alert)}%` }} />
                    <b style={{ width: `${100 * alert.drift_score}%` }} />
                  </div>
                </div>
              ))}
              {more && !loading && <Seen onSeen={onMore} />}
            </div>
          )
        })}
      </div>
      {groups
        .filter((group) => group.more)
        .map(({ state, loading, onMore }) => (
          <Button key={state} variant="default" size="compact-sm" className="alerts-older" loading={loading} onClick={onMore}>
            Show older {state} alerts
          </Button>
        ))}
      <p className="dim small" style={{ marginTop: 'auto', padding: 12, borderTop: '1px solid var(--a-line)' }}>
        {may && 'Space chooses an open alert, Ctrl+A all that are listed here. '}
        Bar: the strong part is L, the shift noise cannot explain; up to the end of the tint is D, the gap seen.
      </p>
    </div>
  )
}
