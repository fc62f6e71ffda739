// SPDX-License-Identifier: Apache-2.0
import { Button } from '@mantine/core'
import { useNavigate } from '@tanstack/react-router'
import { useState } from 'react'
import type { WorkspaceStatus } from '../../../shared/contract/workspace.ts'
import { shell } from '../../client/bridge.ts'
import { Connect } from '../../ui/connect/connect.tsx'
import { Note, Panel, State } from '../../ui/parts.tsx'
import { PermittedButton } from '../../ui/permitted-button.tsx'

const keyWords: Readonly<Record<WorkspaceStatus['keys']['protection'], string>> = {
  'safe-storage': 'keys in the key store of the system',
  passphrase: 'keys under a passphrase',
  'key-file': 'keys by file permissions only',
  missing: 'keys missing'
}

/** An empty workspace: choose where calls come from, copy the lines, watch the first one arrive. */
export function FirstRun({ status }: { readonly status: WorkspaceStatus }) {
  const navigate = useNavigate()
  const { compliance, drift } = status.endpoints
  const open = [compliance, drift].filter((endpoint) => endpoint.state === 'listening').map((endpoint) => endpoint.port)
  return (
    <div className="first-run">
      <div className="lead">
        <h2>Nothing is on record yet</h2>
        <p className="soft">Choose how calls are made. A line sends them through the recorder; answers stream on untouched.</p>
      </div>
      <div className="first-run-columns">
        <Connect status={status} />
        <div className="column gap-12">
          <Panel title="Already done">
            <div className="column gap-8">
              <State is="holds">ledger created</State>
              <State is={status.keys.protection === 'key-file' ? 'attention' : 'holds'}>{keyWords[status.keys.protection]}</State>
              <State is={open.length === 2 ? 'holds' : 'attention'}>
                {open.length === 0 ? 'no port is open' : `${open.length === 2 ? 'ports' : 'port'} ${open.join(' and ')} listening`}
              </State>
              <div className="row">
                <State is={status.anchor === null ? 'pending' : 'holds'}>outside anchor</State>
                <span className="grow" />
                {status.anchor === null && (
                  <Button
                    size="compact-xs"
                    variant="default"
                    onClick={() => void navigate({ to: '/settings', search: { view: 'anchors' } })}
                  >
                    Set up…
                  </Button>
                )}
              </div>
            </div>
          </Panel>
          <Panel title="Bring the past">
            <div className="column gap-8">
              <p className="soft">A preview shows units and time zone before anything is stored; a second import of a file adds nothing.</p>
              <div>
                <PermittedButton
                  permission="record"
                  variant="default"
                  onClick={() => void navigate({ to: '/records', search: { import: true } })}
                >
                  Import a file…
                </PermittedButton>
              </div>
            </div>
          </Panel>
          <LookAround />
          <Panel title="Review a bundle">
            <div className="column gap-8">
              <p className="soft">A signed bundle from another workstation is verified here, offline. Nothing of it is stored.</p>
              <div>
                <Button variant="default" onClick={() => void navigate({ to: '/exports', search: { view: 'verify' } })}>
                  Verify a bundle…
                </Button>
              </div>
            </div>
          </Panel>
        </div>
      </div>
    </div>
  )
}

/** The sample, in a workspace of its own. */
function LookAround() {
  const [state, setState] = useState<'idle' | 'opening' | 'failed'>('idle')
  return (
    <Panel title="Look around first">
      <div className="column gap-8">
        <p className="soft">
          200 generated records and 247 drift alerts in a workspace of their own, marked SAMPLE everywhere. Leaving it removes it.
        </p>
        <div>
          <Button
            variant="default"
            loading={state === 'opening'}
            onClick={() => {
              setState('opening')
              shell('shell.openSample', {}).catch(() => setState('failed'))
            }}
          >
            Open the sample
          </Button>
        </div>
        {state === 'failed' && <Note is="broken">The sample could not be opened. Nothing of this workspace was changed.</Note>}
      </div>
    </Panel>
  )
}
