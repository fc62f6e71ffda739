// SPDX-License-Identifier: Apache-2.0
import { AffidavitError } from '../../shared/contract/errors.ts'
import type { PrivacySettings } from '../../shared/contract/privacy.ts'
import type { RecordDetail } from '../../shared/contract/record.ts'
import { type CorrectionChange, placeKey, recordedAt, standsAt } from '../../shared/event/correction.ts'
import { MASK } from '../../shared/privacy/mask.ts'
import { restricted } from '../catalog/handlers.ts'
import type { Caller, Handlers } from '../handlers.ts'
import type { InTurn } from '../in-turn.ts'
import { bodyPart } from '../ledger/body-part.ts'
import type { AppendResult, LeafDraft } from '../ledger/draft.ts'
import type { Projector } from '../threads/projector.ts'
import type { ReaderPool } from '../threads/reader-pool.ts'
import { redactCorrection } from './detectors.ts'
import type { Requests } from './requests.ts'

export interface CorrectionDeps {
  readonly pool: ReaderPool
  readonly projector: Projector
  readonly ledgerSize: () => number
  readonly append: (drafts: readonly LeafDraft[]) => Promise<readonly AppendResult[]>
  readonly requests: Requests
  /** The settings in force. */
  readonly settings: () => PrivacySettings
  /** Whether somebody may see records that are restricted. */
  readonly seesRestricted: (caller: Caller) => boolean
  /** Shared with erasures and disposals: none of them takes a record while it is corrected. */
  readonly inTurn: InTurn
}

const PATIENCE_MS = 10_000
const bad = (message: string): AffidavitError => new AffidavitError('bad_request', message)

/** Corrections of records (SEC 17a-4(f)(2)(i)(A), GDPR 16): what should stand there goes on record beside the original, which stays. */
export function correctionHandlers(deps: CorrectionDeps): Handlers<'records.correct'> {
  /** @throws AffidavitError busy: a rebuild shows less than the ledger holds */
  const caughtUp = async (): Promise<void> => {
    const size = deps.ledgerSize()
    if ((await deps.projector.waitFor(size, PATIENCE_MS)) < size)
      throw new AffidavitError('busy', 'the catalog does not show all of the ledger yet: try again in a moment')
  }
  /** The record, unmasked, if it can still be corrected. @throws AffidavitError not_found, erased, forbidden, payload_missing */
  const recordOf = async (seq: number, caller: Caller): Promise<Omit<RecordDetail, 'view_seq'>> => {
    const detail = await deps.pool.run('recordDetail', { seq, privacy: null })
    if (!detail) {
      const disposal = await deps.pool.run('disposedBy', { seq })
      throw disposal === null
        ? new AffidavitError('not_found', 'there is no such record')
        : new AffidavitError('erased', `this record was disposed of after its retention, by event ${disposal}: nothing is left to correct`)
    }
    if (detail.row.restricted && !deps.seesRestricted(caller)) throw restricted()
    if (detail.row.erased || detail.payload === 'erased')
      throw new AffidavitError('erased', 'the content of this record was erased: nothing is left to correct')
    if (detail.payload === 'missing')
      throw new AffidavitError('payload_missing', 'the content of this record cannot be opened: verify the workspace first')
    return detail
  }
  return {
    'records.correct': ({ seq, changes, reason, request_id }, caller) =>
      deps.inTurn(async () => {
        checkTexts(changes, reason)
        await caughtUp()
        if (request_id !== undefined && (await deps.requests.open(request_id)).kind !== 'rectification')
          throw bad('this request does not ask for rectification')
        const record = await recordOf(seq, caller)
        for (const change of changes) checkMasks(record, change)
        const body = redactCorrection(deps.settings(), { changes, reason, ...(request_id === undefined ? {} : { request_id }) })
        for (const { what, now } of body.changes)
          if (standsAt(record, what) === now) throw bad(`${placeKey(what)}: this is what stands there already`)
        const data = { record: seq }
        const [leaf] = await deps.append([{ type: 'record.corrected', actor: caller.actor, data, parts: [bodyPart(body).part] }])
        if (!leaf) throw new AffidavitError('read_only', 'the workspace is open read-only')
        return { seq: leaf.seq }
      })
  }
}

function checkTexts(changes: readonly CorrectionChange[], reason: string): void {
  if (![reason, ...changes.flatMap(({ what, now }) => [now, placeKey(what)])].every((text) => text.isWellFormed()))
    throw bad('the input: text that is no valid Unicode')
  if (new Set(changes.map(({ what }) => placeKey(what))).size < changes.length) throw bad('a place stands in two changes')
}

/** A masked text that somebody copied from a view would go on record with holes. */
function checkMasks(record: Omit<RecordDetail, 'view_seq'>, { what, now }: CorrectionChange): void {
  const recorded = recordedAt(record, what)
  const stands = standsAt(record, what)
  if (recorded === undefined || stands === undefined) throw bad(`${placeKey(what)}: the record has nothing there`)
  for (const [mask] of now.matchAll(MASK))
    if (!recorded.includes(mask) && !stands.includes(mask))
      throw bad(`${placeKey(what)}: a mask is not the text it stands for: unmask the record first`)
}
