// SPDX-License-Identifier: Apache-2.0
import { z } from 'zod'
import { operation } from './operation.ts'
import { timestamp } from './record.ts'

const count = z.int().min(0)
const id = z.string().max(64)

/** What the desktop announces: an alert that opened, or (`alert_id` null) that the record does not verify or recording fails. Plain names and figures only. */
export const notice = z.object({ alert_id: z.string().nullable(), title: z.string(), body: z.string() })
export type Notice = z.infer<typeof notice>

/** Where alerts are posted to, and how the last attempt went. The secret is never in it. */
export const webhook = z.object({
  id: z.string(),
  url: z.string(),
  enabled: z.boolean(),
  added: timestamp,
  actor: z.string(),
  delivery: z.object({
    state: z.enum(['idle', 'sending', 'waiting', 'failed']),
    delivered: count,
    given_up: count,
    attempts: count,
    last_time: timestamp.nullable(),
    /** What the last attempt posted: an alert, or a test that somebody asked for. */
    last_kind: z.enum(['alert', 'test']).nullable(),
    /** HTTP status of the last answer; null when none came. */
    last_status: count.nullable(),
    /** Why the last attempt failed, in words without content; null when it went well. */
    last_problem: z.string().nullable(),
    next_time: timestamp.nullable()
  })
})
export type Webhook = z.infer<typeof webhook>

export const webhookOperations = {
  'webhooks.list': operation({
    summary: 'Webhooks with the state of their deliveries',
    input: z.strictObject({}),
    output: z.object({ webhooks: z.array(webhook) }),
    access: 'read',
    leaves: []
  }),
  'webhooks.set': operation({
    summary: 'Adds a webhook and gives its secret once, or changes one; https, or http on this machine',
    input: z.strictObject({ id: id.optional(), url: z.string().min(1).max(2048), enabled: z.boolean().default(true) }),
    output: z.object({ webhook, secret: z.string().nullable() }),
    access: 'write',
    leaves: ['setting.changed']
  }),
  'webhooks.remove': operation({
    summary: 'Removes a webhook and its secret',
    input: z.strictObject({ id }),
    output: z.object({ webhooks: z.array(webhook) }),
    access: 'write',
    leaves: ['setting.changed']
  }),
  'webhooks.test': operation({
    summary: 'Posts a test event once and tells how it went',
    input: z.strictObject({ id }),
    output: z.object({ ok: z.boolean(), status: count.nullable(), problem: z.string().nullable() }),
    access: 'write',
    leaves: []
  })
} as const
