// SPDX-License-Identifier: Apache-2.0
import { type Role, roleNames } from '../../shared/contract/permissions.ts'
import type { LeafType } from '../../shared/evidence/leaf-types.ts'
import { formatNumber } from '../../shared/stats/explain.ts'

type Fields = Readonly<Record<string, unknown>>

const text = (value: unknown): string => (typeof value === 'string' ? value : '')
const whole = (value: unknown): number | null => (typeof value === 'number' && Number.isSafeInteger(value) ? value : null)
const numbered = (n: unknown, one: string, many = `${one}s`): string =>
  `${typeof n === 'number' ? formatNumber(n) : String(n)} ${n === 1 ? one : many}`

const reports: Readonly<Record<string, string>> = {
  certificate: 'the certificate of an erasure',
  key_report: 'the key report',
  processing: 'the record of processing',
  checkpoint_page: 'the page of a checkpoint'
}

const words: Partial<Record<LeafType, string | ((data: Fields) => string)>> = {
  'search.run': (data) =>
    data.of === 'activity'
      ? 'looked at the activity'
      : data.of === 'stream'
        ? 'followed the stream'
        : `searched, ${numbered(data.matched, 'match', 'matches')}`,
  'record.viewed': 'viewed a record',
  'payload.unmasked': 'unmasked a record',
  'bundle.opened': 'opened a bundle',
  'export.intent': (data) => `asked for a bundle of ${numbered(data.records, 'record')}`,
  'export.cancelled': (data) =>
    data.reason === 'failed'
      ? `could not export: ${text(data.code).replaceAll('_', ' ')}`
      : data.reason === 'discarded'
        ? 'discarded an interrupted export'
        : 'cancelled an export',
  'export.created': (data) =>
    data.kind === undefined
      ? `exported ${numbered(data.records, 'record')}`
      : data.kind === 'activity'
        ? `exported ${numbered(data.rows, 'line')} of activity`
        : `saved ${reports[text(data.kind)] ?? 'a report'}`,
  'recipient.told': 'told a recipient',
  'subject.exported': 'exported the data of a subject',
  'verify.run': (data) =>
    data.verdict === 'cancelled'
      ? `ended a verification of the workspace after ${numbered(data.size, 'leaf', 'leaves')}`
      : `verified ${data.scope === 'workspace' ? 'the workspace' : `a ${text(data.scope)}`}: ${text(data.verdict)}`,
  'anchor.added': 'added an outside anchor',
  'session.opened': (data) => (data.method === 'os_account' ? 'signed in with the system account' : 'signed in'),
  'session.failed': (data) => (whole(data.refused) ? `failed to sign in, ${String(data.refused)} more turned away` : 'failed to sign in'),
  'session.closed': (data) => (data.reason === 'idle' ? 'was locked out for idleness' : data.reason === 'locked' ? 'locked' : 'signed out'),
  'user.added': (data) => `added a person, ${roleNames[data.role as Role] ?? ''}`,
  'user.changed': (data) =>
    `changed a person’s ${(Array.isArray(data.what) ? (data.what as string[]) : []).join(', ').replaceAll('_', ' ')}: ${roleNames[data.role as Role] ?? ''}, ${text(data.state)}`,
  'client.added': 'added a client',
  'client.revoked': 'revoked a client',
  'approval.asked': (data) => `asked for ${text(data.action).replaceAll('_', ' ')}`,
  'approval.given': 'approved',
  'approval.refused': 'refused',
  'setting.changed': (data) => `changed ${text(data.name).replaceAll('_', ' ')} from ${text(data.from)} to ${text(data.to)}`,
  'price.set': (data) => `${data.what === 'removed' ? 'removed' : 'set'} the price of ${text(data.model)} from ${text(data.valid_from)}`,
  'erasure.searched': (data) => `found ${numbered(data.found, 'trace')} of erased texts in ${numbered(data.in_files, 'file')}`,
  'disposal.refused': (data) =>
    data.reason === 'nothing_left'
      ? 'gave up a disposal: nothing of it was left to dispose of'
      : `gave up a disposal: ${numbered(data.held, 'leaf', 'leaves')} on hold`,
  'baseline.set': 'pinned a baseline',
  'drift.look': (data) => `looked for drift, ${numbered(data.alarmed, 'alarm')}`,
  'drift.alert': 'opened an alert',
  'drift.ack': 'acknowledged an alert',
  'drift.resolve': 'resolved an alert',
  'drift.snooze': (data) => (data.ended === true ? 'ended the rest of an alert' : 'let an alert rest'),
  'drift.backtest': (data) => `tested settings on the history, ${numbered(data.episodes, 'alert')}`,
  'import.started': 'started an import',
  'import.done': (data) =>
    `imported ${numbered(data.accepted, 'record')}${data.read_sha256 === undefined ? '' : '; the file changed while it was read'}`,
  'engine.started': 'started',
  'engine.stopped': 'stopped',
  'record.corrected': 'corrected a record',
  'review.decided': (data) => `reviewed a record: ${text(data.decision)}`,
  'backup.removed': (data) =>
    data.what === 'backup'
      ? 'removed an old backup'
      : `removed ${data.what === 'keys' ? 'the keys of an old backup' : 'an old copy of the keys'}`,
  'app.updated': (data) => `was updated from ${text(data.from)} to ${text(data.to)}`
}

/** What a leaf says was done, to what and to whom, in words; `detail` is what a person wrote, from the encrypted body. */
export function describe(type: LeafType, data: Fields, body: Fields) {
  const word = words[type]
  const searched = ['query', 'against', 'text', 'kind', 'person', 'from', 'to']
    .map((name) => text(body[name]))
    .filter((part) => part !== '')
  const detail = type === 'search.run' ? searched.join(' · ') : text(body.reason ?? body.note ?? body.title ?? body.name ?? body.purpose)
  return {
    what: word === undefined ? type.replace('.', ' ') : typeof word === 'string' ? word : word(data),
    detail: detail.slice(0, 500),
    on_seq: whole(data.seq) ?? whole(data.record) ?? whole(data.alert) ?? whole(data.asked) ?? whole(data.export),
    on_person: text(data.user) || null
  }
}
