// SPDX-License-Identifier: Apache-2.0
import { Button, Modal, TextInput } from '@mantine/core'
import { useState } from 'react'
import type { KeyReport } from '../../../shared/contract/keys.ts'
import { shell } from '../../client/bridge.ts'
import { messageOf, sentenceOf, useAction, useJob, useOperation } from '../../client/hooks.ts'
import { DialogButtons } from '../../ui/dialog-buttons.tsx'
import { count, fingerprint, moment } from '../../ui/format.ts'
import { KeyChange } from '../../ui/key-change.tsx'
import { Facts, Fingerprint, Hash, Note, Panel, State } from '../../ui/parts.tsx'
import { PermittedButton } from '../../ui/permitted-button.tsx'
import { Failed, Loading } from '../../ui/states.tsx'
import { useNameOf } from '../../ui/who.tsx'
import { KeyProtection } from './key-protection.tsx'

type Key = KeyReport['keys'][number]

const names: Record<Key['use'], string> = {
  log: 'Log key',
  export: 'Export key',
  'key-encryption': 'Key-encryption key',
  witness: 'Witness key'
}
const signs: Record<Key['use'], string> = {
  log: 'signs checkpoints',
  export: 'signs bundles',
  'key-encryption': 'wraps the keys of contents',
  witness: 'cosigns other logs'
}

type Changeable = Exclude<Key['use'], 'witness'>

/** What a change of the key leads to. */
const changes: Record<Changeable, string> = {
  log: 'A new key signs checkpoints from now on. The present one signs it and is kept as retired; the log keeps its name, and who confirmed an earlier key follows. A bundle of the tree before the change has no timestamp that comes after it.',
  export:
    'A new key signs bundles from now on. The present one signs it and is kept as retired; bundles that were handed out go on to verify. A bundle of the tree before the change can no longer be written.',
  'key-encryption': 'Every key of a content is wrapped anew. Keep a copy of the keyring file afterwards: the one before is of no use then.'
}

/** What a key goes by on every page: the beginning of its fingerprint, or its id where it has none. */
const nameOf = (key: Key): string => (key.fingerprint === null ? key.id : fingerprint(key.fingerprint))

export function Keys() {
  const rotate = useAction('keys.rotate')
  const save = useAction('keys.save_report')
  const [jobId, setJobId] = useState<string | null>(null)
  const [revoking, setRevoking] = useState<Key | null>(null)
  const [changing, setChanging] = useState<Changeable | null>(null)
  const job = useJob(jobId, ['keys.report'])
  const report = useOperation('keys.report', {}, { refetchMs: 10_000 })
  if (report.isError) {
    return (
      <Panel title="Keys">
        <Failed what="The keys cannot be listed" error={report.error} />
      </Panel>
    )
  }
  const { data } = report
  if (!data) {
    return (
      <Panel title="Keys">
        <Loading what="Reading keys" />
      </Panel>
    )
  }
  const saveReport = async () => {
    const { path } = await shell('shell.saveFile', { title: 'Save the key report', suggested_name: 'key-report.html' })
    if (path !== null) save.mutate({ out: path, format: 'html', replace: true })
  }
  const failed = rotate.error ?? save.error ?? (job?.state === 'failed' ? new Error(job.error?.message ?? '') : null)
  return (
    <>
      <Panel
        title="Keys"
        sub={data.origin}
        right={
          <Button variant="default" size="compact-sm" onClick={() => void saveReport()}>
            Save the report…
          </Button>
        }
      >
        <div className="column gap-12">
          <KeyProtection report={data} />
          {data.unlinked !== null && <Note is="broken">{data.unlinked}.</Note>}
          {failed && <Note is="broken">{job?.error?.message ?? messageOf(failed)}</Note>}
          {data.keys.map((key) => (
            <KeyFacts
              key={`${key.use} ${key.id}`}
              of={key}
              busy={rotate.isPending || (jobId !== null && (job === null || job.state === 'running'))}
              onChange={setChanging}
              onRevoke={() => setRevoking(key)}
            />
          ))}
          <p className="dim small">
            Compare fingerprints by phone or on paper. A bundle’s own copy of the keys proves nothing by itself. A new log or export key is
            signed by the one before it, and the log keeps its name: who confirmed an earlier key follows to the present one.
          </p>
        </div>
      </Panel>
      {data.history.length > 0 && <History report={data} />}
      {changing && (
        <ChangeKey
          use={changing}
          onClose={() => setChanging(null)}
          onChange={() => {
            setChanging(null)
            rotate.mutate({ use: changing }, { onSuccess: ({ job_id }) => setJobId(job_id) })
          }}
        />
      )}
      {revoking && <Revoke of={revoking} onDone={() => setRevoking(null)} />}
    </>
  )
}

