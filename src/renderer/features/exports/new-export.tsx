// SPDX-License-Identifier: Apache-2.0
// What is in and what is withheld, before who and why.
import { Checkbox, TextInput } from '@mantine/core'
import { useDebouncedValue } from '@mantine/hooks'
import { useNavigate } from '@tanstack/react-router'
import { useState } from 'react'
import { shell } from '../../client/bridge.ts'
import { codeOf, messageOf, sentenceOf, useAction, useOperation, useRefresh } from '../../client/hooks.ts'
import { bytes, count, counted, moment } from '../../ui/format.ts'
import { Facts, Note, Panel } from '../../ui/parts.tsx'
import { PermittedButton } from '../../ui/permitted-button.tsx'
import { Loading } from '../../ui/states.tsx'
import { BundleFacts } from './bundle-facts.tsx'
import { Delivery, type DeliveryChoice, isSealable, plainDelivery } from './delivery.tsx'
import { Interrupted } from './interrupted.tsx'
import { Period } from './period.tsx'
import { type LeafRange, RangeChoice } from './range-choice.tsx'
import { Writing } from './writing.tsx'

const parts = [
  { value: 'request', label: 'Prompts' },
  { value: 'response', label: 'Answers' },
  { value: 'error', label: 'Error texts' }
] as const
type Part = (typeof parts)[number]['value']

const fileName = (now: Date, sealed: boolean): string => `affidavit-${now.toISOString().slice(0, 10)}.affidavit.zip${sealed ? '.age' : ''}`

