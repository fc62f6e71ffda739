// SPDX-License-Identifier: Apache-2.0
import { z } from 'zod'
import { packModes, packs } from '../privacy/kinds.ts'
import { MOST_PATTERN } from '../privacy/linear-pattern.ts'
import { operation } from './operation.ts'
import { recordDetail } from './record.ts'

const count = z.int().min(0)
const mode = z.enum(packModes)
const packSettings = z.strictObject(Object.fromEntries(packs.map((pack) => [pack, mode])) as Record<(typeof packs)[number], typeof mode>)

export const ownPattern = z.strictObject({
  /** The word that its masks show. */
  name: z
    .string()
    .regex(/^[\p{L}\p{N}][\p{L}\p{N} _-]{0,23}$/u)
    .refine((name) => name.trim() === name),
  pattern: z.string().min(1).max(MOST_PATTERN),
  ignore_case: z.boolean()
})

export const privacySettings = z.strictObject({
  packs: packSettings,
  patterns: z.array(ownPattern).max(20),
  /** Names of attributes whose values name the person a record is about, beside `user_id`. */
  subject_attributes: z.array(z.string().min(1).max(128)).max(20)
})
export type PrivacySettings = z.infer<typeof privacySettings>

const spot = z.object({ kind: z.string(), start: count, end: count })

export const privacyOperations = {
  'privacy.get': operation({
    summary: 'What is masked in views and what is redacted before sealing',
    input: z.strictObject({}),
    output: privacySettings,
    access: 'read',
    leaves: []
  }),
  'privacy.set': operation({
    summary: 'Changes masking and redaction; each change is recorded',
    input: z.strictObject({
      packs: packSettings.partial().optional(),
      patterns: privacySettings.shape.patterns.optional(),
      subject_attributes: privacySettings.shape.subject_attributes.optional()
    }),
    output: privacySettings,
    access: 'write',
    leaves: ['setting.changed']
  }),
  'privacy.test': operation({
    summary: 'What the built-in packs and the given own patterns find in a text; nothing is kept',
    input: z.strictObject({ text: z.string().max(20_000), patterns: privacySettings.shape.patterns.optional() }),
    output: z.object({
      found: z.array(spot),
      masked: z.string(),
      /** Own patterns that cannot be run in bounded time, or not at all: their place in the list and why. */
      refused: z.array(z.object({ index: count, position: count, message: z.string() }))
    }),
    access: 'read',
    leaves: []
  }),
  'records.unmask': operation({
    summary: 'One record without masks; the reason is recorded first',
    input: z.strictObject({ seq: count, reason: z.string().trim().min(3).max(500) }),
    output: recordDetail,
    access: 'write',
    leaves: ['payload.unmasked']
  })
} as const
