// SPDX-License-Identifier: Apache-2.0
import { Button, Textarea } from '@mantine/core'
import { useEffect, useRef, useState } from 'react'
import type { DriftAlert, DriftVerdict } from '../../../shared/contract/drift.ts'
import { useSingleKeys } from '../../app/single-keys.ts'
import { call } from '../../client/bridge.ts'
import { sentenceOf, useAction, useOperation } from '../../client/hooks.ts'
import { usePrint } from '../../client/print.ts'
import { useMay } from '../../client/session.tsx'
import { clock, count, day, moment } from '../../ui/format.ts'
import { Note } from '../../ui/parts.tsx'
import { PermittedButton } from '../../ui/permitted-button.tsx'
import { Who } from '../../ui/who.tsx'
import { Snooze } from './many-alerts.tsx'
import { ExportRecords, VerdictFacts } from './verdict-facts.tsx'

interface AlertPaneProps {
  readonly alert: DriftAlert
  readonly verdict: DriftVerdict | null
}

/** The report of this alert as a PDF, to hand over without the app. */
function PrintReport({ alert }: { readonly alert: DriftAlert }) {
  const printing = usePrint()
  return (
    <>
      <Button
        variant="default"
        size="compact-sm"
        loading={printing.busy}
        onClick={() => printing.print(() => call('report.drift', { alert_id: alert.id }))}
      >
        Print report…
      </Button>
      {printing.error !== null && <Note is="broken">{printing.error}</Note>}
      {printing.saved !== null && <Note is="holds">Saved: {printing.saved}</Note>}
    </>
  )
}

/** What a person does about the alert, and what the verdict rests on. */
export function AlertPane({ alert, verdict }: AlertPaneProps) {
  return (
    <aside className="drift-pane" aria-label="Alert details">
      <Decision alert={alert} />
      <div className="column gap-8" style={{ alignItems: 'flex-start' }}>
        <PrintReport alert={alert} />
        {verdict && <ExportRecords verdict={verdict} />}
      </div>
      <div className="rule" />
      <section aria-label="History">
        <h2 className="panel-title" style={{ marginBottom: 4 }}>
          History
        </h2>
        {alert.history.map((step) => (
          <div key={step.seq} style={{ padding: '2px 0', fontSize: 12.5 }}>
            <span className="dim num">
              {day(step.time).slice(0, -5)} {clock(step.time).slice(0, 5)}
            </span>{' '}
            {step.what === 'returned' ? (
              'its snooze ended'
            ) : (
              <>
                {step.what} by <Who actor={step.actor} />
              </>
            )}
            <span className="dim num"> · leaf {count(step.seq)}</span>
            {step.note !== '' && (
              <p className="soft" style={{ whiteSpace: 'pre-wrap' }}>
                {step.note}
              </p>
            )}
          </div>
        ))}
      </section>
      {verdict && <VerdictFacts verdict={verdict} />}
    </aside>
  )
}

function Decision({ alert }: { readonly alert: DriftAlert }) {
  const [note, setNote] = useState('')
  const input = useRef<HTMLTextAreaElement>(null)
  const acknowledge = useAction('drift.acknowledge', ['drift.alerts', 'drift.series'])
  const resolve = useAction('drift.resolve', ['drift.alerts', 'drift.series'])
  // A note belongs to the alert it was typed for.
  useEffect(() => {
    setNote('')
    acknowledge.reset()
    resolve.reset()
  }, [alert.id])
  useSingleKeys({ a: () => input.current?.focus() })
  const { may, why } = useMay('drift')
  if (alert.state === 'resolved') return <Resolved alert={alert} />
  if (!may) return <Note is="plain">Acknowledge, resolve and snooze are not offered. {why}</Note>
  const error = acknowledge.error ?? resolve.error
  const done = { onSuccess: () => setNote('') }
  const empty = note.trim() === ''
  return (
    <section className="column gap-8" aria-label={alert.state === 'open' ? 'Acknowledge' : 'Resolve'} style={{ minHeight: 'auto' }}>
      <div className="row">
        <h2 className="panel-title grow">{alert.state === 'open' ? 'Acknowledge' : 'Resolve'}</h2>
        <span className="keycap">A</span>
      </div>
      <Textarea
        ref={input}
        aria-label="Note, required"
        placeholder="What was found, what happens next"
        value={note}
        maxLength={2000}
        autosize
        minRows={3}
        maxRows={8}
        onChange={(event) => setNote(event.currentTarget.value)}
      />
      {error && <Note is="broken">{sentenceOf(error)}</Note>}
      <div className="row gap-8" style={{ flexWrap: 'wrap' }}>
        {alert.state === 'open' && (
          <PermittedButton
            permission="drift"
            disabled={empty}
            loading={acknowledge.isPending}
            onClick={() => acknowledge.mutate({ id: alert.id, note: note.trim() }, done)}
          >
            Acknowledge
          </PermittedButton>
        )}
        <PermittedButton
          permission="drift"
          variant="default"
          disabled={empty}
          loading={resolve.isPending}
          onClick={() => resolve.mutate({ id: alert.id, note: note.trim() }, done)}
        >
          Resolve
        </PermittedButton>
        <Snooze alert={alert} />
      </div>
      <p className="dim small">Who, when and the note become a leaf of the ledger and cannot be edited.</p>
    </section>
  )
}

/** Until when the cool-down keeps its series from opening another one. */
function Resolved({ alert }: { readonly alert: DriftAlert }) {
  const hours = useOperation('settings.get', {}).data?.cooldown_hours
  const at = alert.history.findLast((step) => step.what === 'resolved')?.time
  const until = hours === undefined || at === undefined ? null : Date.parse(at) + hours * 3_600_000
  return (
    <Note is="plain">
      This alert is resolved. A shift of the same series{' '}
      {until !== null && until > Date.now()
        ? `opens a new one from ${moment(new Date(until).toISOString())} on, when its cool-down is over; looks before say that it alarmed.`
        : 'opens a new one.'}
    </Note>
  )
}
