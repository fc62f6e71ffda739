// SPDX-License-Identifier: Apache-2.0
// A subject with records in a workspace, the people who erase them, and what to look at afterwards.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'vitest'
import type { OperationOutput } from '../../shared/contract/contract.ts'
import type { ErasureStep } from '../privacy/erasure/carry-out.ts'
import { openReadable } from '../sqlite/open.ts'
import { ingestRecords } from './ingest-records.ts'
import { rawRecord, type TestEngine, type TestPerson } from './test-engine.ts'

export const SUBJECT = 'zephyrine.quux@example.org'
const SECRETS = [
  'zephyrine',
  'quux@example',
  'Wherefore the kumquat',
  'marmalade-octopus',
  'Ünïcödé "quoted" söliloquy',
  '章鱼果酱与金橘的询问'
]

/** Record `n` of the subject; `tag` makes another of it. */
export const subjectRecord = (n: number, tag = ''): object =>
  rawRecord(n, {
    id: `call-${tag}${n}`,
    user_id: SUBJECT,
    source: n === 9 ? 'an odd source, of zephyrine' : 'desk',
    prompt: `Wherefore the kumquat ${n}? asks ${SUBJECT}, of marmalade-octopus fame, 章鱼果酱与金橘的询问. ${'Ünïcödé "quoted" söliloquy '.repeat(n * 40)}`,
    response: `The marmalade-octopus of number ${n} replies to ${SUBJECT}.`,
    conversation_id: `thread-of-zephyrine-${n}`
  })

/** Records 0 to 11; the subject's are 3, 6 and 9. */
export const subjectsAmongOthers = (tag = ''): object[] =>
  Array.from({ length: 12 }, (_, n) => (n % 3 === 0 && n > 0 ? subjectRecord(n, tag) : rawRecord(n, { id: `call-${tag}${n}` })))

export interface ErasureCase {
  readonly seqs: number[]
  readonly all: number[]
  readonly request: OperationOutput<'requests.open'>
  readonly asker: TestPerson
  readonly other: TestPerson
}

/** Ingests the records and opens a request for the subject's. */
export async function erasureCase(engine: TestEngine, records = subjectsAmongOthers(), of = [3, 6, 9]): Promise<ErasureCase> {
  const all = await ingestRecords(engine, records)
  const asker = await engine.as('data_protection')
  const other = await engine.as('reviewer')
  const request = await asker.call('requests.open', { kind: 'erasure', reference: 'DSR 26-7', received: '2026-01-31' })
  const { seqs } = await asker.call('subjects.find', { identifiers: [` ${SUBJECT.toUpperCase()}`] })
  expect(seqs).toEqual(of.map((n) => all[n]))
  return { seqs, all, request, asker, other }
}

export const erasureGround = 'consent withdrawn, Article 17(1)(b)'
export const erasureDecisions = (seqs: number[]) => [
  { seqs, ground: erasureGround, override: 'the subject’s right outweighs the firm’s own period' }
]

/** Asks for the erasure and gives it; gives its id when the intent is on record. */
export async function erase({ seqs, request, asker, other }: ErasureCase): Promise<string> {
  const asked = await asker.call('erasure.ask', { request_id: request.id, decisions: erasureDecisions(seqs) })
  await other.call('approvals.decide', { id: asked.id, decision: 'give' })
  return asked.id
}

/** Gives an erasure whose process ends after a step; gives its id. */
export async function eraseUpTo(engine: TestEngine, given: ErasureCase, last: ErasureStep): Promise<string> {
  const stopped = new Promise<void>((resolve) => {
    engine.engine.erasures.hooks.onStep = (step) => {
      if (step !== last) return
      resolve()
      // Nothing after this step happens in this process.
      throw new Error('the process ends here')
    }
  })
  const id = await erase(given)
  await stopped
  return id
}

/** What became of the newest erasure of the request, when its job has ended. */
export async function erasureOutcome(
  engine: TestEngine,
  { asker, request }: ErasureCase
): Promise<OperationOutput<'requests.list'>['requests'][number]['erasures'][number]> {
  await engine.ended('erasure')
  const { requests } = await asker.call('requests.list', {})
  const found = requests.find((one) => one.id === request.id)?.erasures.at(-1)
  if (!found || (found.done_seq === null && found.refused_seq === null)) throw new Error('the erasure has not ended')
  return found
}

/** Every occurrence of a text of the subject, in any form, in any file of workspace and state. */
export function tracesIn(engine: TestEngine): string[] {
  const files = [engine.workspace, engine.state].flatMap((folder) =>
    readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name))
  )
  return files.flatMap((file) => {
    const bytes = readFileSync(file)
    return SECRETS.flatMap((text) => [
      text,
      JSON.stringify(text).slice(1, -1),
      ...[0, 1, 2].map((at) => Buffer.from(text.slice(at)).subarray(0, 15).toString('base64'))
    ])
      .filter((form) => bytes.includes(form))
      .map((form) => `${file}: ${form}`)
  })
}

/** All of the catalog but what depends on the moment. */
export async function catalogOf(engine: TestEngine): Promise<unknown> {
  // A read that waits until the catalog shows all of it.
  await engine.call('approvals.list', {})
  const db = openReadable(join(engine.workspace, 'catalog.db'))
  const tables = db
    .prepare<[], string>(
      "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'record_text%' AND name <> 'meta' ORDER BY name"
    )
    .pluck()
    .all()
  const rows = Object.fromEntries(tables.map((name) => [name, db.prepare<[], unknown>(`SELECT * FROM "${name}"`).all()]))
  // A count table is a set: in which order its values were seen tells nothing.
  rows.cell = (rows.cell as { tables: Buffer; beside: string }[]).map((cell) => {
    const numbers = new Float64Array(new Uint8Array(cell.tables).buffer)
    const sizes = [...numbers.slice(0, 4)]
    const pairs = Array.from({ length: (numbers.length - 4) / 2 }, (_, i) => `${numbers[4 + 2 * i]}:${numbers[5 + 2 * i]}`)
    return { ...cell, tables: sizes.map((size) => pairs.splice(0, size).sort()) }
  })
  const words = db.prepare('SELECT count(*) FROM record_text_docsize').pluck().get()
  db.close()
  return { rows, words }
}

/** What a verification of the whole workspace says. */
export async function verifiedNow(engine: TestEngine): Promise<OperationOutput<'verify.workspace_report'>> {
  const { job_id } = await engine.call('verify.workspace', {})
  await engine.job(job_id)
  return engine.call('verify.workspace_report', { job_id })
}
