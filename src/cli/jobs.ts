// SPDX-License-Identifier: Apache-2.0

import { AffidavitError } from '../shared/contract/errors.ts'
import type { Job } from '../shared/contract/workspace.ts'
import type { EngineChild } from './engine-child.ts'
import { endProgress, progressLine } from './output.ts'

const share = (job: Job): string => (job.total ? `${Math.floor((100 * job.done) / job.total)} %` : `${job.done} ${job.unit}`)

/** Waits for a job with progress on stderr; Ctrl C cancels it, where it may. @throws AffidavitError with the code of the job when it failed, cancelled */
export async function waitForJob(engine: EngineChild, id: string, cancelled = true): Promise<Job> {
  const cancel = () => void engine.call('jobs.cancel', { id })
  if (cancelled) process.once('SIGINT', cancel)
  try {
    for (;;) {
      const job = await engine.call('jobs.get', { id })
      if (job.state === 'done') return job
      if (job.state === 'failed') throw new AffidavitError(job.error?.code ?? 'internal', job.error?.message ?? 'failed')
      if (job.state === 'cancelled') throw new AffidavitError('cancelled', 'cancelled')
      const counts = Object.entries(job.counts).map(([name, value]) => `${value} ${name}`)
      progressLine([job.title, share(job), ...counts].join(' · '))
      await new Promise((resolve) => setTimeout(resolve, 100))
    }
  } finally {
    process.removeListener('SIGINT', cancel)
    endProgress()
  }
}
