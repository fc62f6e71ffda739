// SPDX-License-Identifier: Apache-2.0
import { AffidavitError } from '../../shared/contract/errors.ts'
import type { WorkspaceReport } from '../../shared/contract/exports.ts'
import type { RecordProof } from '../../shared/contract/record.ts'
import type { Job, WorkspaceStatus } from '../../shared/contract/workspace.ts'
import { toBase64 } from '../../shared/evidence/bytes.ts'
import type { Handlers } from '../handlers.ts'
import type { Jobs } from '../jobs/jobs.ts'
import type { ReaderPool } from '../threads/reader-pool.ts'
import type { Identity } from '../workspace/identity.ts'
import type { Actor, AppendResult, LeafDraft } from './draft.ts'
import type { TreeState } from './ledger.ts'
import type { CheckpointRow } from './store.ts'

export interface LedgerHandlerDeps {
  readonly pool: ReaderPool
  readonly jobs: Jobs
  readonly identity: Identity
  /** In a review: the bundle that brings the proofs. */
  readonly bundle: string | null
  /** The tree as it should be on disk: what was acknowledged. `root` is absent when the workspace is read-only. */
  readonly tree: () => Pick<TreeState, 'size'> & { readonly root?: Uint8Array }
  /** A checkpoint over everything committed; null when the workspace is read-only. */
  readonly checkpoint: () => Promise<CheckpointRow | null>
  /** Appends and resolves when on disk; empty when the workspace is read-only. */
  readonly append: (drafts: readonly LeafDraft[]) => Promise<readonly AppendResult[]>
}

type Verified = NonNullable<WorkspaceStatus['verified']>

/** Of one processor, for a verification that nobody waits for. */
const BACKGROUND_SHARE = 0.25

/** Proofs of single records and verification of the whole workspace, both read from disk on a reader thread. */
export function ledgerHandlers(deps: LedgerHandlerDeps): {
  readonly handlers: Handlers<'records.proof' | 'verify.record' | 'verify.workspace' | 'verify.workspace_report'>
  /** Verifies the whole workspace as a job; one at a time: a second caller gets the one that runs. */
  readonly verifyAll: (actor: Actor, background?: boolean) => Job
  /** The last one of this run, also when it could not be recorded. */
  readonly last: () => Verified | null
} {
  const { pool, jobs, identity } = deps
  const keys = () => ({ origin: identity.origin, logPublicKeys: identity.publicKeys('log') })
  let last: Verified | null = null
  const verifyAll = (actor: Actor, background = false): Job => {
    const running = jobs.list().find((job) => job.kind === 'verify_workspace' && job.state === 'running')
    if (running) return running
    return jobs.start('verify_workspace', 'Verifying the whole ledger', 'leaves', async (control): Promise<WorkspaceReport> => {
      const { size, root } = deps.tree()
      const report = await pool.alone(
        'verifyWorkspace',
        {
          size,
          root: root && toBase64(root),
          ...keys(),
          keys: identity.keks.size > 0,
          share: background ? BACKGROUND_SHARE : 1
        },
        { signal: control.signal, onProgress: (p) => control.progress(p.done, p.total) }
      )
      if (!report) throw new AffidavitError('cancelled', 'cancelled')
      const { verdict, faults, faults_total } = report
      const [first] = faults
      const data = {
        scope: 'workspace',
        verdict,
        size: report.size,
        faults: faults_total,
        ...(first && { first_code: first.code, ...(first.seq === null ? {} : { first_seq: first.seq }) })
      }
      const [written] = await deps.append([{ type: 'verify.run', actor, data, parts: [] }])
      last = {
        seq: written?.seq ?? null,
        time: new Date().toISOString(),
        actor: actor.ref,
        verdict,
        size: report.size,
        faults: faults_total,
        first: first ? { code: first.code, seq: first.seq } : null
      }
      return report
    })
  }
  const prove = async (seq: number): Promise<RecordProof> => {
    if (seq >= deps.tree().size) throw new AffidavitError('not_found', 'there is no such leaf')
    await deps.checkpoint()
    const proof = await pool.run('prove', { seq, ...keys(), ...(deps.bundle === null ? {} : { bundle: deps.bundle }) })
    if (!proof) throw new AffidavitError('not_found', 'there is no such leaf')
    return proof
  }
  return {
    verifyAll,
    last: () => last,
    handlers: {
      'records.proof': ({ seq }) => prove(seq),
      'verify.record': async ({ seq }, caller) => {
        const proof = await prove(seq)
        const data = {
          scope: 'record',
          verdict: proof.verdict,
          size: deps.tree().size,
          faults: proof.verdict === 'failed' ? 1 : 0,
          record: seq
        }
        await deps.append([{ type: 'verify.run', actor: caller.actor, data, parts: [] }])
        return proof
      },
      'verify.workspace': async (_, caller) => {
        if (deps.bundle !== null)
          throw new AffidavitError(
            'read_only',
            'a review is verified as a bundle: its six steps are under Exports; this is no whole ledger'
          )
        return { job_id: verifyAll(caller.actor).id }
      },
      'verify.workspace_report': async ({ job_id }) => jobs.result<WorkspaceReport>(job_id, 'verify_workspace')
    }
  }
}
