// SPDX-License-Identifier: Apache-2.0
// First rows of a file with their units, and the mapping of its columns where no format is known.
import { Button, Select, TextInput } from '@mantine/core'
import { useState } from 'react'
import { type ImportMapping, MAPPED } from '../../../shared/contract/import-mapping.ts'
import type { ImportPreview } from '../../../shared/contract/imports.ts'
import { useAction, useOperation } from '../../client/hooks.ts'
import { bytes, count, duration, moment } from '../../ui/format.ts'
import { cx, Note } from '../../ui/parts.tsx'
import { Failed, Loading } from '../../ui/states.tsx'
import { MappingTable } from './import-mapping.tsx'

const zones = ['UTC', ...Intl.supportedValuesOf('timeZone').filter((zone) => zone !== 'UTC')]

interface PreviewProps {
  readonly path: string
  readonly onOther: () => void
  readonly onStarted: (jobId: string) => void
}

export function Preview({ path, onOther, onStarted }: PreviewProps) {
  const [profile, setProfile] = useState<string | null>(null)
  const [zone, setZone] = useState('UTC')
  const [source, setSource] = useState('')
  const [mapping, setMapping] = useState<ImportMapping | null>(null)
  const byHand = mapping !== null && (profile === null || profile === MAPPED)
  const given = {
    path,
    zone,
    ...(profile === null ? {} : { profile }),
    ...(source.trim() === '' ? {} : { source: source.trim() }),
    ...(byHand ? { mapping: complete(mapping) } : {})
  }
  const preview = useOperation('import.preview', given, { keep: true })
  const start = useAction('import.start')
  if (preview.isError) {
    return (
      <Failed
        what={`${path.split(/[/\\]/).at(-1) ?? 'This file'} cannot be imported`}
        error={preview.error}
        onRetry={() => void preview.refetch()}
      >
        <div className="row">
          <Button onClick={onOther}>Choose another file…</Button>
          {profile !== null && (
            <Button variant="default" onClick={() => setProfile(null)}>
              Back to the format found
            </Button>
          )}
        </div>
      </Failed>
    )
  }
  const { data } = preview
  if (!data) return <Loading what="Reading the head of the file" />
  const used = data.mapping ? complete(mapping ?? data.mapping.used) : undefined
  const open = data.mapping?.faults.some((fault) => fault.rows === 0) === true
  return (
    <div className="column gap-12">
      <div className="row wrap gap-12" style={{ alignItems: 'flex-end' }}>
        <div className="column">
          <span className="strong clip">{data.file.name}</span>
          <span className="dim small">
            {bytes(data.file.bytes)}, {formNames[data.file.form]}
            {data.file.list !== null && (
              <>
                , rows in <span className="mono">{data.file.list}</span>
              </>
            )}
          </span>
        </div>
        <span className="grow" />
        <Select
          label="Format"
          w={230}
          data={data.candidates.map((one) => ({ value: one.profile, label: one.title }))}
          value={data.profile}
          onChange={setProfile}
        />
        {data.zone_for.length > 0 && (
          <Select
            label={
              <span className="clip" title={`The file names no zone for ${data.zone_for.join(', ')}`}>
                Zone of <span className="mono">{data.zone_for.join(', ')}</span>
              </span>
            }
            w={220}
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
      {data.units.length > 0 && <Units units={data.units} />}
      {data.mapping && <MappingTable mapping={data.mapping} value={mapping ?? data.mapping.used} onChange={setMapping} />}
      {data.rows.length > 0 && <PreviewTable data={data} />}
      {data.rows.length === 0 && data.problems.length === 0 && <Note is="attention">The file has no rows.</Note>}
      {data.problems.length > 0 && !open && (
        <Note is="attention">
          {data.rows.length === 0
            ? 'None of the first rows can be taken'
            : `${count(data.problems.length)} of the first ${count(data.rows.length + data.problems.length)} rows will be rejected`}
          , such as {rowNames[data.file.form].toLowerCase()} {data.problems[0]?.line}: {data.problems[0]?.message}
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
          disabled={data.rows.length === 0 || open || preview.isPlaceholderData}
          onClick={() =>
            start.mutate(
              { ...given, profile: data.profile, ...(used ? { mapping: used } : {}) },
              { onSuccess: ({ job_id }) => onStarted(job_id) }
            )
          }
        >
          Import
        </Button>
      </div>
    </div>
  )
}

/** What a person confirms with Import: each number of the file, the unit it is in, and what is recorded of it. */
const Units = ({ units }: { readonly units: ImportPreview['units'] }) => (
  <table className="table import-units" aria-label="Units">
    <thead>
      <tr>
        <th>In the file</th>
        <th>Unit</th>
        <th>Recorded as</th>
      </tr>
    </thead>
    <tbody>
      {units.map((unit) => (
        <tr key={unit.column}>
          <td className="mono">{unit.column}</td>
          <td>{unit.unit}</td>
          <td>{unit.becomes}</td>
        </tr>
      ))}
    </tbody>
  </table>
)

const formNames = { csv: 'CSV', jsonl: 'JSON lines', json: 'one JSON text', parquet: 'Parquet' } as const

/** What the number of a row counts. */
const rowNames = { csv: 'Line', jsonl: 'Line', json: 'Item', parquet: 'Row' } as const

/** Without the fixed values that are still being typed. */
const complete = (mapping: ImportMapping): ImportMapping => ({
  ...mapping,
  fields: Object.fromEntries(
    Object.entries(mapping.fields).filter(([, given]) => given && !('value' in given && given.value.trim() === ''))
  )
})

const PreviewTable = ({ data }: { readonly data: ImportPreview }) => (
  // biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling region must be reachable by keyboard.
  <div className={cx('import-table', data.mapping && 'beside')} role="region" aria-label="First rows of the file" tabIndex={0}>
    <table className="table">
      <thead>
        <tr>
          <th className="right">{rowNames[data.file.form]}</th>
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
