// SPDX-License-Identifier: Apache-2.0
import { AffidavitError } from '../../shared/contract/errors.ts'
import type { WorkspaceReport } from '../../shared/contract/exports.ts'
import type { RecordProof } from '../../shared/contract/record.ts'
import type { Job, WorkspaceStatus } from '../../shared/contract/workspace.ts'
import { toBase64 } from '../../shared/evidence/bytes.ts'
import type { Handlers } from '../handlers.ts'
import { CLOSING, type JobControl, type Jobs } from '../jobs/jobs.ts'
import type { ReaderPool } from '../threads/reader-pool.ts'
import type { Identity } from '../workspace/identity.ts'
import type { Actor, AppendResult, LeafDraft } from './draft.ts'
import type { TreeState } from './group-writer.ts'
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

/** Verdicts of a verification of the workspace that did not come to its end. */
const CANCELLED = 'cancelled'
export const FAILED = 'failed'

const pick = ({ code, seq }: { readonly code: string; readonly seq: number | null }) => ({ code, seq })

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
    const run = async (control: JobControl): Promise<WorkspaceReport> => {
      let reached = 0
      try {
        const { size, root } = deps.tree()
        const report = await pool.alone(
          'verifyWorkspace',
          { size, root: root && toBase64(root), ...keys(), keys: identity.keks.size > 0, share: background ? BACKGROUND_SHARE : 1 },
          {
            signal: control.signal,
            onProgress: ({ done, total }) => {
              reached = done
              control.progress(done, total)
            }
          }
        )
        if (!report) throw new AffidavitError('cancelled', 'cancelled')
        const [first = null] = report.faults
        await record(actor, { verdict: report.verdict, size: report.size, faults: report.faults_total, first })
        return report
      } catch (error) {
        await recordEnd(control.signal, actor, reached)
        throw error
      }
    }
    return jobs.start('verify_workspace', 'Verifying the whole ledger', 'leaves', actor, run)
  }
  const record = async (actor: Actor, found: Pick<Verified, 'verdict' | 'size' | 'faults' | 'first'>): Promise<void> => {
    const { verdict, size, faults, first } = found
    // Known before it is on record: a disk that takes no leaf must not keep a fault silent.
    const known = { seq: null, time: new Date().toISOString(), actor: actor.ref, verdict, size, faults, first: first && pick(first) }
    if (verdict !== CANCELLED) last = known
    const data = {
      scope: 'workspace',
      verdict,
      size,
      faults,
      ...(first && { first_code: first.code, ...(first.seq === null ? {} : { first_seq: first.seq }) })
    }
    const [written] = await deps.append([{ type: 'verify.run', actor, data, parts: [] }])
    if (written && last === known) last = { ...known, seq: written.seq }
  }
  /** A verification that did not come to its end says so on record, with how far it came. */
  const recordEnd = async (signal: AbortSignal, actor: Actor, reached: number): Promise<void> => {
    // Nobody ended it: the leaf engine.stopped says why there is no verdict.
    if (signal.reason === CLOSING) return
    const ended = signal.aborted
      ? record(signal.reason as Actor, { verdict: CANCELLED, size: reached, faults: 0, first: null })
      : record(actor, { verdict: FAILED, size: reached, faults: 1, first: { code: 'not_finished', seq: reached } })
    // What ended it is what the job reports.
    await ended.catch(() => {})
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
