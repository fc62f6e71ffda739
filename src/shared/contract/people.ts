// SPDX-License-Identifier: Apache-2.0
import { z } from 'zod'
import { roles } from '../evidence/leaf-data.ts'
import { operation } from './operation.ts'
import { permissions } from './permissions.ts'
import { timestamp } from './record.ts'

const ref = z.string().max(64)
const name = z.string().min(1).max(100)
/** The engine asks for more; here only what keeps a call small. */
const password = z.string().min(1).max(1024)
const account = z.string().min(1).max(256)
const role = z.enum(roles)

/** A local user. `ref` is what leaves name; the name itself is only in encrypted bodies. */
export const person = z.object({
  ref: z.string(),
  name: z.string(),
  role,
  state: z.enum(['active', 'disabled']),
  /** Signs in with this account of the operating system; null when not. */
  os_account: z.string().nullable(),
  /** Signs in with a password. `chosen_by_other`: must choose an own one at the next sign-in. */
  password: z.enum(['none', 'own', 'chosen_by_other']),
  added: timestamp,
  added_seq: z.int().min(0),
  changed_seq: z.int().min(0)
})
export type Person = z.infer<typeof person>

/** Who works in this window or command now, and what they may do. */
export const sessionState = z.object({
  /** `single`: no people are set up, everything is done as `local`. */
  state: z.enum(['single', 'signed_out', 'locked', 'signed_in']),
  /** Who is signed in; while locked, who was. */
  person: person.nullable(),
  permissions: z.array(z.enum(permissions)),
  /** An own password has to be chosen before anything else. */
  must_choose: z.boolean(),
  /** The account the app runs under, when a person signs in with it. */
  os_account: z.object({ account: z.string(), name: z.string() }).nullable(),
  /** Minutes without a key or pointer until it locks itself; 0 is never. */
  lock_after_minutes: z.int().min(0),
  since: timestamp.nullable(),
  /** False when the sign-in could not be written, because the workspace is open read-only. */
  recorded: z.boolean()
})
export type SessionState = z.infer<typeof sessionState>

export const peopleOperations = {
  'session.get': operation({
    summary: 'Who is signed in, and what they may do',
    input: z.strictObject({}),
    output: sessionState,
    access: 'read',
    leaves: []
  }),
  'session.sign_in': operation({
    summary: 'Signs a person in, with name and password or as the account of the operating system the app runs under; recorded',
    input: z.union([z.strictObject({ name, password }), z.strictObject({ os_account: z.literal(true) })]),
    output: sessionState,
    access: 'read',
    leaves: ['session.opened', 'session.failed']
  }),
  'session.sign_out': operation({
    summary: 'Signs out, or locks until somebody signs in again; recorded',
    input: z.strictObject({ lock: z.boolean().default(false) }),
    output: sessionState,
    access: 'read',
    leaves: ['session.closed']
  }),
  'session.touch': operation({
    summary: 'Says that a person used keyboard or pointer, so that it does not lock itself',
    input: z.strictObject({}),
    output: z.object({}),
    access: 'read',
    leaves: []
  }),
  'session.set_password': operation({
    summary: 'Chooses an own password',
    input: z.strictObject({ current: password, password }),
    output: sessionState,
    access: 'write',
    leaves: ['user.changed', 'session.failed']
  }),
  'people.names': operation({
    summary: 'Names and roles behind the refs in leaves',
    input: z.strictObject({}),
    output: z.object({ names: z.array(person.pick({ ref: true, name: true, role: true })) }),
    access: 'read',
    leaves: []
  }),
  'people.list': operation({
    summary: 'Everybody who is or was set up',
    input: z.strictObject({}),
    output: z.object({
      people: z.array(person),
      /** Account of the operating system that the engine runs under. */
      os_account: z.string()
    }),
    access: 'read',
    leaves: []
  }),
  'people.add': operation({
    summary: 'Adds a person; the first one is the administrator and is signed in at once',
    input: z.strictObject({ name, role, password: password.optional(), os_account: account.optional() }),
    output: person,
    access: 'write',
    leaves: ['user.added', 'session.opened']
  }),
  'people.change': operation({
    summary: 'Changes name, role, state or sign-in of a person; takes effect at once',
    input: z.strictObject({
      ref,
      name: name.optional(),
      role: role.optional(),
      state: z.enum(['active', 'disabled']).optional(),
      os_account: account.nullable().optional()
    }),
    output: person,
    access: 'write',
    leaves: ['user.changed', 'session.closed']
  }),
  'people.set_password': operation({
    summary: 'Gives a person a password to sign in with once; they then choose their own',
    input: z.strictObject({ ref, password }),
    output: person,
    access: 'write',
    leaves: ['user.changed', 'session.closed']
  })
} as const
