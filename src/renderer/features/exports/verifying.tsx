// SPDX-License-Identifier: Apache-2.0
import { Button, Progress } from '@mantine/core'
import { AffidavitError, type ErrorCode } from '../../../shared/contract/errors.ts'
import type { BundleKey } from '../../../shared/contract/exports.ts'
import type { Job } from '../../../shared/contract/workspace.ts'
import { sentenceOf, useAction } from '../../client/hooks.ts'
import { bytes } from '../../ui/format.ts'
import { Panel } from '../../ui/parts.tsx'
import type { Lock } from './locked-bundle.tsx'

/** Verification under way: how much of what it reads was read, and the way to end it. */
export function Verifying({ job }: { readonly job: Job }) {
  const cancel = useAction('jobs.cancel')
  return (
    <Panel title="Verifying">
      <div className="column gap-8">
        <Progress value={job.total ? (100 * job.done) / job.total : 0} aria-label="Verification" />
        <div className="row">
          <span role="status" className="num soft">
            {job.total ? `${bytes(job.done)} of ${bytes(job.total)} read, six steps` : 'Opening the bundle'}
          </span>
          <span className="grow" />
          <Button variant="default" size="compact-sm" loading={cancel.isPending} onClick={() => cancel.mutate({ id: job.id })}>
            Cancel
          </Button>
        </div>
      </div>
    </Panel>
  )
}

/** What a failed attempt is answered with while another key may still open the file. */
const asksAgain = new Set(['wrong_key', 'bad_request', 'file_unreadable'])

export interface VerifyFailure {
  /** Null where nothing was tried yet. */
  readonly problem: string | null
  /** What the file asks for, where it is encrypted and another key may open it. */
  readonly lock: Lock | null
}

/** Why there is no verdict; null while there may be one. @param key what was given to open the file */
export function failureOf(error: Error | null, job: Job | null, key: BundleKey | null): VerifyFailure | null {
  const failed = error ?? (job?.state === 'failed' && job.error ? new AffidavitError(job.error.code as ErrorCode, job.error.message) : null)
  if (failed === null) return null
  const problem = sentenceOf(failed)
  if (!(failed instanceof AffidavitError)) return { problem, lock: null }
  if (failed.code === 'key_needed') return { problem: null, lock: failed.details?.lock === 'passphrase' ? 'passphrase' : 'identity' }
  return { problem, lock: key !== null && asksAgain.has(failed.code) ? ('passphrase' in key ? 'passphrase' : 'identity') : null }
}
