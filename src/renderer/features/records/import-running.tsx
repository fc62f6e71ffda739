// SPDX-License-Identifier: Apache-2.0
// The running import with its progress, then its report.
import { Button, Progress } from '@mantine/core'
import type { OperationOutput } from '../../../shared/contract/contract.ts'
import type { Job } from '../../../shared/contract/workspace.ts'
import { useAction, useJob, useOperation } from '../../client/hooks.ts'
import { count, fixed } from '../../ui/format.ts'
import { type Meaning, Note, State } from '../../ui/parts.tsx'
import { Loading } from '../../ui/states.tsx'

/** How an import ended, in a few words. */
export function outcomeOf(
  job: Pick<Job, 'state' | 'error'>,
  result: Pick<OperationOutput<'import.result'>, 'accepted' | 'duplicates' | 'rejected'> | undefined
): { readonly is: Meaning; readonly words: string } {
  if (job.state === 'cancelled') return { is: 'pending', words: 'Cancelled; what was accepted stays' }
  if (job.state !== 'done') return { is: 'broken', words: job.error?.message ?? 'The import stopped' }
  const { accepted, duplicates, rejected } = result ?? { accepted: 1, duplicates: 0, rejected: 0 }
  if (accepted + duplicates === 0) return { is: 'attention', words: 'Nothing was imported' }
  if (rejected > 0) return { is: 'attention', words: 'Imported in part' }
  return { is: 'holds', words: accepted === 0 ? 'Already on record' : 'Imported' }
}

export function Running({ jobId, onClose }: { readonly jobId: string; readonly onClose: () => void }) {
  const job = useJob(jobId)
  const cancel = useAction('jobs.cancel')
  const ended = job !== null && job.state !== 'running'
  const result = useOperation('import.result', { job_id: jobId }, { enabled: ended })
  if (!job) return <Loading what="Starting" />
  if (!ended) {
    const share = job.total ? (100 * job.done) / job.total : 0
    return (
      <div className="column gap-12">
        <div className="row">
          <span role="status" className="num">
            {count(job.counts.accepted ?? 0)} accepted · {count(job.counts.duplicates ?? 0)} duplicates · {count(job.counts.rejected ?? 0)}{' '}
            rejected
          </span>
          <span className="grow" />
          <span className="dim num">{Math.floor(share)} %</span>
        </div>
        <Progress value={share} aria-label="Import" />
        <div className="row">
          <span className="dim small">What was accepted is on disk and stays, even after Cancel.</span>
          <span className="grow" />
          <Button variant="default" onClick={() => cancel.mutate({ id: jobId })}>
            Cancel
          </Button>
        </div>
      </div>
    )
  }
  const data = result.data
  const outcome = outcomeOf(job, data)
  return (
    <div className="column gap-12">
      <State is={outcome.is}>{outcome.words}</State>
      {data && (
        <p className="num">
          {count(data.accepted)} accepted, {count(data.duplicates)} already on record, {count(data.rejected)} rejected, in{' '}
          {fixed(data.seconds, 1)} s.
        </p>
      )}
      {data && data.added_bytes > 0 && (
        <Note is="plain">{count(data.added_bytes)} bytes were added to the file after the import began. They were not read.</Note>
      )}
      {data && data.errors.length > 0 && (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling region must be reachable by keyboard.
        <div className="import-table rejected-lines" role="region" aria-label="Rejected rows" tabIndex={0}>
          <table className="table">
            <thead>
              <tr>
                <th className="right">Line or row</th>
                <th>Code</th>
                <th>Why</th>
              </tr>
            </thead>
            <tbody>
              {data.errors.map((error) => (
                <tr key={error.line}>
                  <td className="right">{error.line}</td>
                  <td className="mono">{error.code}</td>
                  <td style={{ maxWidth: 'none' }}>{error.message}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      {data && data.rejected > data.errors.length && (
        <p className="dim small">
          and {count(data.rejected - data.errors.length)} more: the first {count(data.errors.length)} are shown.
        </p>
      )}
      <div className="row">
        <span className="grow" />
        <Button onClick={onClose}>Done</Button>
      </div>
    </div>
  )
}
