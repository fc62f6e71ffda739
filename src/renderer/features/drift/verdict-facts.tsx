// SPDX-License-Identifier: Apache-2.0
// What a verdict rests on: its reference, what was computed beside, and the receipt; the same for an alert and for a series without one.
import { Button } from '@mantine/core'
import { useNavigate } from '@tanstack/react-router'
import type { DriftVerdict } from '../../../shared/contract/drift.ts'
import { useStatus } from '../../app/engine-state.tsx'
import { count, counted } from '../../ui/format.ts'
import { Facts, Hash } from '../../ui/parts.tsx'
import { Who } from '../../ui/who.tsx'
import { CopyReceipt } from './comparison-parts.tsx'

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

interface VerdictProps {
  readonly verdict: DriftVerdict
}

/** To an export of the records of the current window. */
export function ExportRecords({ verdict }: VerdictProps) {
  const navigate = useNavigate()
  // A bundle under review is not exported from.
  if (useStatus()?.review) return null
  return (
    <Button
      variant="default"
      size="compact-sm"
      onClick={() => void navigate({ to: '/exports', search: { view: 'new', query: verdict.current.query } })}
    >
      Export these records…
    </Button>
  )
}

/** Reference, companions and receipt of a verdict. */
export function VerdictFacts({ verdict }: VerdictProps) {
  const navigate = useNavigate()
  const { reference } = verdict
  const recordsOf = (query: string) => void navigate({ to: '/records', search: { query } })
  return (
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
                {counted(reference.records, 'record')}
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
          width={72}
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
          width={72}
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
      <p className="dim small" style={{ marginTop: 'auto' }}>
        * at 80 % power with this n and m. Method: two-sample Kolmogorov-Smirnov with ties; error rate by Fisher’s exact test.
      </p>
    </>
  )
}
