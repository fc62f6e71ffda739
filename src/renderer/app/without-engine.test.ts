// SPDX-License-Identifier: Apache-2.0
import { expect, it } from 'vitest'
import type { WorkspaceStatus } from '../../shared/contract/workspace.ts'
import { withoutEngine } from './without-engine.ts'

it('nothing listens and nothing arrives without the engine; what is on disk is still known', () => {
  const listening = { host: '127.0.0.1', port: 5000, url: 'http://127.0.0.1:5000', state: 'listening', message: null, suggested_port: null }
  const last = {
    endpoints: { compliance: listening, drift: listening, otlp: null },
    ledger: { size: 12, records: 7, bytes: 900 },
    ingest: { per_second: 4, waiting: 0 }
  } as unknown as WorkspaceStatus
  const now = withoutEngine(last)
  expect([now.endpoints.compliance.state, now.endpoints.drift.state, now.endpoints.otlp]).toEqual(['failed', 'failed', null])
  expect(now.endpoints.compliance.message).toContain('not running')
  expect(now.ingest.per_second).toBe(0)
  expect(now.ledger).toBe(last.ledger)
})
