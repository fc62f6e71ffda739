// SPDX-License-Identifier: Apache-2.0
// The engine: opens a workspace, composes its parts, and answers the contract. Each part is put together in src/engine/composition.
import type { Logger } from 'pino'
import type { EngineStart } from '../shared/contract/wire.ts'
import type { WorkspaceStatus } from '../shared/contract/workspace.ts'
import { activityHandlers } from './activity/handlers.ts'
import { recordRestore, restoreFirst } from './backup/finish-restore.ts'
import type { Backups } from './backup/handlers.ts'
import type { Print } from './bundle/printer.ts'
import { catalogHandlers } from './catalog/handlers.ts'
import type { Clock } from './clock.ts'
import { capturePart } from './composition/capture-part.ts'
import { type Core, SYSTEM, startCore } from './composition/core.ts'
import { driftPart } from './composition/drift-part.ts'
import { evidencePart } from './composition/evidence-part.ts'
import { keepingPart } from './composition/keeping-part.ts'
import { LiveStatus } from './composition/live-status.ts'
import type { EngineEnvironment } from './config.ts'
import { updateSince } from './integrity/app-version.ts'
import { Heartbeats, jumpAtStart } from './integrity/heartbeat.ts'
import { endUnfinished } from './integrity/unfinished.ts'
import type { VerifySchedule } from './integrity/verify-schedule.ts'
import type { LeafDraft } from './ledger/draft.ts'
import { lastLeafTime } from './ledger/store.ts'
import type { People } from './people/people.ts'
import type { Approvals } from './policy/approvals.ts'
import type { DisposalHooks } from './policy/disposal.ts'
import type { Proposals } from './policy/proposals.ts'
import { priceHandlers } from './prices/handlers.ts'
import type { Erasures } from './privacy/erasure/erase.ts'
import { openReview } from './review/open.ts'
import { isReview } from './review/review-file.ts'
import { Router } from './router.ts'
import { fillSample } from './sample/fill.ts'
import type { OsKeyStore } from './vault/key-file.ts'
import { choose } from './workspace/continue.ts'
import { workspaceHandlers } from './workspace/handlers.ts'
import { type OpenWorkspace, openWorkspace } from './workspace/workspace.ts'

export interface Engine {
  readonly router: Router
  readonly approvals: Approvals
  readonly erasures: Erasures
  readonly people: People
  readonly backups: Backups
  readonly proposals: Proposals
  readonly verifySchedule: VerifySchedule
  status(): WorkspaceStatus
  /** Ends servers and jobs, signs, closes. */
  stop(reason: 'quit' | 'signal'): Promise<void>
}

export interface EngineDeps {
  readonly store: OsKeyStore | null
  /** The keys were protected in another way: the passphrase that the next start needs, null for none. */
  readonly onPassphrase?: (passphrase: string | null) => void
  /** Prints a page as PDF; absent where nothing can. */
  readonly print?: Print | undefined
  readonly log: Logger
  /** scrypt N of new password verifiers; tests take less than what a product needs. */
  readonly passwordCost?: number
  /** The machine's own by default; tests set it back and forward. */
  readonly clock?: Clock
  /** For tests of disposal. */
  readonly disposal?: DisposalHooks
}

/**
 * Starts the engine on a workspace and, when asked for, its HTTP servers.
 * @throws AffidavitError workspace_locked, workspace_damaged, keys_unavailable
 */
export async function startEngine(config: EngineStart['config'], environment: EngineEnvironment, deps: EngineDeps): Promise<Engine> {
  await restoreFirst(config, environment, deps.store)
  if (config.sample) await fillSample(config, config.sample, environment, deps.store)
  const workspace = isReview(config.workspace)
    ? openReview(config.workspace, config.state)
    : await openWorkspace(config, environment, deps.store, deps.clock?.now)
  try {
    return await compose(workspace, config, environment, deps)
  } catch (error) {
    workspace.close()
    throw error
  }
}

