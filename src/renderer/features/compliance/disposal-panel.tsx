// SPDX-License-Identifier: Apache-2.0
import { Select } from '@mantine/core'
import { useState } from 'react'
import type { DisposalPreview } from '../../../shared/contract/retention.ts'
import { useAction, useOperation, useRefresh, useTopic } from '../../client/hooks.ts'
import { useMay } from '../../client/session.tsx'
import { bytes, count, counted, day, moment } from '../../ui/format.ts'
import { KeyChange } from '../../ui/key-change.tsx'
import { Note, Panel, State } from '../../ui/parts.tsx'
import { PermittedButton } from '../../ui/permitted-button.tsx'
import { ReasonDialog } from '../../ui/reason-dialog.tsx'
import { Failed, Loading } from '../../ui/states.tsx'
import { Who } from '../../ui/who.tsx'

const records = (n: number): string => counted(n, 'record')

/** What is past its retention: a dry run at each look, and the disposals on record. */
export function DisposalPanel() {
  const preview = useOperation('disposal.preview', {})
  const list = useOperation('disposal.list', {})
  const waiting = useOperation('approvals.list', { state: 'asked' })
  const refresh = useRefresh()
  const [asking, setAsking] = useState(false)
  useTopic('jobs', (job) => {
    if (job.kind === 'disposal') refresh('disposal.preview', 'disposal.list', 'retention.get')
  })
  const error = preview.error ?? list.error ?? waiting.error
  if (error)
    return (
      <Failed
        what="What is past its retention cannot be read"
        error={error}
        onRetry={() => refresh('disposal.preview', 'disposal.list', 'approvals.list')}
      />
    )
  if (!preview.data || !list.data || !waiting.data) return <Loading what="Reading what is past its retention" />
  const { data } = preview
  const nothing = data.records === 0 && data.tiles === 0
  const asked = waiting.data.approvals.filter((one) => one.action === 'disposal')
  return (
    <Panel
      title="Past retention"
      sub={`dry run of ${moment(data.as_of)}: nothing goes without two people`}
      right={
        <span className="row">
          <Schedule />
          <PermittedButton permission="policy" size="compact-sm" disabled={nothing || asked.length > 0} onClick={() => setAsking(true)}>
            Ask for disposal…
          </PermittedButton>
        </span>
      }
    >
      <div className="column gap-12">
        {nothing ? (
          <p>Nothing is past its retention and free of holds.</p>
        ) : (
          <p>
            <b>{records(data.records)}</b> past their retention, {bytes(data.bytes)} of content
            {data.tiles > 0 && `, with ${counted(data.leaves, 'leaf', 'leaves')} in ${counted(data.tiles, 'whole tile')}`}
            {data.more && '; as many as one disposal takes, there are more'}.
          </p>
        )}
        {list.data.proposal && asked.length === 0 && !nothing && (
          <Note is="attention">
            <b>Proposed by the schedule, leaf {count(list.data.proposal.seq)}:</b> {records(list.data.proposal.records)},{' '}
            {bytes(list.data.proposal.bytes)}, on {moment(list.data.proposal.time)}. One person asks for the disposal, another approves it.
          </Note>
        )}
        {asked.length > 0 && <Note is="attention">A disposal waits for a second person, under Approvals.</Note>}
        {data.by_class.length > 0 && <ByClass data={data} />}
        {data.held > 0 && (
          <Note is="plain">
            <b>{records(data.held)} held back</b> by {data.holds.map((hold) => `${hold.matter} (${count(hold.records)})`).join(', ')}.
          </Note>
        )}
        {list.data.disposals.length > 0 && (
          <table className="table">
            <thead>
              <tr>
                <th className="right">Leaf</th>
                <th>Begun, UTC</th>
                <th>Approved by</th>
                <th className="right">Records</th>
                <th className="right">Content</th>
                <th className="right">Tiles</th>
                <th>State</th>
              </tr>
            </thead>
            <tbody>
              {list.data.disposals.map((one) => (
                <tr key={one.id}>
                  <td className="right dim">{count(one.seq)}</td>
                  <td className="num">{moment(one.time).replace(' UTC', '')}</td>
                  <td>
                    <Who actor={one.actor} />
                  </td>
                  <td className="right">{count(one.records)}</td>
                  <td className="right">{bytes(one.bytes)}</td>
                  <td className="right">{count(one.tiles)}</td>
                  <td>
                    {one.refused_seq !== null ? (
                      <State is="attention">given up for a hold, leaf {count(one.refused_seq)}</State>
                    ) : one.done_seq === null ? (
                      <State is="pending">under way</State>
                    ) : (
                      <State is="holds">done, leaf {count(one.done_seq)}</State>
                    )}
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        )}
      </div>
      {asking && <Ask data={data} onClose={() => setAsking(false)} />}
    </Panel>
  )
}

const intervals = [
  { value: '0', label: 'Propose by hand only' },
  { value: '24', label: 'Propose daily' },
  { value: '168', label: 'Propose weekly' },
  { value: '720', label: 'Propose monthly' }
]

/** How often what is past its time is put on record as a proposal. */
function Schedule() {
  const settings = useOperation('settings.get', {})
  const set = useAction('settings.set', ['settings.get'])
  const { may, why } = useMay('settings')
  const hours = settings.data?.propose_disposal_every_hours
  if (hours === undefined) return null
  const known = intervals.some((one) => one.value === String(hours))
  return (
    <Select
      aria-label="Propose disposal"
      size="xs"
      w={170}
      allowDeselect={false}
      disabled={!may}
      title={why}
      data={known ? intervals : [...intervals, { value: String(hours), label: `Propose every ${hours} h` }]}
      value={String(hours)}
      onChange={(value) => set.mutate({ propose_disposal_every_hours: Number(value ?? 24) })}
    />
  )
}

const ByClass = ({ data }: { readonly data: DisposalPreview }) => (
  <table className="table">
    <thead>
      <tr>
        <th>Class</th>
        <th className="right">Records</th>
        <th className="right">Content</th>
        <th>Oldest, UTC</th>
        <th>Newest, UTC</th>
      </tr>
    </thead>
    <tbody>
      {data.by_class.map((one) => (
        <tr key={one.class}>
          <td className="wrap-cell">{one.class}</td>
          <td className="right">{count(one.records)}</td>
          <td className="right">{bytes(one.bytes)}</td>
          <td className="num">{day(one.oldest)}</td>
          <td className="num">{day(one.newest)}</td>
        </tr>
      ))}
    </tbody>
  </table>
)

function Ask({ data, onClose }: { readonly data: DisposalPreview; readonly onClose: () => void }) {
  const ask = useAction('disposal.ask', ['approvals.list', 'disposal.preview'])
  return (
    <ReasonDialog
      title="Ask for disposal"
      submit="Ask for disposal"
      act={ask}
      onSubmit={(reason) => ask.mutate({ reason }, { onSuccess: onClose })}
      onClose={onClose}
    >
      <p>
        Once a second person approves, the content and keys of {records(data.records)} are destroyed, and with them the key that opens them
        in backups. Only a copy of the key file that somebody kept apart would still open those. It cannot be undone. The leaves stay, so
        that the log still verifies
        {data.tiles > 0 && `; those of ${counted(data.tiles, 'whole tile')} go too, and their hashes stay`}.
      </p>
      <KeyChange />
    </ReasonDialog>
  )
}
