// SPDX-License-Identifier: Apache-2.0
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { EngineChild } from '../src/cli/engine-child.ts'

export interface BenchEngine {
  readonly engine: EngineChild
  readonly url: string
  readonly workspace: string
  close(): Promise<void>
}

/** An engine in a process of its own on a fresh workspace, with both ports open. */
export async function benchEngine(): Promise<BenchEngine> {
  const root = mkdtempSync(join(tmpdir(), 'affidavit-bench-'))
  const workspace = join(root, 'workspace')
  const binding = { host: '127.0.0.1', port: 0 }
  process.env.AFFIDAVIT_LOG_LEVEL = 'error'
  const engine = await EngineChild.start({
    workspace,
    state: join(root, 'state'),
    compliance: binding,
    drift: binding,
    appVersion: '0.1.0',
    keyProtection: 'file'
  })
  const status = await engine.call('workspace.status', {})
  return {
    engine,
    url: status.endpoints.compliance.url,
    workspace,
    close: async () => {
      await engine.stop()
      rmSync(root, { recursive: true, force: true })
    }
  }
}
