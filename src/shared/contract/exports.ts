// SPDX-License-Identifier: Apache-2.0
import { z } from 'zod'
import { memoryStates } from '../evidence/remembered.ts'
import { operation } from './operation.ts'
import { recordProof, timestamp } from './record.ts'

const count = z.int().min(0)
const path = z.string().min(1).max(4096)

/** Leaves by number, both ends included. */
export const leafRange = z.strictObject({ first: count, last: count }).refine(({ first, last }) => first <= last, 'first is at most last')

const scope = {
  query: z.string().max(4096).default(''),
  at: count.optional(),
  /** Takes every leaf of the range along, so that the bundle shows that none is missing: contents of what `query` finds in it, of all others none. */
  range: leafRange.optional(),
  withhold: z.array(z.enum(['request', 'response', 'error', 'event'])).default([])
}

/** What opens an encrypted bundle: its passphrase, an age identity, or a file of identities. Never kept, logged or recorded. */
export const bundleKey = z.union([
  z.strictObject({ passphrase: z.string().min(1).max(1024) }),
  z.strictObject({ identity: z.string().min(1).max(8192) }),
  z.strictObject({ identity_file: path })
])
export type BundleKey = z.infer<typeof bundleKey>

export const verifySteps = [
  'Signature of the bundle',
  'Both manifests, and no extra files',
  'Checkpoint signature',
  'Timestamp',
  'Every leaf in the tree',
  'Every payload against its commitment'
] as const

export const verdicts = ['valid', 'consistent, signer not confirmed', 'invalid', 'no fault found, N steps not checked'] as const

export const verifyReport = z.object({
  /** One of the four verdicts; the last one carries the number of steps in place of N. */
  verdict: z.string(),
  kind: z.enum(['valid', 'consistent', 'invalid', 'unchecked']),
  /** The bundle; `sha256` is null for the folder of an unpacked one. Where it came encrypted, `encrypted_sha256` is the digest of the file that was handed over. */
  file: z.object({ name: z.string(), bytes: count, sha256: z.string().nullable(), encrypted_sha256: z.string().nullable() }),
  steps: z.array(
    z.object({
      number: z.int().min(1).max(6),
      title: z.string(),
      state: z.enum(['pass', 'fail', 'not_checked', 'absent']),
      summary: z.string(),
      reasons: z.array(z.object({ code: z.string(), message: z.string(), subject: z.string().optional() }))
    })
  ),
  bundle: z.object({
    origin: z.string().nullable(),
    size: count.nullable(),
    written: z.string().nullable(),
    recipient: z.string().nullable(),
    purpose: z.string().nullable(),
    query: z.string().nullable(),
    records: count.nullable(),
    /** Records that the filter selected; those beyond `records` stayed behind. */
    in_scope: count.nullable(),
    leaves: count.nullable(),
    /** Leaves of which none is missing, as step 5 has checked where it passed; null where the bundle makes no such claim. */
    range: leafRange.nullable(),
    /** Restricted records in scope that were left out. */
    left_out: z.int().nullable(),
    /** Parts that stay closed, each counted. */
    withheld: count.nullable(),
    /** Erasures in the bundle that took parts of its leaves: their two leaves, and how many parts. */
    erasures: z.array(z.object({ intent: count, done: count, parts: count })),
    /** The case or a leaf says that this is generated data; null when neither can be read. */
    sample: z.boolean().nullable(),
    tag_manifest_sha256: z.string().nullable(),
    log_key: z.string().nullable(),
    export_key: z.string().nullable()
  }),
  /** How the checkpoint stands to those of the same log that were seen on this machine before. */
  memory: z.object({
    state: z.enum(memoryStates),
    message: z.string(),
    /** Widest first, at most 20; `consistent` is null where nothing at hand decides it. */
    heads: z.array(z.object({ seen: timestamp, size: count, consistent: z.boolean().nullable() }))
  }),
  rests_on: z.array(z.string()),
  /** When it was verified, and how long that took. */
  checked: timestamp,
  seconds: z.number()
})
export type VerifyReport = z.infer<typeof verifyReport>

