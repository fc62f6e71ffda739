// SPDX-License-Identifier: Apache-2.0
import { Button, Modal, Textarea } from '@mantine/core'
import { useState } from 'react'
import type { Approval } from '../../../shared/contract/approvals.ts'
import { messageOf, useAction, useOperation } from '../../client/hooks.ts'
import { count, moment } from '../../ui/format.ts'
import { Note, Panel, State } from '../../ui/parts.tsx'
import { Empty, Failed, Loading } from '../../ui/states.tsx'

const actions: Readonly<Record<Approval['action'], string>> = {
  erasure: 'Erasure',
  disposal: 'Disposal',
  hold_release: 'Release of a hold',
  retention_shorten: 'Shorter retention'
}

function StateOf({ approval }: { readonly approval: Approval }) {
  if (approval.state === 'refused') return <State is="none">refused</State>
  if (approval.state === 'asked') return <State is="attention">waits for a second person</State>
  return approval.done_seq === null ? <State is="pending">given, being done</State> : <State is="holds">done</State>
}

/** What takes two people: what waits, and what was decided. */
export function Approvals() {
  const query = useOperation('approvals.list', {})
  const [deciding, setDeciding] = useState<Approval | null>(null)
  if (query.isError) return <Failed what="The approvals cannot be read" error={query.error} onRetry={() => void query.refetch()} />
  if (!query.data) return <Loading what="Reading approvals" />
  if (query.data.approvals.length === 0) {
    return (
      <Empty title="Nothing waits for a second person">
        <p>Erasure, disposal, the release of a hold and shorter retention are asked for by one person and decided by another.</p>
      </Empty>
    )
  }
  return (
    <div className="compliance-page">
      <Panel title="Approvals" sub="newest first, times UTC" flush>
        <table className="table">
          <thead>
            <tr>
              <th className="right">Leaf</th>
              <th>Asked</th>
              <th>What</th>
              <th>Asked by</th>
              <th>State</th>
              <th>Decided by</th>
              <th>Note</th>
              <th>
                <span className="hidden-text">Decide</span>
              </th>
            </tr>
          </thead>
          <tbody>
            {query.data.approvals.map((approval) => (
              <tr key={approval.id}>
                <td className="right dim">{count(approval.seq)}</td>
                <td className="num">{moment(approval.time).replace(' UTC', '')}</td>
                <td>
                  {actions[approval.action]}: {approval.title}
                </td>
                <td>{approval.asked_by}</td>
                <td>
                  <StateOf approval={approval} />
                </td>
                <td>{approval.decided_by}</td>
                <td>{approval.note}</td>
                <td className="right">
                  {approval.state === 'asked' && (
                    <Button size="compact-sm" variant="default" onClick={() => setDeciding(approval)}>
                      Decide…
                    </Button>
                  )}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </Panel>
      {deciding && <Decide approval={deciding} onClose={() => setDeciding(null)} />}
    </div>
  )
}

function Decide({ approval, onClose }: { readonly approval: Approval; readonly onClose: () => void }) {
  const [note, setNote] = useState('')
  const decide = useAction('approvals.decide', ['approvals.list'])
  const answer = (decision: 'give' | 'refuse') => decide.mutate({ id: approval.id, decision, note }, { onSuccess: onClose })
  return (
    <Modal opened onClose={onClose} title={actions[approval.action]}>
      <div className="column gap-12">
        <p>{approval.title}</p>
        <p className="soft small">
          Asked for by {approval.asked_by}, {moment(approval.time)}. The decision and its note are recorded.
        </p>
        <Textarea
          label="Note"
          value={note}
          maxLength={2000}
          autosize
          minRows={2}
          onChange={(event) => setNote(event.currentTarget.value)}
        />
        {decide.isError && <Note is="broken">{messageOf(decide.error)}</Note>}
        <div className="row gap-8">
          <Button loading={decide.isPending} onClick={() => answer('give')}>
            Approve
          </Button>
          <Button variant="default" disabled={decide.isPending} onClick={() => answer('refuse')}>
            Refuse
          </Button>
        </div>
      </div>
    </Modal>
  )
}
