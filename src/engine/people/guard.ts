// SPDX-License-Identifier: Apache-2.0
import type { OperationName } from '../../shared/contract/contract.ts'
import type { Failure } from '../../shared/contract/errors.ts'
import {
  mayCall,
  operationPermissions,
  type Permission,
  permissions,
  roleNames,
  rolePermissions,
  scopePermissions,
  whoMay
} from '../../shared/contract/permissions.ts'
import type { Notice } from '../../shared/contract/webhooks.ts'
import type { Caller } from '../handlers.ts'
import type { Directory } from './directory.ts'

const all: ReadonlySet<Permission> = new Set(permissions)
const nobody: ReadonlySet<Permission> = new Set(['open'])
const choosing: ReadonlySet<Permission> = new Set(['open', 'self'])

/** Whether a person signed in with a password that somebody else knows. */
export function mustChoose(directory: Directory, caller: Pick<Caller, 'session'>): boolean {
  const current = caller.session?.current
  return current?.method === 'password' && directory.get(current.ref)?.password === 'chosen_by_other'
}

/** What a caller may do now. Roles are looked up at each call, so that a change takes effect at once. */
export function permissionsOf(directory: Directory, caller: Caller): ReadonlySet<Permission> {
  const { actor } = caller
  switch (actor.kind) {
    case 'system':
      return all
    case 'service':
    case 'model':
      return new Set((caller.scopes ?? []).flatMap((scope) => scopePermissions[scope]))
    case 'human': {
      if (directory.empty) return all
      const person = directory.get(actor.ref)
      if (person?.state !== 'active') return nobody
      return mustChoose(directory, caller) ? choosing : new Set(rolePermissions[person.role])
    }
  }
}

/** A notice for a machine at which nobody is signed in: that an alert asks for attention, not what it is about. */
export const withoutNames = (notice: Notice): Notice =>
  notice.alert_id === null ? notice : { ...notice, title: 'Drift', body: 'An alert asks for attention. Sign in to see it.' }

/** Why a caller may not use an operation; null when it may. */
export function refusalOf(directory: Directory, op: OperationName, caller: Caller): Failure | null {
  if (mayCall(permissionsOf(directory, caller), op)) return null
  const permission = operationPermissions[op]
  if (caller.actor.kind !== 'human')
    return { code: 'forbidden', message: 'this client was not given the scope for this', details: { permission } }
  const person = directory.get(caller.actor.ref)
  if (person?.state !== 'active') return { code: 'unauthorized', message: 'nobody is signed in: sign in first' }
  if (mustChoose(directory, caller)) return { code: 'forbidden', message: 'choose a password of your own first' }
  return { code: 'forbidden', message: `${whoMay(permission)}; you are signed in as ${roleNames[person.role]}`, details: { permission } }
}
