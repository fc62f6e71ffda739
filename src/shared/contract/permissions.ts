// SPDX-License-Identifier: Apache-2.0
// Who may do what: one table from operations to permissions, one from roles to permissions. The router checks it, once, for every transport.
import { roles } from '../evidence/leaf-data.ts'
import type { OperationName, TopicName } from './contract.ts'
import type { Job } from './workspace.ts'

export type Role = (typeof roles)[number]

/** How a role is called in sentences. */
export const roleNames: Readonly<Record<Role, string>> = {
  operator: 'operator',
  auditor: 'auditor',
  reviewer: 'reviewer',
  data_protection: 'data protection',
  administrator: 'administrator'
}

/**
 * Permissions, from least to most. `open` needs nobody signed in, `self` needs a person, also one who still has to choose a password;
 * every other one is given by roles.
 */
export const permissions = [
  'open',
  'self',
  'see',
  'records',
  'unmask',
  'record',
  'drift',
  'verify',
  'export',
  'compliance',
  'activity',
  'review',
  'correct',
  'approve',
  'policy',
  'privacy',
  'maintain',
  'settings',
  'keys',
  'people'
] as const
export type Permission = (typeof permissions)[number]

/** What each permission allows, in words that follow *may*. */
export const permissionNames: Readonly<Record<Permission, string>> = {
  open: 'see that the engine runs',
  self: 'change the own password',
  see: 'see figures, alerts and reports',
  records: 'search and read records, masked',
  unmask: 'read what is masked, with a reason',
  record: 'import records',
  drift: 'pin baselines, look and answer alerts',
  verify: 'verify records, bundles and the workspace',
  export: 'export signed bundles',
  compliance: 'state what applies to the firm',
  activity: 'see who did what',
  review: 'record a human review of a record',
  correct: 'record a correction of a record',
  approve: 'decide what another person asked for',
  policy: 'ask for retention, holds and disposal',
  privacy: 'work on requests of data subjects',
  maintain: 'rebuild, back up and restore',
  settings: 'change settings',
  keys: 'rotate and revoke keys, add anchors and clients',
  people: 'add people and change their roles'
}

const everyone = ['open', 'self', 'see', 'records', 'verify'] as const

/** What each role may do. Nobody alone may ask and approve: that is checked where it is decided. */
export const rolePermissions: Readonly<Record<Role, readonly Permission[]>> = {
  operator: [...everyone, 'record', 'drift', 'maintain'],
  auditor: [...everyone, 'unmask', 'export', 'compliance', 'activity'],
  reviewer: [...everyone, 'unmask', 'drift', 'review', 'approve'],
  data_protection: [...everyone, 'unmask', 'export', 'compliance', 'activity', 'correct', 'approve', 'policy', 'privacy'],
  administrator: [
    ...everyone,
    'record',
    'drift',
    'export',
    'compliance',
    'activity',
    'review',
    'approve',
    'policy',
    'maintain',
    'settings',
    'keys',
    'people'
  ]
}

/** What a program may do over HTTP, by the scopes it authenticated with. */
export const scopePermissions: Readonly<Record<'ingest' | 'read' | 'write', readonly Permission[]>> = {
  ingest: ['open', 'record'],
  read: ['open', 'see', 'records'],
  write: ['open', 'drift']
}

