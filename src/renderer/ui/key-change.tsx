// SPDX-License-Identifier: Apache-2.0
import { messageOf, useOperation } from '../client/hooks.ts'
import { count, moment } from './format.ts'
import { Note } from './parts.tsx'

/** What destroying the key-encryption key means for the backups: shown before an erasure, a disposal or a change of that key. */
export function KeyChange() {
  const { data, error } = useOperation('backup.key_change', {}, { refetchMs: 10_000, keep: true })
  if (error) return <Note is="attention">What this means for the backups cannot be read: {messageOf(error)}</Note>
  if (!data) return null
  const { folders, closes, not_connected } = data
  const held = folders.find((one) => one.planned && one.problem !== null)
  const taking = folders.filter((one) => one.problem === null)
  return (
    <>
      {taking.length > 0 && (
        <p className="soft small">
          The old key is destroyed. Before that, a copy of the remaining keys is made and verified beside the backups in{' '}
          {taking.map((one) => one.path).join(', ')}: they go on to open, without what was erased.
        </p>
      )}
      {held && (
        <Note is="attention">
          <b>It would stop before the old key is destroyed.</b> The folder of the backups, {held.path}, takes no copy of the keys:{' '}
          {held.problem}. It goes on by itself once the folder can be written, or the schedule under Settings, Backup names another or none.
        </Note>
      )}
      {closes.length > 0 && (
        <Note is="attention">
          <b>
            {count(closes.length)} {closes.length === 1 ? 'backup' : 'backups'} will no longer open:
          </b>{' '}
          {closes.slice(0, 5).map((one, i) => (
            <span key={one.path}>
              {i > 0 && ', '}
              {moment(one.time)}, {one.path}
            </span>
          ))}
          {closes.length > 5 && ` and ${count(closes.length - 5)} more`}. Their leaves still verify.
        </Note>
      )}
      {not_connected > 0 && (
        <Note is="attention">
          {count(not_connected)} {not_connected === 1 ? 'backup is' : 'backups are'} in a folder that is not there, such as a drive that is
          not connected.{' '}
          {taking.length > 0
            ? 'They open afterwards only with the copy of the keys beside them: copy it there.'
            : 'They will no longer open.'}
        </Note>
      )}
    </>
  )
}
