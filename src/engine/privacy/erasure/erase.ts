// SPDX-License-Identifier: Apache-2.0

import { writeFileDurably } from '../../../node/durable-file.ts'
import { notWritten } from '../../../node/not-written.ts'
import { AffidavitError } from '../../../shared/contract/errors.ts'
import type { LeafData } from '../../../shared/evidence/leaf-data.ts'
import { spansAmong } from '../../../shared/privacy/spans.ts'
import type { Print } from '../../bundle/printer.ts'
import { leavesOfRecords } from '../../catalog/listings.ts'
import { noteLeaves } from '../../catalog/notes-on-records.ts'
import { bodyOf } from '../../catalog/project-event.ts'
import type { Handlers } from '../../handlers.ts'
import type { InTurn } from '../../in-turn.ts'
import type { Jobs } from '../../jobs/jobs.ts'
import { bodyPart } from '../../ledger/body-part.ts'
import { savedDraft } from '../../ledger/saved-draft.ts'
import type { Approvals, GivenApproval } from '../../policy/approvals.ts'
import type { ReaderContext } from '../../threads/reader-context.ts'
import type { ContentSource } from '../../vault/payload-reader.ts'
import type { Requests } from '../requests.ts'
import {
  type CarryOutDeps,
  carryOut,
  changedForAll,
  type ErasureHooks,
  type ErasureScope,
  type GoneBefore,
  type KeptNeedles
} from './carry-out.ts'
import type { Certificate } from './certificate.ts'
import { type Asked, type Decision, intentDrafts, refusedDraft } from './drafts.ts'
import { type Traced, type TraceFile, TracesLeft, traceNow } from './traces.ts'

export interface ErasureDeps extends CarryOutDeps {
  readonly jobs: Jobs
  readonly approvals: Approvals
  readonly requests: Requests
  /** Null where nothing prints. */
  readonly print: Print | null
  /** Shared with disposals and corrections. */
  readonly inTurn: InTurn
}

/** What the ledger knows of an erasure; read on a reader thread. */
export interface ErasureState {
  readonly intents: readonly number[]
  /** The newest search that found traces. */
  readonly traced: Traced | null
  /** It ended: as done, or refused for a hold. */
  readonly done: boolean
}

/** The intents of an erasure, whether it is done, and what a search of the files found. */
export function erasureState({ catalog, payloads }: ReaderContext, id: string): ErasureState {
  const rows = catalog
    .prepare<[string, string], { seq: number; type: string; data: string }>(`
SELECT seq, type, data
FROM event
WHERE (type IN ('erasure.intent', 'erasure.done', 'erasure.searched') AND json_extract(data, '$.erasure_id') = ?)
  OR (type = 'erasure.refused' AND json_extract(data, '$.approval_id') = ?)
ORDER BY seq`)
    .all(id, id)
  const searched = rows.findLast((row) => row.type === 'erasure.searched')
  return {
    intents: rows.filter((row) => row.type === 'erasure.intent').map((row) => row.seq),
    traced: searched ? tracedBy(payloads, searched.seq, JSON.parse(searched.data) as LeafData<'erasure.searched'>) : null,
    done: rows.some((row) => row.type === 'erasure.done' || row.type === 'erasure.refused')
  }
}

function tracedBy(payloads: ContentSource, leaf: number, { found, in_files: files }: LeafData<'erasure.searched'>): Traced {
  const { where = [] } = bodyOf(payloads, leaf) as { readonly where?: readonly TraceFile[] }
  return { leaf, found, files, where }
}

/**
 * What an erasure takes. Leaves whose content is gone already are left out: an earlier erasure took it, whole or until a hold ended it, or a
 * disposal did.
 */
export function erasureScope({ catalog }: ReaderContext, id: string, asked: readonly number[]): ErasureScope {
  const erased = catalog.prepare<[number], { erasure: string; intent: number }>('SELECT erasure, intent FROM erased WHERE seq = ?')
  const disposed = catalog
    .prepare<[number, number], number>(`
SELECT d.intent
FROM disposed d
JOIN disposal p ON p.seq = d.intent
WHERE d.first_seq <= ? AND d.last_seq >= ? AND ifnull(p.done_seq, p.refused_seq) IS NOT NULL
LIMIT 1`)
    .pluck()
  const goneBy = (seq: number): GoneBefore | null => {
    const row = erased.get(seq)
    if (row) return row.erasure === id ? null : { seq, by: 'erasure', leaf: row.intent }
    const leaf = disposed.get(seq, seq)
    return leaf === undefined ? null : { seq, by: 'disposal', leaf }
  }
  const left = (seq: number): boolean => goneBy(seq) === null
  const before = asked.flatMap((seq) => (leavesOfRecords(catalog, [seq]).leaves.some(left) ? [] : (goneBy(seq) ?? [])))
  const gone = new Set(before.map((one) => one.seq))
  const seqs = asked.filter((seq) => !gone.has(seq))
  return {
    seqs,
    leaves: leavesOfRecords(catalog, seqs).leaves.filter(left),
    corrections: noteLeaves(catalog, 'record.corrected', seqs).filter(left).length,
    before
  }
}

