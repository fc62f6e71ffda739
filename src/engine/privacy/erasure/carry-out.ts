// SPDX-License-Identifier: Apache-2.0
// An erasure from its intent to its end: steps that a crash may interrupt anywhere, and the hold that ends it early.
import { AffidavitError } from '../../../shared/contract/errors.ts'
import { toRanges } from '../../../shared/policy/ranges.ts'
import { registerErasure, reviseErasure } from '../../backup/erasure-register.ts'
import { dropUnfinished } from '../../bundle/write-bundle.ts'
import type { JobControl } from '../../jobs/jobs.ts'
import type { AppendResult, LeafDraft } from '../../ledger/draft.ts'
import { removePayloads } from '../../ledger/tiles.ts'
import type { GivenApproval } from '../../policy/approvals.ts'
import { emptyWal, inSlices } from '../../sqlite/long-write.ts'
import type { WritableDb } from '../../sqlite/open.ts'
import type { Projector } from '../../threads/projector.ts'
import type { ReaderPool } from '../../threads/reader-pool.ts'
import { DestructionStopped } from '../../vault/rewrap.ts'
import type { RewrapResult, Vault } from '../../vault/vault.ts'
import { workspacePaths } from '../../workspace/paths.ts'
import type { Recipient } from '../handed-out.ts'
import { type Asked, doneDraft, refusedDraft, searchedDraft } from './drafts.ts'
import type { Needles } from './needles.ts'
import { MOST_NAMED, type Traced, type TraceFile, TracesLeft, traceNow } from './traces.ts'

/** The steps of an erasure in order; each may be the last before a crash. `checked`: no hold was found, and keys are destroyed next. */
export const erasureSteps = ['intent', 'registered', 'projected', 'checked', 'keys', 'payloads', 'emptied', 'scanned'] as const
export type ErasureStep = (typeof erasureSteps)[number]

/** For tests. */
export interface ErasureHooks {
  /** Told after each step. */
  onStep: (step: ErasureStep) => unknown
  /** Asked before the keys of a further block are destroyed; false looks for holds again first. */
  onBlock: () => boolean
}

export interface CarryOutDeps {
  readonly pool: ReaderPool
  readonly projector: Projector
  readonly ledgerSize: () => number
  readonly append: (drafts: readonly LeafDraft[]) => Promise<readonly AppendResult[]>
  /** null when the workspace is open read-only. */
  readonly vault: Vault | null
  readonly ledgerDb: WritableDb
  /** Copies the write-ahead log of the ledger into it on another thread. */
  readonly drain: () => Promise<void>
  /** How many holds were placed in this run. */
  readonly holdsPlaced: () => number
  readonly workspace: string
  readonly state: string
  readonly origin: string
}

/** A record of which nothing was left when the erasure began, and the leaf of what took it. */
export interface GoneBefore {
  readonly seq: number
  readonly by: 'erasure' | 'disposal'
  readonly leaf: number
}

/** What an erasure takes: records, every leaf with content of theirs, and how many of these are corrections. */
export interface ErasureScope {
  /** Records of which something is left to take. */
  readonly seqs: readonly number[]
  readonly leaves: readonly number[]
  readonly corrections: number
  /** What was asked for too and is gone already. */
  readonly before: readonly GoneBefore[]
}

/** An erasure whose intent is on record. */
export interface Begun {
  readonly approval: GivenApproval
  readonly asked: Asked
  readonly scope: ErasureScope
  readonly intents: readonly number[]
  /** The leaf from which on holds were not looked at when the intent was written. */
  readonly since: number
  /** The newest search that found traces, if one did. */
  readonly traced: Traced | null
}

/** Texts to look for, by erasure: from the first attempt of this process to the end, since no later one can read them. In memory only. */
export type KeptNeedles = Map<string, Needles>

/** Payloads of one transaction: a few milliseconds. */
const SLICE = 50

/** No bundle says of itself that something in it was erased or restricted since. */
export const changedForAll = (seqs: readonly number[]): ReadonlyMap<number, number> =>
  new Map(seqs.map((seq) => [seq, Number.MAX_SAFE_INTEGER]))

async function removeContent({ ledgerDb, drain, workspace }: CarryOutDeps, leaves: readonly number[]): Promise<void> {
  let at = 0
  await inSlices(ledgerDb, drain, () => {
    removePayloads(ledgerDb, leaves.slice(at, at + SLICE))
    at += SLICE
    return at < leaves.length
  })
  dropUnfinished(workspacePaths(workspace).exports)
}

/** Recipients of some records: those found when it was asked for, and bundles that left since, by what they put on record. */
async function recipientsNow({ pool }: CarryOutDeps, asked: Asked, seqs: readonly number[]): Promise<readonly Recipient[]> {
  const told = await pool.run('erasureRecipients', { changed: changedForAll(seqs) })
  const known = new Set(asked.recipients.map((one) => one.export_seq))
  return [...asked.recipients, ...told.filter((one) => !known.has(one.export_seq))]
}

/**
 * A hold that came after the intent wins over what is still there: nothing more is destroyed, the refusal is on record with what was destroyed by
 * then, which nothing brings back, and the rest comes back into every view. Asked right before keys are destroyed, at every attempt, and again
 * whenever a hold is placed while they are.
 */
