// SPDX-License-Identifier: Apache-2.0
import { Button, Modal, Textarea } from '@mantine/core'
import { Link } from '@tanstack/react-router'
import { useState } from 'react'
import type { Approval } from '../../../shared/contract/approvals.ts'
import { sentenceOf, useAction, useOperation, useRefresh, useTopic } from '../../client/hooks.ts'
import { useMay, useSession } from '../../client/session.tsx'
import { DialogButtons } from '../../ui/dialog-buttons.tsx'
import { count, moment } from '../../ui/format.ts'
import { Note, Panel, State } from '../../ui/parts.tsx'
import { Empty, Failed, Loading } from '../../ui/states.tsx'
import { Who } from '../../ui/who.tsx'

const actions: Readonly<Record<Approval['action'], string>> = {
  erasure: 'Erasure',
  disposal: 'Disposal',
  hold_release: 'Release of a hold',
  retention_shorten: 'Shorter retention'
}

/** What follows, and whether it can be undone. */
const consequences: Readonly<Record<Approval['action'], string>> = {
  erasure:
    'The keys of these records are destroyed and their text is removed from every file of the workspace. It cannot be undone; the proofs stay valid.',
  disposal:
    'The content and keys of these records are destroyed; where every leaf of a tile is past its time, its leaves go too. It cannot be undone; what is left still verifies.',
  hold_release: 'What the hold protected can be disposed of or erased from then on. A new hold can be placed as long as it is there.',
  retention_shorten:
    'Records on file may be disposed of earlier than they could until now. A longer time can be set again as long as they are there.'
}

export function StateOf({ approval }: { readonly approval: Approval }) {
  if (approval.state === 'refused') return <State is="none">{approval.decided_by === approval.asked_by ? 'withdrawn' : 'refused'}</State>
  if (approval.state === 'asked') return <State is="attention">waits for a second person</State>
  return approval.done_seq === null ? <State is="pending">given, being done</State> : <State is="holds">done</State>
}

/** What takes two people: what waits, and what was decided. */
export function Approvals() {
  const query = useOperation('approvals.list', {}, { refetchMs: 15_000 })
  const session = useSession()
  const { may, why } = useMay('approve')
  const [deciding, setDeciding] = useState<Approval | null>(null)
  const refresh = useRefresh()
  useTopic('jobs', (job) => {
    if (job.kind === 'erasure' || job.kind === 'disposal') refresh('approvals.list')
  })
  if (query.isError) return <Failed what="The approvals cannot be read" error={query.error} onRetry={() => void query.refetch()} />
  if (!query.data) return <Loading what="Reading approvals" />
  if (query.data.approvals.length === 0) {
    return (
      <Empty title="Nothing waits for a second person">
        <p>Erasure, disposal, the release of a hold and shorter retention are asked for by one person and decided by another.</p>
        {session?.state === 'single' && <OnePerson />}
      </Empty>
    )
  }
  return (
    <div className="compliance-page">
      {session?.state === 'single' && (
        <Note is="attention">
          <OnePerson />
        </Note>
      )}
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
                <td className="wrap-cell">
                  {actions[approval.action]}: {approval.title}
                </td>
                <td>
                  <Who actor={approval.asked_by} />
                </td>
                <td>
                  <StateOf approval={approval} />
                </td>
                <td>{approval.decided_by !== null && <Who actor={approval.decided_by} />}</td>
                <td className="wrap-cell">{approval.note}</td>
                <td className="right">
                  {approval.state === 'asked' && (
                    <Button size="compact-xs" variant="default" disabled={!may} title={why} onClick={() => setDeciding(approval)}>
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

const OnePerson = () => (
  <p>
    One person alone cannot approve:{' '}
    <Link to="/settings" search={{ view: 'people' }}>
      set up people
    </Link>{' '}
    first, in Settings.
  </p>
)

function Decide({ approval, onClose }: { readonly approval: Approval; readonly onClose: () => void }) {
  const [note, setNote] = useState('')
  const session = useSession()
  const own = session?.state === 'signed_in' && session.person?.ref === approval.asked_by
  const decide = useAction('approvals.decide', ['approvals.list'])
  const answer = (decision: 'give' | 'refuse') => decide.mutate({ id: approval.id, decision, note }, { onSuccess: onClose })
  return (
    <Modal opened onClose={onClose} title={actions[approval.action]}>
      <div className="column gap-12">
        <p className="strong anywhere">{approval.title}</p>
        {approval.grounds.map((ground) => (
          <p key={ground} className="anywhere">
            Ground: {ground}
          </p>
        ))}
        <p>{consequences[approval.action]}</p>
        <p className="soft small">
          Asked for by <Who actor={approval.asked_by} />, {moment(approval.time)}, leaf {count(approval.seq)}. The decision and its note are
          recorded.{own ? ' You asked for this: another person approves it, you can withdraw it.' : ''}
        </p>
        <Textarea
          label="Note"
          description="Why, for whoever asked; may stay empty."
          value={note}
          maxLength={2000}
          autosize
          minRows={2}
          onChange={(event) => setNote(event.currentTarget.value)}
        />
        {decide.isError && <Note is="broken">{sentenceOf(decide.error)}</Note>}
        <DialogButtons onCancel={onClose}>
          <Button variant="default" disabled={decide.isPending} onClick={() => answer('refuse')}>
            {own ? 'Withdraw' : 'Refuse'}
          </Button>
          <Button loading={decide.isPending} disabled={own} onClick={() => answer('give')}>
            Approve
          </Button>
        </DialogButtons>
      </div>
    </Modal>
  )
}
