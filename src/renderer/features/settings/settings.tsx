// SPDX-License-Identifier: Apache-2.0
import './settings.css'
import { Button, Checkbox, NumberInput, SegmentedControl, Select } from '@mantine/core'
import { useEffect, useState } from 'react'
import type { Settings as Values, WorkspaceStatus } from '../../../shared/contract/workspace.ts'
import { useShellInfo, useStatus } from '../../app/engine-state.tsx'
import { Screen } from '../../app/shell.tsx'
import { useSingleKeysEnabled } from '../../app/single-keys.ts'
import { onShell, shell } from '../../client/bridge.ts'
import { messageOf, useAction, useOperation } from '../../client/hooks.ts'
import { fingerprint, moment } from '../../ui/format.ts'
import { CodeLine, Facts, Hash, Note, Panel, State } from '../../ui/parts.tsx'
import { Failed, Loading } from '../../ui/states.tsx'

export function Settings() {
  return (
    <Screen title="Settings">
      <div className="settings">
        <Endpoints />
        <Keys />
        <DriftSettings />
        <Appearance />
        <About />
      </div>
    </Screen>
  )
}

const Port = ({ endpoint }: { readonly endpoint: WorkspaceStatus['endpoints']['compliance'] }) =>
  endpoint.state === 'listening' ? (
    <State is="holds">listening on {endpoint.url}</State>
  ) : (
    <div>
      <State is="attention">not listening</State>
      <p className="soft small">
        {endpoint.message}
        {endpoint.suggested_port === null ? '' : ` Free port: ${endpoint.suggested_port}.`}
      </p>
    </div>
  )

function Endpoints() {
  const status = useStatus()
  if (!status) return <Panel title="Endpoints">{null}</Panel>
  const { compliance, drift } = status.endpoints
  return (
    <Panel title="Endpoints" sub="this machine only">
      <div className="column gap-12">
        <Facts
          width={104}
          rows={[
            ['Compliance', <Port key="c" endpoint={compliance} />],
            ['Drift', <Port key="d" endpoint={drift} />]
          ]}
        />
        {compliance.state === 'listening' && (
          <>
            <CodeLine
              label="Copy the ingest line"
              text={`curl -s ${compliance.url}/api/compliance/events -H 'content-type: application/x-ndjson' --data-binary @events.jsonl`}
            />
            <CodeLine
              label="Copy the query line"
              text={`curl -s ${compliance.url}/api/compliance/query -H 'content-type: application/json' -d '{"limit":10}'`}
            />
            <CodeLine label="Copy the stream line" text={`curl -sN ${compliance.url}/api/compliance/stream`} />
          </>
        )}
        <p className="dim small">
          Hosts and ports come from COMPLIANCE_API_HOST, COMPLIANCE_API_PORT, DRIFT_API_HOST and DRIFT_API_PORT; what was chosen stands in{' '}
          <span className="mono">endpoint.json</span> in the workspace folder.
        </p>
      </div>
    </Panel>
  )
}

function Keys() {
  const keys = useOperation('keys.report', {})
  if (keys.isError) {
    return (
      <Panel title="Keys">
        <Failed what="The keys cannot be listed" error={keys.error} />
      </Panel>
    )
  }
  if (!keys.data) {
    return (
      <Panel title="Keys">
        <Loading what="Reading keys" />
      </Panel>
    )
  }
  const names = { log: 'Log key', export: 'Export key', 'key-encryption': 'Key-encryption key' } as const
  return (
    <Panel title="Keys" sub={keys.data.origin}>
      <div className="column gap-12">
        <Note is={keys.data.protection === 'key-file' ? 'attention' : 'holds'}>
          <b>{keys.data.message.charAt(0).toUpperCase() + keys.data.message.slice(1)}.</b>{' '}
          {keys.data.protection === 'key-file' &&
            'Whoever can read the files of this account can read them. A key store of the operating system, or a passphrase file for servers, protects them better.'}
        </Note>
        {keys.data.keys.map((key) => (
          <Facts
            key={key.use}
            width={132}
            rows={[
              [
                names[key.use],
                <span key="i" className="mono">
                  {key.fingerprint === null ? key.id : fingerprint(key.fingerprint)}
                </span>
              ],
              ...(key.fingerprint === null
                ? []
                : [
                    [
                      'Fingerprint, SHA-256',
                      <Hash key="f" value={key.fingerprint} label={`${names[key.use]} fingerprint`} head={20} tail={12} />
                    ] as const
                  ]),
              ...(key.public_key === null
                ? []
                : [
                    [
                      'Public key',
                      <Hash key="p" value={key.public_key} label={`${names[key.use]} public key`} head={20} tail={12} />
                    ] as const
                  ]),
              ['In use since', moment(key.added)]
            ]}
          />
        ))}
        <p className="dim small">Compare fingerprints by phone or on paper. A bundle’s own copy of the keys proves nothing by itself.</p>
      </div>
    </Panel>
  )
}

const intervals = [
  { value: '0', label: 'Never' },
  { value: '15', label: 'Every 15 minutes' },
  { value: '60', label: 'Every hour' },
  { value: '360', label: 'Every 6 hours' },
  { value: '1440', label: 'Every day' }
]

