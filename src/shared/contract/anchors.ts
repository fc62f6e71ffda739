// SPDX-License-Identifier: Apache-2.0
import { z } from 'zod'
import { operation } from './operation.ts'
import { timestamp } from './record.ts'

const count = z.int().min(0)
const path = z.string().min(1).max(4096)

/** What stands outside this machine for a checkpoint. */
export const anchorKinds = ['rfc3161', 'witness'] as const

export const anchor = z.object({
  seq: count,
  kind: z.enum(anchorKinds),
  /** Leaves under the anchored checkpoint. */
  size: count,
  root: z.string(),
  /** When the authority or the witness says it saw the checkpoint. */
  time: timestamp,
  /** SHA-256 of the certificate of the authority, or of the key of the witness. */
  authority: z.string(),
  name: z.string(),
  url: z.string()
})
export type Anchor = z.infer<typeof anchor>

const certificate = z.object({ name: z.string(), fingerprint: z.string(), not_before: timestamp, not_after: timestamp })

/** Where anchoring stands; part of the status. */
export const anchoring = z.object({
  /** `off`: nobody is set to be asked. `waiting`: an attempt failed and is repeated. */
  state: z.enum(['off', 'current', 'due', 'asking', 'waiting']),
  waiting_since: timestamp.nullable(),
  /** What the last attempt met, in words. */
  message: z.string().nullable(),
  next: timestamp.nullable()
})
export type Anchoring = z.infer<typeof anchoring>

export const anchorOperations = {
  'anchors.list': operation({
    summary: 'Anchors outside this machine, newest first, and who is set to give them',
    input: z.strictObject({ limit: z.int().min(1).max(1000).default(100) }),
    output: z.object({
      anchors: z.array(anchor),
      authority: z.object({ url: z.string(), every_minutes: count, certificates: z.array(certificate) }),
      anchoring
    }),
    access: 'read',
    leaves: []
  }),
  'anchors.now': operation({
    summary: 'Asks the timestamp authority and the witnesses for the newest checkpoint at once',
    input: z.strictObject({}),
    output: z.object({ anchored: z.array(anchor) }),
    access: 'write',
    leaves: ['anchor.added']
  }),
  'anchors.page': operation({
    summary: 'The newest checkpoint as a page to print, with a QR code; written to a file when one is named',
    input: z.strictObject({ out: path.optional(), replace: z.boolean().default(false) }),
    output: z.object({ html: z.string(), footer: z.string(), size: count, path: z.string().nullable() }),
    access: 'read',
    leaves: ['export.created']
  }),
  'anchors.trust_authority': operation({
    summary: 'Takes the certificates that an authority must lead to from a PEM file',
    input: z.strictObject({ path }),
    output: z.object({ certificates: z.array(certificate) }),
    access: 'write',
    leaves: ['setting.changed']
  })
} as const