async function compose(
  workspace: OpenWorkspace,
  config: EngineStart['config'],
  environment: EngineEnvironment,
  deps: EngineDeps
): Promise<Engine> {
  const core = await startCore(workspace, config, environment, {
    log: deps.log,
    ...(deps.clock === undefined ? {} : { clock: deps.clock }),
    onSigned: () => live.feed.statusChanged()
  })
  const { append, failed, jobs, ledgerSize, log, pool, projector, record, settings, signing } = core
  const { ledger } = workspace
  const live = new LiveStatus(core)
  projector.advance(ledgerSize())
  ledger?.onCommitted((now, leaves) => {
    projector.advance(now, leaves)
    signing?.checkpointer.touch()
  })
  if (ledger) await beginRecording(core)

  const keeping = await keepingPart(core, {
    store: deps.store,
    onPassphrase: deps.onPassphrase ?? (() => {}),
    passwordCost: deps.passwordCost,
    disposal: deps.disposal,
    print: deps.print ?? null
  })
  const { people, privacy } = keeping
  const capture = await capturePart(core, { live, privacy, retention: keeping.retention })
  const drift = driftPart(core, live, people)
  const evidence = evidencePart(core, {
    live,
    vault: keeping.vault,
    verdict: drift.drift.handlers['drift.verdict'],
    print: deps.print ?? null
  })
  const base = { pool, projector, ledgerSize, append }
  const router = new Router(
    {
      ...workspaceHandlers({
        goOn: (actor, reason) => choose(workspace.state, workspace.identity.origin, workspace.start, actor, reason),
        jobs,
        may: (caller, permission) => people.may(caller, permission),
        status: live.now,
        settings: {
          get: () => settings.current,
          set: (next) => {
            settings.current = next
          }
        },
        append,
        rebuild: (progress) => projector.rebuild(ledgerSize(), progress)
      }),
      ...catalogHandlers({
        pool,
        projector,
        ledgerSize,
        record,
        privacy: () => privacy.settings,
        seesRestricted: (caller) => people.may(caller, 'privacy'),
        seesReads: (caller) => workspace.review !== null || people.may(caller, 'activity'),
        recentAlerts: drift.drift.recentAlerts
      }),
      ...priceHandlers(base),
      ...activityHandlers({ ...base, record }),
      ...keeping.handlers,
      ...capture.handlers,
      ...drift.handlers,
      ...evidence.handlers
    },
    { ...live.feed.sources, session: (push, caller) => people.follow(caller.session, push) },
    log,
    (op) => (workspace.review && op === 'records.unmask' ? null : core.unwritten),
    people
  )
  drift.start()
  evidence.start()
  keeping.resume()
  await live.start()
  let stopped = false
  const heartbeats = ledger
    ? new Heartbeats({ ledger, records: () => projector.records, clock: core.clock, onFailed: failed('heartbeat.failed') })
    : undefined
  heartbeats?.start()
  if (ledger) endUnfinished({ pool, projector, size: workspace.size, append, stopped: () => stopped }).catch(failed('recovery.failed'))
  await capture.serve(router, (body) => evidence.witness.answer(body))

  return {
    router,
    approvals: keeping.approvals,
    erasures: keeping.erasures,
    people,
    backups: keeping.backups,
    proposals: keeping.proposals,
    verifySchedule: evidence.verifySchedule,
    status: live.now,
    stop: async (reason) => {
      stopped = true
      heartbeats?.stop()
      live.stop()
      evidence.stop()
      await drift.stop()
      await capture.stop()
      await keeping.stop()
      await jobs.close()
      await people.close()
      await endRecording(core, reason)
      live.feed.close()
      await projector.close()
      await pool.close()
      await core.sealer.close()
      workspace.close()
      log.info({ event: 'engine.stopped', reason })
    }
  }
}

/** The first leaves of a run: what was restored, whether the clock jumped, that the engine started. */
async function beginRecording({ append, clock, config, workspace }: Core): Promise<void> {
  await recordRestore(workspace, append)
  const jump = jumpAtStart(lastLeafTime(workspace.ledgerDb), clock.now())
  const started: LeafDraft = {
    type: 'engine.started',
    actor: SYSTEM,
    data: {
      instance: workspace.identity.origin.slice(-16),
      keys: workspace.identity.protection,
      size: workspace.size,
      recovered: workspace.start.recovered
    },
    parts: []
  }
  const updated = updateSince(workspace.ledgerDb, config.appVersion)
  await append([...(jump ? [jump] : []), ...(updated ? [updated] : []), started])
}

/** The last leaf and the last checkpoint of a run, with the copy outside the database. */
async function endRecording({ append, failed, signing, workspace }: Core, reason: string): Promise<void> {
  const { ledger } = workspace
  if (!ledger || !signing) return
  await append([{ type: 'engine.stopped', actor: SYSTEM, data: { reason, leaves: ledger.size }, parts: [] }]).catch(() => {})
  await signing.checkpointer.now().catch(failed('checkpoint.failed'))
  signing.checkpointer.stop()
  await ledger.close()
  try {
    workspace.saveHead(ledger.tree())
  } catch (error) {
    failed('head_copy.failed')(error)
  }
}
