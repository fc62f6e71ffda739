// SPDX-License-Identifier: Apache-2.0

import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { basename } from 'node:path'
import { writeFileDurably } from '../../../node/durable-file.ts'
import { notWritten } from '../../../node/not-written.ts'
import type { Processing } from '../../../shared/contract/compliance.ts'
import { AffidavitError } from '../../../shared/contract/errors.ts'
import { requirementOf, requirementsOf } from '../../../shared/policy/requirements.ts'
import { statementsOf } from '../../../shared/policy/statements.ts'
import { footOfCheckpoint } from '../../../shared/report/foot.ts'
import type { Caller, Handlers } from '../../handlers.ts'
import { bodyPart } from '../../ledger/body-part.ts'
import type { AppendResult, LeafDraft } from '../../ledger/draft.ts'
import { savedDraft } from '../../ledger/saved-draft.ts'
import type { Projector } from '../../threads/projector.ts'
import type { ReaderPool } from '../../threads/reader-pool.ts'
import type { LiveFacts } from './facts.ts'
import { type CompliancePageInput, compliancePage } from './page.ts'
import { processingCsv } from './processing.ts'

export interface ComplianceDeps {
  readonly pool: ReaderPool
  readonly projector: Projector
  readonly ledgerSize: () => number
  readonly live: () => LiveFacts
  /** Signs what is not signed yet, so that a printed page names a head that covers it. */
  readonly checkpoint: () => Promise<unknown>
  /** The log and its signed head, for the foot of printed pages. */
  readonly head: () => Pick<CompliancePageInput, 'origin' | 'checkpoint' | 'log_key' | 'sample'>
  readonly append: (drafts: readonly LeafDraft[]) => Promise<readonly AppendResult[]>
  /** When the schedule verifies next; null when it is off. */
  readonly nextVerification: () => Date | null
}

const PATIENCE_MS = 5_000

async function fileDigest(path: string): Promise<{ readonly name: string; readonly sha256: string }> {
  const hash = createHash('sha256')
  try {
    for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer)
  } catch {
    throw new AffidavitError('file_unreadable', 'the document cannot be read')
  }
  return { name: basename(path), sha256: hash.digest('hex') }
}

/** The compliance view: requirements with evidence, what the log shows, completeness, verifications, record of processing. */
export function complianceHandlers(
  deps: ComplianceDeps
): Handlers<
  | 'compliance.report'
  | 'compliance.page'
  | 'compliance.mark'
  | 'compliance.completeness'
  | 'compliance.verifications'
  | 'compliance.processing'
  | 'compliance.save_processing'
  | 'compliance.set_processing'
> {
  const { pool } = deps
  const caughtUp = () => deps.projector.waitFor(deps.ledgerSize(), PATIENCE_MS)
  const factsOf = async () => {
    await caughtUp()
    return pool.run('complianceFacts', deps.live())
  }
  /** A note of a person: the name says on what, the words are in the body. */
  const note = async (caller: Caller, name: string, to: string, body: object): Promise<void> => {
    await caughtUp()
    const from = (await pool.run('settingValue', { name })) ?? 'null'
    const data = { name, from, to: JSON.stringify(to) }
    const [written] = await deps.append([{ type: 'setting.changed', actor: caller.actor, data, parts: [bodyPart(body).part] }])
    if (!written) throw new AffidavitError('read_only', 'the workspace is open read-only')
  }
  return {
    'compliance.report': async () => {
      const facts = await factsOf()
      return { evaluated: facts.now, requirements: requirementsOf(facts), statements: statementsOf(facts) }
    },
    'compliance.page': async () => {
      await deps.checkpoint()
      const facts = await factsOf()
      const head = deps.head()
      const html = compliancePage({
        evaluated: facts.now,
        requirements: requirementsOf(facts),
        statements: statementsOf(facts),
        size: facts.size,
        ...head
      })
      return { html, footer: footOfCheckpoint(head.origin, head.checkpoint), name: `compliance-${facts.now.slice(0, 10)}` }
    },
    'compliance.mark': async ({ id, applies, reason, document }, caller) => {
      const file = document === undefined ? undefined : await fileDigest(document)
      const body = { applies, reason, ...(file ? { document: file.name, document_sha256: file.sha256 } : {}) }
      await note(caller, `requirement.${id}`, applies ? 'applies' : 'not applicable', body)
      return requirementOf(id, await factsOf())
    },
    'compliance.completeness': async ({ days }) => {
      await caughtUp()
      return pool.run('completeness', { days, nowUs: Date.parse(deps.live().now) * 1000 })
    },
    'compliance.verifications': async ({ limit }) => {
      await caughtUp()
      return { verifications: await pool.run('verifications', { limit }), next_due: deps.nextVerification()?.toISOString() ?? null }
    },
    'compliance.processing': async () => {
      await deps.checkpoint()
      await caughtUp()
      const record = await pool.run('processing', deps.live())
      const { origin, checkpoint } = deps.head()
      return { ...record, page: { ...record.page, footer: footOfCheckpoint(origin, checkpoint) } }
    },
    'compliance.save_processing': async ({ out, format }, caller) => {
      await caughtUp()
      const record = await pool.run('processing', deps.live())
      const { page, ...content } = record
      const texts = { html: page.html, json: `${JSON.stringify(content, null, 2)}\n`, csv: processingCsv(record) }
      const bytes = Buffer.from(texts[format], 'utf8')
      try {
        writeFileDurably(out, bytes)
      } catch (error) {
        throw notWritten(error)
      }
      await deps.append([savedDraft(caller.actor, 'processing', bytes)])
      return { path: out, bytes: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex') }
    },
    'compliance.set_processing': async (stated, caller): Promise<Processing> => {
      await note(caller, 'processing.stated', 'stated', stated)
      return stated
    }
  }
}