function DriftSettings() {
  const saved = useOperation('settings.get', {})
  const save = useAction('settings.set', ['settings.get'])
  const [edited, setEdited] = useState<Partial<Values>>({})
  // What was saved replaces what was edited.
  useEffect(() => setEdited({}), [saved.data])
  if (saved.isError) {
    return (
      <Panel title="Drift">
        <Failed what="The settings cannot be read" error={saved.error} />
      </Panel>
    )
  }
  if (!saved.data) {
    return (
      <Panel title="Drift">
        <Loading what="Reading settings" />
      </Panel>
    )
  }
  const values = { ...saved.data, ...edited }
  const changed = Object.keys(edited).some((name) => edited[name as keyof Values] !== saved.data[name as keyof Values])
  const number = (
    name: 'looks_per_false_alarm' | 'effect_floor' | 'error_rate_floor' | 'min_current' | 'min_reference',
    label: string,
    min: number,
    max: number,
    step: number,
    description?: string
  ) => (
    <NumberInput
      label={label}
      value={values[name]}
      min={min}
      max={max}
      step={step}
      decimalScale={step < 1 ? 3 : 0}
      allowNegative={false}
      {...(description === undefined ? {} : { description })}
      onChange={(value) => typeof value === 'number' && setEdited((before) => ({ ...before, [name]: value }))}
    />
  )
  const known = intervals.some((one) => one.value === String(values.look_every_minutes))
  return (
    <Panel title="Drift" sub="each change is a leaf">
      <form
        className="column gap-12"
        onSubmit={(event) => {
          event.preventDefault()
          save.mutate(edited)
        }}
      >
        <div className="settings-grid">
          <Select
            label="Look"
            data={
              known
                ? intervals
                : [...intervals, { value: String(values.look_every_minutes), label: `Every ${values.look_every_minutes} minutes` }]
            }
            value={String(values.look_every_minutes)}
            onChange={(value) => setEdited((before) => ({ ...before, look_every_minutes: Number(value ?? 0) }))}
          />
          {number('looks_per_false_alarm', 'Budget: looks per false alarm', 2, 100_000, 1)}
          {number('effect_floor', 'Smallest shift that alarms, L', 0, 1, 0.01)}
          {number('error_rate_floor', 'Smallest shift of the error rate', 0, 1, 0.01)}
          {number('min_current', 'Current requests needed', 10, 1_000_000, 10)}
          {number('min_reference', 'Reference requests needed', 10, 1_000_000, 10)}
          <Select
            label="Family correction"
            data={[
              { value: 'BH', label: 'Benjamini-Hochberg' },
              { value: 'BY', label: 'Benjamini-Yekutieli' }
            ]}
            value={values.procedure}
            onChange={(value) => setEdited((before) => ({ ...before, procedure: value === 'BY' ? 'BY' : 'BH' }))}
          />
        </div>
        <p className="dim small">
          At most one false alarm in {values.looks_per_false_alarm} looks while nothing drifts.{' '}
          {values.procedure === 'BH'
            ? 'Holds under positive dependence of the series; Benjamini-Yekutieli drops that condition.'
            : 'Holds under any dependence of the series.'}
        </p>
        {save.isError && <Note is="broken">{messageOf(save.error)}</Note>}
        <div className="row">
          <span className="grow" />
          <Button variant="default" disabled={!changed} onClick={() => setEdited({})}>
            Undo
          </Button>
          <Button type="submit" disabled={!changed} loading={save.isPending}>
            Save
          </Button>
        </div>
      </form>
    </Panel>
  )
}

function Appearance() {
  const [letters, setLetters] = useSingleKeysEnabled()
  const [theme, setTheme] = useState<'system' | 'light' | 'dark'>('system')
  useEffect(() => onShell('shell.theme', ({ choice }) => setTheme(choice)), [])
  return (
    <Panel title="Window">
      <div className="column gap-12" style={{ alignItems: 'flex-start' }}>
        <SegmentedControl
          aria-label="Theme"
          data={[
            { value: 'system', label: 'As the system' },
            { value: 'light', label: 'Light' },
            { value: 'dark', label: 'Dark' }
          ]}
          value={theme}
          onChange={(value) => void shell('shell.setTheme', { theme: value as 'system' | 'light' | 'dark' })}
        />
        <Checkbox
          label="Single letters are commands (A acknowledges, / filters)"
          checked={letters}
          onChange={(event) => setLetters(event.currentTarget.checked)}
        />
      </div>
    </Panel>
  )
}

function About() {
  const info = useShellInfo()
  const status = useStatus()
  return (
    <Panel title="About">
      <Facts
        width={104}
        rows={[
          ['Affidavit', info?.version ?? status?.version ?? '–'],
          ['Runtime', info ? `Electron ${info.electron}, Chrome ${info.chrome}` : '–'],
          [
            'Workspace',
            <span key="w" className="mono">
              {status?.path ?? '–'}
            </span>
          ],
          [
            'State',
            <span key="s" className="mono">
              {info?.state ?? '–'}
            </span>
          ],
          [
            'Origin',
            <span key="o" className="mono">
              {status?.origin ?? '–'}
            </span>
          ]
        ]}
      />
    </Panel>
  )
}
