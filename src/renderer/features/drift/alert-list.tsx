// SPDX-License-Identifier: Apache-2.0
import { type KeyboardEvent, useState } from 'react'
import type { DriftAlert } from '../../../shared/contract/drift.ts'
import { clock, day, moment } from '../../ui/format.ts'
import { Mark, type Meaning } from '../../ui/parts.tsx'
import { ManyAlerts } from './many-alerts.tsx'

const groups: readonly { readonly state: DriftAlert['state']; readonly name: string; readonly is: Meaning }[] = [
  { state: 'open', name: 'Open', is: 'attention' },
  { state: 'acknowledged', name: 'Acknowledged', is: 'acknowledged' },
  { state: 'resolved', name: 'Resolved', is: 'resolved' }
]

/** Today's clock, else the date. */
const when = (iso: string): string => (day(iso) === day(new Date().toISOString()) ? `${clock(iso).slice(0, 5)} UTC` : day(iso).slice(0, -5))

const strongestGap = (alert: DriftAlert): number => Math.max(0, ...alert.features.map((one) => one.d ?? 0))

interface AlertListProps {
  readonly alerts: readonly DriftAlert[]
  readonly selected: string
  readonly onSelect: (id: string) => void
}

export function AlertList({ alerts, selected, onSelect }: AlertListProps) {
  const ordered = groups.flatMap((group) => alerts.filter((alert) => alert.state === group.state))
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set())
  // Only open alerts can be acknowledged; one that changed meanwhile is chosen no more.
  const still = alerts.filter((alert) => alert.state === 'open' && chosen.has(alert.id)).map((alert) => alert.id)
  const toggle = (alert: DriftAlert) => {
    if (alert.state === 'open')
      setChosen((before) => new Set(before.has(alert.id) ? [...before].filter((id) => id !== alert.id) : [...before, alert.id]))
  }
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === 'a' && (event.ctrlKey || event.metaKey)) {
      event.preventDefault()
      setChosen(new Set(alerts.filter((alert) => alert.state === 'open').map((alert) => alert.id)))
      return
    }
    const by = { ArrowDown: 1, ArrowUp: -1 }[event.key]
    if (by === undefined) return
    event.preventDefault()
    const next = ordered[ordered.findIndex((alert) => alert.id === selected) + by]
    if (!next) return
    onSelect(next.id)
    document.getElementById(`alert-${next.id}`)?.focus()
  }
  return (
    <div className="alert-list">
      {still.length > 0 && <ManyAlerts ids={still} onDone={() => setChosen(new Set())} />}
      <div role="listbox" aria-label="Alerts" aria-multiselectable tabIndex={-1} onKeyDown={onKeyDown}>
        {groups.map(({ state, name, is }) => {
          const members = alerts.filter((alert) => alert.state === state)
          if (members.length === 0) return null
          return (
            <div key={state} role="group" aria-label={name}>
              <div className="alert-group" aria-hidden="true">
                {name} <span className="dim">{members.length}</span>
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
                  {...(state === 'open' ? { 'aria-checked': chosen.has(alert.id) } : {})}
                  onKeyDown={(event) => {
                    if (event.key === 'Enter') onSelect(alert.id)
                    if (event.key !== ' ') return
                    event.preventDefault()
                    toggle(alert)
                  }}
                >
                  <div className="title">
                    <Mark is={is} size={13} />
                    <span className="clip">{alert.model}</span>
                    <span className="grow" />
                    <span className="num">{alert.drift_score.toFixed(2)}</span>
                  </div>
                  <div className="line">
                    <span className="clip">{alert.source}</span>
                    <span className="grow" />
                    <span className="nowrap num">{when(alert.timestamp)}</span>
                  </div>
                  {alert.snoozed_until !== null && Date.parse(alert.snoozed_until) > Date.now() && (
                    <div className="line">
                      <span className="clip">rests until {moment(alert.snoozed_until)}</span>
                    </div>
                  )}
                  <div className="line">
                    <span className="dim clip">{alert.drifted_features.replaceAll(',', ', ')}</span>
                  </div>
                  <div className="gap-bar">
                    <i style={{ width: `${100 * strongestGap(alert)}%` }} />
                    <b style={{ width: `${100 * alert.drift_score}%` }} />
                  </div>
                </div>
              ))}
            </div>
          )
        })}
      </div>
      <p className="dim small" style={{ marginTop: 'auto', padding: 12, borderTop: '1px solid var(--a-line)' }}>
        Space chooses an open alert, Ctrl+A all of them. Bar: the strong part is L, the shift noise cannot explain; up to the end of the
        tint is D, the gap seen.
      </p>
    </div>
  )
}
