// SPDX-License-Identifier: Apache-2.0
import type { WorkspaceStatus } from '../../shared/contract/workspace.ts'

/** The last status of a workspace whose engine has ended since: what it knew of the ledger stays, and nothing listens or arrives. */
export function withoutEngine(last: WorkspaceStatus): WorkspaceStatus {
  const silent = <E extends WorkspaceStatus['endpoints']['compliance']>(endpoint: E): E => ({
    ...endpoint,
    state: 'failed',
    message: 'The engine is not running.',
    suggested_port: null
  })
  const { compliance, drift, otlp } = last.endpoints
  return {
    ...last,
    endpoints: { compliance: silent(compliance), drift: silent(drift), otlp: otlp && silent(otlp) },
    ingest: { ...last.ingest, per_second: 0 }
  }
}
