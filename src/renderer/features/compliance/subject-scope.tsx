// SPDX-License-Identifier: Apache-2.0
import { Button, Checkbox, Modal, Select, Textarea, TextInput } from '@mantine/core'
import { useNavigate } from '@tanstack/react-router'
import { useState } from 'react'
import type { OperationInput, OperationOutput } from '../../../shared/contract/contract.ts'
import type { SubjectRequest } from '../../../shared/contract/requests.ts'
import { filterOfSeqs } from '../../../shared/filter/chosen.ts'
import { shell } from '../../client/bridge.ts'
import { messageOf, useAction, useJob } from '../../client/hooks.ts'
import { count, moment } from '../../ui/format.ts'
import { KeyChange } from '../../ui/key-change.tsx'
import { Masked } from '../../ui/masked.tsx'
import { Note, Panel, State } from '../../ui/parts.tsx'
import { PermittedButton } from '../../ui/permitted-button.tsx'

type Found = OperationOutput<'subjects.find'>

/** The search for a subject's records, the choice among them, and what the request asks for. */
export function SubjectScope({ request }: { readonly request: SubjectRequest }) {
  const [identifiers, setIdentifiers] = useState('')
  const [query, setQuery] = useState('')
  const [left, setLeft] = useState<ReadonlySet<number>>(new Set())
  const find = useAction('subjects.find')
  const input = (): OperationInput<'subjects.find'> => ({
    identifiers: identifiers
      .split('\n')
      .map((line) => line.trim())
      .filter((line) => line !== ''),
    query
  })
  const seqs = find.data?.seqs.filter((seq) => !left.has(seq)) ?? []
  return (
    <Panel title="Records of the subject" sub="identifiers are looked for and forgotten">
      <form
        className="subject-form"
        onSubmit={(event) => {
          event.preventDefault()
          setLeft(new Set())
          find.mutate(input())
        }}
      >
        <Textarea
          label="Identifiers"
          description="User id, e-mail, telephone, account number: one a line."
          value={identifiers}
          autosize
          minRows={2}
          maxRows={6}
          onChange={(event) => setIdentifiers(event.currentTarget.value)}
        />
        <TextInput
          label="Words or filter"
          description="For what has no form, such as a name."
          value={query}
          maxLength={4096}
          onChange={(event) => setQuery(event.currentTarget.value)}
        />
        <Button type="submit" loading={find.isPending} disabled={identifiers.trim() === '' && query.trim() === ''}>
          Find records
        </Button>
      </form>
      {find.isError && <Note is="broken">{messageOf(find.error)}</Note>}
      {find.data && <Chosen found={find.data} left={left} onLeft={setLeft} />}
      {find.data && find.data.seqs.length > 0 && <Act request={request} seqs={seqs} found={find.data} />}
      {find.data && find.data.seqs.length > 0 && <Bundle seqs={seqs} />}
    </Panel>
  )
}

/** The same records as a signed bundle, named by their leaves: identifiers of the subject go into no filter. */
function Bundle({ seqs }: { readonly seqs: readonly number[] }) {
  const navigate = useNavigate()
  const query = filterOfSeqs(seqs)
  return (
    <div className="row gap-8">
      <PermittedButton
        permission="export"
        variant="default"
        size="compact-sm"
        disabled={query === null}
        onClick={() => query !== null && void navigate({ to: '/exports', search: { view: 'new', query } })}
      >
        Export as a signed bundle…
      </PermittedButton>
      <span className="dim small">
        {query === null && seqs.length > 0
          ? 'More leaves than one filter can name: export a period.'
          : 'With proofs. The filter names leaves, not the person.'}
      </span>
    </div>
  )
}

interface ChosenProps {
  readonly found: Found
  readonly left: ReadonlySet<number>
  readonly onLeft: (left: ReadonlySet<number>) => void
}