export const workspaceReport = z.object({
  verdict: z.enum(['intact', 'damaged']),
  size: count,
  root: z.string(),
  checked: z.object({
    leaves: count,
    nodes: count,
    payloads: count,
    keys: count,
    checkpoints: count,
    /** Leaves whose tile, and payloads that, a disposal on record took: expected to be gone. */
    disposed_leaves: count,
    disposed_payloads: count
  }),
  /** The first of them; a last one with the code `more` says how many are not listed. */
  faults: z.array(z.object({ code: z.string(), message: z.string(), seq: count.nullable() })),
  faults_total: count,
  /** Payloads that are gone because an erasure on record took them, by the leaf of its intent, or of the restore that carried it out again. */
  erasures: z.array(z.object({ leaf: count, payloads: count })),
  /** What could not be checked and why, in words; empty as a rule. */
  not_checked: z.array(z.string()),
  seconds: z.number()
})
export type WorkspaceReport = z.infer<typeof workspaceReport>

export const exportRow = z.object({
  seq: count,
  time: timestamp,
  actor: z.string(),
  file: z.string(),
  bytes: count,
  bundle_sha256: z.string(),
  tag_manifest_sha256: z.string(),
  size: count,
  records: count,
  leaves: count,
  withheld: count,
  query: z.string(),
  /** Leaves that are all in the bundle; null where only what was selected is. */
  range: leafRange.nullable(),
  recipient: z.string(),
  purpose: z.string(),
  /** From the request to the file on disk. */
  duration_ms: count.nullable(),
  /** SHA-256 of the encrypted file that was handed over; null when the bundle was not encrypted. */
  encrypted_sha256: z.string().nullable()
})
export type ExportRow = z.infer<typeof exportRow>

/** An export that ended before its bundle was finished, and can be carried on with. */
export const interruptedExport = z.object({
  id: z.uuid(),
  /** Leaf of the `export.intent`. */
  seq: count,
  asked: timestamp,
  actor: z.string(),
  query: z.string(),
  range: leafRange.nullable(),
  recipient: z.string(),
  purpose: z.string(),
  withhold: z.array(z.enum(['request', 'response', 'error', 'event'])),
  withhold_reason: z.string().nullable(),
  withhold_personal: z.boolean(),
  pdf: z.boolean(),
  parquet: z.boolean(),
  /** `passphrase`: it is not recorded and has to be given again. */
  encrypt: z.union([z.enum(['none', 'passphrase']), z.object({ recipient: z.string() })]),
  /** Where the bundle goes, and where its unfinished file stands. */
  path: z.string(),
  partial: z.string(),
  size: count,
  records: count,
  leaves: count,
  /** What the journal knows to be finished; it is held against the file before it is used. `total` 0: nothing yet. */
  finished: z.object({ done: count, total: count, bytes: count })
})
export type InterruptedExport = z.infer<typeof interruptedExport>

const exportId = z.uuid()

