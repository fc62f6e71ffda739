// SPDX-License-Identifier: Apache-2.0
import { Button, Textarea } from '@mantine/core'
import { useNavigate } from '@tanstack/react-router'
import { useEffect, useRef, useState } from 'react'
import type { DriftAlert, DriftVerdict } from '../../../shared/contract/drift.ts'
import { useSingleKeys } from '../../app/single-keys.ts'
import { call } from '../../client/bridge.ts'
import { messageOf, useAction } from '../../client/hooks.ts'
import { usePrint } from '../../client/print.ts'
import { clock, count, day } from '../../ui/format.ts'
import { Facts, Hash, Note } from '../../ui/parts.tsx'
import { PermittedButton } from '../../ui/permitted-button.tsx'
import { Who } from '../../ui/who.tsx'
import { CopyReceipt } from './comparison-parts.tsx'
import { Snooze } from './many-alerts.tsx'

/** Everything the verdict rests on: where its tables are on record, their hashes, and what was computed from them. */
const verdictReceipt = (verdict: DriftVerdict): object => {
  const { sentence: _, ...numbers } = verdict.numbers
  const { id, seq, hash, query, records } = verdict.reference
  return {
    look: { leaf: verdict.look_seq, time: verdict.look_time, body_sha256: verdict.hashes.look_body },
    series: { model: verdict.model, source: verdict.source },
    reference: { id, leaf: seq, sha256: hash, query, records, table_sha256: verdict.hashes.reference_table },
    current: { ...verdict.current, table_sha256: verdict.hashes.current_table },
    settings: verdict.settings,
    numbers,
    run_again: 'Both tables are in the bodies of these leaves; an exported bundle with them holds all that the numbers are computed from.'
  }
}

const kinds: Readonly<Record<string, string>> = {
  baseline: 'pinned baseline',
  rolling: 'rolling, the days before',
  hour_of_week: 'same hours of the week',
  hour_of_day: 'same hours of the day before'
}

interface AlertPaneProps {
  readonly alert: DriftAlert
  readonly verdict: DriftVerdict | null
}

/** The report of this alert as a PDF, to hand over without the app. */
function PrintReport({ alert }: { readonly alert: DriftAlert }) {
  const printing = usePrint()
  return (
    <div className="column gap-8" style={{ marginTop: 8, alignItems: 'flex-start' }}>
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
    </div>
  )
}

/** What a person does about the alert, and what the verdict rests on. */
export function AlertPane({ alert, verdict }: AlertPaneProps) {
  const navigate = useNavigate()
  const reference = verdict?.reference
  const recordsOf = (query: string) => void navigate({ to: '/records', search: { query } })
  return (
    <aside className="drift-pane" aria-label="Alert details">
      <Decision alert={alert} />
      <PrintReport alert={alert} />
      {verdict && (
        <Button
          variant="default"
          size="compact-sm"
          style={{ marginTop: 8 }}
          onClick={() => void navigate({ to: '/exports', search: { view: 'new', query: verdict.current.query } })}
        >
          Export these records…
        </Button>
      )}
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
      {verdict && reference && (
        <>
          <div className="rule" />
          <section aria-label="Reference">
            <h2 className="panel-title" style={{ marginBottom: 2 }}>
              Reference
            </h2>
            <Facts
              width={72}
              rows={[
                ['Kind', kinds[reference.kind] ?? reference.kind],
                ...(reference.kind === 'baseline' ? [['Pinned by', <Who key="w" actor={reference.actor} />] as const] : []),
                ['Name', reference.name],
                [
                  'Records',
                  <button key="r" type="button" className="link" onClick={() => recordsOf(reference.query)}>
                    {count(reference.records)} records
                  </button>
                ],
                ['Filter', <code key="f">{reference.query === '' ? 'everything' : reference.query}</code>],
                ['Hash', <Hash key="h" value={reference.hash} label="baseline hash" />]
              ]}
            />
          </section>
          <div className="rule" />
          <section aria-label="Companions">
            <h2 className="panel-title" style={{ marginBottom: 2 }}>
              Companions{' '}
              <span className="dim" style={{ fontWeight: 400 }}>
                shown, never deciding
              </span>
            </h2>
            <Facts
              width={88}
              rows={[
                ['PSI', verdict.companions.psi?.toFixed(3) ?? '–'],
                ['JS, base 2', verdict.companions.js?.toFixed(3) ?? '–'],
                [
                  'Wasserstein',
                  verdict.companions.wasserstein_log === null ? '–' : `${verdict.companions.wasserstein_log.toFixed(3)} (log scale)`
                ]
              ]}
            />
          </section>
          <div className="rule" />
          <section aria-label="Receipt">
            <h2 className="panel-title" style={{ marginBottom: 2 }}>
              Receipt
            </h2>
            <Facts
              width={88}
              rows={[
                ['Look', `leaf ${count(verdict.look_seq)}`],
                ['Its body', <Hash key="b" value={verdict.hashes.look_body} label="look body hash" />],
                ['Reference', <Hash key="r" value={verdict.hashes.reference_table} label="reference table hash" />],
                ['Current', <Hash key="c" value={verdict.hashes.current_table} label="current table hash" />],
                [
                  'Records',
                  <button key="w" type="button" className="link" onClick={() => recordsOf(verdict.current.query)}>
                    the current window
                  </button>
                ],
                ['Budget', `one false alarm in ${count(verdict.settings.looks_per_false_alarm)} looks, ${verdict.settings.procedure}`]
              ]}
            />
            <div style={{ marginTop: 6 }}>
              <CopyReceipt receipt={verdictReceipt(verdict)} />
            </div>
          </section>
        </>
      )}
      <p className="dim small" style={{ marginTop: 'auto' }}>
        * at 80 % power with this n and m. Method: two-sample Kolmogorov-Smirnov with ties; error rate by Fisher’s exact test.
      </p>
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
  if (alert.state === 'resolved') return <Note is="plain">This alert is resolved. A new shift of the same series opens a new one.</Note>
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
      {error && <Note is="broken">{messageOf(error)}</Note>}
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
      <p className="dim small">Who, when and the note become a leaf of the ledger and cannot be edited; a later note can be added.</p>
    </section>
  )
}
