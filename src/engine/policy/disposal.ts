// SPDX-License-Identifier: Apache-2.0
import { randomUUID } from 'node:crypto'
import { AffidavitError } from '../../shared/contract/errors.ts'
import { type SeqRange, seqsIn, toRanges } from '../../shared/policy/ranges.ts'
import type { DisposalScope } from '../catalog/project-disposal.ts'
import type { Handlers } from '../handlers.ts'
import type { InTurn } from '../in-turn.ts'
import type { Jobs } from '../jobs/jobs.ts'
import { bodyPart } from '../ledger/body-part.ts'
import type { LeafDraft } from '../ledger/draft.ts'
import type { CheckpointRow } from '../ledger/store.ts'
import { pruneTile, removePayloads } from '../ledger/tiles.ts'
import { emptyWal, inSlices } from '../sqlite/long-write.ts'
import type { WritableDb } from '../sqlite/open.ts'
import type { RewrapInput } from '../vault/vault.ts'
import type { GivenApproval } from './approvals.ts'
import type { RetentionDeps } from './retention.ts'

/** The steps of a disposal in their order; what a step did stays done, and doing it again changes nothing. */
export const disposalSteps = ['intent', 'payloads', 'keys', 'tiles', 'emptied', 'done'] as const
/** `checked`: no hold was found, and content is removed next. */
export type DisposalStep = (typeof disposalSteps)[number] | 'checked'

/** For tests: another clock, being told after each step, and shorter pauses. */
export interface DisposalHooks {
  /** Milliseconds between two attempts at what stopped half-way. */
  readonly retryMs?: number
  readonly now?: () => number
  readonly afterStep?: (step: DisposalStep) => unknown
}

export interface DisposalDeps extends RetentionDeps, DisposalHooks {
  readonly jobs: Jobs
  readonly ledgerDb: WritableDb
  /** Copies the write-ahead log of the ledger into it on another thread. */
  readonly drain: () => Promise<void>
  /** A checkpoint over everything committed: what goes is signed for before it goes. */
  readonly checkpoint: () => Promise<CheckpointRow | null>
  /** Notes outside the workspace what goes, so that a restore of an older backup does it again; on disk when it returns. */
  readonly register: (disposal: { readonly case: string; readonly intent: number; readonly ranges: readonly SeqRange[] }) => Promise<void>
  /** What is left of a disposal that was noted and then refused; none: it is taken out. */
  readonly revise: (disposal: { readonly case: string; readonly ranges: readonly SeqRange[] }) => Promise<void>
  /** Ends a change of the key that an earlier attempt began. */
  readonly finishKeys: () => Promise<void>
  /** Destroys the keys of these leaves for good, old copies of the vault included. */
  readonly destroyKeys: (seqs: readonly number[], by: Pick<RewrapInput, 'by' | 'approval'>) => Promise<void>
  readonly onFailed: (error: unknown) => void
  /** Shared with erasures and corrections. */
  readonly inTurn: InTurn
}

const isUnderWay = (one: { readonly done_seq: number | null; readonly refused_seq: number | null }): boolean =>
  one.done_seq === null && one.refused_seq === null

const SYSTEM = { ref: 'engine', kind: 'system' } as const
/** Payloads of one transaction: a few milliseconds. */
const SLICE = 50

/** What ends a disposal of which nothing may go any more when it is given: another took it, or it is held or kept longer by now. */
const nothingLeftDraft = (approval: string, givenBy: string): LeafDraft => ({
  type: 'disposal.refused',
  actor: { ref: givenBy, kind: 'human' },
  data: { disposal_id: randomUUID(), held: 0, approval_id: approval, reason: 'nothing_left' },
  parts: []
})

/**
 * Disposal after retention (EVIDENCE): dry run, a second person, the intent, then payloads, keys and whole tiles, then `disposal.done`.
 * A crash anywhere resumes from the intent at the next start.
 */
export class Disposal {
  readonly #deps: DisposalDeps
  readonly #running = new Map<number, Promise<void>>()
  #closing = false
  #stopped = false