async function refuseHeldSince(deps: CarryOutDeps, { approval, asked, scope, since }: Begun, vault: Vault): Promise<void> {
  const { pool, append, state, origin } = deps
  const { seqs, leaves } = scope
  const { live, holds } = await pool.run('holdsOnIntent', { seqs: leaves, since })
  const [first] = holds
  if (!first) return
  const kept = new Set(live)
  const gone = leaves.filter((seq) => !kept.has(seq))
  const records = seqs.filter((seq) => !kept.has(seq))
  // The change of the key ends with what it destroyed, so that no older copy of the keys opens that either.
  await vault.finish()
  await reviseErasure(state, { origin, case: approval.id, ranges: toRanges(gone) })
  if (gone.length > 0) await removeContent(deps, gone)
  const loss = gone.length === 0 ? '' : `; by then the content of ${records.length} of ${seqs.length} records was destroyed`
  const draft = refusedDraft(approval, asked, {
    reason: 'hold',
    seqs,
    ground: `on hold by leaf ${first.seq}${loss}`,
    gone,
    recipients: records.length === 0 ? [] : await pool.run('erasureRecipients', { changed: changedForAll(records) })
  })
  await append([draft])
  throw new AffidavitError(
    'on_hold',
    gone.length === 0
      ? `a hold (leaf ${first.seq}) came before the keys were destroyed: the erasure is refused, and its records are kept`
      : `a hold (leaf ${first.seq}) came while keys were destroyed: ${records.length} of ${seqs.length} records are erased, the others are kept`
  )
}

/** Destroys the keys, and stops in between for a hold. */
async function destroyKeys(
  deps: CarryOutDeps,
  hooks: ErasureHooks,
  begun: Begun,
  vault: Vault,
  control: JobControl
): Promise<RewrapResult> {
  for (;;) {
    const placed = deps.holdsPlaced()
    // All that is on record by now, the holds too.
    await deps.projector.waitForAll(deps.ledgerSize())
    await refuseHeldSince(deps, begun, vault)
    await hooks.onStep('checked')
    try {
      return await vault.rewrapVault({
        dropSeqs: begun.scope.leaves,
        by: { ref: begun.approval.askedBy, kind: 'human' },
        approval: begun.approval.id,
        progress: (done, total) => control.progress(done, total),
        mayDestroy: () => hooks.onBlock() && deps.holdsPlaced() === placed
      })
    } catch (error) {
      if (!(error instanceof DestructionStopped)) throw error
    }
  }
}

/**
 * Searches the files. What is found is on record before anything else, so that it stays known when the texts do not.
 * @throws TracesLeft traces were found, or an earlier search found some in a file that is as it was and cannot be searched for them any more
 */
async function search(deps: CarryOutDeps, hooks: ErasureHooks, { approval, asked, scope, traced }: Begun, texts: Needles) {
  const { pool, append, workspace, state } = deps
  const { needles, readable, left } = texts
  const folders = { workspace, state }
  const whole = readable === scope.leaves.length
  const scan = await pool.run('scanFiles', { folders, needles, seqs: scope.leaves })
  await hooks.onStep('scanned')
  if (scan.found > 0) {
    const found = { found: scan.found, files: scan.where.length, where: scan.where }
    // A search for part of the texts does not take the place of one for all of them.
    if (!traced || (whole && namesOf(traced.where) !== namesOf(found.where))) await append([searchedDraft(approval, asked, scan)])
    throw new TracesLeft(found)
  }
  const where = (traced?.where ?? []).map((file) => ({ ...file, now: whole ? ('searched' as const) : traceNow(folders, file) }))
  const same = where.filter((file) => file.now === 'same')
  if (traced && same.length > 0) throw new TracesLeft({ found: traced.found, files: same.length, where: same })
  return { scan, left, covered: readable, of: scope.leaves.length, traced: traced && { ...traced, where } }
}

const namesOf = (where: readonly TraceFile[]): string =>
  JSON.stringify(where.slice(0, MOST_NAMED).map(({ folder, file }) => [folder, file]))

/** @throws AffidavitError on_hold: a hold ended it, on record; busy, TracesLeft, file_unreadable: it goes on at the next attempt; read_only */
export async function carryOut(
  deps: CarryOutDeps,
  hooks: ErasureHooks,
  begun: Begun,
  kept: KeptNeedles,
  control: JobControl
): Promise<void> {
  const { pool, projector, vault, append, ledgerDb, ledgerSize, drain, state, origin } = deps
  const { approval, asked, intents } = begun
  const { seqs, leaves } = begun.scope
  if (!vault) throw new AffidavitError('read_only', 'the workspace is open read-only')
  const named = { intent: Math.min(...intents), ranges: toRanges(leaves) }
  await registerErasure(state, { v: 1, origin, case: approval.id, ...named, marks: await pool.run('leafMarks', named) })
  await hooks.onStep('registered')
  const texts = kept.get(approval.id) ?? (await pool.run('erasureNeedles', { seqs: leaves }))
  kept.set(approval.id, texts)
  await projector.waitForAll(ledgerSize())
  await hooks.onStep('projected')
  const { kek_id, destroyed } = await destroyKeys(deps, hooks, begun, vault, control)
  await hooks.onStep('keys')
  await removeContent(deps, leaves)
  await hooks.onStep('payloads')
  if (!(await emptyWal(ledgerDb, drain)) || !(await projector.truncate()))
    throw new AffidavitError('busy', 'a long read holds the log of a database: the erasure is tried again by itself, when it has ended')
  await hooks.onStep('emptied')
  const searched = await search(deps, hooks, begun, texts)
  const recipients = await recipientsNow(deps, asked, seqs)
  await append([doneDraft(approval, { ...asked, recipients }, begun.scope, intents, { kek_id, destroyed, ...searched })])
}