/** Why nothing is erased, in a sentence for the register. */
function nothingLeft(before: readonly GoneBefore[]): string {
  const words = { erasure: 'erased already by leaf', disposal: 'disposed of by leaf' } as const
  return `nothing is left of these records: ${[...new Set(before.map(({ by, leaf }) => `${words[by]} ${leaf}`))].slice(0, 20).join(', ')}`
}

/**
 * Erasure of the content of records (EVIDENCE, Erasure; GDPR 17): asked by one person with a ground for each record, given by another, then
 * carried out in steps that a crash may interrupt anywhere. The order: intent with its scope → words and rows of the catalog, while the texts
 * to take out can still be read → keys, through a change of the key-encryption key → payloads → logs of the databases emptied → every file
 * searched → done, with the facts of the certificate.
 */
export class Erasures {
  readonly #deps: ErasureDeps
  #last: Promise<unknown> = Promise.resolve()
  readonly #stopped = new Map<string, { readonly approval: GivenApproval; readonly where: readonly TraceFile[] }>()
  readonly #kept: KeptNeedles = new Map()
  /** For tests that end the process somewhere in between. */
  readonly hooks: ErasureHooks = { onStep: () => {}, onBlock: () => true }

  constructor(deps: ErasureDeps) {
    this.#deps = deps
    deps.approvals.on('erasure', (approval) => this.#given(approval))
  }

  readonly handlers: Handlers<'erasure.ask' | 'erasure.refuse' | 'erasure.certificate' | 'erasure.save_certificate'> = {
    'erasure.ask': async ({ request_id, decisions }, caller) => {
      const { pool, approvals, requests } = this.#deps
      const request = await requests.open(request_id)
      if (request.kind !== 'erasure') throw new AffidavitError('bad_request', 'this request does not ask for erasure')
      const seqs = decisions.flatMap((one) => one.seqs)
      if (new Set(seqs).size < seqs.length) throw new AffidavitError('bad_request', 'a record stands in two decisions')
      const known = await pool.run('findSubject', { keys: [], filter: null, seqs })
      if (known.length < seqs.length) throw new AffidavitError('not_found', 'some of these leaves are no records, or were erased already')
      await this.#refuseHeld(seqs)
      const now = new Date().toISOString()
      const classes: Record<string, string> = {}
      const kept = new Map((await pool.run('keptOf', { seqs })).map((one) => [one.seq, one]))
      for (const { seqs: some, override } of decisions)
        for (const seq of some) {
          const rule = kept.get(seq)
          classes[String(seq)] = rule?.class ?? 'default'
          if (override === undefined && rule?.until != null && rule.until > now)
            throw new AffidavitError(
              'bad_request',
              `leaf ${seq} is kept until ${rule.until.slice(0, 10)}: say what overrides its retention`,
              { seq }
            )
        }
      const recipients = await pool.run('erasureRecipients', { changed: changedForAll(seqs) })
      const { length: wrappers } = await pool.run('wrappersAmong', { seqs })
      const body: Asked = {
        request_id,
        reference: request.reference,
        decisions: decisions as readonly Decision[],
        classes,
        recipients,
        ...(wrappers === 0 ? {} : { wrappers })
      }
      return approvals.ask(
        caller,
        'erasure',
        `${seqs.length} ${seqs.length === 1 ? 'record' : 'records'}${spansAmong(wrappers)}, request ${request.reference}`,
        body
      )
    },
    'erasure.refuse': async ({ request_id, seqs, ground }, caller) => {
      const { requests, append } = this.#deps
      await requests.open(request_id)
      const [leaf] = await append([
        {
          type: 'erasure.refused',
          actor: caller.actor,
          data: { request_id, records: seqs.length, reason: 'ground' },
          parts: [bodyPart({ seqs, ground }).part]
        }
      ])
      if (!leaf) throw new AffidavitError('read_only', 'the workspace is open read-only')
      return { seq: leaf.seq }
    },
    'erasure.certificate': async ({ id }) => this.#certificate(id),
    'erasure.save_certificate': async ({ id, out, pdf: wanted }, caller) => {
      const { print, append } = this.#deps
      if (wanted && print === null)
        throw new AffidavitError(
          'engine_unavailable',
          'nothing here can print: leave the PDF out, or save the certificate in the desktop app'
        )
      const certificate = await this.#certificate(id)
      const { html, footer } = certificate
      const printed = wanted && print !== null ? await print({ html, footer }) : null
      const stem = out.replace(/\.html?$/i, '')
      const [json, pdf] = [`${stem}.json`, `${stem}.pdf`]
      try {
        writeFileDurably(out, html)
        writeFileDurably(json, certificate.json)
        if (printed) writeFileDurably(pdf, printed)
      } catch (error) {
        throw notWritten(error)
      }
      await append([html, ...(printed ? [printed] : [])].map((one) => savedDraft(caller.actor, 'certificate', one, { erasure_id: id })))
      return { html: out, json, pdf: printed && pdf }
    }
  }

  async #certificate(id: string): Promise<Certificate> {
    await this.#deps.requests.caughtUp()
    const certificate = await this.#deps.pool.run('erasureCertificate', { id, origin: this.#deps.origin })
    if (!certificate) throw new AffidavitError('not_found', 'there is no such erasure, or it is not done yet')
    return certificate
  }

