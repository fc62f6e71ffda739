// SPDX-License-Identifier: Apache-2.0
import { Button, Progress, Select } from '@mantine/core'
import { useState } from 'react'
import type { Gap } from '../../../shared/contract/compliance.ts'
import { disposedOfBy } from '../../../shared/policy/disposed.ts'
import { messageOf, useAction, useJob, useOperation, useTopic } from '../../client/hooks.ts'
import { ageOf, count, fixed, moment } from '../../ui/format.ts'
import { type Meaning, Note, Panel, State } from '../../ui/parts.tsx'
import { Empty, Failed, Loading } from '../../ui/states.tsx'
import { Who } from '../../ui/who.tsx'

const intervals = [
  { value: '0', label: 'Only on demand' },
  { value: '6', label: 'Every 6 hours' },
  { value: '24', label: 'Every day' },
  { value: '168', label: 'Every week' }
]

const reasons: Readonly<Record<Gap['reason'], string>> = {
  stopped: 'stopped by a person or the system',
  ended: 'ended without closing',
  silent: 'ran, and wrote nothing',
  clock: 'clock set forward, or asleep'
}

const scopeNames = { workspace: 'whole workspace', record: 'one record', bundle: 'bundle', foreign: 'evidence of another program' } as const

/** Verifications of the whole workspace, and the times without a sign of life. */
/** A verification that did not end found no fault, and a bundle whose signer is not confirmed is not wholly verified. */
const meaningOf = ({ verdict, faults }: { readonly verdict: string; readonly faults: number }): Meaning =>
  verdict === 'cancelled'
    ? 'pending'
    : verdict === 'failed' || verdict.startsWith('consistent')
      ? 'attention'
      : faults === 0
        ? 'holds'
        : 'broken'

export function IntegrityView() {
  return (
    <div className="compliance-page column gap-12">
      <Verifications />
      <Completeness />
    </div>
  )
}

function Schedule() {
  const settings = useOperation('settings.get', {})
  const set = useAction('settings.set', ['settings.get', 'compliance.verifications'])
  const hours = settings.data?.verify_every_hours
  if (hours === undefined) return null
  const known = intervals.some((one) => one.value === String(hours))
  return (
    <Select
      aria-label="Verify in the background"
      size="xs"
      w={150}
      allowDeselect={false}
      data={known ? intervals : [...intervals, { value: String(hours), label: `Every ${hours} hours` }]}
      value={String(hours)}
      onChange={(value) => set.mutate({ verify_every_hours: Number(value ?? 24) })}
    />
  )
}