export function NewExport({ query: initial }: { readonly query: string }) {
  const [query, setQuery] = useState(initial)
  const [settled] = useDebouncedValue(query, 250)
  const [range, setRange] = useState<LeafRange | null>(null)
  const [settledRange] = useDebouncedValue(range, 250)
  const [withhold, setWithhold] = useState<readonly Part[]>([])
  const [personal, setPersonal] = useState(false)
  const [recipient, setRecipient] = useState('')
  const [purpose, setPurpose] = useState('')
  const [reason, setReason] = useState('')
  const [delivery, setDelivery] = useState<DeliveryChoice>(plainDelivery)
  const [started, setJobId] = useState<string | null>(null)
  const [out, setOut] = useState<string | null>(null)
  const refresh = useRefresh()
  const scope = { query: settled, withhold: [...withhold], ...(settledRange === null ? {} : { range: settledRange }) }
  const preview = useOperation('export.preview', scope, { keep: true })
  const start = useAction('export.start')
  // An export goes on while its view is left.
  const running = useOperation('jobs.list', {}).data?.jobs.find((job) => job.kind === 'export' && job.state === 'running')
  const jobId = started ?? running?.id ?? null
  const navigate = useNavigate()
  const ready =
    recipient.trim() !== '' &&
    purpose.trim() !== '' &&
    ((preview.data?.records ?? 0) > 0 || range !== null) &&
    range === settledRange &&
    !preview.isError &&
    isSealable(delivery)
  const write = async () => {
    const { pdf, parquet, sealing, secret } = delivery
    const { path } = await shell('shell.saveFile', {
      title: 'Write the bundle',
      suggested_name: fileName(new Date(), sealing !== 'none'),
      filters:
        sealing === 'none'
          ? [
              { name: 'Affidavit bundle', extensions: ['affidavit.zip', 'zip'] },
              // The same file: Windows and macOS give a file to a program by the last part of its name alone.
              { name: 'Affidavit bundle, opened by a double-click', extensions: ['affidavit'] }
            ]
          : [{ name: 'Encrypted bundle', extensions: ['age'] }]
    })
    if (path === null) return
    // The dialog has asked already whether an existing file may be replaced.
    start.mutate(
      {
        ...scope,
        recipient: recipient.trim(),
        purpose: purpose.trim(),
        withhold_personal: personal,
        ...(withhold.length > 0 && reason.trim() !== '' ? { withhold_reason: reason.trim() } : {}),
        pdf,
        parquet,
        ...(sealing === 'none' ? {} : { encrypt: sealing === 'recipient' ? { recipient: secret.trim() } : { passphrase: secret } }),
        out: path,
        replace: true
      },
      {
        onSuccess: ({ job_id }) => {
          setDelivery((before) => ({ ...before, secret: '' }))
          setOut(path)
          setJobId(job_id)
        }
      }
    )
  }
  const data = preview.data
  return (
    <div className="exports">
      <div className="main-column">
        <Interrupted />
        <Panel
          title="In scope"
          sub={settled === '' ? 'every record' : settled}
          right={
            <button
              type="button"
              className="link"
              onClick={() => void navigate({ to: '/records', search: settled === '' ? {} : { query: settled } })}
            >
              Open in Records
            </button>
          }
          flush
        >
          <div className="scope-filter">
            <TextInput
              label="Filter"
              placeholder="Everything; or words, field:value, from:2023-07-01"
              value={query}
              onChange={(event) => setQuery(event.currentTarget.value)}
              spellCheck={false}
              error={preview.isError && codeOf(preview.error) !== 'engine_unavailable' ? messageOf(preview.error) : undefined}
            />
            <Period query={query} onQuery={setQuery} />
          </div>
          <RangeChoice value={range} size={data?.size ?? null} onChange={setRange} />
          {data ? (
            <>
              <div className="scope-figures">
                <Figure value={count(data.records)} name="records" />
                <Figure value={count(data.leaves)} name="leaves" />
                <Figure value={count(data.withheld_parts)} name="parts withheld" />
                <Figure value={count(data.erased)} name="erased" />
                <Figure value={bytes(data.estimated_bytes)} name="estimated bundle" />
              </div>
              <div style={{ padding: '6px 12px 8px', borderTop: '1px solid var(--a-line)' }}>
                <Facts
                  width={88}
                  rows={[
                    ['First', data.from === null ? 'none' : moment(data.from)],
                    ['Last', data.to === null ? 'none' : moment(data.to)],
                    ...(data.restricted === 0
                      ? []
                      : [['Stays behind', `${count(data.restricted)} restricted (GDPR 18); the bundle says how many`] as const]),
                    ...(data.looks.looks === 0
                      ? []
                      : [
                          [
                            'Drift',
                            `${count(data.looks.looks)} look${data.looks.looks === 1 ? '' : 's'} whole, so that verdicts can be decided again: names and count tables of ${count(data.looks.series)} series, also of those outside this filter`
                          ] as const
                        ]),
                    ...(data.range === null
                      ? []
                      : [['Whole range', `leaves ${count(data.range.first)} to ${count(data.range.last)}, none missing`] as const]),
                    ['Proves against', `the signed tree of ${counted(data.size, 'leaf', 'leaves')}`]
                  ]}
                />
              </div>
            </>
          ) : (
            !preview.isError && <Loading what="Counting" />
          )}
        </Panel>
        <Panel title="Withheld" sub="each part left out is named; tables and report carry masked text, payload files are complete">
          <Checkbox.Group value={[...withhold]} onChange={(value) => setWithhold(value as Part[])} aria-label="Parts to withhold">
            <div className="row gap-16">
              {parts.map((part) => (
                <Checkbox key={part.value} value={part.value} label={part.label} />
              ))}
            </div>
          </Checkbox.Group>
          <Checkbox
            mt={8}
            label="Parts with personal data"
            description="Found while the bundle is written, by the settings of privacy. Withheld whole: a commitment opens a part whole or not at all."
            checked={personal}
            onChange={(event) => setPersonal(event.currentTarget.checked)}
          />
          {withhold.length > 0 && (
            <TextInput
              mt={10}
              label="Reason"
              placeholder="Privileged, flagged by counsel"
              description="Stands in the bundle beside each part that is left out"
              value={reason}
              maxLength={200}
              onChange={(event) => setReason(event.currentTarget.value)}
            />
          )}
        </Panel>
        <Panel title="Recipient and purpose">
          <div className="form-grid">
            <TextInput
              label="Recipient"
              placeholder="Examination unit, case 26-1140"
              value={recipient}
              maxLength={200}
              onChange={(event) => setRecipient(event.currentTarget.value)}
            />
            <TextInput
              label="Purpose"
              placeholder="Regulatory examination"
              value={purpose}
              maxLength={500}
              onChange={(event) => setPurpose(event.currentTarget.value)}
            />
          </div>
        </Panel>
        <Delivery value={delivery} onChange={setDelivery} />
        <div className="export-foot">
          {start.isError && <Note is="broken">{sentenceOf(start.error)}</Note>}
          {jobId === null ? (
            <div className="row">
              <span className="dim small">
                Writing this export leaves an <span className="mono">export.created</span> leaf.
              </span>
              <span className="grow" />
              <PermittedButton permission="export" disabled={!ready} loading={start.isPending} onClick={() => void write()}>
                Sign and write…
              </PermittedButton>
            </div>
          ) : (
            <Writing
              jobId={jobId}
              out={out}
              onAgain={() => {
                setJobId(null)
                refresh('export.list', 'export.interrupted', 'jobs.list')
              }}
            />
          )}
        </div>
      </div>
      <BundleFacts pdf={delivery.pdf} parquet={delivery.parquet} />
    </div>
  )
}

const Figure = ({ value, name }: { readonly value: string; readonly name: string }) => (
  <div>
    <div className="value">{value}</div>
    <div className="name">{name}</div>
  </div>
)
