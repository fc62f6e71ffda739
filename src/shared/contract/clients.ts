// SPDX-License-Identifier: Apache-2.0
import { z } from 'zod'
import { clientName, clientScopes } from '../evidence/leaf-data.ts'
import { operation } from './operation.ts'
import { timestamp } from './record.ts'

const count = z.int().min(0)

/** A program that identifies itself by a token. The token itself is in no answer but that of its making. */
export const client = z.object({
  id: z.uuid(),
  name: z.string(),
  scopes: z.array(z.enum(clientScopes)),
  added: timestamp,
  actor: z.string(),
  /** null while its token is taken. */
  revoked: timestamp.nullable(),
  /** Since the engine started: requests with its token, records taken from it, calls that the proxy passed on without a record, and the last of its requests. */
  used: z.object({ requests: count, records: count, unread: count, last: timestamp.nullable() })
})
export type Client = z.infer<typeof client>

export const clientOperations = {
  'clients.list': operation({
    summary: 'Clients with a token, newest first, revoked ones too',
    input: z.strictObject({}),
    output: z.object({ clients: z.array(client) }),
    access: 'read',
    leaves: []
  }),
  'clients.add': operation({
    summary: 'Makes a token for a client and shows it once; its name is the source of records that name none',
    input: z.strictObject({ name: clientName, scopes: z.array(z.enum(clientScopes)).min(1).max(clientScopes.length) }),
    output: z.object({ client, token: z.string() }),
    access: 'write',
    leaves: ['client.added']
  }),
  'clients.revoke': operation({
    summary: 'Takes a client its token; from the next request on it is refused',
    input: z.strictObject({ id: z.uuid() }),
    output: z.object({ client }),
    access: 'write',
    leaves: ['client.revoked']
  })
} as const
