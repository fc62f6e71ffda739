// SPDX-License-Identifier: Apache-2.0
import { AffidavitError } from '../../shared/contract/errors.ts'
import type { WorkspaceReport } from '../../shared/contract/exports.ts'
import type { Job } from '../../shared/contract/workspace.ts'
import type { Handlers } from '../handlers.ts'
import type { Jobs } from '../jobs/jobs.ts'
import type { ReaderPool } from '../threads/reader-pool.ts'
import type { Identity } from '../workspace/identity.ts'
import type { Actor, AppendResult, LeafDraft } from './draft.ts'
import type { CheckpointRow } from './store.ts'

export interface LedgerHandlerDeps {
  readonly pool: ReaderPool
  readonly jobs: Jobs
  readonly identity: Identity
  readonly size: () => number
  /** A checkpoint over everything committed; null when the workspace is read-only. */
  readonly checkpoint: () => Promise<CheckpointRow | null>
  /** Appends and resolves when on disk; empty when the workspace is read-only. */
  readonly append: (drafts: readonly LeafDraft[]) => Promise<readonly AppendResult[]>
}

/** Proofs of single records and verification of the whole workspace, both read from disk on a reader thread. */
export function ledgerHandlers(deps: LedgerHandlerDeps): {
  readonly handlers: Handlers<'records.proof' | 'verify.workspace' | 'verify.workspace_report'>
  /** Verifies the whole workspace as a job; one at a time: a second caller gets the one that runs. */
  readonly verifyAll: (actor: Actor) => Job
} {
  const { pool, jobs, identity } = deps
  const key = { origin: identity.origin, logPublicKey: identity.log.publicKey }
  const verifyAll = (actor: Actor): Job => {
    const running = jobs.list().find((job) => job.kind === 'verify_workspace' && job.state === 'running')
    if (running) return running
    return jobs.start('verify_workspace', 'Verifying the whole ledger', 'leaves', async (control): Promise<WorkspaceReport> => {
      const report = await pool.run(
        'verifyWorkspace',
        { size: deps.size(), ...key },
        { signal: control.signal, onProgress: (p) => control.progress(p.done, p.total) }
      )
      if (!report) throw new AffidavitError('cancelled', 'cancelled')
      const { verdict, size, faults } = report
      await deps.append([{ type: 'verify.run', actor, data: { scope: 'workspace', verdict, size, faults: faults.length }, parts: [] }])
      return report
    })
  }
  return {
    verifyAll,
    handlers: {
      'records.proof': async ({ seq }) => {
        if (seq >= deps.size()) throw new AffidavitError('not_found', 'there is no such leaf')
        await deps.checkpoint()
        const proof = await pool.run('prove', { seq, ...key })
        if (!proof) throw new AffidavitError('not_found', 'there is no such leaf')
        return proof
      },
      'verify.workspace': async (_, caller) => ({ job_id: verifyAll(caller.actor).id }),
      'verify.workspace_report': async ({ job_id }) => jobs.result<WorkspaceReport>(job_id, 'verify_workspace')
    }
  }
}
