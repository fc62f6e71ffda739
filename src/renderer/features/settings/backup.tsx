// SPDX-License-Identifier: Apache-2.0
import { Button, NumberInput, Progress, Select } from '@mantine/core'
import { useState } from 'react'
import type { BackupContents, BackupPlan } from '../../../shared/contract/backup.ts'
import { shell } from '../../client/bridge.ts'
import { sentenceOf, useAction, useJob, useOperation } from '../../client/hooks.ts'
import { ageOf, bytes, count, counted, fixed, moment } from '../../ui/format.ts'
import { Facts, Note, Panel, State } from '../../ui/parts.tsx'
import { PermittedButton } from '../../ui/permitted-button.tsx'
import { Empty, Failed, Loading } from '../../ui/states.tsx'
import { Who } from '../../ui/who.tsx'

const intervals = [
  { value: '0', label: 'Never' },
  { value: '6', label: 'Every 6 hours' },
  { value: '24', label: 'Every day' },
  { value: '168', label: 'Every week' }
]

/** What is said of a backup beside its name. */
const opens: Record<BackupContents, string> = {
  opens: '',
  newer_keys: ', opens with newer keys',
  closed: ', does not open',
  removed: ', removed',
  not_connected: ', not connected'
}

const WEEK_MS = 7 * 86_400_000

async function pickFolder(title: string): Promise<string | null> {
  const { paths } = await shell('shell.pickFile', { title, folder: true })
  return paths[0] ?? null
}

/** Backups, their schedule, and test restores. */
export function Backup() {
  const overview = useOperation('backup.overview', {}, { refetchMs: 60_000, keep: true })
  const make = useAction('backup.start')
  const drill = useAction('backup.drill')
  const cancel = useAction('jobs.cancel')
  const [jobId, setJobId] = useState<string | null>(null)
  const job = useJob(jobId, ['backup.overview'])
  const report = useOperation('backup.report', { job_id: jobId ?? '' }, { enabled: job?.kind === 'restore' && job.state === 'done' })
  const [picked, setPicked] = useState<unknown>(null)
  const refetch = () => void overview.refetch()
  if (overview.isError) {
    return (
      <Panel title="Backup">
        <Failed what="The backups cannot be read" error={overview.error} onRetry={refetch} />
      </Panel>
    )
  }
  if (!overview.data) {
    return (
      <Panel title="Backup">
        <Loading what="Reading backups" />
      </Panel>
    )
  }
  const { plan, next, backups, restores, keyring, key_copies, waiting } = overview.data
  const closed = backups.filter((one) => one.contents === 'closed').length
  const running = job?.state === 'running'
  const last = backups[0]
  const age = last ? Date.now() - Date.parse(last.time) : null
  const ended = { onSuccess: ({ job_id }: { readonly job_id: string }) => setJobId(job_id) }
  const choose = (title: string, then: (folder: string) => void) =>
    void pickFolder(title).then((folder) => folder !== null && then(folder), setPicked)
  const failure = make.error ?? drill.error ?? picked
  return (
    <>
      <Panel
        title="Backup"
        right={
          <span className="row">
            <Button
              variant="default"
              size="compact-sm"
              disabled={running}
              onClick={() => choose('Choose a backup to test', (path) => drill.mutate({ path }, ended))}
            >
              Test restore…
            </Button>
            <Button
              size="compact-sm"
              disabled={running}
              onClick={() =>
                plan.folder === null
                  ? choose('Choose a folder for the backup', (folder) => make.mutate({ folder }, ended))
                  : make.mutate({ folder: plan.folder }, ended)
              }
            >
              Back up now{plan.folder === null && '…'}
            </Button>
          </span>
        }
      >
        <div className="column gap-12">
          {last && age !== null ? (
            <State is={age > WEEK_MS ? 'attention' : 'holds'}>
              Last backup {ageOf(age)} ago: {counted(last.size, 'leaf', 'leaves')}, root matched the signed checkpoint
            </State>
          ) : (
            <State is="attention">No backup is on record</State>
          )}
          {restores[0] ? (
            <State is={restores[0].verdict === 'matches' ? 'holds' : 'broken'}>
              {restores[0].verdict === 'matches' ? 'The last test restore matched' : 'The last test restore found damage'},{' '}
              {moment(restores[0].time)}
            </State>
          ) : (
            <State is="pending">No restore has been tested</State>
          )}
          {waiting !== null && <Note is="attention">{waiting}</Note>}
          {closed > 0 && (
            <State is="attention">
              {count(closed)} {closed === 1 ? 'backup does' : 'backups do'} not open any more: their keys were destroyed
            </State>
          )}
          {running && job && (
            <span className="row">
              <Progress value={job.total ? (100 * job.done) / job.total : 0} w={200} size="sm" aria-label={job.title} />
              <span className="soft small">{job.title}</span>
              <PermittedButton permission="maintain" variant="default" size="compact-sm" onClick={() => cancel.mutate({ id: job.id })}>
                Cancel
              </PermittedButton>
            </span>
          )}
          {job?.state === 'failed' && <Note is="broken">{job.error?.message}</Note>}
          {job?.state === 'cancelled' && <Note is="plain">Cancelled: nothing was left behind.</Note>}
          {job?.state === 'done' && job.kind === 'backup' && <Note is="holds">The backup is made and verified.</Note>}
          {report.data && (
            <Note is={report.data.verdict === 'matches' ? 'holds' : 'broken'}>
              <b>{report.data.verdict === 'matches' ? 'The backup can be restored.' : 'The backup does not match.'}</b>{' '}
              {fixed(report.data.seconds, 1)} s.
              <ul>
                {report.data.checks.map((check) => (
                  <li key={check.text}>{check.text}</li>
                ))}
              </ul>
            </Note>
          )}
          {failure !== null && failure !== undefined && <Note is="broken">{sentenceOf(failure)}</Note>}
          <Facts
            width={132}
            rows={[
              ['Keys', 'A backup opens only with the keyring of this workspace, which is not in it. Keep a copy of that file apart:'],
              ['Keyring', <code key="k">{keyring}</code>],
              ...key_copies.map(
                (one) => [`Keys of ${moment(one.made)}`, `${one.path}: opens the backups beside it that were made before`] as const
              )
            ]}
          />
        </div>
      </Panel>
      <Plan key={JSON.stringify(plan)} plan={plan} next={next} />
      <div className="settings-wide">
        <Panel title="Backups and restores on record" sub="times UTC" flush>
          {backups.length === 0 && restores.length === 0 ? (
            <Empty title="Nothing yet">
              <p>
                Each backup is copied while records arrive, re-hashed, and held against a signed checkpoint. A test restore shows that it
                can be used.
              </p>
            </Empty>
          ) : (
            <table className="table">
              <thead>
                <tr>
                  <th className="right">Leaf</th>
                  <th>Time</th>
                  <th>What</th>
                  <th>By</th>
                  <th className="right">Leaves</th>
                  <th className="right">Size</th>
                  <th>Where</th>
                </tr>
              </thead>
              <tbody>
                {[
                  ...backups.map((one) => ({ ...one, what: `backup${opens[one.contents]}`, where: one.path, size_text: bytes(one.bytes) })),
                  ...restores.map((one) => ({
                    ...one,
                    what: `${one.kind === 'drill' ? 'test restore' : 'restore'}, ${one.verdict}`,
                    where: `backup of ${moment(one.made)}`,
                    size_text: ''
                  }))
                ]
                  .sort((a, b) => b.seq - a.seq)
                  .slice(0, 50)
                  .map((one) => (
                    <tr key={one.seq}>
                      <td className="right dim">{count(one.seq)}</td>
                      <td className="num">{moment(one.time).replace(' UTC', '')}</td>
                      <td>{one.what}</td>
                      <td>{one.actor === 'engine' ? 'on schedule' : <Who actor={one.actor} />}</td>
                      <td className="right">{count(one.size)}</td>
                      <td className="right">{one.size_text}</td>
                      <td className="wrap-cell">{one.where}</td>
                    </tr>
                  ))}
              </tbody>
            </table>
          )}
        </Panel>
      </div>
    </>
  )
}