function ChangeKey({ use, onChange, onClose }: { readonly use: Changeable; readonly onChange: () => void; readonly onClose: () => void }) {
  return (
    <Modal opened onClose={onClose} title={`Change the ${names[use].toLowerCase()}`}>
      <div className="column gap-12">
        <p className="soft">{changes[use]}</p>
        {use === 'key-encryption' && <KeyChange />}
        <DialogButtons onCancel={onClose} final>
          <Button onClick={onChange}>Change the key</Button>
        </DialogButtons>
      </div>
    </Modal>
  )
}

function KeyFacts({
  of: key,
  busy,
  onChange,
  onRevoke
}: {
  readonly of: Key
  readonly busy: boolean
  readonly onChange: (use: Changeable) => void
  readonly onRevoke: () => void
}) {
  const { use } = key
  const hashes: (readonly [string, React.ReactNode])[] = []
  if (key.fingerprint !== null) hashes.push(['Fingerprint, SHA-256', <Fingerprint key="f" value={key.fingerprint} />])
  if (key.public_key !== null)
    hashes.push(['Public key', <Hash key="p" value={key.public_key} label={`${names[key.use]} public key`} head={20} tail={12} />])
  return (
    <div className="column gap-8">
      <Facts
        width={148}
        rows={[
          [
            names[key.use],
            <span key="i" className="row">
              <span className="mono" title={`In leaves: ${key.id}`}>
                {nameOf(key)}
              </span>
              <State is={key.state === 'in_use' ? 'holds' : key.state === 'revoked' ? 'broken' : 'resolved'}>
                {key.state === 'in_use' ? `in use, ${signs[key.use]}` : key.state}
              </State>
            </span>
          ],
          ...hashes,
          ['In use since', moment(key.added)],
          ...(key.retired === null ? [] : [['Retired', moment(key.retired)] as const]),
          ...(key.revoked === null ? [] : [['Revoked', `leaf ${count(key.revoked.seq)}: ${key.revoked.reason}`] as const])
        ]}
      />
      <div className="row">
        {key.state === 'in_use' && use !== 'witness' && (
          <PermittedButton permission="keys" variant="default" size="compact-sm" disabled={busy} onClick={() => onChange(use)}>
            Change the {names[use].toLowerCase()}…
          </PermittedButton>
        )}
        {(key.use === 'log' || key.use === 'export') && key.state !== 'revoked' && (
          <PermittedButton permission="keys" variant="default" size="compact-sm" disabled={busy} onClick={onRevoke}>
            Revoke {names[key.use].toLowerCase()} {nameOf(key)}…
          </PermittedButton>
        )}
      </div>
    </div>
  )
}

function Revoke({ of: key, onDone }: { readonly of: Key; readonly onDone: () => void }) {
  const [reason, setReason] = useState('')
  const revoke = useAction('keys.revoke', ['keys.report'])
  return (
    <Modal opened onClose={onDone} title={`Revoke ${names[key.use].toLowerCase()} ${nameOf(key)}`}>
      <form
        className="column gap-12"
        onSubmit={(event) => {
          event.preventDefault()
          revoke.mutate({ key_id: key.id, reason }, { onSuccess: onDone })
        }}
      >
        <p className="soft">
          The leaf stays for good. Verifiers that see it refuse what this key signed
          {key.state === 'in_use' ? '; a new key takes its place first' : ''}.
        </p>
        <TextInput
          label="Reason"
          required
          maxLength={500}
          value={reason}
          onChange={(event) => setReason(event.currentTarget.value)}
          data-autofocus
        />
        {revoke.isError && <Note is="broken">{sentenceOf(revoke.error)}</Note>}
        <DialogButtons onCancel={onDone}>
          <Button type="submit" disabled={reason.trim() === ''} loading={revoke.isPending}>
            Revoke
          </Button>
        </DialogButtons>
      </form>
    </Modal>
  )
}

function History({ report }: { readonly report: KeyReport }) {
  const personOf = useNameOf()
  const known = new Map(report.keys.map((key) => [key.id, nameOf(key)]))
  return (
    <Panel title="History" sub="each change is a leaf">
      <Facts
        width={148}
        rows={report.history
          .toReversed()
          .map((event) => [
            `Leaf ${count(event.seq)}`,
            `${names[event.use]} ${known.get(event.key_id) ?? event.key_id} ${event.what}, ${moment(event.time)}, by ${personOf(event.actor)}${event.reason === '' ? '' : `: ${event.reason}`}`
          ])}
      />
    </Panel>
  )
}