function Chosen({ found, left, onLeft }: ChosenProps) {
  if (found.seqs.length === 0) return <p className="soft">No record names this subject. Erased records are not found again.</p>
  const toggle = (seq: number, on: boolean) => {
    const next = new Set(left)
    if (on) next.delete(seq)
    else next.add(seq)
    onLeft(next)
  }
  return (
    <div className="subject-records">
      <table className="table">
        <thead>
          <tr>
            <th>
              <span className="hidden-text">Taken</span>
            </th>
            <th className="right">Leaf</th>
            <th>Time, UTC</th>
            <th>Request</th>
            <th>Class</th>
            <th>Kept until</th>
            <th>Hold</th>
          </tr>
        </thead>
        <tbody>
          {found.records.map(({ row, class: name, kept_until, kept_text, holds }) => (
            <tr key={row.seq}>
              <td>
                <Checkbox
                  aria-label={`Take leaf ${count(row.seq)}`}
                  checked={!left.has(row.seq)}
                  onChange={(event) => toggle(row.seq, event.currentTarget.checked)}
                />
              </td>
              <td className="right num">{count(row.seq)}</td>
              <td className="num">{moment(row.timestamp).replace(' UTC', '')}</td>
              <td className="subject-preview">
                {row.restricted ? <span className="dim">restricted</span> : <Masked text={row.preview} />}
              </td>
              <td>{name}</td>
              <td className="num" title={kept_text}>
                {kept_until === null ? '–' : kept_until.slice(0, 10)}
              </td>
              <td>
                {holds.length === 0 ? (
                  <span className="dim">none</span>
                ) : (
                  <State is="attention">{holds.map((hold) => hold.matter).join(', ')}</State>
                )}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      {found.seqs.length > found.records.length && (
        <p className="dim small">{count(found.seqs.length - found.records.length)} more are taken without being listed.</p>
      )}
      {found.more > 0 && <Note is="attention">{count(found.more)} further records do not fit in one request: enter another for them.</Note>}
    </div>
  )
}

interface ActProps {
  readonly request: SubjectRequest
  readonly seqs: readonly number[]
  readonly found: Found
}

function Act({ request, seqs, found }: ActProps) {
  switch (request.kind) {
    case 'access':
      return <Copy request={request} seqs={seqs} />
    case 'erasure':
      return <Erase request={request} seqs={seqs} found={found} />
    case 'restriction':
      return <Restrict request={request} seqs={seqs} />
    case 'rectification':
      return <p className="soft small">A record is never changed: answer with a correction beside it, and close the request with a note.</p>
  }
}

const records = (n: number): string => `${count(n)} ${n === 1 ? 'record' : 'records'}`

function Copy({ request, seqs }: Pick<ActProps, 'request' | 'seqs'>) {
  const write = useAction('subjects.export')
  const job = useJob(write.data?.job_id ?? null)
  const start = async () => {
    const { path } = await shell('shell.saveFile', {
      suggested_name: 'copy-of-data.json',
      filters: [{ name: 'JSON', extensions: ['json'] }]
    })
    if (path !== null) write.mutate({ request_id: request.id, seqs: [...seqs], out: path, replace: true })
  }
  return (
    <div className="row gap-8 wrap">
      <Button
        loading={write.isPending || job?.state === 'running'}
        disabled={seqs.length === 0}
        onClick={() => void start().catch(() => {})}
      >
        Write the copy of {records(seqs.length)}…
      </Button>
      <span className="dim small">JSON and a page, unmasked. The request is answered with it.</span>
      {write.isError && <Note is="broken">{messageOf(write.error)}</Note>}
      {job?.state === 'failed' && <Note is="broken">{job.error?.message}</Note>}
    </div>
  )
}

function Restrict({ request, seqs }: Pick<ActProps, 'request' | 'seqs'>) {
  const [reason, setReason] = useState('')
  const set = useAction('restrict.set', ['requests.list'])
  const go = (on: boolean) => set.mutate({ seqs: [...seqs], on, reason, request_id: request.id })
  return (
    <div className="column gap-8">
      <Textarea
        label="Reason"
        value={reason}
        maxLength={2000}
        autosize
        minRows={2}
        onChange={(event) => setReason(event.currentTarget.value)}
      />
      {set.isError && <Note is="broken">{messageOf(set.error)}</Note>}
      {set.isSuccess && <Note is="holds">On record in leaf {count(set.data.seq)}.</Note>}
      <div className="row gap-8">
        <Button loading={set.isPending} disabled={seqs.length === 0 || reason.trim().length < 3} onClick={() => go(true)}>
          Restrict {records(seqs.length)}
        </Button>
        <Button variant="default" disabled={set.isPending || seqs.length === 0 || reason.trim().length < 3} onClick={() => go(false)}>
          Lift the restriction
        </Button>
      </div>
    </div>
  )
}

/** GDPR 17(1)(a) to (f): a choice for the person who decides, never a default. */
const grounds = [
  'no longer necessary for the purposes, Article 17(1)(a)',
  'consent withdrawn and no other ground, Article 17(1)(b)',
  'objection to the processing, Article 17(1)(c)',
  'unlawfully processed, Article 17(1)(d)',
  'legal obligation to erase, Article 17(1)(e)',
  'collected from a child for an online service, Article 17(1)(f)'
]

function Erase({ request, seqs, found }: ActProps) {
  const [ground, setGround] = useState<string | null>(null)
  const [override, setOverride] = useState('')
  const [refusing, setRefusing] = useState(false)
  const ask = useAction('erasure.ask', ['requests.list', 'approvals.list'])
  const now = new Date().toISOString()
  const chosen = found.records.filter((one) => seqs.includes(one.row.seq))
  const kept = chosen.filter((one) => one.kept_until !== null && one.kept_until > now).length
  const held = chosen.filter((one) => one.holds.length > 0).length
  const start = () =>
    ask.mutate({
      request_id: request.id,
      decisions: [{ seqs: [...seqs], ground: ground ?? '', ...(override.trim() === '' ? {} : { override }) }]
    })
  if (ask.isSuccess) return <Note is="plain">Asked for. Another person decides it under Approvals; nothing is erased before.</Note>
  return (
    <div className="column gap-12">
      {held > 0 && <Note is="attention">{records(held)} on hold: take them out of the choice, or have the hold released first.</Note>}
      <div className="subject-form">
        <Select label="Ground" placeholder="Choose for these records" data={grounds} value={ground} onChange={setGround} />
        <TextInput
          label={kept > 0 ? `What overrides the retention of ${records(kept)}` : 'What overrides retention'}
          description={kept > 0 ? 'Their time has not ended.' : 'Not needed: no time is running.'}
          value={override}
          maxLength={2000}
          onChange={(event) => setOverride(event.currentTarget.value)}
        />
      </div>
      <KeyChange />
      {ask.isError && <Note is="broken">{messageOf(ask.error)}</Note>}
      <div className="row gap-8">
        <Button
          loading={ask.isPending}
          disabled={seqs.length === 0 || ground === null || (kept > 0 && override.trim().length < 3)}
          onClick={start}
        >
          Ask to erase {records(seqs.length)}
        </Button>
        <Button variant="default" disabled={seqs.length === 0} onClick={() => setRefusing(true)}>
          Refuse…
        </Button>
        <span className="dim small">A second person has to agree.</span>
      </div>
      {refusing && <Refuse request={request} seqs={seqs} onClose={() => setRefusing(false)} />}
    </div>
  )
}

interface RefuseProps {
  readonly request: SubjectRequest
  readonly seqs: readonly number[]
  readonly onClose: () => void
}

function Refuse({ request, seqs, onClose }: RefuseProps) {
  const [ground, setGround] = useState('')
  const refuse = useAction('erasure.refuse', ['requests.list'])
  return (
    <Modal opened onClose={onClose} title={`Refuse to erase ${records(seqs.length)}`}>
      <form
        className="column gap-12"
        onSubmit={(event) => {
          event.preventDefault()
          refuse.mutate({ request_id: request.id, seqs: [...seqs], ground }, { onSuccess: onClose })
        }}
      >
        <Textarea
          label="Ground"
          description="Article 17(3)(b) covers Union and Member State law only."
          value={ground}
          maxLength={2000}
          autosize
          minRows={2}
          onChange={(event) => setGround(event.currentTarget.value)}
        />
        {refuse.isError && <Note is="broken">{messageOf(refuse.error)}</Note>}
        <div className="row gap-8">
          <Button type="submit" loading={refuse.isPending} disabled={ground.trim().length < 3}>
            Record the refusal
          </Button>
          <Button variant="default" onClick={onClose}>
            Cancel
          </Button>
        </div>
      </form>
    </Modal>
  )
}
