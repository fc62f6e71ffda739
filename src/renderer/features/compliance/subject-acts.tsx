// SPDX-License-Identifier: Apache-2.0
// What a request asks for, done with the records that were found: a copy, a restriction, corrections, an erasure or its refusal.
import { Button, Checkbox, Select, Textarea, TextInput } from '@mantine/core'
import { useNavigate } from '@tanstack/react-router'
import { useState } from 'react'
import type { OperationOutput } from '../../../shared/contract/contract.ts'
import type { SubjectRequest } from '../../../shared/contract/requests.ts'
import { spansAmong } from '../../../shared/privacy/spans.ts'
import { shell } from '../../client/bridge.ts'
import { sentenceOf, useAction, useJob } from '../../client/hooks.ts'
import { count } from '../../ui/format.ts'
import { KeyChange } from '../../ui/key-change.tsx'
import { Note } from '../../ui/parts.tsx'
import { ReasonDialog } from '../../ui/reason-dialog.tsx'
import { Rectify } from './rectify.tsx'

export interface ActProps {
  readonly request: SubjectRequest
  readonly seqs: readonly number[]
  readonly found: OperationOutput<'subjects.find'>
}

/** The act that answers a request of this kind. */
export function Act({ request, seqs, found }: ActProps) {
  switch (request.kind) {
    case 'access':
      return <Copy request={request} seqs={seqs} found={found} />
    case 'erasure':
      return <Erase request={request} seqs={seqs} found={found} />
    case 'restriction':
      return <Restrict request={request} seqs={seqs} found={found} />
    case 'rectification':
      return <Rectify request={request} seqs={seqs} found={found} />
  }
}

const records = (n: number): string => `${count(n)} ${n === 1 ? 'record' : 'records'}`

/** The records chosen, and how many of them are spans around calls. */
const chosenText = ({ seqs, found }: Pick<ActProps, 'seqs' | 'found'>): string => {
  const chosen = new Set(seqs)
  return records(seqs.length) + spansAmong(found.wrappers.filter((seq) => chosen.has(seq)).length)
}

function Copy({ request, seqs, found }: ActProps) {
  const write = useAction('subjects.export')
  const job = useJob(write.data?.job_id ?? null)
  const [pdf, setPdf] = useState(true)
  const start = async () => {
    const { path } = await shell('shell.saveFile', {
      suggested_name: 'copy-of-data.json',
      filters: [{ name: 'JSON', extensions: ['json'] }]
    })
    if (path !== null) write.mutate({ request_id: request.id, seqs: [...seqs], out: path, replace: true, pdf })
  }
  return (
    <div className="row gap-8 wrap">
      <Button
        loading={write.isPending || job?.state === 'running'}
        disabled={seqs.length === 0}
        onClick={() => void start().catch(() => {})}
      >
        Write the copy of {chosenText({ seqs, found })}…
      </Button>
      <Checkbox label="As PDF too" checked={pdf} onChange={(event) => setPdf(event.currentTarget.checked)} />
      <span className="dim small">JSON and a page, unmasked. The request is answered with it.</span>
      {write.isError && <Note is="broken">{sentenceOf(write.error)}</Note>}
      {job?.state === 'failed' && <Note is="broken">{job.error?.message}</Note>}
    </div>
  )
}

function Restrict({ request, seqs, found }: ActProps) {
  const navigate = useNavigate()
  const [reason, setReason] = useState('')
  const set = useAction('restrict.set', ['requests.list'])
  const go = (on: boolean) => set.mutate({ seqs: [...seqs], on, reason, request_id: request.id })
  return (
    <div className="column gap-8">
      <p className="soft small">
        Restricted records are kept and otherwise left alone: in no search, export, figure or drift window, and shown to data protection
        alone.
      </p>
      <Textarea
        label="Reason"
        value={reason}
        maxLength={2000}
        autosize
        minRows={2}
        onChange={(event) => setReason(event.currentTarget.value)}
      />
      {set.isError && <Note is="broken">{sentenceOf(set.error)}</Note>}
      {set.isSuccess && <Note is="holds">On record in leaf {count(set.data.seq)}.</Note>}
      <div className="row gap-8">
        <Button loading={set.isPending} disabled={seqs.length === 0 || reason.trim().length < 3} onClick={() => go(true)}>
          Restrict {chosenText({ seqs, found })}
        </Button>
        <Button variant="default" disabled={set.isPending || seqs.length === 0 || reason.trim().length < 3} onClick={() => go(false)}>
          Lift the restriction
        </Button>
        <Button variant="subtle" onClick={() => void navigate({ to: '/records', search: { query: 'restricted:yes' } })}>
          Show all restricted records
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
      {ask.isError && <Note is="broken">{sentenceOf(ask.error)}</Note>}
      <div className="row gap-8">
        <Button
          loading={ask.isPending}
          disabled={seqs.length === 0 || ground === null || (kept > 0 && override.trim().length < 3)}
          onClick={start}
        >
          Ask to erase {chosenText({ seqs, found })}
        </Button>
        <Button variant="default" disabled={seqs.length === 0} onClick={() => setRefusing(true)}>
          Refuse…
        </Button>
        <span className="dim small">A second person has to agree.</span>
      </div>
      {refusing && <Refuse request={request} seqs={seqs} found={found} onClose={() => setRefusing(false)} />}
    </div>
  )
}

interface RefuseProps extends ActProps {
  readonly onClose: () => void
}

function Refuse({ request, seqs, found, onClose }: RefuseProps) {
  const refuse = useAction('erasure.refuse', ['requests.list'])
  return (
    <ReasonDialog
      title={`Refuse to erase ${chosenText({ seqs, found })}`}
      label="Ground"
      description="Article 17(3)(b) covers Union and Member State law only."
      least={3}
      submit="Record the refusal"
      act={refuse}
      onSubmit={(ground) => refuse.mutate({ request_id: request.id, seqs: [...seqs], ground }, { onSuccess: onClose })}
      onClose={onClose}
    />
  )
}
