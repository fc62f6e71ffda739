// SPDX-License-Identifier: Apache-2.0
// Pick or drop → preview with units and zone → progress with cancel → report with the rejected lines.
import { Button, Modal, Progress, Select, TextInput } from '@mantine/core'
import { type DragEvent, useEffect, useState } from 'react'
import type { ImportPreview } from '../../../shared/contract/imports.ts'
import { pathOf, shell } from '../../client/bridge.ts'
import { useAction, useJob, useOperation } from '../../client/hooks.ts'
import { bytes, count, duration, fixed, moment } from '../../ui/format.ts'
import { Note, State } from '../../ui/parts.tsx'
import { Failed, Loading } from '../../ui/states.tsx'

const zones = ['UTC', ...Intl.supportedValuesOf('timeZone').filter((zone) => zone !== 'UTC')]

interface ImportDialogProps {
  readonly opened: boolean
  /** A file dropped on the screen behind. */
  readonly file: string | null
  readonly onClose: () => void
}

export function ImportDialog({ opened, file, onClose }: ImportDialogProps) {
  const [path, setPath] = useState<string | null>(null)
  const [jobId, setJobId] = useState<string | null>(null)
  useEffect(() => {
    if (opened) setPath(file)
    else {
      setPath(null)
      setJobId(null)
    }
  }, [opened, file])
  const job = useJob(jobId)
  const running = job?.state === 'running'
  return (
    <Modal
      opened={opened}
      onClose={onClose}
      title="Import a file"
      size={860}
      closeOnClickOutside={!running}
      closeOnEscape={!running}
      closeButtonProps={{ 'aria-label': 'Close' }}
      transitionProps={{ duration: 0 }}
    >
      {jobId !== null ? (
        <Running jobId={jobId} onClose={onClose} />
      ) : path === null ? (
        <Choose onPath={setPath} />
      ) : (
        <Preview path={path} onOther={() => setPath(null)} onStarted={setJobId} />
      )}
    </Modal>
  )
}

function Choose({ onPath }: { readonly onPath: (path: string) => void }) {
  const pick = async () => {
    const { paths } = await shell('shell.pickFile', {
      title: 'Import a file',
      filters: [
        { name: 'CSV or JSON lines', extensions: ['csv', 'jsonl', 'ndjson', 'json'] },
        { name: 'All files', extensions: ['*'] }
      ]
    })
    if (paths[0] !== undefined) onPath(paths[0])
  }
  const onDrop = (event: DragEvent) => {
    event.preventDefault()
    const dropped = event.dataTransfer.files[0]
    const path = dropped ? pathOf(dropped) : ''
    if (path !== '') onPath(path)
  }
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: dropping is a second way to what the button does.
    <div className="drop-zone" onDragOver={(event) => event.preventDefault()} onDrop={onDrop}>
      <p>Drop a file here, or</p>
      <Button onClick={() => void pick()}>Choose a file…</Button>
      <p className="dim small">
        LLMDrift evaluation CSV, or canonical events as JSON lines. Nothing is stored before the preview is confirmed.
      </p>
    </div>
  )
}

interface PreviewProps {
  readonly path: string
  readonly onOther: () => void
  readonly onStarted: (jobId: string) => void
}

function Preview({ path, onOther, onStarted }: PreviewProps) {
  const [profile, setProfile] = useState<string | null>(null)
  const [zone, setZone] = useState('UTC')
  const [source, setSource] = useState('')
  const given = { path, zone, ...(profile === null ? {} : { profile }), ...(source.trim() === '' ? {} : { source: source.trim() }) }
  const preview = useOperation('import.preview', given, { keep: true })
  const start = useAction('import.start')
  if (preview.isError) {
    return (
      <Failed what="This file cannot be imported" error={preview.error} onRetry={() => void preview.refetch()}>
        <Button onClick={onOther}>Choose another file…</Button>
      </Failed>
    )
  }
  const { data } = preview
  if (!data) return <Loading what="Reading the head of the file" />
  return (
    <div className="column gap-12">
      <div className="row wrap gap-12" style={{ alignItems: 'flex-end' }}>
        <div className="column">
          <span className="strong clip">{data.file.name}</span>
          <span className="dim small">{bytes(data.file.bytes)}</span>
        </div>
        <span className="grow" />
        <Select
          label="Format"
          w={230}
          data={data.candidates.map((one) => ({ value: one.profile, label: one.title }))}
          value={data.profile}
          onChange={setProfile}
        />
        {data.asks_zone && (
          <Select
            label="Times in the file are in"
            w={180}
            searchable
            data={zones}
            value={zone}
            onChange={(value) => setZone(value ?? 'UTC')}
          />
        )}
        <TextInput
          label="Source"
          w={130}
          placeholder="as in the file"
          value={source}
          maxLength={128}
          onChange={(event) => setSource(event.currentTarget.value)}
        />
      </div>
      <Note is="plain">
        <b>Units.</b> {data.units.map((unit) => `${unit.column}: ${unit.unit}, becomes ${unit.becomes}`).join(' · ')}
      </Note>
      <PreviewTable data={data} />
      {data.problems.length > 0 && (
        <Note is="attention">
          {count(data.problems.length)} of the first {count(data.rows.length + data.problems.length)} lines will be rejected, such as line{' '}
          {data.problems[0]?.line}: {data.problems[0]?.message}
        </Note>
      )}
      {start.isError && <Note is="broken">{start.error.message}</Note>}
      <div className="row">
        <Button variant="default" onClick={onOther}>
          Another file…
        </Button>
        <span className="grow" />
        <span className="dim small">
          Leaves <span className="mono">import.started</span> and <span className="mono">import.done</span> beside the records.
        </span>
        <Button
          loading={start.isPending}
          disabled={data.rows.length === 0}
          onClick={() => start.mutate({ ...given, profile: data.profile }, { onSuccess: ({ job_id }) => onStarted(job_id) })}
        >
          Import
        </Button>
      </div>
    </div>
  )
}

