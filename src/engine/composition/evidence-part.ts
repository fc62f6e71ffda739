// SPDX-License-Identifier: Apache-2.0
import { removeLeftPlain } from '../../node/age-file.ts'
import type { Notice } from '../../shared/contract/webhooks.ts'
import { Anchors } from '../anchors/anchors.ts'
import { WitnessService } from '../anchors/witness-service.ts'
import { foreignHandlers } from '../bundle/foreign-handlers.ts'
import { bundleHandlers } from '../bundle/handlers.ts'
import type { Print } from '../bundle/printer.ts'
import { reportHandlers } from '../bundle/report-handlers.ts'
import { VerifySchedule } from '../integrity/verify-schedule.ts'
import { FAILED, ledgerHandlers } from '../ledger/handlers.ts'
import { lastCheckpoint } from '../ledger/store.ts'
import { complianceHandlers } from '../policy/compliance/handlers.ts'
import { liveFacts } from '../policy/compliance/live.ts'
import { reviewHandlers } from '../review/handlers.ts'
import { bundleOf } from '../review/review-file.ts'
import type { Vault } from '../vault/vault.ts'
import { type Core, SYSTEM } from './core.ts'
import type { LiveStatus } from './live-status.ts'

const PATIENCE_MS = 5_000

export interface EvidenceNeeds {
  readonly live: LiveStatus
  readonly vault: Vault | null
  readonly verdict: Parameters<typeof reportHandlers>[0]['verdict']
  readonly print: Print | null
}

/** What the desktop says of a verification that found faults, or did not come to its end. */
const faultNotice = ({ faults, first, size, verdict }: NonNullable<ReturnType<LiveStatus['verified']>>): Notice =>
  verdict === FAILED
    ? {
        alert_id: null,
        title: 'The record could not be verified',
        body: `The verification ended after ${size} leaves, and what it would have found is not known. It is tried again within the hour. Recording goes on.`
      }
    : {
        alert_id: null,
        title: 'The record does not verify',
        body: `${faults === 1 ? '1 fault' : `${faults} faults`} in ${size} leaves${first?.seq == null ? '' : `, the first at leaf ${first.seq}`}. Recording goes on.`
      }

/** What shows that the record is what it was: verification, anchors, bundles, reviews, compliance. */
export function evidencePart(core: Core, { live, vault, verdict, print }: EvidenceNeeds) {
  const { append, checkpoint, config, failed, jobs, ledgerSize, pool, projector, settings, signing, workspace } = core
  const { description, identity, ledger, state } = workspace
  removeLeftPlain(state)
  const base = { pool, projector, ledgerSize, append }
  const verification = ledgerHandlers({
    pool,
    jobs,
    identity,
    bundle: workspace.review && bundleOf(workspace.paths.root),
    tree: () => ledger?.tree() ?? { size: ledgerSize() },
    checkpoint,
    append
  })
  live.verified = verification.last
  const witness = new WitnessService({ ...base, holder: workspace.keyHolder, vault, state, workspaceId: description.id })
  const anchors = new Anchors({
    ...base,
    witnesses: witness,
    settings: () => settings.current,
    checkpoint,
    folder: workspace.paths.anchors,
    identity,
    name: description.name,
    lastCheckpoint: () => signing?.checkpointer.last ?? lastCheckpoint(workspace.ledgerDb),
    clock: core.clock,
    onChanged: () => live.feed.statusChanged(),
    onFailed: failed('anchors.failed')
  })
  live.anchors = anchors
  const verifySchedule = new VerifySchedule({
    everyHours: () => settings.current.verify_every_hours,
    lastVerified: async () => {
      await projector.waitFor(ledgerSize(), PATIENCE_MS)
      const last = await pool.run('lastVerified', {})
      return last && { seq: last.seq, at: last.time_us / 1000 }
    },
    firstSeq: workspace.size,
    verify: async () => {
      const { state } = await jobs.ended(verification.verifyAll(SYSTEM, true).id)
      // Nobody asked for this one, so nobody may be looking.
      const found = verification.last()
      if (found && found.faults > 0 && state !== 'cancelled') live.feed.notice(faultNotice(found))
      return state === 'done'
    },
    onFailed: failed('verification.failed'),
    clock: core.clock
  })
  const { review } = live
  return {
    witness,
    verifySchedule,
    handlers: {
      ...verification.handlers,
      ...complianceHandlers({
        ...base,
        live: () => liveFacts(live.now(), settings.current, description.created),
        checkpoint,
        head: live.now,
        nextVerification: () => (ledger ? verifySchedule.next : null)
      }),
      ...anchors.handlers,
      ...witness.handlers,
      ...reportHandlers({ pool, verdict, status: live.now, checkpoint, jobs, reviewed: () => live.review?.report ?? null }),
      ...foreignHandlers({ pool, append }),
      ...reviewHandlers({
        pool,
        jobs,
        append,
        state,
        open: review && { review, folder: workspace.paths.root },
        onVerdict: (next) => {
          live.review = next
          live.feed.statusChanged()
        }
      }),
      ...bundleHandlers({
        pool,
        projector,
        jobs,
        identity,
        size: ledgerSize,
        checkpoint,
        anchored: () => anchors.beforeExport(),
        state,
        journals: workspace.paths.exports,
        append,
        appVersion: config.appVersion,
        sample: description.sample,
        print
      })
    },
    start: () => {
      if (!ledger) return
      anchors.start()
      if (core.serving) verifySchedule.start()
    },
    stop: () => {
      verifySchedule.stop()
      anchors.stop()
    }
  }
}