/** Every operation and the permission it takes. A new operation does not compile without its line here. */
export const operationPermissions: Readonly<Record<OperationName, Permission>> = {
  'session.get': 'open',
  'session.sign_in': 'open',
  'session.sign_out': 'open',
  'session.touch': 'open',
  'session.set_password': 'self',
  'people.names': 'see',
  'people.list': 'activity',
  'people.add': 'people',
  'people.change': 'people',
  'people.set_password': 'people',
  'workspace.continue': 'maintain',
  'activity.list': 'activity',
  'activity.export': 'activity',
  'workspace.status': 'open',
  'workspace.dashboard': 'see',
  'workspace.rebuild': 'maintain',
  'keys.report': 'see',
  'keys.save_report': 'see',
  'keys.page': 'see',
  'keys.rotate': 'keys',
  'keys.revoke': 'keys',
  'keys.protect': 'keys',
  'anchors.list': 'see',
  'witness.report': 'see',
  'witness.configure': 'keys',
  'anchors.page': 'see',
  'anchors.now': 'keys',
  'anchors.trust_authority': 'keys',
  'clients.list': 'see',
  'clients.add': 'keys',
  'clients.revoke': 'keys',
  'settings.get': 'see',
  'settings.set': 'settings',
  'jobs.list': 'see',
  'jobs.get': 'see',
  'jobs.cancel': 'see',
  'records.open': 'records',
  'records.page': 'records',
  'records.locate': 'records',
  'records.close': 'records',
  'records.facets': 'records',
  'records.get': 'records',
  'records.life': 'records',
  'records.proof': 'verify',
  'records.unmask': 'unmask',
  'records.review': 'review',
  'records.correct': 'correct',
  'records.query': 'records',
  'records.statistics': 'see',
  'events.append': 'record',
  'import.profiles': 'record',
  'import.preview': 'record',
  'import.start': 'record',
  'import.result': 'record',
  'drift.series': 'see',
  'drift.alerts': 'see',
  'drift.statistics': 'see',
  'drift.verdict': 'see',
  'drift.compare': 'see',
  'drift.timeline': 'see',
  'drift.baselines': 'see',
  'drift.baseline_preview': 'drift',
  'drift.set_baseline': 'drift',
  'drift.look': 'drift',
  'drift.acknowledge': 'drift',
  'drift.acknowledge_many': 'drift',
  'drift.snooze': 'drift',
  'drift.resolve': 'drift',
  'drift.backtest': 'drift',
  'drift.backtest_result': 'see',
  'drift.explain': 'see',
  'upstreams.list': 'see',
  'upstreams.set': 'settings',
  'upstreams.remove': 'settings',
  'upstreams.test': 'settings',
  'prices.list': 'see',
  'prices.set': 'settings',
  'prices.remove': 'settings',
  'webhooks.list': 'settings',
  'webhooks.set': 'settings',
  'webhooks.remove': 'settings',
  'webhooks.test': 'settings',
  'export.preview': 'export',
  'export.start': 'export',
  'export.result': 'export',
  'export.interrupted': 'export',
  'export.resume': 'export',
  'export.discard': 'export',
  'export.list': 'see',
  'verify.file': 'verify',
  'verify.report': 'verify',
  'foreign.recognise': 'verify',
  'foreign.verify': 'verify',
  'review.start': 'verify',
  'review.result': 'verify',
  'review.report': 'verify',
  'review.confirm_keys': 'verify',
  'review.forget_keys': 'verify',
  'verify.record': 'verify',
  'verify.workspace': 'verify',
  'verify.workspace_report': 'verify',
  'approvals.list': 'see',
  'approvals.decide': 'approve',
  'backup.overview': 'see',
  'backup.key_change': 'see',
  'backup.set_plan': 'settings',
  'backup.start': 'maintain',
  'backup.result': 'maintain',
  'backup.inspect': 'maintain',
  'backup.drill': 'maintain',
  'backup.restore': 'maintain',
  'backup.report': 'maintain',
  'retention.get': 'see',
  'retention.set': 'policy',
  'retention.event': 'policy',
  'retention.of': 'records',
  'disposal.preview': 'see',
  'disposal.ask': 'policy',
  'disposal.list': 'see',
  'holds.list': 'see',
  'holds.preview': 'policy',
  'holds.place': 'policy',
  'holds.release': 'policy',
  'compliance.report': 'see',
  'compliance.page': 'see',
  'report.drift': 'see',
  'report.verification': 'verify',
  'compliance.mark': 'compliance',
  'compliance.completeness': 'see',
  'compliance.verifications': 'see',
  'compliance.processing': 'see',
  'compliance.save_processing': 'see',
  'compliance.set_processing': 'compliance',
  'privacy.get': 'see',
  'privacy.set': 'privacy',
  'privacy.test': 'see',
  'requests.list': 'privacy',
  'requests.open': 'privacy',
  'requests.extend': 'privacy',
  'requests.close': 'privacy',
  'subjects.find': 'privacy',
  'subjects.export': 'privacy',
  'restrict.set': 'privacy',
  'recipients.list': 'privacy',
  'recipients.tell': 'privacy',
  'erasure.ask': 'privacy',
  'erasure.refuse': 'privacy',
  'erasure.certificate': 'privacy',
  'erasure.save_certificate': 'privacy'
}

/**
 * What it takes to cancel work that somebody else asked for: as much as to ask for it. A verification of the workspace is held against those who
 * record, so it is for those who oversee them to end it.
 */
export const cancelPermissions: Readonly<Record<Job['kind'], Permission>> = {
  import: operationPermissions['import.start'],
  backtest: operationPermissions['drift.backtest'],
  export: operationPermissions['export.start'],
  verify_file: operationPermissions['verify.file'],
  verify_workspace: 'activity',
  review: operationPermissions['review.start'],
  rebuild: operationPermissions['workspace.rebuild'],
  subject_export: operationPermissions['subjects.export'],
  erasure: operationPermissions['erasure.ask'],
  rotate_key: operationPermissions['keys.rotate'],
  disposal: operationPermissions['disposal.ask'],
  backup: operationPermissions['backup.start'],
  restore: operationPermissions['backup.restore']
}

/** What the engine pushes, and the permission it takes to be shown it. */
export const topicPermissions: Readonly<Record<TopicName, Permission>> = {
  session: 'open',
  status: 'open',
  records: 'records',
  jobs: 'see',
  alerts: 'see',
  notices: 'open'
}

/** The roles that have a permission. */
export const rolesWith = (permission: Permission): readonly Role[] => roles.filter((role) => rolePermissions[role].includes(permission))

/** Whether what is held is enough for an operation. */
export const mayCall = (held: ReadonlySet<Permission>, op: OperationName): boolean => held.has(operationPermissions[op])

/** Who may do what, in a sentence: for refusals and for hints beside what is disabled. */
export function whoMay(permission: Permission): string {
  const names = rolesWith(permission).map((role) => roleNames[role])
  return names.length === 1 ? `this takes the role ${names[0]}` : `this takes one of the roles ${names.join(', ')}`
}
