// SPDX-License-Identifier: Apache-2.0
// What is in and what is withheld, before who and why.
import { Button, Checkbox, PasswordInput, Progress, SegmentedControl, TextInput } from '@mantine/core'
import { useDebouncedValue } from '@mantine/hooks'
import { useNavigate } from '@tanstack/react-router'
import { useState } from 'react'
import { useStatus } from '../../app/engine-state.tsx'
import { shell } from '../../client/bridge.ts'
import { messageOf, useAction, useJob, useOperation, useRefresh } from '../../client/hooks.ts'
import { bytes, count, day, fingerprint, fixed, moment } from '../../ui/format.ts'
import { Facts, Hash, Note, Panel, State } from '../../ui/parts.tsx'
import { PermittedButton } from '../../ui/permitted-button.tsx'
import { Failed, Loading } from '../../ui/states.tsx'
import { Period } from './period.tsx'

const parts = [
  { value: 'request', label: 'Prompts' },
  { value: 'response', label: 'Answers' },
  { value: 'error', label: 'Error texts' }
] as const
type Part = (typeof parts)[number]['value']

const tree = `bagit.txt  bag-info.txt
manifest-sha256.txt
tagmanifest-sha256.txt
tagmanifest-sha256.txt.sig
README-VERIFY.txt
verify.html  verify.sh  verify.cmd
trust/   log.vkey  log.pub.pem
         allowed_signers
proof/   checkpoint
         consistency.txt
data/    leaves.jsonl
         proofs/ or tile/
         payload/ or payloads/
         records.csv{parquet}
         audit-trail.csv
         alerts.jsonl
         report.html{pdf}
         case.json`

type Sealing = 'none' | 'recipient' | 'passphrase'
const sealings = [
  { value: 'none', label: 'Not encrypted' },
  { value: 'recipient', label: 'Key of the recipient' },
  { value: 'passphrase', label: 'Passphrase' }
] as const satisfies readonly { readonly value: Sealing; readonly label: string }[]

const recipientForm = /^age1[02-9ac-hj-np-z]{58}$/
const SHORTEST_PASSPHRASE = 12

const fileName = (now: Date, sealed: boolean): string => `affidavit-${now.toISOString().slice(0, 10)}.affidavit.zip${sealed ? '.age' : ''}`

export function NewExport({ query: initial }: { readonly query: string }) {
  const [query, setQuery] = useState(initial)
  const [settled] = useDebouncedValue(query, 250)
  const [withhold, setWithhold] = useState<readonly Part[]>([])
  const [personal, setPersonal] = useState(false)
  const [recipient, setRecipient] = useState('')
  const [purpose, setPurpose] = useState('')
  const [reason, setReason] = useState('')
  const [pdf, setPdf] = useState(true)
  const [parquet, setParquet] = useState(false)
  const [sealing, setSealing] = useState<Sealing>('none')
  const [secret, setSecret] = useState('')
  const [jobId, setJobId] = useState<string | null>(null)
  const refresh = useRefresh()
  const scope = { query: settled, withhold: [...withhold] }
  const preview = useOperation('export.preview', scope, { keep: true })
  const keys = useOperation('keys.report', {})
  const start = useAction('export.start')
  const navigate = useNavigate()
  const sealable =
    sealing === 'none' || (sealing === 'recipient' ? recipientForm.test(secret.trim()) : secret.length >= SHORTEST_PASSPHRASE)
  const ready = recipient.trim() !== '' && purpose.trim() !== '' && (preview.data?.records ?? 0) > 0 && !preview.isError && sealable
  const write = async () => {
    const { path } = await shell('shell.saveFile', {
      title: 'Write the bundle',
      suggested_name: fileName(new Date(), sealing !== 'none'),
      filters: [
        sealing === 'none'
          ? { name: 'Affidavit bundle', extensions: ['affidavit.zip', 'zip'] }
          : { name: 'Encrypted bundle', extensions: ['age'] }
      ]
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
          setSecret('')
          setJobId(job_id)
        }
      }
    )
  }
  const data = preview.data
  const exportKey = keys.data?.keys.find((key) => key.use === 'export')?.fingerprint
  const logKey = keys.data?.keys.find((key) => key.use === 'log')?.fingerprint
  return (
    <div className="exports">
      <div className="main-column">
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
              error={preview.isError ? messageOf(preview.error) : undefined}
            />
            <Period query={query} onQuery={setQuery} />
          </div>
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
                    ['Proves against', `the signed tree of ${count(data.size)} leaves`]
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
        <Panel title="Contents and delivery" sub="JSON lines, CSV and the report as a page are always in">
          <div className="row gap-16">
            <Checkbox label="Report as PDF" checked={pdf} onChange={(event) => setPdf(event.currentTarget.checked)} />
            <Checkbox label="Records in Parquet" checked={parquet} onChange={(event) => setParquet(event.currentTarget.checked)} />
          </div>
          <div className="column gap-8" style={{ marginTop: 12, alignItems: 'flex-start' }}>
            <SegmentedControl
              size="xs"
              aria-label="Encryption"
              data={[...sealings]}
              value={sealing}
              onChange={(value) => {
                setSealing(value as Sealing)
                setSecret('')
              }}
            />
            {sealing === 'recipient' && (
              <TextInput
                w="100%"
                label="Key of the recipient"
                placeholder="age1…"
                description="Only the holder of its secret half opens the file (age format)"
                value={secret}
                spellCheck={false}
                error={secret !== '' && !sealable ? 'This is no age key: it begins with age1 and has 62 characters' : undefined}
                onChange={(event) => setSecret(event.currentTarget.value)}
              />
            )}
            {sealing === 'passphrase' && (
              <PasswordInput
                w="100%"
                label="Passphrase"
                description={`At least ${SHORTEST_PASSPHRASE} characters; it is not recorded. Give it to the recipient by another way than the file.`}
                value={secret}
                onChange={(event) => setSecret(event.currentTarget.value)}
              />
            )}
          </div>
        </Panel>
        {start.isError && <Note is="broken">{messageOf(start.error)}</Note>}
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
            onAgain={() => {
              setJobId(null)
              refresh('export.list')
            }}
          />
        )}
      </div>
      <div className="side-column">
        <Panel title="The bundle">
          <pre className="bundle-tree">
            {tree.replace('{parquet}', parquet ? '  records.parquet' : '').replace('{pdf}', pdf ? '  report.pdf' : '')}
          </pre>
        </Panel>
        <Panel title="How it can be checked">
          <div className="column gap-8" style={{ fontSize: 12.5 }}>
            <p>This app, the command line, verify.html in any browser, or stock tools alone: OpenSSH, OpenSSL, sha256sum.</p>
            <p className="soft">
              Give the recipient the keys’ fingerprints by another channel. The copies inside the bundle prove nothing by themselves.
            </p>
            <Facts
              width={88}
              rows={[
                ['Export key', exportKey ? <Hash key="e" value={exportKey} label="export key fingerprint" head={8} tail={8} /> : '–'],
                ['Log key', logKey ? <Hash key="l" value={logKey} label="log key fingerprint" head={8} tail={8} /> : '–'],
                [
                  'By voice',
                  logKey && exportKey ? <span key="v" className="mono">{`${fingerprint(exportKey)} · ${fingerprint(logKey)}`}</span> : '–'
                ]
              ]}
            />
          </div>
        </Panel>
      </div>
    </div>
  )
}