const PreviewTable = ({ data }: { readonly data: ImportPreview }) => (
  // biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling region must be reachable by keyboard.
  <div className="import-table" role="region" aria-label="First rows of the file" tabIndex={0}>
    <table className="table">
      <thead>
        <tr>
          <th className="right">Line</th>
          <th>Start, UTC</th>
          <th>Model</th>
          <th>Source</th>
          <th>Request</th>
          <th>Response</th>
          <th className="right">Latency</th>
          <th className="right">In / out</th>
        </tr>
      </thead>
      <tbody>
        {data.rows.map((row) => (
          <tr key={row.line}>
            <td className="right dim">{row.line}</td>
            <td className="num">{row.timestamp === null ? '–' : moment(row.timestamp).replace(' UTC', '')}</td>
            <td>{row.model}</td>
            <td>{row.source}</td>
            <td title={row.request}>{row.request}</td>
            <td title={row.response}>{row.response}</td>
            <td className="right">{row.latency_ms === null ? '–' : duration(row.latency_ms)}</td>
            <td className="right">
              {row.input_tokens ?? '–'} / {row.output_tokens ?? '–'}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  </div>
)

function Running({ jobId, onClose }: { readonly jobId: string; readonly onClose: () => void }) {
  const job = useJob(jobId)
  const cancel = useAction('jobs.cancel')
  const ended = job !== null && job.state !== 'running'
  const result = useOperation('import.result', { job_id: jobId }, { enabled: ended })
  if (!job) return <Loading what="Starting" />
  if (!ended) {
    const share = job.total ? (100 * job.done) / job.total : 0
    return (
      <div className="column gap-12">
        <div className="row">
          <span role="status" className="num">
            {count(job.counts.accepted ?? 0)} accepted · {count(job.counts.duplicates ?? 0)} duplicates · {count(job.counts.rejected ?? 0)}{' '}
            rejected
          </span>
          <span className="grow" />
          <span className="dim num">{Math.floor(share)} %</span>
        </div>
        <Progress value={share} aria-label="Import" />
        <div className="row">
          <span className="dim small">What was accepted is on disk and stays, even after Cancel.</span>
          <span className="grow" />
          <Button variant="default" onClick={() => cancel.mutate({ id: jobId })}>
            Cancel
          </Button>
        </div>
      </div>
    )
  }
  const data = result.data
  return (
    <div className="column gap-12">
      <State is={job.state === 'done' ? 'holds' : job.state === 'cancelled' ? 'pending' : 'broken'}>
        {job.state === 'done'
          ? 'Imported'
          : job.state === 'cancelled'
            ? 'Cancelled; what was accepted stays'
            : (job.error?.message ?? 'The import stopped')}
      </State>
      {data && (
        <p className="num">
          {count(data.accepted)} accepted, {count(data.duplicates)} already on record, {count(data.rejected)} rejected, in{' '}
          {fixed(data.seconds, 1)} s.
        </p>
      )}
      {data && data.errors.length > 0 && (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling region must be reachable by keyboard.
        <div className="import-table" role="region" aria-label="Rejected lines" tabIndex={0}>
          <table className="table">
            <thead>
              <tr>
                <th className="right">Line</th>
                <th>Code</th>
                <th>Why</th>
              </tr>
            </thead>
            <tbody>
              {data.errors.map((error) => (
                <tr key={error.line}>
                  <td className="right">{error.line}</td>
                  <td className="mono">{error.code}</td>
                  <td style={{ maxWidth: 'none' }}>{error.message}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      <div className="row">
        <span className="grow" />
        <Button onClick={onClose}>Done</Button>
      </div>
    </div>
  )
}