export const exportOperations = {
  'export.preview': operation({
    summary: 'What a bundle of this filter would hold; nothing is written',
    input: z.strictObject(scope),
    output: z.object({
      query: z.string(),
      /** Size of the tree the bundle would prove against. */
      size: count,
      range: leafRange.nullable(),
      /** Records with their contents. */
      records: count,
      leaves: count,
      /** Records of the filter that stay behind because they are restricted. */
      restricted: count,
      erased: count,
      withheld_parts: count,
      /** Drift looks that go along whole for the verdicts to be decided again, with names and count tables of so many series. */
      looks: z.object({ looks: count, series: count }),
      from: timestamp.nullable(),
      to: timestamp.nullable(),
      estimated_bytes: count
    }),
    access: 'read',
    leaves: []
  }),
  'export.start': operation({
    summary: 'Writes a signed bundle as a job',
    input: z.strictObject({
      ...scope,
      recipient: z.string().min(1).max(200),
      purpose: z.string().min(1).max(500),
      /** Why parts are withheld; stands in the bundle beside each of them. */
      withhold_reason: z.string().min(1).max(200).optional(),
      /** Withholds each part of a record in which there is personal data by the settings of privacy, and says of what kinds. */
      withhold_personal: z.boolean().default(false),
      /** The report as a tagged PDF too. Its bytes differ between two exports, and so do the manifests. */
      pdf: z.boolean().default(false),
      /** The table of records in Parquet too. */
      parquet: z.boolean().default(false),
      /** Encrypts the file for its recipient in the age format; `out` then names the encrypted file. */
      encrypt: z
        .union([
          z.strictObject({ recipient: z.string().regex(/^age1[02-9ac-hj-np-z]{58}$/) }),
          z.strictObject({ passphrase: z.string().min(12).max(1024) })
        ])
        .optional(),
      out: path,
      replace: z.boolean().default(false)
    }),
    output: z.object({ job_id: z.string() }),
    access: 'write',
    leaves: ['export.intent', 'export.created']
  }),
  'export.interrupted': operation({
    summary: 'Exports that ended before their bundle was finished, newest first',
    input: z.strictObject({}),
    output: z.object({ exports: z.array(interruptedExport) }),
    access: 'read',
    leaves: []
  }),
  'export.resume': operation({
    summary: 'Carries on with an interrupted export as a job: the same selection and tree size, so the same bytes',
    input: z.strictObject({ id: exportId, passphrase: z.string().min(12).max(1024).optional() }),
    output: z.object({ job_id: z.string() }),
    access: 'write',
    leaves: ['export.created']
  }),
  'export.discard': operation({
    summary: 'Gives an interrupted export up and removes its unfinished file',
    input: z.strictObject({ id: exportId }),
    output: z.object({
      /** The unfinished file, where it could not be removed: its folder is not there or not writable. */
      left: z.string().nullable()
    }),
    access: 'write',
    leaves: ['export.cancelled']
  }),
  'export.result': operation({
    summary: 'The bundle a finished export wrote',
    input: z.strictObject({ job_id: z.string().max(64) }),
    output: exportRow.extend({ path: z.string() }),
    access: 'read',
    leaves: []
  }),
  'export.list': operation({
    summary: 'Every bundle that left this workspace, newest first',
    input: z.strictObject({}),
    output: z.object({ exports: z.array(exportRow) }),
    access: 'read',
    leaves: []
  }),
  'verify.file': operation({
    summary: 'Verifies a bundle as a job; nothing in it is executed or stored',
    input: z.strictObject({ path, trust: path.optional(), key: bundleKey.optional() }),
    output: z.object({ job_id: z.string() }),
    access: 'read',
    leaves: ['verify.run']
  }),
  'verify.report': operation({
    summary: 'The verdict on a bundle',
    input: z.strictObject({ job_id: z.string().max(64) }),
    output: verifyReport,
    access: 'read',
    leaves: []
  }),
  'verify.workspace': operation({
    summary: 'Re-hashes every leaf, node, payload and key of the workspace as a job',
    input: z.strictObject({}),
    output: z.object({ job_id: z.string() }),
    access: 'read',
    leaves: ['verify.run']
  }),
  'verify.record': operation({
    summary: 'Checks one record from its payload to the signed checkpoint, from disk; the verdict goes on record',
    input: z.strictObject({ seq: count }),
    output: recordProof,
    access: 'read',
    leaves: ['verify.run']
  }),
  'verify.workspace_report': operation({
    summary: 'The verdict on the workspace',
    input: z.strictObject({ job_id: z.string().max(64) }),
    output: workspaceReport,
    access: 'read',
    leaves: []
  })
} as const