  async #refuseHeld(seqs: readonly number[]): Promise<void> {
    const held = await this.#deps.pool.run('holdsOn', { seqs })
    const first = held[0]
    if (first)
      throw new AffidavitError(
        'on_hold',
        `${first.seqs.length} of these records are on hold (leaf ${first.seq}): release the hold first, or leave them out`,
        {
          hold: first.id,
          records: first.seqs.length
        }
      )
  }

  /** Two people agreed: the intent is on disk when this returns; the rest goes on as a job. Called again after a crash. */
  async #given(approval: GivenApproval): Promise<void> {
    const { pool, projector, ledgerSize, append, jobs, inTurn } = this.#deps
    const asked = approval.body as unknown as Asked
    const wanted = asked.decisions.flatMap((one) => one.seqs).sort((a, b) => a - b)
    const giver = { ref: approval.givenBy, kind: 'human' } as const
    // What is corrected meanwhile would be in no scope: it waits, and then its record is erased.
    const begun = await inTurn(async () => {
      const size = ledgerSize()
      await projector.waitForAll(size)
      const { done, intents, traced } = await pool.run('erasureState', { id: approval.id })
      if (done) return undefined
      const scope = await pool.run('erasureScope', { id: approval.id, seqs: wanted })
      if (intents.length > 0) return { scope, intents, since: Math.min(...intents), traced }
      const none = { gone: [], recipients: [] }
      if (scope.leaves.length === 0) {
        const refusal = { ...none, reason: 'nothing_left', seqs: wanted, ground: nothingLeft(scope.before) } as const
        await append([refusedDraft(approval, asked, refusal, giver)])
        return undefined
      }
      const held = await pool.run('holdsOn', { seqs: scope.seqs })
      if (held.length === 0) {
        const written = await append(intentDrafts(approval, asked, scope.seqs.length, scope.leaves))
        if (written.length === 0) throw new AffidavitError('read_only', 'the workspace is open read-only')
        return { scope, intents: written.map((one) => one.seq), since: size, traced }
      }
      // A hold came between: what two people gave is refused, and that is on record.
      const refusal = { ...none, reason: 'hold', seqs: wanted, ground: `on hold by leaf ${held[0]?.seq}` } as const
      await append([refusedDraft(approval, asked, refusal, giver)])
      return undefined
    })
    if (!begun) return
    await this.hooks.onStep('intent')
    const { seqs, before } = begun.scope
    // Of those that were asked for some are gone: what is said of their number is of what goes now.
    const wrappers = before.length === 0 ? asked.wrappers : (await pool.run('wrappersAmong', { seqs })).length || undefined
    const taken: Asked = { ...asked, wrappers }
    jobs.start('erasure', `Erasing ${seqs.length} records`, 'leaves', undefined, (control) => {
      const work = this.#last.then(() => carryOut(this.#deps, this.hooks, { approval, asked: taken, ...begun }, this.#kept, control))
      this.#last = work.then(
        () => this.#kept.delete(approval.id),
        (error) => {
          // What was refused is not tried again.
          if (error instanceof AffidavitError && error.code === 'on_hold') this.#kept.delete(approval.id)
          else this.#stopped.set(approval.id, { approval, where: error instanceof TracesLeft ? error.where : [] })
        }
      )
      return work
    })
  }

  /** Whether one stopped before its end in this run. */
  get stopped(): boolean {
    return this.#stopped.size > 0
  }

  /**
   * Goes on with erasures that stopped, such as for want of a copy of the keys; a restart does the same. One that left traces waits as long as a
   * file with some is as it was.
   */
  async goOn(): Promise<void> {
    for (const [id, one] of [...this.#stopped]) {
      if (one.where.some((file) => traceNow(this.#deps, file) === 'same')) continue
      this.#stopped.delete(id)
      try {
        await this.#given(one.approval)
      } catch (error) {
        this.#stopped.set(id, one)
        throw error
      }
    }
  }
}
