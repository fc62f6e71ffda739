// SPDX-License-Identifier: Apache-2.0
// The right-hand column: what can be relied on, what moved, how the machine is. Only what was measured.
import { Button, Progress } from '@mantine/core'
import { Link } from '@tanstack/react-router'
import { type ReactNode, useState } from 'react'
import type { DriftAlert } from '../../../shared/contract/drift.ts'
import type { WorkspaceStatus } from '../../../shared/contract/workspace.ts'
import { useStatus } from '../../app/engine-state.tsx'
import { useAction, useJob, useOperation, useRefresh, useTopic } from '../../client/hooks.ts'
import { ageOf, bytes, clock, count, faultOf, fixed, isUnfinished } from '../../ui/format.ts'
import { Mark, type Meaning, Panel, State } from '../../ui/parts.tsx'

/** What the last 24 hours show of completeness, in a few words; null when nothing is amiss. */
function amissOf({ gaps, lost, incomplete, clock_jumps }: WorkspaceStatus['last_day']): string | null {
  const parts = [
    lost > 0 && `${count(lost)} lost`,
    incomplete > 0 && `${count(incomplete)} without answer`,
    gaps > 0 && `${count(gaps)} gap${gaps === 1 ? '' : 's'}`,
    clock_jumps > 0 && `${count(clock_jumps)} clock jump${clock_jumps === 1 ? '' : 's'}`
  ].filter((part) => part !== false)
  return parts.length === 0 ? null : parts.join(', ')
}

const Line = ({ name, is, children }: { readonly name: string; readonly is: Meaning; readonly children: ReactNode }) => (
  <div>
    <span>{name}</span>
    <State is={is}>{children}</State>
  </div>
)

