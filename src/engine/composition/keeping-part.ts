// SPDX-License-Identifier: Apache-2.0
import { registerErasure, reviseErasure } from '../backup/erasure-register.ts'
import { keksOfWorkspace, passphraseOf } from '../backup/finish-restore.ts'
import { Backups } from '../backup/handlers.ts'
import type { Print } from '../bundle/printer.ts'
import { subjectSecret } from '../catalog/subject-key.ts'
import type { Caller } from '../handlers.ts'
import { takingTurns } from '../in-turn.ts'
import { People } from '../people/people.ts'
import { Verifiers } from '../people/verifiers.ts'
import { Approvals } from '../policy/approvals.ts'
import { Disposal, type DisposalHooks } from '../policy/disposal.ts'
import { Proposals } from '../policy/proposals.ts'
import { Retention } from '../policy/retention.ts'
import { correctionHandlers } from '../privacy/corrections.ts'
import { Erasures } from '../privacy/erasure/erase.ts'
import { Privacy } from '../privacy/handlers.ts'
import { Requests } from '../privacy/requests.ts'
import { REVIEW, REVIEWING } from '../review/handlers.ts'
import { keksOf } from '../threads/thread-config.ts'
import { keyHandlers } from '../vault/handlers.ts'
import { mergeWhenIdle } from '../vault/idle-merge.ts'
import type { OsKeyStore } from '../vault/key-file.ts'
import { Vault } from '../vault/vault.ts'
import type { Core } from './core.ts'

/** Between two attempts at what stopped half-way. */
const RETRY_MS = 15_000
const PATIENCE_MS = 1_000

export interface KeepingNeeds {
  readonly store: OsKeyStore | null
  readonly onPassphrase: (passphrase: string | null) => void
  readonly passwordCost: number | undefined
  readonly disposal: DisposalHooks | undefined
  readonly print: Print | null
}

