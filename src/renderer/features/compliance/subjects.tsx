// SPDX-License-Identifier: Apache-2.0
import { Button } from '@mantine/core'
import { useState } from 'react'
import type { SubjectRequest } from '../../../shared/contract/requests.ts'
import { shell } from '../../client/bridge.ts'
import { sentenceOf, useAction, useOperation } from '../../client/hooks.ts'
import { count, counted, day, moment } from '../../ui/format.ts'
import { cx, Facts, Note, Panel, State } from '../../ui/parts.tsx'
import { Empty, Failed, Loading } from '../../ui/states.tsx'
import { Who } from '../../ui/who.tsx'
import { StateOf } from './approvals.tsx'
import { Recipients } from './recipients.tsx'
import { Ask, Enter, kindNames } from './request-dialogs.tsx'
import { SubjectScope } from './subject-scope.tsx'

/** A date that does not break. */
const dateOf = (date: string): string => day(date).replaceAll(' ', '\u00a0')

const stepNames: Readonly<Record<string, string>> = {
  'request.received': 'entered',
  'request.extended': 'extended by two months',
  'request.closed': 'closed',
  'subject.exported': 'copy of data written',
  'restrict.set': 'restriction changed',
  'record.corrected': 'corrected',
  'erasure.intent': 'erasure begun',
  'erasure.searched': 'files searched, traces found',
  'erasure.done': 'erased',
  'erasure.refused': 'erasure refused',
  'recipient.told': 'recipient told'
}

function Clock({ request }: { readonly request: SubjectRequest }) {
  if (request.state !== 'open') return <State is={request.state === 'done' ? 'holds' : 'none'}>{request.state}</State>
  const days = request.days_left
  if (days < 0) return <State is="broken">{counted(-days, 'day')} late</State>
  return <State is={days <= 7 ? 'attention' : 'pending'}>{counted(days, 'day')} left</State>
}

/** Requests of data subjects: the register with its clock, and the work on one of them. */
export function Subjects() {
  const register = useOperation('requests.list', {}, { refetchMs: 5_000, keep: true })
  const [selected, setSelected] = useState<string | null>(null)
  const [entering, setEntering] = useState(false)
  if (register.isError) return <Failed what="The register cannot be read" error={register.error} onRetry={() => void register.refetch()} />
  if (!register.data) return <Loading what="Reading the register" />
  const { requests } = register.data
  const request = requests.find((one) => one.id === selected) ?? requests[0]
  const enter = (
    <Button size="compact-sm" variant={requests.length === 0 ? 'filled' : 'default'} onClick={() => setEntering(true)}>
      Enter a request…
    </Button>
  )
  return (
    <>
      {request === undefined ? (
        <Empty title="No request is on record">
          <p>A request for access, erasure, restriction or rectification is answered within one month of its receipt.</p>
          {enter}
        </Empty>
      ) : (
        <div className="subjects">
          <Panel title="Register" sub="newest first" right={enter} flush>
            <ul className="request-list">
              {requests.map((one) => (
                <li key={one.id}>
                  <button
                    type="button"
                    className={cx('request-item', one.id === request.id && 'selected')}
                    aria-current={one.id === request.id}
                    onClick={() => setSelected(one.id)}
                  >
                    <span className="row">
                      <b className="clip grow">{one.reference}</b>
                      <Clock request={one} />
                    </span>
                    <span className="dim small num">
                      {kindNames[one.kind]} · received {dateOf(one.received)} · due {dateOf(one.due)}
                    </span>
                  </button>
                </li>
              ))}
            </ul>
          </Panel>
          <div className="subject-work" key={request.id}>
            <RequestPanel request={request} />
            {request.state === 'open' && <SubjectScope request={request} />}
          </div>
        </div>
      )}
      {entering && <Enter onClose={() => setEntering(false)} onEntered={setSelected} />}
    </>
  )
}