/** Up to which leaf the ledger is intact, and what says so. */
export function Integrity() {
  const status = useStatus()
  const verify = useAction('verify.workspace')
  const [jobId, setJobId] = useState<string | null>(null)
  const job = useJob(jobId)
  const done = job?.state === 'done'
  const report = useOperation('verify.workspace_report', { job_id: jobId ?? '' }, { enabled: done })
  // A verification started from the palette shows here too.
  useTopic('jobs', (event) => {
    if (event.kind === 'verify_workspace' && event.state === 'running') setJobId(event.id)
  })
  if (!status)
    return (
      <Panel title="Integrity" className="four">
        {null}
      </Panel>
    )
  const { checkpoint, problem, head, heartbeats, anchor, verified, last_day } = status
  const amiss = amissOf(last_day)
  const beats = `${count(Math.min(heartbeats.seen, heartbeats.expected))} of ${count(heartbeats.expected)} heartbeats`
  const complete = amiss === null && heartbeats.seen + 1 >= heartbeats.expected
  const unfinished = isUnfinished(verified)
  const faulty = verified !== null && verified.faults > 0 && !unfinished
  const running = job?.state === 'running'
  const right = running ? null : (
    <button type="button" className="link" onClick={() => verify.mutate({}, { onSuccess: ({ job_id }) => setJobId(job_id) })}>
      Verify all now
    </button>
  )
  const title =
    problem || faulty
      ? 'Not intact'
      : unfinished
        ? 'Not verified to the end'
        : checkpoint
          ? `Intact up to leaf ${count(checkpoint.size - 1)}`
          : 'No checkpoint yet'
  const copies = {
    matches: ['holds', 'matches'],
    behind: ['holds', 'is a prefix'],
    none: ['pending', 'not made yet'],
    differs: ['broken', 'differs'],
    disturbed: ['attention', 'was disturbed']
  } as const
  const [copyIs, copyWord] = copies[head.second_copy]
  return (
    <Panel title="Integrity" className="four" right={right}>
      <div className="row" style={{ gap: 10, alignItems: 'flex-start' }}>
        <Mark is={problem || faulty ? 'broken' : unfinished ? 'attention' : checkpoint ? 'holds' : 'pending'} size={20} />
        <div className="grow">
          <div className="strong clip" style={{ fontSize: 15, lineHeight: '20px' }}>
            {title}
          </div>
          <div className="soft small clip" title={head.second_copy_note ?? undefined}>
            {problem
              ? 'Open read-only; see the message above'
              : head.second_copy_note !== null
                ? head.second_copy_note
                : faulty
                  ? faultOf(verified)
                  : unfinished
                    ? 'The last verification of everything did not end: verify again'
                    : checkpoint
                      ? `Re-hashed from disk before signing, ${clock(checkpoint.time)} UTC`
                      : 'The first follows seconds after the first record'}
          </div>
        </div>
      </div>
      <div className="integrity-list">
        <Line name="Consistent with last checkpoint" is={checkpoint ? (checkpoint.consistent ? 'holds' : 'broken') : 'pending'}>
          {checkpoint ? (checkpoint.consistent ? `yes, +${count(checkpoint.size - checkpoint.previous_size)} leaves` : 'no') : 'waits'}
        </Line>
        <Line name="High-water mark outside the database" is={head.state === 'matches' ? 'holds' : 'broken'}>
          {head.state}
        </Line>
        <Line name="Head remembered on this machine" is={copyIs}>
          {copyWord}
        </Line>
        <Line name="Outside anchor" is={anchor ? 'holds' : 'pending'}>
          {anchor ? `${ageOf(Date.parse(status.now) - Date.parse(anchor.time))} old` : 'none yet'}
        </Line>
        {!problem && (
          <Line name="Completeness, last 24 h" is={last_day.lost + last_day.incomplete > 0 ? 'attention' : complete ? 'holds' : 'pending'}>
            {amiss ?? beats}
          </Line>
        )}
        {running && job ? (
          <div>
            <span>Verifying every leaf</span>
            <span className="row grow" style={{ justifyContent: 'flex-end' }}>
              <Progress value={job.total ? (100 * job.done) / job.total : 0} w={90} size="sm" aria-label="Verification" />
              <CancelButton id={job.id} />
            </span>
          </div>
        ) : report.data ? (
          <Line
            name={`Every leaf, payload and key, ${fixed(report.data.seconds, 1)} s`}
            is={report.data.verdict === 'intact' ? 'holds' : 'broken'}
          >
            {report.data.verdict === 'intact' ? `${count(report.data.checked.leaves)} match` : `${count(report.data.faults_total)} faults`}
          </Line>
        ) : verified ? (
          <Line
            name={`Every row re-hashed, ${ageOf(Date.parse(status.now) - Date.parse(verified.time))} ago`}
            is={faulty ? 'broken' : 'holds'}
          >
            {faulty ? (verified.faults === 1 ? '1 fault' : `${count(verified.faults)} faults`) : `${count(verified.size)} leaves match`}
          </Line>
        ) : null}
      </div>
    </Panel>
  )
}

function CancelButton({ id }: { readonly id: string }) {
  const cancel = useAction('jobs.cancel')
  return (
    <Button variant="default" size="compact-xs" onClick={() => cancel.mutate({ id })}>
      Cancel
    </Button>
  )
}

/** Newest alerts of a state of which the strongest are shown. */
const NEWEST = 100
const SHOWN = 5
const strongest = (alerts: readonly DriftAlert[]) => [...alerts].sort((a, b) => b.drift_score - a.drift_score)

