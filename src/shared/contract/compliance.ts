// SPDX-License-Identifier: Apache-2.0
import { z } from 'zod'
import { requirementIds } from '../policy/requirement-ids.ts'
import { operation } from './operation.ts'
import { timestamp } from './record.ts'

const count = z.int().min(0)
const line = z.string().max(500)

/** Where a piece of evidence is seen in the app. */
export const evidenceLink = z.object({
  to: z.enum(['records', 'drift', 'compliance', 'exports', 'settings']),
  view: z.string().optional(),
  seq: count.optional(),
  query: z.string().optional()
})
export type EvidenceLink = z.infer<typeof evidenceLink>

export const requirement = z.object({
  id: z.enum(requirementIds),
  group: z.enum(['sec', 'gdpr', 'ai_act', 'other']),
  source: z.string(),
  /** The paragraph was not checked against the official text. */
  see_rule: z.boolean(),
  asked: z.string(),
  state: z.enum(['backed', 'partly', 'not', 'not_applicable']),
  /** What is missing, in words; null when it is backed. */
  gap: z.string().nullable(),
  evidence: z.object({
    label: z.string(),
    link: evidenceLink,
    /** The kinds of leaves it consists of: how many, and the newest one. */
    leaves: z.array(z.object({ type: z.string(), count, seq: count, time: timestamp }))
  }),
  /** What a person noted on it; null when nobody did. */
  note: z
    .object({
      applies: z.boolean(),
      reason: z.string(),
      document: z.string().nullable(),
      document_sha256: z.string().nullable(),
      by: z.string(),
      seq: count,
      time: timestamp
    })
    .nullable()
})
export type Requirement = z.infer<typeof requirement>

/** One sentence of the panel on what the log shows. */
export const statement = z.object({
  group: z.enum(['proves', 'word', 'cannot']),
  subject: z.enum(['edits', 'truncation', 'completeness', 'authorship', 'time', 'erasure', 'content']),
  text: z.string(),
  detail: z.string().nullable()
})
export type Statement = z.infer<typeof statement>

/** A stretch without a sign of life. */
export const gap = z.object({
  from: timestamp,
  to: timestamp,
  from_seq: count,
  to_seq: count,
  /** `stopped`: closed by a person or the system. `ended`: ended without closing. `silent`: the engine ran and did not write. `clock`: the clock was set forward, or the machine slept. */
  reason: z.enum(['stopped', 'ended', 'silent', 'clock'])
})
export type Gap = z.infer<typeof gap>

/** A stretch whose signs of life may have gone with their tile of leaves: nothing is said of it but the intents that took it. */
export const disposedStretch = z.object({ from: timestamp, to: timestamp, from_seq: count, to_seq: count, by: z.array(count) })
export type DisposedStretch = z.infer<typeof disposedStretch>

export const verification = z.object({
  seq: count,
  time: timestamp,
  actor: z.string(),
  scope: z.enum(['workspace', 'record', 'bundle', 'foreign']),
  verdict: z.string(),
  size: count,
  faults: count
})
export type Verification = z.infer<typeof verification>

/** The part of the record of processing that only the firm knows (GDPR 30(1)). */
export const processing = z.object({
  controller: line,
  contact: line,
  officer: line,
  purposes: line,
  subjects: line,
  transfers: line
})
export type Processing = z.infer<typeof processing>

/** A page to print or to hand over: self-contained HTML without script, and what stands at the foot of each printed page. */
export const printable = z.object({ html: z.string(), footer: z.string().max(300), name: z.string() })

export const complianceOperations = {
  'compliance.report': operation({
    summary: 'Each requirement with its state and its evidence, and what the log proves and cannot; from the workspace as it is now',
    input: z.strictObject({}),
    output: z.object({ evaluated: timestamp, requirements: z.array(requirement), statements: z.array(statement) }),
    access: 'read',
    leaves: []
  }),
  'compliance.page': operation({
    summary: 'The whole view with its evidence, as a page to print',
    input: z.strictObject({}),
    output: printable,
    access: 'read',
    leaves: []
  }),
  'compliance.mark': operation({
    summary: 'Marks a requirement as applicable or not, or notes the document that backs it; recorded with its reason',
    input: z.strictObject({
      id: z.enum(requirementIds),
      applies: z.boolean(),
      reason: z.string().min(1).max(1000),
      /** A file whose name and SHA-256 go on record; the file itself is not taken. */
      document: z.string().min(1).max(4096).optional()
    }),
    output: requirement,
    access: 'write',
    leaves: ['setting.changed']
  }),
  'compliance.completeness': operation({
    summary: 'Heartbeats and gaps of the last days',
    input: z.strictObject({ days: z.int().min(1).max(366).default(30) }),
    output: z.object({
      from: timestamp,
      to: timestamp,
      heartbeats: count,
      lost: count,
      /** Requests that an end of the engine left without an answer. */
      incomplete: count,
      clock_jumps: count,
      gaps: z.array(gap),
      disposed: z.array(disposedStretch)
    }),
    access: 'read',
    leaves: []
  }),
  'compliance.verifications': operation({
    summary: 'Verifications on record, newest first',
    input: z.strictObject({ limit: z.int().min(1).max(500).default(100) }),
    output: z.object({ verifications: z.array(verification), next_due: timestamp.nullable() }),
    access: 'read',
    leaves: []
  }),
  'compliance.processing': operation({
    summary: 'The record of processing (GDPR 30): what the firm stated, and what the configuration shows',
    input: z.strictObject({}),
    output: z.object({
      stated: processing,
      sources: z.array(z.object({ source: z.string(), model: z.string(), records: count, first: timestamp, last: timestamp })),
      recipients: z.array(z.object({ recipient: z.string(), bundles: count, last: timestamp })),
      measures: z.array(z.string()),
      page: printable
    }),
    access: 'read',
    leaves: []
  }),
  'compliance.save_processing': operation({
    summary: 'Writes the record of processing to a file: a page, JSON, or CSV',
    input: z.strictObject({ out: z.string().min(1).max(4096), format: z.enum(['html', 'json', 'csv']).default('html') }),
    output: z.object({ path: z.string(), bytes: count, sha256: z.string() }),
    access: 'read',
    leaves: ['export.created']
  }),
  'compliance.set_processing': operation({
    summary: 'States the part of the record of processing that only the firm knows; recorded',
    input: processing.strict(),
    output: processing,
    access: 'write',
    leaves: ['setting.changed']
  })
} as const
