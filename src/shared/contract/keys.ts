// SPDX-License-Identifier: Apache-2.0
import { z } from 'zod'
import { printable } from './compliance.ts'
import { operation } from './operation.ts'
import { timestamp } from './record.ts'

const count = z.int().min(0)
const keyUses = ['log', 'export', 'key-encryption', 'witness'] as const
const protections = ['safe-storage', 'passphrase', 'key-file', 'missing'] as const
const path = z.string().min(1).max(4096)

const key = z.object({
  use: z.enum(keyUses),
  id: z.string(),
  /** SHA-256 of the public key, hex; null for a key that has none. */
  fingerprint: z.string().nullable(),
  public_key: z.string().nullable(),
  state: z.enum(['in_use', 'retired', 'revoked']),
  added: timestamp,
  retired: timestamp.nullable(),
  revoked: z.object({ seq: count, time: timestamp, reason: z.string() }).nullable()
})

export const keyReport = z.object({
  origin: z.string(),
  protection: z.enum(protections),
  message: z.string(),
  /** What is to be said of keys whose change a restore took from the record for good; null when each is on record. */
  unlinked: z.string().nullable(),
  keys: z.array(key),
  /** Every leaf about keys, oldest first. */
  history: z.array(
    z.object({
      seq: count,
      time: timestamp,
      actor: z.string(),
      what: z.enum(['added', 'retired', 'revoked']),
      use: z.enum(keyUses),
      key_id: z.string(),
      reason: z.string()
    })
  )
})
export type KeyReport = z.infer<typeof keyReport>

/** Shortest passphrase that may be typed, in UTF-16 units; the same as for a password. */
export const SHORTEST_TYPED = 12

/** How the keys are to be protected. A typed passphrase has no control characters, so that it can be the first line of a file as well. */
export const keyProtectionChoice = z.union([
  z.strictObject({ protection: z.literal('passphrase'), passphrase_file: path }),
  z.strictObject({
    protection: z.literal('passphrase'),
    passphrase: z
      .string()
      .min(SHORTEST_TYPED)
      .max(1024)
      .regex(/^[^\p{Cc}\p{Cs}]*$/u)
  }),
  z.strictObject({ protection: z.enum(['safe-storage', 'key-file']) })
])
export type KeyProtectionChoice = z.infer<typeof keyProtectionChoice>

/** The keys of a workspace and their life. */
export const keyOperations = {
  'keys.report': operation({
    summary: 'Keys in use and before, their protection, fingerprints and history',
    input: z.strictObject({}),
    output: keyReport,
    access: 'read',
    leaves: []
  }),
  'keys.save_report': operation({
    summary: 'Writes the key report to a file',
    input: z.strictObject({ out: path, format: z.enum(['html', 'json']), replace: z.boolean().default(false) }),
    output: z.object({ path: z.string(), bytes: count }),
    access: 'read',
    leaves: ['export.created']
  }),
  'keys.page': operation({
    summary: 'The fingerprints of the signing keys in use as a page, to hand over by another way than bundles',
    input: z.strictObject({}),
    output: printable,
    access: 'read',
    leaves: []
  }),
  'keys.rotate': operation({
    summary: 'Replaces a key by a new one, as a job; the old one is destroyed at its end',
    input: z.strictObject({ use: z.enum(['log', 'export', 'key-encryption']) }),
    output: z.object({ job_id: z.string() }),
    access: 'write',
    leaves: ['key.added', 'key.retired']
  }),
  'keys.revoke': operation({
    summary: 'Says on record that a signing key is not to be trusted any more; one in use is replaced first',
    input: z.strictObject({ key_id: z.string().regex(/^[0-9a-f]{8}$/), reason: z.string().min(1).max(500) }),
    output: keyReport,
    access: 'write',
    leaves: ['key.revoked', 'key.added', 'key.retired']
  }),
  'keys.protect': operation({
    summary: 'Protects the keys at rest in another way, or by another passphrase: typed, or the first line of a file',
    input: keyProtectionChoice,
    output: keyReport,
    access: 'write',
    leaves: ['setting.changed']
  })
} as const