/** Who may do what, how long records are kept, who is erased, and the keys and copies that all this depends on. */
export async function keepingPart(core: Core, needs: KeepingNeeds) {
  const { append, checkpoint, config, environment, failed, jobs, ledgerSize, log, pool, projector, settings, workspace } = core
  const { identity, ledger, state } = workspace
  const base = { pool, projector, ledgerSize, append }
  const seesRestricted = (caller: Caller): boolean => people.may(caller, 'privacy')
  const inTurn = takingTurns()
  const privacy = new Privacy({ ...base, seesRestricted })
  await privacy.start()
  const requests = new Requests({ ...base, jobs, secret: subjectSecret(identity.dedupKey), origin: identity.origin, print: needs.print })
  const people: People = await People.load({
    pool,
    append,
    verifiers: new Verifiers({ state, workspaceId: workspace.description.id, secret: identity.dedupKey }, needs.passwordCost),
    osAccount: environment.osAccount,
    lockAfterMinutes: () => settings.current.lock_after_minutes,
    clock: core.clock,
    only: workspace.review && { permissions: REVIEWING, why: REVIEW }
  })
  const approvals = new Approvals({
    ...base,
    people,
    now: core.clock.now,
    onFailed: (action, error) =>
      log.error({ event: 'approval.not_done', action, message: error instanceof Error ? error.message : 'unknown' })
  })
  const retention = new Retention({ ...base, approvals })
  await retention.start()
  const vault = ledger
    ? new Vault({
        keys: workspace.keysDb,
        holder: workspace.keyHolder,
        identity,
        ledger,
        append,
        onKeks: (keks) => {
          projector.setKeks(keksOf(keks))
          pool.setKeks(keksOf(keks))
        },
        drain: () => pool.run('drainWal', { path: workspace.paths.keys }),
        beforeDestroy: () => backups.keyCopies.beforeDestroy()
      })
    : null
  const stopMerging = vault && ledger ? mergeWhenIdle(vault, ledger, failed('keys.not_merged')) : () => {}
  const backups: Backups = new Backups({
    ...base,
    jobs,
    identity,
    workspace: workspace.paths.root,
    state,
    description: workspace.description,
    appVersion: config.appVersion,
    checkpoint,
    keksOf: (id) => keksOfWorkspace(state, id, needs.store, passphraseOf(config, environment)),
    clock: core.clock,
    onFailed: failed('backup.failed'),
    goOn: () => goOn()
  })
  if (ledger) await backups.start(core.serving)
  const drain = () => pool.run('drainWal', { path: workspace.paths.ledger })
  const disposal = new Disposal({
    ...retention.deps,
    ...needs.disposal,
    inTurn,
    jobs,
    ledgerDb: workspace.ledgerDb,
    drain,
    checkpoint,
    register: async (entry) => {
      const marks = await pool.run('leafMarks', { intent: entry.intent, ranges: entry.ranges })
      await registerErasure(state, { v: 1, origin: identity.origin, ...entry, ranges: [...entry.ranges], marks })
    },
    revise: (entry) => reviseErasure(state, { origin: identity.origin, case: entry.case, ranges: [...entry.ranges] }),
    finishKeys: async () => vault?.finish(),
    destroyKeys: async (seqs, by) => {
      await vault?.rewrapVault({ dropSeqs: seqs, ...by })
    },
    onFailed: failed('disposal.not_done')
  })
  const proposals = new Proposals({
    ...retention.deps,
    everyHours: () => settings.current.propose_disposal_every_hours,
    clock: { ...core.clock, ...(needs.disposal?.now === undefined ? {} : { now: needs.disposal.now }) },
    onFailed: failed('proposal.failed')
  })
  if (ledger && core.serving) proposals.start()
  const keys = keyHandlers({
    ...base,
    identity,
    holder: workspace.keyHolder,
    name: workspace.description.name,
    created: workspace.description.created,
    jobs,
    checkpoint,
    store: needs.store,
    onPassphrase: needs.onPassphrase,
    vault
  })
  const erasures = new Erasures({
    ...base,
    jobs,
    approvals,
    requests,
    vault,
    ledgerDb: workspace.ledgerDb,
    drain,
    workspace: workspace.paths.root,
    state,
    origin: identity.origin,
    print: needs.print,
    holdsPlaced: retention.deps.holdsPlaced,
    inTurn
  })
  const corrections = correctionHandlers({ ...base, requests, settings: () => privacy.settings, seesRestricted, inTurn })
  /** What stopped half-way is tried again: a log that a reader held is free a moment later. */
  const goOn = () => {
    for (const work of [erasures.goOn(), approvals.goOn(), disposal.resume(), keys.resume()]) work.catch(failed('keys.unfinished'))
  }
  let closing = false
  const retry = setInterval(
    () => (erasures.stopped || approvals.stopped || disposal.stopped) && goOn(),
    needs.disposal?.retryMs ?? RETRY_MS
  )
  return {
    privacy,
    people,
    approvals,
    retention,
    vault,
    backups,
    proposals,
    erasures,
    handlers: {
      ...privacy.handlers,
      ...corrections,
      ...keys.handlers,
      ...requests.handlers,
      ...erasures.handlers,
      ...approvals.handlers,
      ...people.handlers,
      ...retention.handlers,
      ...disposal.handlers,
      ...backups.handlers
    },
    /**
     * Goes on with what a crash interrupted, once the catalog shows all of the ledger: it says what there is to go on with, and on a busy
     * machine, or while it is made anew, it can be long behind.
     */
    resume: () => {
      keys.resume().catch(failed('keys.unfinished'))
      if (!ledger) return
      const end = ledgerSize()
      const whole = async (): Promise<boolean> => {
        while (!closing && (await projector.waitFor(end, PATIENCE_MS)) < end) if (projector.failed) throw projector.failed
        return !closing
      }
      whole().then((ready) => {
        if (!ready) return
        keys.reconcile().catch(failed('keys.unfinished'))
        disposal.resume().catch(failed('disposal.failed'))
        approvals.resume().catch(failed('approvals.failed'))
      }, failed('approvals.failed'))
    },
    stop: async () => {
      closing = true
      clearInterval(retry)
      proposals.stop()
      stopMerging()
      backups.stop()
      await disposal.close()
    }
  }
}