const Figure = ({ value, name }: { readonly value: string; readonly name: string }) => (
  <div>
    <div className="value">{value}</div>
    <div className="name">{name}</div>
  </div>
)

function Writing({ jobId, onAgain }: { readonly jobId: string; readonly onAgain: () => void }) {
  const job = useJob(jobId)
  const cancel = useAction('jobs.cancel')
  const done = job?.state === 'done'
  const result = useOperation('export.result', { job_id: jobId }, { enabled: done })
  const status = useStatus()
  if (!job || job.state === 'running') {
    return (
      <Panel title="Writing">
        <div className="column gap-8">
          <Progress value={job?.total ? (100 * job.done) / job.total : 0} aria-label="Export" />
          <div className="row">
            <span role="status" className="num soft">
              {job?.total ? `${count(job.done)} of ${count(job.total)} ${job.unit}` : 'Taking a checkpoint'}
            </span>
            <span className="grow" />
            <Button variant="default" size="compact-sm" onClick={() => cancel.mutate({ id: jobId })}>
              Cancel
            </Button>
          </div>
        </div>
      </Panel>
    )
  }
  if (job.state !== 'done') {
    return (
      <Note is={job.state === 'cancelled' ? 'plain' : 'broken'}>
        <div className="row">
          <span className="grow">
            {job.state === 'cancelled' ? 'Cancelled: no bundle was written.' : (job.error?.message ?? 'The export failed.')}
          </span>
          <Button variant="default" size="compact-sm" onClick={onAgain}>
            Back
          </Button>
        </div>
      </Note>
    )
  }
  if (result.isError) return <Failed what="The result cannot be read" error={result.error} />
  const { data } = result
  if (!data) return <Loading what="Reading the result" />
  return (
    <Panel
      title="Written"
      right={
        <State is="holds">
          {count(data.records)} records, {bytes(data.bytes)}
        </State>
      }
    >
      <Facts
        width={104}
        rows={[
          [
            'File',
            <span key="f" className="mono">
              {data.path}
            </span>
          ],
          ['SHA-256', <Hash key="h" value={data.bundle_sha256} label="bundle SHA-256" head={20} tail={12} />],
          ...(data.encrypted_sha256 === null
            ? []
            : [
                [
                  'Encrypted',
                  <Hash key="x" value={data.encrypted_sha256} label="SHA-256 of the encrypted file" head={20} tail={12} />
                ] as const
              ]),
          ['Tag manifest', <Hash key="t" value={data.tag_manifest_sha256} label="tag manifest SHA-256" head={20} tail={12} />],
          [
            'Recorded',
            `leaf ${count(data.seq)}, ${day(data.time)}${status?.checkpoint && data.seq < status.checkpoint.size ? ', in a checkpoint' : ''}`
          ]
        ]}
      />
      <div className="row" style={{ marginTop: 8 }}>
        <Button variant="default" size="compact-sm" onClick={() => void shell('shell.showItem', { path: data.path }).catch(() => {})}>
          Show the file
        </Button>
        <Button variant="default" size="compact-sm" onClick={onAgain}>
          Another export
        </Button>
        <span className="grow" />
        <span className="dim small">{fixed((Date.parse(job.ended ?? job.started) - Date.parse(job.started)) / 1000, 1)} s</span>
      </div>
    </Panel>
  )
}
