// SPDX-License-Identifier: Apache-2.0
import type { Logger } from 'pino'
import type { EngineStart } from '../../shared/contract/wire.ts'
import type { Settings } from '../../shared/contract/workspace.ts'
import { ReadLog } from '../activity/read-log.ts'
import { subjectSecret } from '../catalog/subject-key.ts'
import { type Clock, systemClock } from '../clock.ts'
import type { EngineEnvironment } from '../config.ts'
import { Jobs } from '../jobs/jobs.ts'
import type { AppendResult, LeafDraft } from '../ledger/draft.ts'
import type { CheckpointRow } from '../ledger/store.ts'
import { REVIEW } from '../review/handlers.ts'
import { Projector } from '../threads/projector.ts'
import { ReaderPool } from '../threads/reader-pool.ts'
import { Sealer } from '../threads/sealer.ts'
import { keksOf, type ThreadConfig } from '../threads/thread-config.ts'
import { readSettings } from '../workspace/settings.ts'
import type { OpenWorkspace } from '../workspace/workspace.ts'
import { type Failed, type Signing, startSigning } from './signing.ts'

/** The engine itself as the one who acts. */
export const SYSTEM = { ref: 'engine', kind: 'system' } as const
export const BY_ITSELF = { actor: SYSTEM, via: 'ipc' } as const

/** What every part of the engine works with. */
export interface Core {
  readonly workspace: OpenWorkspace
  readonly config: EngineStart['config']
  readonly environment: EngineEnvironment
  readonly log: Logger
  readonly clock: Clock
  readonly pool: ReaderPool
  readonly projector: Projector
  readonly sealer: Sealer
  readonly jobs: Jobs
  /** Whether ports are open: a single command does only what it is told to. */
  readonly serving: boolean
  /** Why nothing can be changed; null where it can. */
  readonly unwritten: string | null
  readonly signing: Signing | null
  /** Leaves of the ledger, committed. */
  readonly ledgerSize: () => number
  /** Appends and resolves when on disk; empty where nothing is written. */
  readonly append: (drafts: readonly LeafDraft[]) => Promise<readonly AppendResult[]>
  /** Records a read; see ReadLog. */
  readonly record: (draft: LeafDraft) => Promise<number | null>
  /** A checkpoint over everything committed; null where nothing is signed. */
  readonly checkpoint: () => Promise<CheckpointRow | null>
  readonly settings: { current: Settings }
  /** Leaves that changed settings, as they are at the start. */
  readonly settingLeaves: Awaited<ReturnType<typeof readLeaves>>
  readonly failed: Failed
}

const readLeaves = (pool: ReaderPool) => pool.run('leavesOfType', { type: 'setting.changed' })

/** Starts the threads on an open workspace. */
export async function startCore(
  workspace: OpenWorkspace,
  config: EngineStart['config'],
  environment: EngineEnvironment,
  deps: { readonly log: Logger; readonly clock?: Clock; readonly onSigned: () => void }
): Promise<Core> {
  const { log, clock = systemClock } = deps
  const { identity, ledger } = workspace
  const { problem } = workspace.start
  if (problem) log.error({ event: 'workspace.read_only', code: problem.code })
  const threads: ThreadConfig = {
    workspace: workspace.paths.root,
    keks: keksOf(identity.keks),
    subjectSecret: subjectSecret(identity.dedupKey).toString('base64'),
    ...(environment.nativeBinding === undefined ? {} : { nativeBinding: environment.nativeBinding }),
    sparse: workspace.review !== null
  }
  const projector = await Projector.start(threads)
  const pool = await ReaderPool.start(threads)
  pool.onFault = (what, stack) => log.error({ event: what, stack })
  const append = async (drafts: readonly LeafDraft[]): Promise<readonly AppendResult[]> => (ledger ? ledger.append(drafts) : [])
  const reads = new ReadLog(append)
  const failed: Failed = (event) => (error) => log.error({ event, message: error instanceof Error ? error.message : 'unknown' })
  const sealer = new Sealer(failed('sealer.failed'))
  ledger?.sealBy((contents) => sealer.seal(contents))
  const signing = ledger ? startSigning(workspace, ledger, pool, failed, deps.onSigned) : null
  const settingLeaves = await readLeaves(pool)
  return {
    workspace,
    config,
    environment,
    log,
    clock,
    pool,
    projector,
    sealer,
    jobs: new Jobs(),
    serving: config.compliance !== null || config.drift !== null,
    unwritten: problem?.message ?? (workspace.review ? REVIEW : null),
    signing,
    ledgerSize: () => ledger?.size ?? workspace.size,
    append,
    record: (draft) => reads.record(draft),
    checkpoint: async () => (signing ? signing.checkpointer.now() : null),
    settings: { current: readSettings(workspace.ledgerDb, settingLeaves) },
    settingLeaves,
    failed
  }
}
