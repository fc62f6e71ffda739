// SPDX-License-Identifier: Apache-2.0
import { Button } from '@mantine/core'
import { useState } from 'react'
import type { RecipientToTell, SubjectRequest } from '../../../shared/contract/requests.ts'
import { messageOf, useAction, useOperation } from '../../client/hooks.ts'
import { count, moment } from '../../ui/format.ts'
import { Note, State } from '../../ui/parts.tsx'
import { ReasonDialog } from '../../ui/reason-dialog.tsx'
import { Who } from '../../ui/who.tsx'

/** Who holds copies of what a request changed, and who of them was told (GDPR 19). */
export function Recipients({ request }: { readonly request: SubjectRequest }) {
  const query = useOperation('recipients.list', { request_id: request.id }, { keep: true })
  const [telling, setTelling] = useState<RecipientToTell | null>(null)
  if (query.isError) return <Note is="broken">The recipients cannot be read: {messageOf(query.error)}</Note>
  const recipients = query.data?.recipients ?? []
  if (!query.data) return null
  if (recipients.length === 0)
    return <p className="dim small">Recipients to tell (GDPR 19): no bundle from this workspace held these records.</p>
  return (
    <div className="column gap-8">
      <h3 className="panel-title">Recipients to tell (GDPR 19)</h3>
      <table className="table">
        <thead>
          <tr>
            <th>Recipient</th>
            <th>Exported, UTC</th>
            <th className="right">Leaf</th>
            <th className="right">Records</th>
            <th>Told</th>
          </tr>
        </thead>
        <tbody>
          {recipients.map((one) => (
            <tr key={one.export_seq}>
              <td>{one.recipient}</td>
              <td className="num">{moment(one.time).replace(' UTC', '')}</td>
              <td className="right num">{count(one.export_seq)}</td>
              <td className="right num">{count(one.records)}</td>
              <td>
                {one.told === null ? (
                  <Button variant="default" size="compact-xs" onClick={() => setTelling(one)}>
                    Note as told…
                  </Button>
                ) : (
                  <State is="holds">
                    <span>
                      {moment(one.told.time)}, by <Who actor={one.told.by} />, leaf {count(one.told.seq)}
                    </span>
                  </State>
                )}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      {telling && <Tell request={request} recipient={telling} onClose={() => setTelling(null)} />}
    </div>
  )
}

interface TellProps {
  readonly request: SubjectRequest
  readonly recipient: RecipientToTell
  readonly onClose: () => void
}

function Tell({ request, recipient, onClose }: TellProps) {
  const tell = useAction('recipients.tell', ['recipients.list', 'requests.list'])
  return (
    <ReasonDialog
      title={`Told: ${recipient.recipient}`}
      label="How, and when"
      description="Such as the letter and its date. Nothing is sent from here."
      least={3}
      submit="Record it"
      act={tell}
      onSubmit={(note) => tell.mutate({ request_id: request.id, export_seq: recipient.export_seq, note }, { onSuccess: onClose })}
      onClose={onClose}
    />
  )
}
