// SPDX-License-Identifier: Apache-2.0
import type { WorkspaceStatus } from '../../shared/contract/workspace.ts'
import { ageOf, bytes, clock, count, faultOf, fixed, isUnfinished } from '../ui/format.ts'
import { Mark } from '../ui/parts.tsx'
import { useShellInfo, useStatus } from './engine-state.tsx'

const Port = ({ name, endpoint }: { readonly name: string; readonly endpoint: WorkspaceStatus['endpoints']['compliance'] }) => (
  <span title={endpoint.message ?? endpoint.url}>
    <Mark is={endpoint.state === 'listening' ? 'holds' : endpoint.state === 'starting' ? 'pending' : 'attention'} size={12} />
    {name} <b>{endpoint.state === 'listening' ? endpoint.port : 'off'}</b>
  </span>
)

/** Ports, leaves, checkpoint, anchor age, ingest rate, commit p99: on every screen. Lesser words drop first. */
export function StatusBar() {
  const status = useStatus()
  const version = useShellInfo()?.version ?? ''
  if (!status) {
    return (
      <footer className="status-bar">
        <span className="last">
          <Mark is="pending" size={12} />
          Waiting for the engine
        </span>
      </footer>
    )
  }
  const { checkpoint, ledger, commit } = status
  const now = Date.parse(status.now)
  return (
    <footer className="status-bar">
      {status.review ? (
        <span>
          <Mark is="none" size={12} />
          Review, read-only
        </span>
      ) : (
        <>
          <Port name="Compliance" endpoint={status.endpoints.compliance} />
          <Port name="Drift" endpoint={status.endpoints.drift} />
        </>
      )}
      <span>
        {status.review ? 'Tree of' : 'Ledger'} <b>{count(ledger.size)}</b> {ledger.size === 1 ? 'leaf' : 'leaves'}
        <span className="lesser dim">{bytes(ledger.bytes)}</span>
      </span>
      <span>
        <Mark is={status.problem ? 'broken' : checkpoint ? (checkpoint.consistent ? 'holds' : 'broken') : 'pending'} size={12} />
        {checkpoint && status.review ? (
          // A checkpoint says no time; when it was signed is known to its log alone.
          'Checkpoint of the bundle'
        ) : checkpoint ? (
          <>
            Checkpoint <b>{clock(checkpoint.time)} UTC</b>
            <span className="lesser dim">{ageOf(now - Date.parse(checkpoint.time))} ago</span>
          </>
        ) : (
          'No checkpoint yet'
        )}
      </span>
      {isUnfinished(status.verified) && (
        <span>
          <Mark is="attention" size={12} />
          The last verification did not end
        </span>
      )}
      {status.verified !== null && status.verified.faults > 0 && !isUnfinished(status.verified) && (
        <span className="state-broken strong" title={faultOf(status.verified)}>
          <Mark is="broken" size={12} />
          Does not verify: {faultOf(status.verified)}
        </span>
      )}
      {!status.review && (
        <span>
          <Mark is={status.anchoring.waiting_since !== null ? 'attention' : status.anchor ? 'holds' : 'pending'} size={12} />
          {status.anchor ? (
            <>
              Outside anchor <b>{ageOf(now - Date.parse(status.anchor.time))}</b> old
            </>
          ) : (
            'No outside anchor yet'
          )}
        </span>
      )}
      <span className="spring" />
      {/-test\b/.test(version) && (
        <span className="state-attention strong" title={`Version ${version}`}>
          Test build, not for release
        </span>
      )}
      {status.projection.behind > 0 && (
        <span className="lesser">
          <b>{count(status.projection.behind)}</b> leaves behind
        </span>
      )}
      {!status.review && (
        <>
          <span>
            Ingest <b>{fixed(status.ingest.per_second, status.ingest.per_second < 100 ? 1 : 0)}</b>/s
          </span>
          <span className="last">
            Commit p99 <b>{commit.p99_ms === null ? '–' : `${fixed(commit.p99_ms, 1)} ms`}</b>
          </span>
        </>
      )}
    </footer>
  )
}
