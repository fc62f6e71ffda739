// SPDX-License-Identifier: Apache-2.0
import { randomUUID } from 'node:crypto'
import { AffidavitError } from '../../shared/contract/errors.ts'
import { MOST_SCOPE, type RecipientToTell, type SubjectRequest } from '../../shared/contract/requests.ts'
import { dueDay } from '../../shared/privacy/clock.ts'
import type { Print } from '../bundle/printer.ts'
import { filterOf } from '../catalog/handlers.ts'
import { subjectKeys } from '../catalog/subject-key.ts'
import type { Handlers } from '../handlers.ts'
import type { Jobs } from '../jobs/jobs.ts'
import { bodyPart } from '../ledger/body-part.ts'
import type { Actor, AppendResult, LeafDraft } from '../ledger/draft.ts'
import type { Projector } from '../threads/projector.ts'
import type { ReaderPool } from '../threads/reader-pool.ts'
import { type AccessCopy, printCopy, requirePrinter } from './access-copy.ts'

export interface RequestDeps {
  readonly pool: ReaderPool
  readonly projector: Projector
  readonly jobs: Jobs
  readonly ledgerSize: () => number
  readonly append: (drafts: readonly LeafDraft[]) => Promise<readonly AppendResult[]>
  readonly secret: Uint8Array
  readonly origin: string
  /** Prints a page as PDF; null where nothing here can. */
  readonly print: Print | null
}

const PATIENCE_MS = 10_000
const DAY_MS = 86_400_000
const SHOWN = 500

const today = (): string => new Date().toISOString().slice(0, 10)

/** The register of requests, the search for a subject's records, copies of data and restriction. */
export class Requests {
  readonly #deps: RequestDeps
  readonly #keyOf: (identifier: string) => Buffer

  constructor(deps: RequestDeps) {
    this.#deps = deps
    this.#keyOf = subjectKeys(deps.secret)
  }

  /** A request that is still to be answered. @throws AffidavitError not_found, conflict */
  async open(id: string): Promise<SubjectRequest> {
    const request = await this.#one(id)
    if (request.state !== 'open') throw new AffidavitError('conflict', `this request is closed already (${request.state})`)
    return request
  }

  async caughtUp(): Promise<void> {
    await this.#deps.projector.waitFor(this.#deps.ledgerSize(), PATIENCE_MS)
  }

