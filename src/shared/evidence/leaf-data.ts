// SPDX-License-Identifier: Apache-2.0
import { z } from 'zod'
import { movingReferences } from '../event/drift-bodies.ts'
import { triggerEvents } from '../policy/retention.ts'
import type { LeafType } from './leaf-types.ts'

const count = z.int().min(0)
const hex64 = z.string().regex(/^[0-9a-f]{64}$/)
const word = z.string().min(1).max(128)
/** A real number as the shortest decimal that reads back to the same double: leaves hold no fractions (RFC 8785 numbers differ between readers). */
const decimal = z
  .string()
  .max(32)
  .regex(/^-?\d+(\.\d+)?(e[+-]?\d+)?$/)
/** Name of the setting whose leaves keep webhooks: `to` names the webhook, or is empty when it was removed; its address is in the body. */
export const WEBHOOK_SETTING = 'drift.webhook'
/** Beginning of the names of settings that keep upstreams of the recording proxy; the rest is the name of the upstream, `to` its JSON or empty. */
export const UPSTREAM_SETTING = 'proxy.upstream.'

/** What takes two people (EVIDENCE, Erasure, retention, holds). */
export const approvalActions = ['erasure', 'disposal', 'hold_release', 'retention_shorten'] as const

/** What a client's token is good for: `ingest` records events, `read` asks, `write` changes (such as acknowledging an alert). */
export const clientScopes = ['ingest', 'read', 'write'] as const
/** What a client is called: a plain label, as it becomes the source of records that name none. */
export const clientName = z.string().regex(/^[A-Za-z0-9._:/-]{1,64}$/)

/** What a local user can be; one role at a time. */
export const roles = ['operator', 'auditor', 'reviewer', 'data_protection', 'administrator'] as const

/** The role and state of a person after the change; the name is in the body. `password`: how often it was set, 0 for none. */
const user = {
  user: word,
  role: z.enum(roles),
  state: z.enum(['active', 'disabled']),
  password: count
}
const session = { session: z.uuid(), user: word }
/** What a key of a workspace is for. */
/** Of a key-encryption key that changes for an erasure or a disposal: the approval that it rests on. */
const keyApproval = z.uuid().optional()
const keyUse = z.enum(['log', 'export', 'key-encryption', 'witness'])
/** 32 bytes in base64. */
const hash44 = z.string().regex(/^[A-Za-z0-9+/]{43}=$/)

/** What a subject may ask for (GDPR 15 to 18). */
export const requestKinds = ['access', 'erasure', 'restriction', 'rectification'] as const
export type RequestKind = (typeof requestKinds)[number]
const request = z.uuid()
const day = z.iso.date()

const series = { model: word, source: word }
/** What a price is for; without a provider for any. */
const priced = { model: word, provider: word.optional(), valid_from: day }

/**
 * The `data` of each non-LLM leaf type: strict, without personal data or free text (those go to the part `body`).
 * A type that is missing here cannot be appended yet.
 */
/** What a human review of a record ends with. */
export const reviewDecisions = ['accepted', 'rejected', 'escalated'] as const

