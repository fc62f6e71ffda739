// SPDX-License-Identifier: Apache-2.0
// An export under way, and what came of it.
import { Button, Progress } from '@mantine/core'
import { useStatus } from '../../app/engine-state.tsx'
import { shell } from '../../client/bridge.ts'
import { sentence, useAction, useJob, useOperation } from '../../client/hooks.ts'
import { bytes, count, counted, day, fixed } from '../../ui/format.ts'
import { Facts, Hash, Note, Panel, State } from '../../ui/parts.tsx'
import { Failed, Loading } from '../../ui/states.tsx'

export function Writing({
  jobId,
  out = null,
  onAgain,
  again = 'Another export'
}: {
  readonly jobId: string
  /** Where it is written to; null when that is not known here. */
  readonly out?: string | null
  readonly onAgain: () => void
  /** What to do next. */
  readonly again?: string
}) {
  const job = useJob(jobId)
  const cancel = useAction('jobs.cancel')
  const done = job?.state === 'done'
  const result = useOperation('export.result', { job_id: jobId }, { enabled: done })
  const status = useStatus()
  if (!job || job.state === 'running') {
    return (
      <Panel title="Writing">
        <div className="column gap-8">
          <Progress value={job?.total ? (100 * job.done) / job.total : 0} aria-label="Export" />
          <div className="row">
            <span role="status" className="num soft">
              {job?.total ? `${count(job.done)} of ${count(job.total)} ${job.unit}` : 'Taking a checkpoint'}
            </span>
            <span className="grow" />
            <Button variant="default" size="compact-sm" onClick={() => cancel.mutate({ id: jobId })}>
              Cancel
            </Button>
          </div>
        </div>
      </Panel>
    )
  }
  if (job.state !== 'done') {
    return (
      <Note is={job.state === 'cancelled' ? 'plain' : 'broken'}>
        <div className="row">
          <span className="grow anywhere">
            {job.state === 'cancelled' ? (
              'Cancelled: no bundle was written.'
            ) : (
              <>
                <b>The bundle was not written.</b> {job.error ? sentence(job.error.message) : ''}{' '}
                {out !== null && <span className="mono">{out}</span>}
              </>
            )}
          </span>
          <Button variant="default" size="compact-sm" onClick={onAgain}>
            Back
          </Button>
        </div>
      </Note>
    )
  }
  if (result.isError) return <Failed what="The result cannot be read" error={result.error} />
  const { data } = result
  if (!data) return <Loading what="Reading the result" />
  return (
    <Panel
      title="Written"
      right={
        <State is="holds">
          {counted(data.records, 'record')}, {bytes(data.bytes)}
        </State>
      }
    >
      <Facts
        width={104}
        rows={[
          [
            'File',
            <span key="f" className="mono anywhere">
              {data.path}
            </span>
          ],
          ...(data.encrypted_sha256 === null
            ? []
            : [
                [
                  'SHA-256',
                  <Hash key="x" value={data.encrypted_sha256} label="SHA-256 of the encrypted file" head={20} tail={12} />
                ] as const
              ]),
          [
            data.encrypted_sha256 === null ? 'SHA-256' : 'Once opened',
            <Hash key="h" value={data.bundle_sha256} label="bundle SHA-256" head={20} tail={12} />
          ],
          ['Tag manifest', <Hash key="t" value={data.tag_manifest_sha256} label="tag manifest SHA-256" head={20} tail={12} />],
          [
            'Recorded',
            `leaf ${count(data.seq)}, ${day(data.time)}${status?.checkpoint && data.seq < status.checkpoint.size ? ', in a checkpoint' : ''}`
          ]
        ]}
      />
      {data.encrypted_sha256 !== null && (
        <p className="soft small" style={{ marginTop: 8 }}>
          The file opens with the passphrase, or with the secret half of the key, and with nothing else: neither is kept here. The recipient
          opens it in Affidavit under <i>Verify a bundle</i>, or with <span className="mono">age -d</span>.
        </p>
      )}
      <div className="row" style={{ marginTop: 8 }}>
        <Button variant="default" size="compact-sm" onClick={() => void shell('shell.showItem', { path: data.path }).catch(() => {})}>
          Show the file
        </Button>
        <Button variant="default" size="compact-sm" onClick={onAgain}>
          {again}
        </Button>
        <span className="grow" />
        <span className="dim small">{fixed((Date.parse(job.ended ?? job.started) - Date.parse(job.started)) / 1000, 1)} s</span>
      </div>
    </Panel>
  )
}