function Plan({ plan, next }: { readonly plan: BackupPlan; readonly next: string | null }) {
  const [edited, setEdited] = useState(plan)
  const save = useAction('backup.set_plan', ['backup.overview'])
  const changed = JSON.stringify(edited) !== JSON.stringify(plan)
  return (
    <Panel title="Schedule" sub={next === null ? 'off' : `next ${moment(next)}`}>
      <div className="column gap-12">
        <Facts width={132} rows={[['Folder', edited.folder === null ? 'none chosen' : <code key="f">{edited.folder}</code>]]} />
        <span className="row">
          <Button
            variant="default"
            onClick={() =>
              void pickFolder('Choose a folder for the backups').then(
                (folder) => folder !== null && setEdited({ ...edited, folder }),
                () => {}
              )
            }
          >
            Choose a folder…
          </Button>
        </span>
        <div className="settings-grid">
          <Select
            label="Make a backup"
            data={intervals}
            value={String(edited.every_hours)}
            allowDeselect={false}
            onChange={(value) => setEdited({ ...edited, every_hours: Number(value ?? 24) })}
          />
          <NumberInput
            label="Backups kept"
            description="older ones are removed; 0 keeps all"
            min={0}
            max={1000}
            allowDecimal={false}
            value={edited.keep}
            onChange={(n) => setEdited({ ...edited, keep: Number(n) })}
          />
          <NumberInput
            label="Days the keys stay in a backup"
            description="then it verifies, and opens only with newer keys"
            min={1}
            max={365}
            allowDecimal={false}
            value={edited.key_days}
            onChange={(n) => setEdited({ ...edited, key_days: Number(n) })}
          />
        </div>
        {save.isError && <Note is="broken">{sentenceOf(save.error)}</Note>}
        <span className="row">
          <Button disabled={!changed} loading={save.isPending} onClick={() => save.mutate(edited)}>
            Save
          </Button>
          {changed && (
            <Button variant="default" onClick={() => setEdited(plan)}>
              Undo
            </Button>
          )}
        </span>
      </div>
    </Panel>
  )
}
