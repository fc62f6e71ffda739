// SPDX-License-Identifier: Apache-2.0
// Real workspaces in temporary folders, for tests.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { engineEnvironment } from '../config.ts'
import type { LeafDraft } from '../ledger/draft.ts'
import type { Ledger } from '../ledger/ledger.ts'
import { type OpenWorkspace, openWorkspace } from './workspace.ts'

export interface TestFolder {
  readonly workspace: string
  readonly state: string
  open(): Promise<OpenWorkspace>
  remove(): void
}

/** A fresh folder for a workspace and its state; `open` may be called again after `close`. */
export function testFolder(): TestFolder {
  const root = mkdtempSync(join(tmpdir(), 'affidavit-test-'))
  const workspace = join(root, 'workspace')
  const state = join(root, 'state')
  const config = { workspace, state, compliance: null, drift: null, appVersion: '0.1.0', keyProtection: 'file' } as const
  return {
    workspace,
    state,
    open: () => openWorkspace(config, engineEnvironment({}), null),
    remove: () => rmSync(root, { recursive: true, force: true })
  }
}

/** The writer of a workspace that must be writable. */
export function writerOf(workspace: OpenWorkspace): Ledger {
  if (!workspace.ledger) throw new Error(`read-only: ${workspace.start.problem?.message}`)
  return workspace.ledger
}

/** A recorded call with content; `n` makes it unique. */
export function recordDraft(n: number, text = `What is ${n}?`): LeafDraft {
  const event = JSON.stringify({
    channel: 'http',
    id: `call-${n}`,
    received_us: 1_700_000_000_000_000 + n,
    request_model: 'gpt-4',
    source: 'desk'
  })
  const messages = JSON.stringify({ messages: [{ parts: [{ content: text, type: 'text' }], role: 'user' }] })
  return {
    type: 'llm.recorded',
    actor: { ref: 'http', kind: 'service' },
    channel: 'http',
    source: 'desk',
    span_role: 'inference',
    class: 'default',
    operation: 'chat',
    provider: 'openai',
    model: { requested: 'gpt-4' },
    start_us: 1_700_000_000_000_000 + n,
    status: 'success',
    metrics: { latency_us: 1000 + n, input_tokens: 3, output_tokens: 5 },
    parts: [
      { name: 'event', media: 'application/json', data: Buffer.from(event) },
      { name: 'request', media: 'application/json', data: Buffer.from(messages) }
    ],
    sourceKey: `call-${n}`
  }
}

export const drafts = (from: number, count: number): LeafDraft[] => Array.from({ length: count }, (_, i) => recordDraft(from + i))
