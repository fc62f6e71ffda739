// SPDX-License-Identifier: Apache-2.0
// Exports that the end of the app, a full disk or a missing drive came into.
import { Button, PasswordInput } from '@mantine/core'
import { useState } from 'react'
import type { InterruptedExport } from '../../../shared/contract/exports.ts'
import { messageOf, useAction, useOperation, useRefresh } from '../../client/hooks.ts'
import { bytes, count, moment, percent } from '../../ui/format.ts'
import { Facts, Note, Panel, State } from '../../ui/parts.tsx'
import { PermittedButton } from '../../ui/permitted-button.tsx'
import { Who } from '../../ui/who.tsx'
import { SHORTEST_PASSPHRASE } from './delivery.tsx'
import { Writing } from './writing.tsx'

/** Each with what is finished; nothing where none is interrupted. */
export function Interrupted() {
  const query = useOperation('export.interrupted', {})
  const [jobs, setJobs] = useState<readonly string[]>([])
  const [left, setLeft] = useState<string | null>(null)
  const refresh = useRefresh()
  return (
    <>
      {query.data?.exports.map((row) => (
        <Unfinished
          key={row.id}
          row={row}
          onResumed={(job) => {
            setJobs((before) => [...before, job])
            refresh('export.interrupted')
          }}
          onDiscarded={setLeft}
        />
      ))}
      {jobs.map((job) => (
        <Writing
          key={job}
          jobId={job}
          again="Close"
          onAgain={() => {
            setJobs((before) => before.filter((one) => one !== job))
            refresh('export.list', 'export.interrupted')
          }}
        />
      ))}
      {left !== null && (
        <Note is="attention">
          Discarded. The unfinished file could not be removed and holds records: <span className="mono">{left}</span>
        </Note>
      )}
    </>
  )
}

function Unfinished({
  row,
  onResumed,
  onDiscarded
}: {
  readonly row: InterruptedExport
  readonly onResumed: (jobId: string) => void
  readonly onDiscarded: (left: string | null) => void
}) {
  const resume = useAction('export.resume')
  const discard = useAction('export.discard', ['export.interrupted'])
  const [passphrase, setPassphrase] = useState('')
  const needed = row.encrypt === 'passphrase'
  const { done, total, bytes: size } = row.finished
  const failure = resume.error ?? discard.error
  return (
    <Panel title="Interrupted export" right={<State is="attention">no bundle was written</State>}>
      <Facts
        width={88}
        rows={[
          [
            'File',
            <span key="f" className="mono anywhere">
              {row.path}
            </span>
          ],
          ['For', `${row.recipient} · ${row.purpose}`],
          [
            'Asked',
            <span key="a">
              {moment(row.asked)} by <Who actor={row.actor} />
            </span>
          ],
          ['In scope', `${count(row.records)} records, ${count(row.leaves)} leaves, proved against the tree of ${count(row.size)} leaves`],
          [
            'Finished',
            total === 0 ? 'nothing that can be used again' : `${percent(done / total)}, ${bytes(size)}; checked before it is used`
          ]
        ]}
      />
      {needed && (
        <PasswordInput
          mt={8}
          maw={420}
          label="Passphrase"
          description="It is not recorded: give it again"
          value={passphrase}
          onChange={(event) => setPassphrase(event.currentTarget.value)}
        />
      )}
      {failure !== null && <Note is="broken">{messageOf(failure)}</Note>}
      <div className="row" style={{ marginTop: 10 }}>
        <span className="dim small">Resuming gives the bundle that one run would have given.</span>
        <span className="grow" />
        <Button
          variant="default"
          size="compact-sm"
          loading={discard.isPending}
          onClick={() => discard.mutate({ id: row.id }, { onSuccess: ({ left }) => onDiscarded(left) })}
        >
          Discard
        </Button>
        <PermittedButton
          permission="export"
          size="compact-sm"
          disabled={needed && passphrase.length < SHORTEST_PASSPHRASE}
          loading={resume.isPending}
          onClick={() => resume.mutate({ id: row.id, ...(needed ? { passphrase } : {}) }, { onSuccess: ({ job_id }) => onResumed(job_id) })}
        >
          Resume
        </PermittedButton>
      </div>
    </Panel>
  )
}
