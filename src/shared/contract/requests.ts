// SPDX-License-Identifier: Apache-2.0
import { z } from 'zod'
import { requestKinds } from '../evidence/leaf-data.ts'
import { approval } from './approvals.ts'
import { printable } from './compliance.ts'
import { operation } from './operation.ts'
import { recordRow, timestamp } from './record.ts'

const count = z.int().min(0)
const day = z.iso.date()
const words = z.string().trim().min(3).max(2000)
const id = z.string().max(64)
/** Most records of one request; a larger scope takes several. */
export const MOST_SCOPE = 10_000
const seqs = z.array(count).min(1).max(MOST_SCOPE)

/** A request of a data subject with its clock (GDPR 12(3)). The register names a reference, never the person. */
export const subjectRequest = z.object({
  id: z.string(),
  seq: count,
  kind: z.enum(requestKinds),
  reference: z.string(),
  opened: timestamp,
  opened_by: z.string(),
  received: day,
  due: day,
  extended: z.boolean(),
  days_left: z.int(),
  state: z.enum(['open', 'done', 'refused', 'withdrawn']),
  closed: timestamp.nullable(),
  closed_by: z.string().nullable(),
  /** The erasures of this request. `refused_seq`: a hold came in between, and what was left is kept; `gone`: leaves whose content was destroyed before it came. `searched`: pieces of the erased texts that all files were searched for; 0 when a crash lost the texts first. `left_out`: pieces that were too many to look for. `unread`: leaves whose texts could not be looked for. `traces`: what the newest search found that found any. */
  erasures: z.array(
    z.object({
      id: z.string(),
      records: count,
      seq: count,
      done_seq: count.nullable(),
      refused_seq: count.nullable(),
      gone: count.nullable(),
      searched: count.nullable(),
      kept: count.nullable(),
      left_out: count.nullable(),
      unread: count.nullable(),
      traces: count.nullable()
    })
  ),
  steps: z.array(z.object({ seq: count, time: timestamp, actor: z.string(), type: z.string(), records: count, note: z.string() }))
})
export type SubjectRequest = z.infer<typeof subjectRequest>

/** A record of a subject, with what bears on a decision about it. Texts are masked. */
export const subjectRecord = z.object({
  row: recordRow,
  /** A span around calls: no record of its own, listed nowhere else, without a preview. */
  wrapper: z.boolean(),
  class: z.string(),
  kept_until: timestamp.nullable(),
  kept_text: z.string(),
  holds: z.array(z.object({ id: z.string(), matter: z.string() }))
})
export type SubjectRecord = z.infer<typeof subjectRecord>

export const decision = z.strictObject({
  seqs,
  /** Why it is erased: chosen for each decision (GDPR 17(1)), never a default. */
  ground: words,
  /** Where retention has not ended: what overrides it. */
  override: words.optional()
})

/** Somebody who got a bundle with records that a request restricted, corrected or erased, and has to be told (GDPR 19). */
export const recipientToTell = z.object({
  export_seq: count,
  time: timestamp,
  recipient: z.string(),
  /** How many of these records the bundle held. */
  records: count,
  told: z.object({ seq: count, time: timestamp, by: z.string(), note: z.string() }).nullable()
})
export type RecipientToTell = z.infer<typeof recipientToTell>

export const requestOperations = {
  'requests.list': operation({
    summary: 'The register of requests of data subjects, newest first',
    input: z.strictObject({}),
    output: z.object({ requests: z.array(subjectRequest) }),
    access: 'read',
    leaves: []
  }),
  'requests.open': operation({
    summary: 'Enters a request; its clock starts on the day of receipt',
    input: z.strictObject({ kind: z.enum(requestKinds), reference: z.string().trim().min(1).max(120), received: day }),
    output: subjectRequest,
    access: 'write',
    leaves: ['request.received']
  }),
  'requests.extend': operation({
    summary: 'Extends the time by two further months, once, with the reason that the subject is told',
    input: z.strictObject({ id, reason: words }),
    output: subjectRequest,
    access: 'write',
    leaves: ['request.extended']
  }),
  'requests.close': operation({
    summary: 'Closes a request with its outcome',
    input: z.strictObject({ id, outcome: z.enum(['done', 'refused', 'withdrawn']), note: words }),
    output: subjectRequest,
    access: 'write',
    leaves: ['request.closed']
  }),
  'subjects.find': operation({
    summary:
      'Records of a person, and spans around calls that name them, by identifiers, by filter and by hand; erased ones are left out. The identifiers are not kept',
    input: z.strictObject({
      identifiers: z.array(z.string().trim().min(1).max(320)).max(50).default([]),
      query: z.string().max(4096).default(''),
      seqs: z.array(count).max(MOST_SCOPE).default([])
    }),
    output: z.object({
      seqs: z.array(count),
      /** Those among them that are spans around calls. */
      wrappers: z.array(count),
      /** The first 500 of them, with what bears on a decision. */
      records: z.array(subjectRecord),
      /** More than can be taken in one request: the answer holds the first. */
      more: count
    }),
    access: 'read',
    leaves: ['search.run']
  }),
  'subjects.export': operation({
    summary: 'Writes the copy of a subject’s data (JSON and HTML, as PDF too where asked) as a job; the request is answered with it',
    input: z.strictObject({
      request_id: id,
      seqs,
      out: z.string().min(1).max(4096),
      replace: z.boolean().default(false),
      pdf: z.boolean().default(false)
    }),
    output: z.object({ job_id: z.string() }),
    access: 'write',
    leaves: ['subject.exported']
  }),
  'restrict.set': operation({
    summary: 'Restricts records or lifts the restriction, with a reason',
    input: z.strictObject({ seqs, on: z.boolean(), reason: words, request_id: id.optional() }),
    output: z.object({ seq: count }),
    access: 'write',
    leaves: ['restrict.set']
  }),
  'recipients.list': operation({
    summary: 'Who got bundles with records that a request restricted, corrected or erased, and who of them was told',
    input: z.strictObject({ request_id: id }),
    output: z.object({ recipients: z.array(recipientToTell) }),
    access: 'read',
    leaves: []
  }),
  'recipients.tell': operation({
    summary: 'Records that a recipient was told, and how',
    input: z.strictObject({ request_id: id, export_seq: count, note: words }),
    output: z.object({ recipients: z.array(recipientToTell) }),
    access: 'write',
    leaves: ['recipient.told']
  }),
  'erasure.ask': operation({
    summary: 'Asks a second person to erase records, each with its ground',
    input: z.strictObject({ request_id: id, decisions: z.array(decision).min(1).max(200) }),
    output: approval,
    access: 'write',
    leaves: ['approval.asked']
  }),
  'erasure.refuse': operation({
    summary: 'Records that records are not erased, and on what ground',
    input: z.strictObject({ request_id: id, seqs, ground: words }),
    output: z.object({ seq: count }),
    access: 'write',
    leaves: ['erasure.refused']
  }),
  'erasure.save_certificate': operation({
    summary: 'Writes the certificate as a page, with its JSON beside it, and as PDF where asked',
    input: z.strictObject({ id, out: z.string().min(1).max(4096), pdf: z.boolean().default(false) }),
    output: z.object({ html: z.string(), json: z.string(), pdf: z.string().nullable() }),
    access: 'read',
    leaves: ['export.created']
  }),
  'erasure.certificate': operation({
    summary: 'The certificate of an erasure that is done',
    input: z.strictObject({ id }),
    output: printable.extend({ json: z.string() }),
    access: 'read',
    leaves: []
  })
} as const
