// SPDX-License-Identifier: Apache-2.0
import { z } from 'zod'
import { movingReferences } from '../event/drift-bodies.ts'
import { anchoring, anchorKinds } from './anchors.ts'
import { errorCode } from './errors.ts'
import { operation } from './operation.ts'
import { recordRow, timestamp } from './record.ts'
import { reviewState } from './review-state.ts'

const count = z.int().min(0)

export const endpoint = z.object({
  host: z.string(),
  port: count,
  url: z.string(),
  state: z.enum(['listening', 'failed', 'starting']),
  /** When it could not listen: who likely holds the port and what to do. */
  message: z.string().nullable(),
  suggested_port: count.nullable()
})

/** What the status bar, the integrity panel and system health show; pushed once a second on the topic `status`. Everything here is measured. */
export const workspaceStatus = z.object({
  state: z.enum(['open', 'rebuilding', 'read_only']),
  /** Why it is read-only, in words, with what can still be trusted and what to do. */
  problem: z
    .object({
      code: z.string(),
      message: z.string(),
      /** Leaves, from the first, that a signed checkpoint still vouches for; null when none does. */
      trusted_size: count.nullable(),
      /** Whether a person may choose to go on from here. */
      can_continue: z.boolean(),
      findings: z.array(z.object({ code: z.string(), message: z.string() })).readonly()
    })
    .nullable(),
  name: z.string(),
  path: z.string(),
  version: z.string(),
  instance_id: z.string(),
  origin: z.string(),
  log_key: z.string(),
  sample: z.boolean(),
  /** The bundle that is open for review; null in a workspace. */
  review: reviewState.nullable(),
  started: timestamp,
  now: timestamp,
  /** `otlp`: a port of its own for OpenTelemetry, where one is asked for. */
  endpoints: z.object({ compliance: endpoint, drift: endpoint, otlp: endpoint.nullable() }),
  ledger: z.object({ size: count, records: count, bytes: count }),
  checkpoint: z.object({ size: count, time: timestamp, root: z.string(), previous_size: count, consistent: z.boolean() }).nullable(),
  /** `disturbed`: in this run the copy was unreadable, gone or another than the engine had written, or could not be written; the note says what was found and what to do. */
  head: z.object({
    size: count,
    state: z.enum(['matches', 'differs']),
    second_copy: z.enum(['matches', 'behind', 'none', 'differs', 'disturbed']),
    second_copy_note: z.string().nullable()
  }),
  /** The last verification of the whole workspace, in the background or on demand; `first` is the first fault and the leaf it is in. `seq` is null when it could not be recorded. */
  verified: z
    .object({
      seq: count.nullable(),
      time: timestamp,
      actor: z.string(),
      verdict: z.string(),
      size: count,
      faults: count,
      first: z.object({ code: z.string(), seq: count.nullable() }).nullable()
    })
    .nullable(),
  /** The anchor outside this machine that covers most leaves; `time` is what the authority or witness said. */
  anchor: z.object({ time: timestamp, kind: z.enum(anchorKinds), size: count }).nullable(),
  anchoring,
  heartbeats: z.object({ seen: count, expected: count }),
  /** What the last 24 hours show of completeness. */
  last_day: z.object({ gaps: count, longest_gap_ms: count, lost: count, incomplete: count, clock_jumps: count }),
  /** Nothing can be written since then, with how many leaves were refused; null as soon as something was. */
  failing: z.object({ since: timestamp, leaves: count, disk_full: z.boolean() }).nullable(),
  /** `unread`: calls that may be to models and passed through the recording proxy without a record, since the start. */
  ingest: z.object({ per_second: z.number(), waiting: count, unread: count, last_seq: count.nullable() }),
  commit: z.object({ p50_ms: z.number().nullable(), p99_ms: z.number().nullable() }),
  projection: z.object({ applied: count, behind: count, rebuilt: z.number().min(0).max(1).nullable() }),
  keys: z.object({ protection: z.enum(['safe-storage', 'passphrase', 'key-file', 'missing']), message: z.string() }),
  disk: z.object({ free_bytes: count.nullable() }),
  /** Open ones that are snoozed are counted as resting instead, until their time has come. */
  alerts: z.object({ open: count, acknowledged: count, resting: count, oldest_open: timestamp.nullable() })
})
export type WorkspaceStatus = z.infer<typeof workspaceStatus>

const milliseconds = z.number().min(0).nullable()

export const dashboard = z.object({
  from: timestamp,
  to: timestamp,
  bin_ms: count,
  totals: z.object({
    records: count,
    in_flight: count,
    success: count,
    error: count,
    aborted: count,
    incomplete: count,
    input_tokens: count,
    output_tokens: count,
    p50_ms: milliseconds,
    p95_ms: milliseconds,
    p99_ms: milliseconds
  }),
  /** One entry per bin, oldest first; a bin without requests has zero counts and null quantiles. Quantiles come from log-linear buckets, relative error at most 2 %. */
  bins: z.array(
    z.object({
      t: timestamp,
      records: count,
      error: count,
      aborted: count,
      incomplete: count,
      input_tokens: count,
      output_tokens: count,
      p50_ms: milliseconds,
      p95_ms: milliseconds,
      p99_ms: milliseconds
    })
  ),
  newest: z.array(recordRow),
  applied_seq: count
})
export type Dashboard = z.infer<typeof dashboard>

