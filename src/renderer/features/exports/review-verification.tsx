// SPDX-License-Identifier: Apache-2.0
// What the review that is open rests on: verification first, then the keys, who exported it and why, and its drift verdicts decided again.
import { Button, TextInput } from '@mantine/core'
import { useState } from 'react'
import type { OperationOutput } from '../../../shared/contract/contract.ts'
import { sentenceOf, useAction, useOperation } from '../../client/hooks.ts'
import { count, moment } from '../../ui/format.ts'
import { Facts, Fingerprint, Note, Panel, State } from '../../ui/parts.tsx'
import { Failed, Loading } from '../../ui/states.tsx'
import { AboutBundle, HeadsSeen, VerdictReport } from './verdict-report.tsx'

type Found = OperationOutput<'review.report'>

export function ReviewVerification() {
  const found = useOperation('review.report', {})
  if (found.isError) return <Failed what="The verdict cannot be read" error={found.error} onRetry={() => void found.refetch()} />
  if (!found.data) return <Loading what="Reading the verdict and deciding the drift verdicts again" />
  const { report } = found.data
  return (
    <div className="exports">
      <div className="main-column">
        <VerdictReport report={report} jobId={null} />
        <Keys found={found.data} />
        <DriftAgain receipts={found.data.receipts} />
      </div>
      <div className="side-column">
        <Exported found={found.data} />
        <AboutBundle report={report} />
        <HeadsSeen report={report} />
      </div>
    </div>
  )
}

/** The keys are unknown until somebody compared them with their owner by another way. */
function Keys({ found }: { readonly found: Found }) {
  const { bundle } = found.report
  const [how, setHow] = useState('')
  const confirm = useAction('review.confirm_keys', ['review.report'])
  const forget = useAction('review.forget_keys', ['review.report'])
  const { log_key, export_key } = bundle
  if (log_key === null || export_key === null) return null
  const failed = confirm.error ?? forget.error
  return (
    <Panel title="Keys of this log" sub={found.confirmed ? 'confirmed on this machine' : 'unknown until compared'}>
      <Facts
        width={92}
        rows={[
          ['Log key', <Fingerprint key="l" value={log_key} />],
          ['Export key', <Fingerprint key="e" value={export_key} />]
        ]}
      />
      {found.confirmed ? (
        <div className="row" style={{ marginTop: 12 }}>
          <State is="holds">Compared on {moment(found.confirmed.time)}</State>
          <span className="soft clip">{found.confirmed.how}</span>
          <span className="grow" />
          <Button variant="default" size="compact-sm" loading={forget.isPending} onClick={() => forget.mutate({})}>
            Take back
          </Button>
        </div>
      ) : (
        <form
          style={{ marginTop: 12 }}
          onSubmit={(event) => {
            event.preventDefault()
            confirm.mutate({ log_key, export_key, how })
          }}
        >
          <p className="soft small" style={{ maxWidth: '84ch', marginBottom: 8 }}>
            Ask whoever sent the bundle to read both fingerprints to you by another way: in person, on the telephone, from their key report.
            If both are the same, say how you compared them. This and later bundles of the log are then held against these keys.
          </p>
          <div className="row">
            <TextInput
              style={{ flex: 1 }}
              aria-label="How the fingerprints were compared"
              placeholder="How: read out on the telephone by …"
              value={how}
              onChange={(event) => setHow(event.currentTarget.value)}
              maxLength={300}
            />
            <Button type="submit" variant="default" loading={confirm.isPending} disabled={how.trim().length < 3}>
              Both are the same
            </Button>
          </div>
        </form>
      )}
      {failed && (
        <Note is="broken">
          <b>Nothing was changed.</b> {sentenceOf(failed)}
        </Note>
      )}
    </Panel>
  )
}

function Exported({ found }: { readonly found: Found }) {
  const { bundle } = found.report
  return (
    <Panel title="Who exported it, and why">
      <Facts
        width={92}
        rows={[
          [
            'By',
            <span key="b" className="mono clip">
              {found.requested_by}
            </span>
          ],
          ['Written', bundle.written === null ? 'not said' : moment(bundle.written)],
          ['For', bundle.recipient ?? 'not said'],
          ['Purpose', bundle.purpose ?? 'not said']
        ]}
      />
      {found.withheld.length > 0 && (
        <>
          <h3 className="strong small" style={{ marginTop: 12 }}>
            Withheld
          </h3>
          <ul className="plain-list small">
            {found.withheld.map(({ part, reason, count: n }) => (
              <li key={`${part} ${reason}`}>
                <span className="mono">{part}</span> of {count(n)} {n === 1 ? 'leaf' : 'leaves'}: {reason}
              </li>
            ))}
          </ul>
        </>
      )}
    </Panel>
  )
}

/** Every look of the bundle, decided again from its tables. */
function DriftAgain({ receipts }: { readonly receipts: Found['receipts'] }) {
  if (receipts.length === 0) {
    return (
      <Panel title="Drift verdicts, decided again">
        <p className="soft">The bundle brings no look: none of its records belongs to a series with an alert.</p>
      </Panel>
    )
  }
  const same = receipts.filter((one) => one.reproduced).length
  return (
    <Panel title="Drift verdicts, decided again" sub={`${count(same)} of ${count(receipts.length)} looks come out to the last digit`} flush>
      <table className="table">
        <thead>
          <tr>
            <th className="right">Leaf</th>
            <th>Look of</th>
            <th className="right">Series</th>
            <th>Outcome</th>
          </tr>
        </thead>
        <tbody>
          {receipts.map((one) => (
            <tr key={one.look_seq}>
              <td className="right num">{count(one.look_seq)}</td>
              <td className="nowrap">{moment(one.look_time)}</td>
              <td className="right num">{count(one.series.length)}</td>
              <td>
                <State is={one.reproduced ? 'holds' : 'broken'}>{one.reproduced ? 'the same' : 'differs'}</State>
                {one.faults.slice(0, 3).map((fault) => (
                  <div key={fault} className="soft small">
                    {fault}
                  </div>
                ))}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </Panel>
  )
}
