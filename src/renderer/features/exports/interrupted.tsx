// SPDX-License-Identifier: Apache-2.0
// Exports that the end of the app, a full disk or a missing drive came into.
import { Button, Modal, PasswordInput } from '@mantine/core'
import { useState } from 'react'
import type { InterruptedExport } from '../../../shared/contract/exports.ts'
import { sentenceOf, useAction, useOperation, useRefresh } from '../../client/hooks.ts'
import { DialogButtons } from '../../ui/dialog-buttons.tsx'
import { bytes, count, counted, moment, percent } from '../../ui/format.ts'
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
      {query.isError && (
        <Note is="broken">
          <div className="row">
            <span className="grow">
              <b>Whether exports were interrupted cannot be read.</b> {sentenceOf(query.error)} What is recorded is not affected.
            </span>
            <Button variant="default" size="compact-sm" onClick={() => void query.refetch()}>
              Try again
            </Button>
          </div>
        </Note>
      )}
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
  const [asking, setAsking] = useState(false)
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
          [
            'In scope',
            `${counted(row.records, 'record')}, ${counted(row.leaves, 'leaf', 'leaves')}, proved against the tree of ${counted(row.size, 'leaf', 'leaves')}`
          ],
          ...(row.range === null ? [] : [['Whole range', `leaves ${count(row.range.first)} to ${count(row.range.last)}`] as const]),
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
      {failure !== null && <Note is="broken">{sentenceOf(failure)}</Note>}
      <div className="row" style={{ marginTop: 10 }}>
        <span className="dim small">Resuming gives the bundle that one run would have given.</span>
        <span className="grow" />
        <Button variant="default" size="compact-sm" loading={discard.isPending} onClick={() => setAsking(true)}>
          Discard…
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
      {asking && (
        <Modal opened onClose={() => setAsking(false)} title="Discard the interrupted export?">
          <div className="column gap-12">
            <p className="soft">
              Its unfinished file is removed{total === 0 ? '' : `, ${bytes(size)} that would not have to be written again`}; a later export
              of the same records begins anew. That it was asked for and given up stays on record.
            </p>
            <DialogButtons onCancel={() => setAsking(false)} cancel="Keep it" final>
              <Button
                onClick={() => {
                  setAsking(false)
                  discard.mutate({ id: row.id }, { onSuccess: ({ left }) => onDiscarded(left) })
                }}
              >
                Discard it
              </Button>
            </DialogButtons>
          </div>
        </Modal>
      )}
    </Panel>
  )
}