/** Settings a person can change; each change is a leaf. */
export const settings = z.object({
  look_every_minutes: z.int().min(0).max(10_080),
  /** New requests of a series after which it is looked at without waiting for the schedule; 0 is off. */
  look_every_records: z.int().min(0).max(1_000_000),
  /** What a series without a pinned baseline is compared with; `none`: it is not judged. */
  reference: z.enum(['none', ...movingReferences]),
  /** Days that a rolling reference reaches back. */
  reference_days: z.int().min(1).max(90),
  /** Hours after an alert was resolved in which its series and reference open no new one. */
  cooldown_hours: z.int().min(0).max(8760),
  /** Whether the desktop shows a notification of the system when an alert opens. */
  notify_on_alert: z.boolean(),
  looks_per_false_alarm: z.int().min(2).max(100_000),
  effect_floor: z.number().min(0).max(1),
  error_rate_floor: z.number().min(0).max(1),
  min_current: z.int().min(10).max(1_000_000),
  min_reference: z.int().min(10).max(1_000_000),
  procedure: z.enum(['BH', 'BY']),
  /** Hours between verifications of the whole workspace in the background; 0 is off. */
  verify_every_hours: z.int().min(0).max(8760),
  /** Hours between two looks at what is past its retention, each of which may propose a disposal; 0 is off. */
  propose_disposal_every_hours: z.int().min(0).max(8760),
  /** Minutes without a key or pointer until a signed-in window locks itself; 0 is never. */
  lock_after_minutes: z.int().min(0).max(1440),
  /** Address of an RFC 3161 timestamp authority; empty: nobody is asked. */
  tsa_url: z
    .string()
    .max(200)
    .regex(/^$|^https?:\/\/[^\s@/?#]+([/?][^\s@]*)?$/),
  /** Least minutes between two timestamps asked for by itself; 0: only when told to and at exports. */
  tsa_every_minutes: z.int().min(0).max(10_080)
})
export type Settings = z.infer<typeof settings>

export const job = z.object({
  id: z.string(),
  kind: z.enum([
    'import',
    'backtest',
    'export',
    'verify_file',
    'verify_workspace',
    'review',
    'rebuild',
    'subject_export',
    'erasure',
    'rotate_key',
    'disposal',
    'backup',
    'restore'
  ]),
  title: z.string(),
  state: z.enum(['running', 'done', 'failed', 'cancelled']),
  done: z.number(),
  total: z.number().nullable(),
  unit: z.enum(['bytes', 'looks', 'records', 'leaves', 'files']),
  /** Named counts that grow while it runs, such as accepted, duplicates, rejected. */
  counts: z.record(z.string(), z.number()),
  started: timestamp,
  ended: timestamp.nullable(),
  error: z.object({ code: errorCode, message: z.string() }).nullable()
})
export type Job = z.infer<typeof job>

export const workspaceOperations = {
  'workspace.status': operation({
    summary: 'State of the workspace, its ports, ledger, checkpoint and keys',
    input: z.strictObject({}),
    output: workspaceStatus,
    access: 'read',
    leaves: []
  }),
  'workspace.continue': operation({
    summary: 'Chooses to go on from a workspace as it was found; carried out at the next start, and recorded there before anything else',
    input: z.strictObject({
      /** The code of the problem that is shown: a choice is for what a person has read. */
      code: z.string().max(64),
      reason: z.string().min(3).max(1000)
    }),
    output: z.object({ restart: z.literal(true) }),
    access: 'read',
    leaves: ['rollback.detected']
  }),
  'workspace.dashboard': operation({
    summary: 'Totals and time bins over a range; the whole record when no range is given',
    input: z.strictObject({
      from: z.iso.datetime({ offset: true }).optional(),
      to: z.iso.datetime({ offset: true }).optional(),
      bins: z.int().min(8).max(500).default(96)
    }),
    output: dashboard,
    access: 'read',
    leaves: []
  }),
  'settings.get': operation({ summary: 'All settings', input: z.strictObject({}), output: settings, access: 'read', leaves: [] }),
  'settings.set': operation({
    summary: 'Changes settings; each change is recorded',
    input: settings.partial().strict(),
    output: settings,
    access: 'write',
    leaves: ['setting.changed']
  }),
  'workspace.rebuild': operation({
    summary: 'Makes the catalog anew from the ledger, as a job',
    input: z.strictObject({}),
    output: z.object({ job_id: z.string() }),
    access: 'read',
    leaves: []
  }),
  'jobs.list': operation({
    summary: 'Long work, newest first',
    input: z.strictObject({}),
    output: z.object({ jobs: z.array(job) }),
    access: 'read',
    leaves: []
  }),
  'jobs.get': operation({ summary: 'One job', input: z.strictObject({ id: z.string().max(64) }), output: job, access: 'read', leaves: [] }),
  'jobs.cancel': operation({
    summary: 'Asks a job to stop; what it committed stays',
    input: z.strictObject({ id: z.string().max(64) }),
    output: job,
    access: 'read',
    leaves: []
  })
} as const
