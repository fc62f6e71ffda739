// SPDX-License-Identifier: Apache-2.0
import { Button, Progress } from '@mantine/core'
import { useEffect, useRef, useState } from 'react'
import type { BundleKey } from '../../../shared/contract/exports.ts'
import { call, shell } from '../../client/bridge.ts'
import { messageOf, useAction, useJob } from '../../client/hooks.ts'
import { Note } from '../../ui/parts.tsx'

/** Makes a verified bundle ready to be looked through, and turns the window to it. */
export function OpenReview({
  path,
  trust,
  bundleKey
}: {
  readonly path: string
  readonly trust: string | null
  /** What opened it, where it is encrypted. */
  readonly bundleKey: BundleKey | null
}) {
  const [jobId, setJobId] = useState<string | null>(null)
  const [error, setError] = useState<unknown>(null)
  const start = useAction('review.start')
  const job = useJob(jobId)
  const turned = useRef<string | null>(null)
  useEffect(() => {
    if (job?.state !== 'done' || turned.current === job.id) return
    turned.current = job.id
    const turn = async () => {
      const { review } = await call('review.result', { job_id: job.id })
      if (review === null) throw new Error('invalid')
      await shell('shell.openReview', { review })
    }
    turn().catch(setError)
  }, [job])
  const open = () => {
    setError(null)
    setJobId(null)
    start.mutate(
      { path, ...(trust === null ? {} : { trust }), ...(bundleKey === null ? {} : { key: bundleKey }) },
      { onSuccess: ({ job_id }) => setJobId(job_id), onError: setError }
    )
  }
  const running = start.isPending || job?.state === 'running' || (job?.state === 'done' && error === null)
  const failed = error ?? (job?.state === 'failed' ? new Error(job.error?.message ?? '') : null)
  if (running) {
    return (
      <div className="row" role="status">
        <span className="soft nowrap">Making the bundle ready to be looked through</span>
        <Progress
          style={{ flex: 1 }}
          value={job?.total ? (100 * job.done) / job.total : 0}
          animated={!job?.total}
          aria-label="Opening the bundle"
        />
        {jobId !== null && job?.state === 'running' && (
          <Button variant="default" size="compact-sm" onClick={() => void call('jobs.cancel', { id: jobId }).catch(() => {})}>
            Cancel
          </Button>
        )}
      </div>
    )
  }
  return (
    <>
      <div className="row">
        <Button onClick={open}>Look through its records</Button>
        <span className="dim small">In the same views, read-only, and offline. Recording in this workspace goes on.</span>
      </div>
      {failed !== null && (
        <Note is="broken">
          <b>The bundle could not be opened.</b> {job?.error?.message ?? messageOf(failed)}
        </Note>
      )}
    </>
  )
}