  constructor(deps: DisposalDeps) {
    this.#deps = deps
    deps.approvals.on('disposal', (approval) => this.#execute(approval))
  }

  readonly handlers: Handlers<'disposal.preview' | 'disposal.ask' | 'disposal.list'> = {
    'disposal.preview': async (_, caller) => {
      await this.#deps.caughtUp()
      return this.#deps.pool.run('previewDisposal', { nowUs: this.#nowUs() }, { signal: caller.signal })
    },
    'disposal.ask': async ({ reason }, caller) => {
      await this.#deps.caughtUp()
      const scope = await this.#deps.pool.run('disposalOf', { nowUs: this.#nowUs() })
      if (scope.records === 0 && scope.tiles.length === 0)
        throw new AffidavitError('nothing_selected', 'nothing is past its retention and free of holds')
      const title =
        `${scope.records.toLocaleString('en-US')} ${scope.records === 1 ? 'record' : 'records'} past their retention: ${reason}`.slice(
          0,
          300
        )
      return this.#deps.approvals.ask(caller, 'disposal', title, { ranges: scope.ranges, tiles: scope.tiles, reason })
    },
    'disposal.list': async () => {
      await this.#deps.caughtUp()
      const { pool } = this.#deps
      return { disposals: await pool.run('disposals', {}), proposal: await pool.run('lastProposal', {}) }
    }
  }

  /** Whether one stopped before its end in this run, such as for a reader that held a log. */
  get stopped(): boolean {
    return this.#stopped
  }

  /** Finishes what a crash interrupted, or what stopped. */
  async resume(): Promise<void> {
    await this.#deps.caughtUp()
    const underWay = (await this.#deps.pool.run('disposals', {})).filter(isUnderWay)
    // A read that failed leaves it stopped, and it is tried again.
    this.#stopped = false
    for (const one of underWay) this.#start(one.seq)
  }

  /** Stops between two steps; the next start goes on from there. */
  async close(): Promise<void> {
    this.#closing = true
    await Promise.allSettled(this.#running.values())
  }

  #goOn(): void {
    if (this.#closing) throw new AffidavitError('engine_unavailable', 'the engine is closing: the disposal goes on at the next start')
  }

  #nowUs(): number {
    return (this.#deps.now?.() ?? Date.now()) * 1000
  }

  async #execute({ id, givenBy, body }: GivenApproval): Promise<void> {
    const { pool, projector, ledgerSize, append, caughtUp, inTurn } = this.#deps
    await caughtUp()
    const known = (await pool.run('disposals', {})).find((one) => one.approval === id)
    if (known) {
      if (isUnderWay(known)) this.#start(known.seq)
      return
    }
    const { ranges, tiles } = body as unknown as DisposalScope
    // What is corrected meanwhile would stay behind: it waits, and then its record is gone.
    const written = await inTurn(async () => {
      await projector.waitForAll(ledgerSize())
      // A hold or a longer rule may have come since: only what may still go goes.
      const scope = await pool.run('disposalOf', { nowUs: this.#nowUs(), only: { ranges, tiles } })
      if (scope.records === 0 && scope.tiles.length === 0) {
        await append([nothingLeftDraft(id, givenBy)])
        return null
      }
      const { part, sha256 } = bodyPart({ ranges: scope.ranges, tiles: scope.tiles })
      const data = {
        disposal_id: randomUUID(),
        approval: id,
        records: scope.records,
        tiles: scope.tiles.length,
        bytes: scope.bytes,
        body_sha256: sha256
      }
      return append([{ type: 'disposal.intent', actor: { ref: givenBy, kind: 'human' }, data, parts: [part] }])
    })
    if (written === null) return
    const [intent] = written
    if (!intent) throw new AffidavitError('read_only', 'the workspace is open read-only')
    this.#deps.afterStep?.('intent')
    this.#start(intent.seq)
  }

  /** Carries an intent out as a job; one that runs already is left alone. */
  #start(intent: number): void {
    if (this.#running.has(intent)) return
    let ended = (): void => {}
    this.#running.set(intent, new Promise((resolve) => (ended = resolve)))
    this.#deps.jobs.start('disposal', 'Disposing of records past their retention', 'records', undefined, async (control) => {
      try {
        await this.#carryOut(intent, (done, total) => control.progress(done, total))
      } catch (error) {
        // What was refused is not tried again.
        this.#stopped ||= !(error instanceof AffidavitError && error.code === 'on_hold')
        if (!this.#closing) this.#deps.onFailed(error)
        throw error
      } finally {
        this.#running.delete(intent)
        ended()
      }
    })
  }

  /** A hold that came after the intent wins as long as content is there: the refusal is on record, and what is left comes back. */
  async #refuseHeldSince(
    one: { readonly id: string; readonly seq: number; readonly approval: string },
    seqs: readonly number[]
  ): Promise<void> {
    const { pool, append } = this.#deps
    const { live, holds } = await pool.run('holdsOnIntent', { seqs, since: one.seq })
    const [first] = holds
    if (!first) return
    const kept = new Set(live)
    const gone = toRanges(seqs.filter((seq) => !kept.has(seq)))
    await this.#deps.finishKeys()
    await this.#deps.revise({ case: one.id, ranges: gone })
    const held = new Set(holds.flatMap((hold) => hold.seqs)).size
    const data = { disposal_id: one.id, intent: one.seq, hold: first.seq, held, approval_id: one.approval }
    await append([{ type: 'disposal.refused', actor: SYSTEM, data, parts: [bodyPart({ gone }).part] }])
    throw new AffidavitError(
      'on_hold',
      `a hold (leaf ${first.seq}) came before ${gone.length === 0 ? 'anything' : 'all of it'} was destroyed: the disposal is refused; ask for it again without what is held`
    )
  }

  async #carryOut(intent: number, progress: (done: number, total: number) => void): Promise<void> {
    const { pool, projector, ledgerSize, ledgerDb, drain, append, afterStep, holdsPlaced } = this.#deps
    await this.#deps.checkpoint()
    // All that is on record by now, the holds too.
    await projector.waitForAll(ledgerSize())
    const one = (await pool.run('disposals', {})).find((row) => row.seq === intent)
    if (!one || !isUnderWay(one)) return
    const { ranges, tiles } = (await pool.run('leafBody', { seq: intent })) as unknown as DisposalScope
    const seqs = [...seqsIn(ranges)]
    const leaves = new Set(seqs)
    for (const seq of seqsIn(tiles.map((tile): SeqRange => [tile * 256, tile * 256 + 255]))) leaves.add(seq)
    const all = [...leaves].sort((a, b) => a - b)
    // Again whenever a hold is placed while content goes.
    for (let at = 0, first = true; at < seqs.length || first; first = false) {
      const placed = holdsPlaced()
      await projector.waitForAll(ledgerSize())
      await this.#refuseHeldSince(one, seqs)
      await this.#deps.register({ case: one.id, intent, ranges: toRanges(all) })
      await afterStep?.('checked')
      await inSlices(ledgerDb, drain, () => {
        this.#goOn()
        if (holdsPlaced() !== placed) return false
        removePayloads(ledgerDb, seqs.slice(at, at + SLICE))
        at += SLICE
        progress(Math.min(at, seqs.length), seqs.length)
        return at < seqs.length
      })
    }
    afterStep?.('payloads')
    const [asked] = await pool.run('approvals', { id: one.approval, limit: 1 })
    await this.#deps.destroyKeys(all, { approval: one.approval, ...(asked && { by: { ref: asked.asked_by, kind: 'human' } }) })
    afterStep?.('keys')
    const left = [...tiles]
    await inSlices(ledgerDb, drain, () => {
      this.#goOn()
      const tile = left.shift()
      if (tile !== undefined) pruneTile(ledgerDb, tile)
      return left.length > 0
    })
    afterStep?.('tiles')
    this.#goOn()
    // As far as readers let it: what is left there is ciphertext whose keys are destroyed.
    await emptyWal(ledgerDb, drain)
    afterStep?.('emptied')
    const data = { disposal_id: one.id, intent, records: one.records, tiles: tiles.length, approval_id: one.approval }
    await append([{ type: 'disposal.done', actor: SYSTEM, data, parts: [] }])
    afterStep?.('done')
  }
}