  async #one(id: string): Promise<SubjectRequest> {
    await this.caughtUp()
    const [found] = await this.#deps.pool.run('requests', { id, today: today() })
    if (!found) throw new AffidavitError('not_found', 'there is no such request')
    return found
  }

  async #recipients(request: string): Promise<RecipientToTell[]> {
    await this.#one(request)
    return this.#deps.pool.run('recipientsOfRequest', { request })
  }

  async #append(draft: LeafDraft): Promise<number> {
    const [written] = await this.#deps.append([draft])
    if (!written) throw new AffidavitError('read_only', 'the workspace is open read-only')
    return written.seq
  }

  async #step(id: string, type: LeafDraft['type'], actor: Actor, data: object, body: object): Promise<SubjectRequest> {
    await this.#append({ type, actor, data: { request_id: id, ...data }, parts: [bodyPart(body).part] })
    return this.#one(id)
  }

  readonly handlers: Handlers<
    | 'requests.list'
    | 'requests.open'
    | 'requests.extend'
    | 'requests.close'
    | 'subjects.find'
    | 'subjects.export'
    | 'restrict.set'
    | 'recipients.list'
    | 'recipients.tell'
  > = {
    'requests.list': async () => {
      await this.caughtUp()
      return { requests: await this.#deps.pool.run('requests', { id: undefined, today: today() }) }
    },
    'requests.open': async ({ kind, reference, received }, caller) => {
      if (Date.parse(received) > Date.now() + DAY_MS) throw new AffidavitError('bad_request', 'received: a day that is still to come')
      return this.#step(randomUUID(), 'request.received', caller.actor, { kind, received, due: dueDay(received, false) }, { reference })
    },
    'requests.extend': async ({ id, reason }, caller) => {
      const request = await this.open(id)
      if (request.extended) throw new AffidavitError('conflict', 'the time was extended already: two further months is the most')
      return this.#step(id, 'request.extended', caller.actor, { due: dueDay(request.received, true) }, { reason })
    },
    'requests.close': async ({ id, outcome, note }, caller) => {
      await this.open(id)
      return this.#step(id, 'request.closed', caller.actor, { outcome }, { note })
    },
    'subjects.find': async ({ identifiers, query, seqs }, caller) => {
      const { pool } = this.#deps
      const filter = query.trim() === '' ? null : filterOf(query)
      await this.caughtUp()
      const found = await pool.run('findSubject', { keys: identifiers.map(this.#keyOf), filter, seqs })
      const taken = found.slice(0, MOST_SCOPE)
      // That a person was looked for is on record; by what, only as keys of the index.
      const body = { keys: identifiers.map((one) => this.#keyOf(one).toString('hex')), query }
      await this.#deps.append([{ type: 'search.run', actor: caller.actor, data: { matched: found.length }, parts: [bodyPart(body).part] }])
      return {
        seqs: taken,
        wrappers: await pool.run('wrappersAmong', { seqs: taken }),
        records: await pool.run('subjectRecords', { seqs: taken.slice(0, SHOWN) }),
        more: found.length - taken.length
      }
    },
    'subjects.export': async ({ request_id, seqs, out, replace, pdf }, caller) => {
      const { jobs, pool, origin } = this.#deps
      const print = pdf ? requirePrinter(this.#deps.print, { out, replace }) : null
      const request = await this.open(request_id)
      if (request.kind !== 'access') throw new AffidavitError('bad_request', 'a copy of data answers a request for access')
      const scope = [...new Set(seqs)].sort((a, b) => a - b)
      const job = jobs.start(
        'subject_export',
        `Writing the copy of data, ${request.reference}`,
        'records',
        caller.actor,
        async (control): Promise<AccessCopy> => {
          const copy = await pool.run(
            'writeAccessCopy',
            {
              seqs: scope,
              out,
              replace,
              reference: request.reference,
              received: request.received,
              due: request.due,
              written: new Date().toISOString(),
              origin
            },
            { signal: control.signal, onProgress: (p) => control.progress(p.done, p.total) }
          )
          const printed = print === null ? null : await printCopy(copy, print, origin)
          control.progress(copy.records, copy.records)
          const { records, json_sha256, html_sha256 } = copy
          const bytes = copy.bytes + (printed?.bytes ?? 0)
          await this.#append({
            type: 'subject.exported',
            actor: caller.actor,
            data: { request_id, records, bytes, json_sha256, html_sha256, ...(printed && { pdf_sha256: printed.sha256 }) },
            parts: [bodyPart({ seqs: scope }).part]
          })
          return copy
        }
      )
      return { job_id: job.id }
    },
    'recipients.list': async ({ request_id }) => ({ recipients: await this.#recipients(request_id) }),
    'recipients.tell': async ({ request_id, export_seq, note }, caller) => {
      const recipient = (await this.#recipients(request_id)).find((one) => one.export_seq === export_seq)
      if (!recipient) throw new AffidavitError('not_found', 'this export held no record of the request')
      if (recipient.told) throw new AffidavitError('conflict', `this was noted already, in leaf ${recipient.told.seq}`)
      await this.#append({
        type: 'recipient.told',
        actor: caller.actor,
        data: { request_id, export: export_seq },
        parts: [bodyPart({ note }).part]
      })
      return { recipients: await this.#recipients(request_id) }
    },
    'restrict.set': async ({ seqs, on, reason, request_id }, caller) => {
      if (request_id !== undefined) await this.#one(request_id)
      const scope = [...new Set(seqs)].sort((a, b) => a - b)
      await this.caughtUp()
      const known = await this.#deps.pool.run('findSubject', { keys: [], filter: null, seqs: scope })
      if (known.length < scope.length) throw new AffidavitError('not_found', 'some of these leaves are no records, or were erased')
      const seq = await this.#append({
        type: 'restrict.set',
        actor: caller.actor,
        data: { records: scope.length, on, ...(request_id === undefined ? {} : { request_id }) },
        parts: [bodyPart({ seqs: scope, reason }).part]
      })
      return { seq }
    }
  }
}
