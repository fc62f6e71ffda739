// SPDX-License-Identifier: Apache-2.0
import type { WorkspaceStatus } from '../../../shared/contract/workspace.ts'
import { useStatus } from '../../app/engine-state.tsx'
import { CodeLine, Facts, Panel, State } from '../../ui/parts.tsx'

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

export function Endpoints() {
  const status = useStatus()
  if (!status) return <Panel title="Endpoints">{null}</Panel>
  const { compliance, drift, otlp } = status.endpoints
  return (
    <Panel title="Endpoints" sub="this machine only">
      <div className="column gap-12">
        <Facts
          width={104}
          rows={[
            ['Compliance', <Port key="c" endpoint={compliance} />],
            ['Drift', <Port key="d" endpoint={drift} />],
            ...(otlp ? [['OpenTelemetry', <Port key="o" endpoint={otlp} />] as const] : [])
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
          Hosts and ports come from COMPLIANCE_API_HOST, COMPLIANCE_API_PORT, DRIFT_API_HOST and DRIFT_API_PORT, a further port for
          OpenTelemetry from AFFIDAVIT_OTLP_PORT; what was chosen stands in <span className="mono">endpoint.json</span> in the workspace
          folder.
        </p>
      </div>
    </Panel>
  )
}