function Verifications() {
  const list = useOperation('compliance.verifications', {})
  const verify = useAction('verify.workspace')
  const cancel = useAction('jobs.cancel')
  const [jobId, setJobId] = useState<string | null>(null)
  const job = useJob(jobId)
  const report = useOperation('verify.workspace_report', { job_id: jobId ?? '' }, { enabled: job?.state === 'done' })
  useTopic('jobs', (event) => {
    if (event.kind !== 'verify_workspace') return
    if (event.state === 'running') setJobId(event.id)
    else void list.refetch()
  })
  if (list.isError) return <Failed what="The verifications cannot be read" error={list.error} onRetry={() => void list.refetch()} />
  if (!list.data) return <Loading what="Reading verifications" />
  const { verifications, next_due } = list.data
  const running = job?.state === 'running'
  return (
    <Panel
      title="Verifications"
      sub={next_due === null ? 'every leaf, node, payload and key, re-hashed from disk' : `next in the background ${moment(next_due)}`}
      flush
      right={
        <span className="row">
          <Schedule />
          {running && job ? (
            <>
              <Progress value={job.total ? (100 * job.done) / job.total : 0} w={120} size="sm" aria-label="Verification" />
              <Button variant="default" size="compact-sm" onClick={() => cancel.mutate({ id: job.id })}>
                Cancel
              </Button>
            </>
          ) : (
            <Button size="compact-sm" onClick={() => verify.mutate({}, { onSuccess: ({ job_id }) => setJobId(job_id) })}>
              Verify everything
            </Button>
          )}
        </span>
      }
    >
      {(verify.isError || job?.state === 'failed') && (
        <div className="panel-body">
          <Note is="broken">{verify.isError ? messageOf(verify.error) : job?.error?.message}</Note>
        </div>
      )}
      {report.data && (
        <div className="panel-body">
          <Note is={report.data.verdict === 'intact' ? 'holds' : 'broken'}>
            {report.data.verdict === 'intact' ? (
              <>
                <b>Intact up to leaf {count(report.data.size - 1)}.</b> {count(report.data.checked.leaves)} leaves,{' '}
                {count(report.data.checked.nodes)} nodes, {count(report.data.checked.payloads)} payloads, {count(report.data.checked.keys)}{' '}
                keys and {count(report.data.checked.checkpoints)} checkpoints match, {fixed(report.data.seconds, 1)} s.
                {report.data.erasures.map((one) => ` ${count(one.payloads)} payloads were erased by leaf ${count(one.leaf)}.`)}
              </>
            ) : (
              <>
                <b>Does not verify: {count(report.data.faults_total)} faults.</b>
                <ul>
                  {report.data.faults.slice(0, 20).map((fault) => (
                    <li key={`${fault.code} ${fault.message}`}>{fault.message}</li>
                  ))}
                </ul>
              </>
            )}
          </Note>
        </div>
      )}
      {verifications.length === 0 ? (
        <Empty title="Nothing was verified yet">
          <p>Each verification, in the background or on demand, is recorded here with its verdict.</p>
        </Empty>
      ) : (
        <table className="table">
          <thead>
            <tr>
              <th className="right">Leaf</th>
              <th>Time UTC</th>
              <th>What</th>
              <th>By</th>
              <th>Verdict</th>
              <th className="right">Up to size</th>
              <th className="right">Faults</th>
            </tr>
          </thead>
          <tbody>
            {verifications.slice(0, 50).map((one) => (
              <tr key={one.seq}>
                <td className="right dim">{count(one.seq)}</td>
                <td className="num">{moment(one.time).replace(' UTC', '')}</td>
                <td>{scopeNames[one.scope]}</td>
                <td>{one.actor === 'engine' ? 'in the background' : <Who actor={one.actor} />}</td>
                <td>
                  <State is={meaningOf(one)}>{one.verdict === 'failed' ? 'not finished' : one.verdict}</State>
                </td>
                <td className="right">{count(one.size)}</td>
                <td className="right">{one.verdict === 'failed' ? '–' : count(one.faults)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </Panel>
  )
}

function Completeness() {
  const seen = useOperation('compliance.completeness', {}, { refetchMs: 60_000, keep: true })
  if (seen.isError) return <Failed what="The gaps cannot be read" error={seen.error} onRetry={() => void seen.refetch()} />
  if (!seen.data) return <Loading what="Reading heartbeats" />
  const { heartbeats, gaps, disposed, lost, incomplete, clock_jumps } = seen.data
  const rows = [
    ...gaps.map((one) => ({ ...one, ordered: one.reason === 'stopped', text: reasons[one.reason] })),
    ...disposed.map((one) => ({ ...one, ordered: true, text: disposedOfBy(one.by) }))
  ].sort((a, b) => b.from_seq - a.from_seq)
  return (
    <Panel title="Completeness" sub={`last 30 days · ${count(heartbeats)} heartbeats`} flush>
      {lost > 0 && (
        <div className="panel-body">
          <Note is="attention">
            <b>{count(lost)} events arrived and could not be recorded.</b> The leaves logging.failed say when.
          </Note>
        </div>
      )}
      {incomplete > 0 && (
        <div className="panel-body">
          <Note is="attention">
            <b>
              {count(incomplete)} request{incomplete === 1 ? '' : 's'} left without an answer
            </b>{' '}
            when the engine ended. Each has a leaf recovered.incomplete; what had arrived until then is kept.
          </Note>
        </div>
      )}
      {clock_jumps > 0 && (
        <div className="panel-body">
          <Note is="attention">
            <b>
              The clock of this machine jumped {count(clock_jumps)} time{clock_jumps === 1 ? '' : 's'}: it was set, or the machine slept.
            </b>{' '}
            The leaves clock.jump say by how much; the order of leaves does not depend on the clock.
          </Note>
        </div>
      )}
      {rows.length === 0 ? (
        <Empty title="No gap">
          <p>A heartbeat a minute shows that a quiet log was a quiet server. A longer silence is listed here with its reason.</p>
        </Empty>
      ) : (
        <table className="table">
          <thead>
            <tr>
              <th>From UTC</th>
              <th>To UTC</th>
              <th className="right">Length</th>
              <th>Reason</th>
              <th className="right">Between leaves</th>
            </tr>
          </thead>
          <tbody>
            {rows.map((one) => (
              <tr key={one.from_seq}>
                <td className="num">{moment(one.from).replace(' UTC', '')}</td>
                <td className="num">{moment(one.to).replace(' UTC', '')}</td>
                <td className="right">{ageOf(Date.parse(one.to) - Date.parse(one.from))}</td>
                <td>
                  <State is={one.ordered ? 'none' : 'attention'}>{one.text}</State>
                </td>
                <td className="right dim">
                  {count(one.from_seq)} and {count(one.to_seq)}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </Panel>
  )
}
