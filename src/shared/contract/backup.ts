// SPDX-License-Identifier: Apache-2.0
import { z } from 'zod'
import { operation } from './operation.ts'
import { timestamp } from './record.ts'

const count = z.int().min(0)
const folder = z.string().min(1).max(4096)

/** When and where backups are made. */
export const backupPlan = z.strictObject({
  /** Null: no backups on a schedule. */
  folder: folder.nullable(),
  /** Hours between backups; 0 is off. */
  every_hours: z.int().min(0).max(8760),
  /** Backups kept in the folder, the newest ones; 0 keeps all. */
  keep: z.int().min(0).max(1000),
  /** Days after which the copy of the keys in a backup is removed, so that erased content does not live on in it. */
  key_days: z.int().min(1).max(365)
})
export type BackupPlan = z.infer<typeof backupPlan>

/** A backup as its manifest describes it. */
export const backupInfo = z.object({
  id: z.string(),
  path: z.string(),
  made: timestamp,
  name: z.string(),
  origin: z.string(),
  /** Leaves in the copy, and how many of them its newest checkpoint covers. */
  size: count,
  checkpoint_size: count,
  root: z.string(),
  bytes: count,
  /** Whether the keys are still in it. */
  keys: z.boolean()
})
export type BackupInfo = z.infer<typeof backupInfo>

/**
 * Whether the contents of a backup open here: with its own keys, with a newer copy of the keys beside it, or not at all. `removed`: its folder
 * is there, it is not; `not_connected`: its folder is not there.
 */
const backupContents = z.enum(['opens', 'newer_keys', 'closed', 'removed', 'not_connected'])
export type BackupContents = z.infer<typeof backupContents>

const made = z.object({
  seq: count,
  time: timestamp,
  actor: z.string(),
  size: count,
  checkpoint_size: count,
  bytes: count,
  /** `restore`: the log came from it, or it lay beside that one; the time is that of the backup, the leaf that of the restore. */
  trigger: z.enum(['person', 'schedule', 'restore']),
  path: z.string()
})

/** What a test restore, or a restore, found. */
export const restoreReport = z.object({
  kind: z.enum(['drill', 'restore']),
  backup: backupInfo,
  verdict: z.enum(['matches', 'damaged']),
  /** Each line one check with its result, in words. */
  checks: z.array(z.object({ text: z.string(), holds: z.boolean() })),
  /** Leaves this machine has seen beyond the backup; they are not in it. */
  missing_after: count,
  /** Erasures made after the backup that were carried out on the copy too. */
  reapplied: count,
  seconds: z.number()
})
export type RestoreReport = z.infer<typeof restoreReport>

const drill = z.object({
  seq: count,
  time: timestamp,
  actor: z.string(),
  kind: z.enum(['drill', 'restore']),
  verdict: z.string(),
  size: count,
  made: timestamp
})

export const backupOperations = {
  'backup.overview': operation({
    summary: 'The plan, the backups and the restores on record, newest first',
    input: z.strictObject({}),
    output: z.object({
      plan: backupPlan,
      next: timestamp.nullable(),
      backups: z.array(made.extend({ contents: backupContents })),
      /** Copies of the keys beside the backups, made before a key-encryption key was destroyed. */
      key_copies: z.array(z.object({ path: z.string(), made: timestamp, size: count })),
      /** Why a change of the key waits before the old one is destroyed; null when none does. */
      waiting: z.string().nullable(),
      restores: z.array(drill),
      keyring: z.string()
    }),
    access: 'read',
    leaves: []
  }),
  'backup.key_change': operation({
    summary: 'What a change of the key-encryption key would mean for the backups, as an erasure, a disposal or a rotation makes one',
    input: z.strictObject({}),
    output: z.object({
      /** Where a copy of the keys is made first; `problem`: why it cannot be. In the folder of the plan that holds up the change. */
      folders: z.array(z.object({ path: z.string(), planned: z.boolean(), problem: z.string().nullable() })),
      /** Backups that open now and would not afterwards. */
      closes: z.array(z.object({ path: z.string(), time: timestamp, size: count })),
      /** Backups whose folder is not there, such as on a drive that is not connected. */
      not_connected: count
    }),
    access: 'read',
    leaves: []
  }),
  'backup.set_plan': operation({
    summary: 'Sets when and where backups are made; recorded',
    input: backupPlan,
    output: backupPlan,
    access: 'write',
    leaves: ['setting.changed']
  }),
  'backup.start': operation({
    summary: 'Makes a backup into a folder, as a job: copied while records arrive, then re-hashed against a signed checkpoint',
    input: z.strictObject({ folder }),
    output: z.object({ job_id: z.string() }),
    access: 'write',
    leaves: ['backup.made']
  }),
  'backup.result': operation({
    summary: 'The backup that a job made',
    input: z.strictObject({ job_id: z.string().max(64) }),
    output: backupInfo,
    access: 'read',
    leaves: []
  }),
  'backup.inspect': operation({
    summary: 'What a folder says it holds: one backup, or several below it; newest first, not yet verified',
    input: z.strictObject({ path: folder }),
    output: z.object({ backups: z.array(backupInfo) }),
    access: 'read',
    leaves: []
  }),
  'backup.drill': operation({
    summary: 'Restores a backup into a temporary folder, verifies everything in it, compares it with this log and removes it, as a job',
    input: z.strictObject({ path: folder }),
    output: z.object({ job_id: z.string() }),
    access: 'write',
    leaves: ['restore.done']
  }),
  'backup.restore': operation({
    summary: 'Verifies a backup of another workspace and restores it to a new folder, as a job; refuses one that is damaged',
    input: z.strictObject({ path: folder, to: folder, accept_loss: z.boolean().default(false) }),
    output: z.object({ job_id: z.string() }),
    access: 'write',
    leaves: []
  }),
  'backup.report': operation({
    summary: 'The report of a test restore or a restore',
    input: z.strictObject({ job_id: z.string().max(64) }),
    output: restoreReport,
    access: 'read',
    leaves: []
  })
} as const