export const leafDataSchemas = {
  heartbeat: z.strictObject({ leaves: count, records: count, failed: count, uptime_s: count }),
  'recovered.incomplete': z.strictObject({ reason: z.enum(['engine_ended']) }),
  'engine.started': z.strictObject({
    instance: word,
    keys: z.enum(['safe-storage', 'passphrase', 'key-file']),
    size: count,
    recovered: count
  }),
  'engine.stopped': z.strictObject({ reason: z.enum(['quit', 'signal', 'restart']), leaves: count }),
  'logging.failed': z.strictObject({ lost: count, reason: word }),
  'rollback.detected': z.strictObject({ reason: word, head_size: count, found_size: count }),
  'clock.jump': z.strictObject({ delta_ms: z.int() }),
  /** `body_sha256`: of the body, which is the mapping that a person made. */
  'import.started': z.strictObject({ file_sha256: hex64, bytes: count, profile: word, zone: word, body_sha256: hex64.optional() }),
  'import.done': z.strictObject({
    file_sha256: hex64,
    started: count,
    accepted: count,
    duplicates: count,
    rejected: count,
    ended: z.enum(['complete', 'cancelled', 'failed']),
    /** What was read hashes to, where the file changed while it was read: then not all rows are covered by `file_sha256`. */
    read_sha256: hex64.optional()
  }),
  'drift.look': z.strictObject({
    look_id: z.uuid(),
    trigger: z.enum(['person', 'schedule', 'count']),
    from_seq: count,
    to_seq: count,
    tests: count,
    collecting: count,
    alarmed: count,
    level: decimal,
    threshold: decimal,
    procedure: z.enum(['BH', 'BY']),
    body_sha256: hex64
  }),
  'drift.alert': z.strictObject({
    alert_id: z.uuid(),
    look: count,
    ...series,
    score: decimal,
    features: z
      .array(z.strictObject({ feature: word, d: decimal, l: decimal, p: decimal, q: decimal, n: count, m: count }))
      .min(1)
      .max(8),
    /** The baseline, or the kind of a reference that moves. */
    baseline: z.union([z.uuid(), z.enum(movingReferences)])
  }),
  'drift.ack': z.strictObject({ alert_id: z.uuid(), alert: count }),
  'drift.resolve': z.strictObject({ alert_id: z.uuid(), alert: count }),
  'drift.snooze': z.strictObject({ alert_id: z.uuid(), alert: count, until: z.iso.datetime(), ended: z.literal(true).optional() }),
  'drift.backtest': z.strictObject({ looks: count, alarms: count, episodes: count, to_seq: count, body_sha256: hex64 }),
  'baseline.set': z.strictObject({ baseline_id: z.uuid(), ...series, records: count, to_seq: count, body_sha256: hex64 }),
  'record.viewed': z.strictObject({ seq: count }),
  'request.received': z.strictObject({ request_id: request, kind: z.enum(requestKinds), received: day, due: day }),
  'request.extended': z.strictObject({ request_id: request, due: day }),
  'request.closed': z.strictObject({ request_id: request, outcome: z.enum(['done', 'refused', 'withdrawn']) }),
  'subject.exported': z.strictObject({
    request_id: request,
    records: count,
    bytes: count,
    json_sha256: hex64,
    html_sha256: hex64,
    pdf_sha256: hex64.optional()
  }),
  'restrict.set': z.strictObject({ request_id: request.optional(), records: count, on: z.boolean() }),
  /** One of `leaves` leaves with parts of one scope; `leaf` counts from 0. */
  'erasure.intent': z.strictObject({ erasure_id: z.uuid(), request_id: request, records: count, leaf: count, leaves: count }),
  /** A search of all files after an erasure found traces of its texts; in which files is in the body. */
  'erasure.searched': z.strictObject({ erasure_id: z.uuid(), request_id: request, needles: count, found: count, in_files: count }),
  'erasure.done': z.strictObject({
    erasure_id: z.uuid(),
    request_id: request,
    approval_id: z.uuid(),
    records: count,
    kek_id: word,
    scan: z.strictObject({
      files: count,
      bytes: count,
      needles: count,
      found: count,
      kept: count,
      /** Pieces that were too many to look for; which bytes of a longer text are looked for. Absent in leaves of earlier versions. */
      left: count.optional(),
      /** Leaves whose texts were looked for, of those of the scope: what could not be read any more could not. */
      covered: count.optional(),
      of: count.optional(),
      piece_bytes: count.optional(),
      piece_every: count.optional()
    })
  }),
  /** Whoever got the bundle of that export was told of what the request changed (GDPR 19); how is in the body. */
  'recipient.told': z.strictObject({ request_id: request, export: count }),
  /** A person decided on a record after reading it; the note is in the body. */
  'review.decided': z.strictObject({ record: count, decision: z.enum(reviewDecisions) }),
  /** Something in a record is wrong; which places, what should stand there and why is in the body. */
  'record.corrected': z.strictObject({ record: count }),
  'app.updated': z.strictObject({ from: word, to: word }),
  'erasure.refused': z.strictObject({
    request_id: request,
    records: count,
    /** `nothing_left`: what two people decided to erase was erased or disposed of by then. */
    reason: z.enum(['ground', 'hold', 'nothing_left']),
    approval_id: z.uuid().optional(),
    /** Leaves whose content was destroyed before the hold came. */
    gone: count.optional()
  }),
  'payload.unmasked': z.strictObject({ seq: count }),
  'search.run': z.strictObject({ matched: count, of: z.enum(['activity', 'stream']).optional() }),
  /** Somebody asked for a bundle; what, for whom, why and to where is in the body. The first byte of it is written after this. */
  'export.intent': z.strictObject({
    export_id: z.uuid(),
    /** Size of the tree that the bundle proves against. */
    size: count,
    records: count,
    leaves: count,
    /** SHA-256 over the numbers of the selected leaves. */
    selection_sha256: hex64
  }),
  /** An export that came to no bundle: `failed` and `code` when the work could not go on, else a person ended it while it ran or later. */
  'export.cancelled': z.strictObject({
    export_id: z.uuid(),
    intent: count,
    reason: z.enum(['cancelled', 'discarded', 'failed']),
    code: word.optional()
  }),
  'export.created': z.union([
    z.strictObject({
      /** Leaf of the `export.intent`. */
      intent: count.optional(),
      bundle_sha256: hex64,
      tag_manifest_sha256: hex64,
      bytes: count,
      size: count,
      records: count,
      leaves: count,
      withheld: count,
      /** From the request to the file on disk. */
      duration_ms: count.optional(),
      /** When the file is encrypted to the recipient: digest of what was handed over. */
      encrypted_sha256: hex64.optional()
    }),
    z.strictObject({ kind: z.literal('activity'), file_sha256: hex64, bytes: count, rows: count }),
    /** A report that somebody saved; which erasure a certificate is of is in the body. */
    z.strictObject({ kind: z.enum(['certificate', 'key_report', 'processing', 'checkpoint_page']), file_sha256: hex64, bytes: count })
  ]),
  /** `record`: its leaf, for that scope. `first_code` and `first_seq`: the first fault and the leaf it is in. */
  'verify.run': z.strictObject({
    scope: z.enum(['workspace', 'record', 'bundle', 'foreign']),
    verdict: word,
    size: count,
    faults: count,
    record: count.optional(),
    first_code: word.optional(),
    first_seq: count.optional()
  }),
  'bundle.opened': z.strictObject({ verdict: word, bundle_sha256: hex64, size: count, records: count, faults: count }),
  'approval.asked': z.strictObject({ approval_id: z.uuid(), action: z.enum(approvalActions), body_sha256: hex64 }),
  'approval.given': z.strictObject({ approval_id: z.uuid(), asked: count }),
  'approval.refused': z.strictObject({ approval_id: z.uuid(), asked: count }),
  'user.added': z.strictObject(user),
  'user.changed': z.strictObject({ ...user, what: z.array(z.enum(['name', 'role', 'state', 'os_account', 'password'])).min(1) }),
  'session.opened': z.strictObject({
    ...session,
    method: z.enum(['password', 'os_account', 'first']),
    surface: z.enum(['desktop', 'cli'])
  }),
  'session.failed': z.strictObject({ user: word.optional(), refused: count, wait_s: count }),
  'session.closed': z.strictObject({ ...session, reason: z.enum(['signed_out', 'locked', 'idle', 'changed', 'quit']) }),
  /** The digest of a random token of 256 bits: nothing can be found from it. */
  'client.added': z.strictObject({
    client_id: z.uuid(),
    name: clientName,
    scopes: z.array(z.enum(clientScopes)).min(1).max(3),
    token_sha256: hex64
  }),
  'client.revoked': z.strictObject({ client_id: z.uuid() }),
  'hold.placed': z.strictObject({
    hold_id: z.uuid(),
    scope: z.enum(['filter', 'seqs', 'subject', 'time']),
    future: z.boolean(),
    records: count,
    body_sha256: hex64
  }),
  'hold.released': z.strictObject({ hold_id: z.uuid(), hold: count, approval_id: z.uuid() }),
  /** A dry run on a schedule found something past its time; nothing goes by it. */
  'disposal.proposed': z.strictObject({
    /** The moment the dry run judged by. */
    as_of: z.iso.datetime(),
    records: count,
    tiles: count,
    bytes: count,
    held: count,
    body_sha256: hex64
  }),
  'disposal.intent': z.strictObject({
    disposal_id: z.uuid(),
    /** The approval it rests on; `approval_id` stands in what was done with it. */
    approval: z.uuid(),
    records: count,
    tiles: count,
    bytes: count,
    body_sha256: hex64
  }),
  'disposal.done': z.strictObject({ disposal_id: z.uuid(), intent: count, records: count, tiles: count, approval_id: z.uuid() }),
  /**
   * A hold came after the intent, while content was there: `hold` is its leaf, `held` the leaves of the intent that it keeps. What was gone by
   * then is in the body. With the reason `nothing_left` nothing might go any more when it was given: there is no intent, and no hold is named.
   */
  'disposal.refused': z.strictObject({
    disposal_id: z.uuid(),
    intent: count.optional(),
    hold: count.optional(),
    held: count,
    approval_id: z.uuid(),
    reason: z.enum(['nothing_left']).optional()
  }),
  'backup.made': z.strictObject({
    backup_id: z.uuid(),
    size: count,
    checkpoint_size: count,
    root: hex64,
    bytes: count,
    trigger: z.enum(['person', 'schedule'])
  }),
  /** A copy of the keys beside the backups, before the key that wrapped them is destroyed. */
  'backup.keys': z.strictObject({
    backup_id: z.uuid(),
    size: count,
    kek_id: z.string().regex(/^[0-9a-f]{16}$/),
    bytes: count
  }),
  /** A backup that the plan no longer keeps, the keys in one, or a copy of the keys that a newer one replaced; where it lay is in the body. */
  'backup.removed': z.strictObject({ backup_id: z.uuid(), what: z.enum(['backup', 'keys', 'key_copy']) }),
  'restore.done': z.strictObject({
    kind: z.enum(['drill', 'restore']),
    backup_id: z.uuid(),
    made: z.iso.datetime(),
    size: count,
    root: hex64,
    verdict: z.enum(['matches', 'damaged']),
    /** Leaves this machine had seen beyond the backup. */
    missing: count,
    reapplied: count
  }),
  'retention.set': z.discriminatedUnion('what', [
    z.strictObject({
      what: z.literal('schedule'),
      rules: count,
      classes: count,
      existing: z.boolean(),
      body_sha256: hex64,
      approval_id: z.uuid().optional()
    }),
    z.strictObject({
      what: z.literal('event'),
      event: z.enum(triggerEvents),
      scope: z.enum(['source', 'subject']),
      at_us: z.int(),
      body_sha256: hex64
    })
  ]),
  'setting.changed': z.strictObject({ name: word, from: z.string().max(256), to: z.string().max(256) }),
  /** Model names and figures only; the reason is in the body. Prices are US dollars per million tokens. */
  'price.set': z.discriminatedUnion('what', [
    z.strictObject({
      what: z.literal('set'),
      ...priced,
      usd_per_million: z.strictObject({
        input: decimal,
        output: decimal,
        cache_read: decimal.optional(),
        cache_write: decimal.optional(),
        reasoning: decimal.optional()
      })
    }),
    z.strictObject({ what: z.literal('removed'), ...priced })
  ]),
  'anchor.added': z.strictObject({
    kind: z.enum(['rfc3161', 'witness']),
    size: count,
    root: hash44,
    checkpoint_sha256: hex64,
    said_us: count,
    authority: hex64,
    body_sha256: hex64
  }),
  'key.added': z.strictObject({
    key_id: word,
    use: keyUse,
    public_key: hash44.optional(),
    /** Of a log or export key: the key before, the tree when it signed, and its signature (key-chain.ts). */
    previous_key: hash44.optional(),
    size: count.optional(),
    signature: z
      .string()
      .regex(/^[A-Za-z0-9+/]{86}==$/)
      .optional(),
    /** Written again after a restore that lost the leaf: `size` is that of the history that was given up. */
    again: z.literal(true).optional(),
    approval: keyApproval
  }),
  'key.revoked': z.strictObject({ key_id: word, use: z.enum(['log', 'export']), public_key: hash44, body_sha256: hex64 }),
  'key.retired': z.strictObject({ key_id: word, use: keyUse, public_key: hash44.optional(), approval: keyApproval })
} as const satisfies Partial<Record<LeafType, z.ZodType>>

export type LeafDataType = keyof typeof leafDataSchemas
export type LeafData<T extends LeafDataType> = z.infer<(typeof leafDataSchemas)[T]>

/** The schema of a type's `data`, or undefined for leaves that have none. */
export const leafDataOf = (type: LeafType): z.ZodType | undefined => (leafDataSchemas as Partial<Record<LeafType, z.ZodType>>)[type]