function RequestPanel({ request }: { readonly request: SubjectRequest }) {
  const [asking, setAsking] = useState<'extend' | 'close' | null>(null)
  const open = request.state === 'open'
  const save = useAction('erasure.save_certificate')
  const certificate = async (id: string) => {
    const { path } = await shell('shell.saveFile', {
      suggested_name: 'certificate-of-erasure.html',
      filters: [{ name: 'Web page', extensions: ['html'] }]
    })
    if (path !== null) save.mutate({ id, out: path, pdf: true })
  }
  return (
    <Panel
      title={`${kindNames[request.kind]}, ${request.reference}`}
      right={
        open && (
          <span className="row gap-8">
            {!request.extended && (
              <Button size="compact-sm" variant="default" onClick={() => setAsking('extend')}>
                Extend…
              </Button>
            )}
            <Button size="compact-sm" variant="default" onClick={() => setAsking('close')}>
              Close…
            </Button>
          </span>
        )
      }
    >
      <div className="request-facts">
        <Facts
          width={84}
          rows={[
            ['State', <Clock key="state" request={request} />],
            ['Received', dateOf(request.received)],
            ['Due', `${dateOf(request.due)}${request.extended ? ', extended' : ''}`],
            ['Entered by', <Who key="by" actor={request.opened_by} />]
          ]}
        />
        <ol className="steps" aria-label="History">
          {request.steps.map((step) => (
            <li key={step.seq}>
              <span className="num dim">{moment(step.time).replace(' UTC', '')}</span>
              <span>
                {stepNames[step.type] ?? step.type}
                {step.records > 0 && `, ${count(step.records)} ${step.records === 1 ? 'record' : 'records'}`}
                <span className="dim">
                  {' '}
                  by <Who actor={step.actor} />, leaf {count(step.seq)}
                </span>
                {step.note !== '' && <span className="step-note">{step.note}</span>}
              </span>
            </li>
          ))}
        </ol>
      </div>
      {request.kind === 'erasure' && <Asked request={request} />}
      {request.erasures.map((erasure) => (
        <div key={erasure.id} className="row gap-8 erasure-line">
          <ErasureState erasure={erasure} />
          <span className="grow" />
          {erasure.done_seq !== null && (
            <Button
              size="compact-sm"
              variant="default"
              loading={save.isPending}
              onClick={() => void certificate(erasure.id).catch(() => {})}
            >
              Save the certificate…
            </Button>
          )}
        </div>
      ))}
      {save.isError && <Note is="broken">{sentenceOf(save.error)}</Note>}
      {save.isSuccess && (
        <Note is="holds">
          The certificate was written as a page and as PDF, with the JSON that both are of:{' '}
          <span className="mono anywhere">{save.data.html}</span>
        </Note>
      )}
      {(request.steps.some((step) => step.type === 'restrict.set' || step.type === 'record.corrected') ||
        request.erasures.some((one) => one.done_seq !== null || (one.gone ?? 0) > 0)) && <Recipients request={request} />}
      {asking && <Ask request={request} what={asking} onClose={() => setAsking(null)} />}
    </Panel>
  )
}

/** Erasures that were asked for and not given: what waits for a second person, and what one refused and why. */
function Asked({ request }: { readonly request: SubjectRequest }) {
  const query = useOperation('approvals.list', {}, { refetchMs: 5_000, keep: true })
  const asked = query.data?.approvals.filter((one) => one.request_id === request.id && one.state !== 'given') ?? []
  return asked.map((one) => (
    <div key={one.id} className="row gap-8 erasure-line">
      <StateOf approval={one} />
      <span className="dim anywhere">
        {one.title}, leaf {count(one.seq)}
        {one.decided !== null && one.decided_by !== null && (
          <>
            , by <Who actor={one.decided_by} />, {moment(one.decided)}
          </>
        )}
        {one.note !== '' && `: ${one.note}`}
      </span>
    </div>
  ))
}

/** What became of an erasure, as its certificate says it: a search that could not be made found nothing, and proves nothing. */
function ErasureState({ erasure }: { readonly erasure: SubjectRequest['erasures'][number] }) {
  if (erasure.refused_seq !== null)
    return (
      <>
        <State is="attention">given up for a hold, leaf {count(erasure.refused_seq)}</State>
        {erasure.gone !== null && erasure.gone > 0 && (
          <span className="dim small">
            The content of {count(erasure.gone)} {erasure.gone === 1 ? 'leaf was' : 'leaves was'} destroyed before the hold came, as that
            leaf says.
          </span>
        )}
      </>
    )
  const traces = `${count(erasure.traces ?? 0)} ${erasure.traces === 1 ? 'trace' : 'traces'} of the texts`
  if (erasure.done_seq === null && erasure.traces !== null)
    return (
      <>
        <State is="attention">not erased yet, {traces} found</State>
        <span className="dim small">Remove the files that the history names: the search is made again by itself.</span>
      </>
    )
  if (erasure.done_seq === null) return <State is="pending">being erased</State>
  const erased = `${count(erasure.records)} ${erasure.records === 1 ? 'record' : 'records'} erased`
  if (erasure.searched === 0 && erasure.unread === 0) return <State is="holds">{erased}, without texts to look for</State>
  if (erasure.searched === null || erasure.searched === 0)
    return (
      <>
        <State is="attention">
          {erased}, files not searched{erasure.traces !== null && ' again'}
        </State>
        <span className="dim small">
          The process ended after the keys were destroyed, and the texts to look for went with them.
          {erasure.traces !== null && ` Before that, a search had found ${traces}; the certificate says in which files.`}
        </span>
      </>
    )
  const unread = erasure.unread ?? 0
  const partly = (erasure.left_out ?? 0) > 0 || unread > 0
  return (
    <>
      <State is={partly ? 'attention' : 'holds'}>
        {erased}, no trace found{partly && ' of what was looked for'}
      </State>
      {(erasure.left_out ?? 0) > 0 && (
        <span className="dim small">{count(erasure.left_out ?? 0)} pieces of the texts were too many to look for.</span>
      )}
      {unread > 0 && <span className="dim small">The texts of {counted(unread, 'leaf', 'leaves')} could not be read any more.</span>}
      {erasure.kept !== null && erasure.kept > 0 && (
        <span className="dim small">{count(erasure.kept)} pieces also stand in records that are kept.</span>
      )}
    </>
  )
}
