// SPDX-License-Identifier: Apache-2.0
import './connect.css'
import { Button, SegmentedControl, TextInput, UnstyledButton } from '@mantine/core'
import { useState } from 'react'
import { type Shell, shellNames, shells, stepsOf, type Way, ways } from '../../../shared/connect/ways.ts'
import type { UpstreamState } from '../../../shared/contract/proxy.ts'
import type { WorkspaceStatus } from '../../../shared/contract/workspace.ts'
import { sentenceOf, useAction, useOperation } from '../../client/hooks.ts'
import { useMay } from '../../client/session.tsx'
import { CodeLine, Note, Panel } from '../parts.tsx'
import { Arrival } from './arrival.tsx'

const groups = ['Pass calls through', 'Send a copy'] as const
const [firstWay] = ways

const loopback = (host: string): boolean => host === 'localhost' || host === '::1' || host.startsWith('127.')

/** The upstream that a way uses: the one of its name, else one of its kind on record. */
const upstreamOf = (way: Way, known: readonly UpstreamState[]): UpstreamState | undefined =>
  known.find((one) => one.name === way.passing?.name && one.kind === way.passing.kind) ??
  (way.id === 'lmstudio' || way.id === 'vllm' ? undefined : known.find((one) => one.kind === way.passing?.kind))

/** Choose where calls come from, copy the lines, watch the first one arrive. */
export function Connect({ status }: { readonly status: WorkspaceStatus }) {
  const { compliance } = status.endpoints
  const upstreams = useOperation('upstreams.list', {}, { refetchMs: 5_000 })
  const [chosen, setChosen] = useState<Way | undefined>(firstWay)
  const [shell, setShell] = useState<Shell>(navigator.userAgent.includes('Windows') ? 'powershell' : 'posix')
  if (compliance.state !== 'listening')
    return <Note is="attention">{compliance.message ?? 'The compliance port is not open: nothing can arrive over it.'}</Note>
  const way = chosen ?? firstWay
  if (!way) return null
  const upstream = way.passing && upstreams.data ? upstreamOf(way, upstreams.data.upstreams) : undefined
  const passed = upstream ? (upstream.own?.state === 'listening' ? upstream.own.url : upstream.path_url) : null
  const token = !loopback(compliance.host)
  const steps = stepsOf(way, { shell, server: compliance.url, passed, token })
  return (
    <div className="connect">
      <nav className="panel connect-ways" aria-label="Where the calls come from">
        <h2>Where do the calls come from?</h2>
        {groups.map((group) => (
          <div key={group}>
            <p>{group}</p>
            {ways
              .filter((one) => one.group === group)
              .map((one) => (
                <UnstyledButton key={one.id} aria-pressed={one.id === way.id} onClick={() => setChosen(one)}>
                  {one.label}
                  <span>{one.hint}</span>
                </UnstyledButton>
              ))}
          </div>
        ))}
      </nav>
      <Panel
        title={way.label}
        sub={upstream ? `passed on to ${upstream.url}` : way.passing ? 'no upstream yet' : `received at ${compliance.url}`}
        right={
          <SegmentedControl
            size="xs"
            aria-label="Shell"
            value={shell}
            onChange={(value) => setShell(shells.find((one) => one === value) ?? 'posix')}
            data={shells.map((value) => ({ value, label: shellNames[value] }))}
          />
        }
      >
        {upstreams.isError && way.passing && <Note is="broken">{sentenceOf(upstreams.error)}</Note>}
        <ol className="connect-steps" key={way.id}>
          {way.passing && !upstream && upstreams.data && (
            <li>
              <span className="number">1</span>
              <AddUpstream passing={way.passing} />
            </li>
          )}
          {steps.map(({ title, line, note }, at) => (
            <li key={title}>
              <span className="number">{at + 1}</span>
              <div>
                <h3>{title}</h3>
                <CodeLine text={line} label={title} />
                {note !== undefined && <p>{note}</p>}
              </div>
            </li>
          ))}
          {steps.length > 0 && (
            <li>
              <span className="number">{steps.length + 1}</span>
              <div>
                <h3>See it arrive</h3>
                <Arrival status={status} key={way.id} />
                <p>
                  A variable counts only in the terminal where it was set: programs that run already keep the old address.
                  {token && ' TOKEN stands for the token of a client that may send records, made under Settings, Capture.'}
                </p>
              </div>
            </li>
          )}
        </ol>
      </Panel>
    </div>
  )
}

/** Where the model server is: asked once, then calls are passed on to it. */
function AddUpstream({ passing }: { readonly passing: NonNullable<Way['passing']> }) {
  const add = useAction('upstreams.set', ['upstreams.list'])
  const { may, why } = useMay('settings')
  const [url, setUrl] = useState(passing.url)
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault()
        add.mutate({ name: passing.name, url: url.trim(), kind: passing.kind })
      }}
    >
      <h3>Say where the model server is</h3>
      <div className="row" style={{ alignItems: 'flex-end' }}>
        <TextInput
          className="grow"
          aria-label="Address of the model server"
          value={url}
          onChange={(event) => setUrl(event.currentTarget.value)}
          spellCheck={false}
        />
        <Button type="submit" loading={add.isPending} disabled={!may || url.trim() === ''} title={may ? undefined : why}>
          Record its calls
        </Button>
      </div>
      <p>Calls are passed on byte for byte and recorded beside it. Keys in their headers are never stored.</p>
      {add.error && <Note is="broken">{sentenceOf(add.error)}</Note>}
    </form>
  )
}
