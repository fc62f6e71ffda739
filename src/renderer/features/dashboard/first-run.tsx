// SPDX-License-Identifier: Apache-2.0
import { Button } from '@mantine/core'
import { useNavigate } from '@tanstack/react-router'
import type { WorkspaceStatus } from '../../../shared/contract/workspace.ts'
import { CodeLine, Note, Panel, State } from '../../ui/parts.tsx'
import { PermittedButton } from '../../ui/permitted-button.tsx'

const curl = (url: string): string =>
  `curl -s ${url}/api/compliance/events -H 'content-type: application/json' -d '{"model":"gpt-4","source":"first-test","prompt":"Is 17077 prime?","response":"Yes","latency_ms":812}'`

/** An empty workspace: three ways in, and a light that waits for the first record. */
export function FirstRun({ status }: { readonly status: WorkspaceStatus }) {
  const navigate = useNavigate()
  const { compliance } = status.endpoints
  return (
    <div className="first-run">
      <div className="lead">
        <h2>Nothing is on record yet.</h2>
        <p className="soft">Choose a way in. Each record is sealed and appended before its sender hears that it was taken.</p>
      </div>
      <div className="ways">
        <section className="panel way" aria-label="Import a file">
          <h3>Import a file</h3>
          <p>
            LLMDrift evaluation CSV or canonical events as JSON lines. A preview shows units and time zone before anything is stored; a
            second import of the same file adds nothing.
          </p>
          <div>
            <PermittedButton permission="record" onClick={() => void navigate({ to: '/records', search: { import: true } })}>
              Import a file…
            </PermittedButton>
          </div>
        </section>
        <section className="panel way" aria-label="Send records over HTTP">
          <h3>Send records over HTTP</h3>
          <p>One JSON object, an array, or a stream of JSON lines. The answer comes when the records are on disk.</p>
          {compliance.state === 'listening' ? (
            <State is="holds">listening on {compliance.url}</State>
          ) : (
            <Note is="attention">{compliance.message ?? 'The port is not open yet.'}</Note>
          )}
        </section>
        <section className="panel way" aria-label="Check a bundle">
          <h3>Check a bundle</h3>
          <p>A signed bundle from another workstation is verified here, offline. Nothing of it is stored in this workspace.</p>
          <div>
            <Button variant="default" onClick={() => void navigate({ to: '/exports', search: { view: 'verify' } })}>
              Verify a bundle…
            </Button>
          </div>
        </section>
      </div>
      {compliance.state === 'listening' && (
        <Panel title="Copy one line, watch it arrive">
          <div className="column gap-12">
            <CodeLine text={curl(compliance.url)} label="Copy the curl line" />
            <div className="row">
              <span className="wait-light" aria-hidden="true" />
              <span role="status">Waiting for the first record. This screen changes when it arrives.</span>
            </div>
          </div>
        </Panel>
      )}
    </div>
  )
}