/** The strongest shifts first, open ones before those that rest or were acknowledged; the bar is the lower bound that noise cannot explain. */
export function DriftPanel() {
  const open = useOperation('drift.alerts', { state: 'open', limit: NEWEST }, { refetchMs: 5_000 })
  const acknowledged = useOperation('drift.alerts', { state: 'acknowledged', limit: SHOWN }, { refetchMs: 5_000 })
  const refresh = useRefresh()
  useTopic('alerts', () => refresh('drift.alerts'))
  const asking = (open.data?.alerts ?? []).filter((alert) => alert.snoozed_until === null)
  const resting = (open.data?.alerts ?? []).filter((alert) => alert.snoozed_until !== null)
  const rows = [...strongest(asking), ...strongest(resting), ...strongest(acknowledged.data?.alerts ?? [])].slice(0, SHOWN)
  return (
    <Panel
      title="Drift"
      sub="lower bound of the shift, 0 to 1"
      className="four"
      flush
      right={
        <Link className="link" to="/drift">
          Investigate
        </Link>
      }
    >
      {open.data === undefined || acknowledged.data === undefined ? null : rows.length === 0 ? (
        <div className="panel-body soft" style={{ fontSize: 12.5 }}>
          <p>
            No alert is open. A series is judged against a baseline that a person pinned for it, or against the reference chosen in
            Settings.
          </p>
          <p style={{ marginTop: 8 }}>
            <Link className="link" to="/drift" search={{ view: 'series' }}>
              Pin a baseline…
            </Link>
          </p>
        </div>
      ) : (
        <div className="drift-list">
          {rows.map((alert) => (
            <Link key={alert.id} to="/drift" search={{ alert: alert.id }}>
              <Mark is={alert.snoozed_until !== null ? 'pending' : alert.state === 'open' ? 'attention' : 'acknowledged'} />
              <span className="clip">
                <b>{alert.model}</b> <span className="soft">{alert.source}</span>{' '}
                <span className="dim">
                  {alert.snoozed_until !== null && 'resting · '}
                  {alert.drifted_features.replaceAll('_', ' ').replaceAll(',', ', ')}
                </span>
              </span>
              <span className="bar">
                <i style={{ width: `${100 * alert.drift_score}%` }} />
              </span>
              <span className="num right strong">{alert.drift_score.toFixed(2)}</span>
            </Link>
          ))}
        </div>
      )}
    </Panel>
  )
}

/** Values beside their limits; the one that needs a person stands out. */
export function Health() {
  const status = useStatus()
  if (!status)
    return (
      <Panel title="System health" className="four">
        {null}
      </Panel>
    )
  const { commit, projection, ingest, disk, keys, endpoints } = status
  const free = disk.free_bytes
  const rows: readonly (readonly [string, Meaning, string, string])[] = [
    [
      'Ledger writer',
      commit.p99_ms === null ? 'pending' : commit.p99_ms <= 50 ? 'holds' : 'attention',
      commit.p99_ms === null ? 'no commit yet' : `commit p99 ${fixed(commit.p99_ms, 1)} ms`,
      'limit 50 ms'
    ],
    ['Catalog projection', projection.behind <= 1000 ? 'holds' : 'attention', `${count(projection.behind)} behind`, 'limit 1,000'],
    ['Ingest queue', ingest.waiting <= 8192 ? 'holds' : 'attention', `${count(ingest.waiting)} waiting`, 'limit 8,192'],
    [
      'Compliance port',
      endpoints.compliance.state === 'listening' ? 'holds' : 'attention',
      endpoints.compliance.state === 'listening' ? String(endpoints.compliance.port) : 'not listening',
      ''
    ],
    [
      'Drift port',
      endpoints.drift.state === 'listening' ? 'holds' : 'attention',
      endpoints.drift.state === 'listening' ? String(endpoints.drift.port) : 'not listening',
      ''
    ],
    [
      'Disk, data folder',
      free === null ? 'pending' : free >= 10e9 ? 'holds' : 'attention',
      free === null ? 'unknown' : `${bytes(free)} free`,
      'floor 10 GB'
    ],
    [
      'Keys',
      keys.protection === 'key-file' ? 'attention' : 'holds',
      keys.protection === 'key-file' ? 'file permissions only' : keys.protection === 'passphrase' ? 'passphrase' : 'OS key store',
      ''
    ]
  ]
  return (
    <Panel title="System health" className="four" right={<span className="dim small">measured now</span>}>
      <table className="table health">
        <tbody>
          {rows.map(([name, is, value, limit]) => (
            <tr key={name}>
              <td style={{ width: 22, paddingLeft: 0 }}>
                <Mark is={is} />
                <span className="hidden-text">{is === 'holds' ? 'ok' : is === 'pending' ? 'not yet known' : 'needs attention'}</span>
              </td>
              <td>{name}</td>
              <td className={is === 'attention' ? 'right strong state-attention' : 'right'}>{value}</td>
              <td className="right dim" style={{ paddingRight: 0 }}>
                {limit}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </Panel>
  )
}
