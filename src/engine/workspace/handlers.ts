// SPDX-License-Identifier: Apache-2.0

import type { Settings, WorkspaceStatus } from '../../shared/contract/workspace.ts'
import { toHex } from '../../shared/evidence/bytes.ts'
import { formatVkey, keyHash } from '../../shared/evidence/note.ts'
import { sha256, sha256Hex } from '../crypto.ts'
import type { Handlers } from '../handlers.ts'
import type { Jobs } from '../jobs/jobs.ts'
import type { AppendResult, LeafDraft } from '../ledger/draft.ts'
import { protectionMessage } from '../vault/keyring.ts'
import type { Identity } from './identity.ts'
import { applyChange, settingDrafts } from './settings.ts'

export interface WorkspaceHandlerDeps {
  readonly identity: Identity
  readonly created: string
  readonly jobs: Jobs
  readonly status: () => WorkspaceStatus
  readonly settings: { get(): Settings; set(next: Settings): void }
  readonly append: (drafts: readonly LeafDraft[]) => Promise<readonly AppendResult[]>
  /** Drops and replays the catalog; resolves when it has caught up. */
  readonly rebuild: (progress: (done: number, total: number) => void) => Promise<number>
}

/** Operations on the workspace itself: status, keys, settings, jobs, rebuild. */
export function workspaceHandlers(
  deps: WorkspaceHandlerDeps
): Handlers<
  'workspace.status' | 'workspace.rebuild' | 'keys.report' | 'settings.get' | 'settings.set' | 'jobs.list' | 'jobs.get' | 'jobs.cancel'
> {
  const { identity, jobs } = deps
  return {
    'workspace.status': async () => deps.status(),
    'workspace.rebuild': async () => {
      const job = jobs.start('rebuild', 'Rebuilding the catalog', 'leaves', async (control) => {
        const leaves = await deps.rebuild((done, total) => control.progress(done, total))
        control.progress(leaves, leaves)
        return leaves
      })
      return { job_id: job.id }
    },
    'keys.report': async () => ({
      origin: identity.origin,
      protection: identity.protection,
      message: protectionMessage[identity.protection],
      keys: [
        {
          use: 'log' as const,
          id: toHex(keyHash(sha256, identity.origin, identity.log.publicKey)),
          fingerprint: sha256Hex(identity.log.publicKey),
          public_key: formatVkey(sha256, identity.origin, identity.log.publicKey),
          added: deps.created
        },
        {
          use: 'export' as const,
          id: toHex(keyHash(sha256, identity.origin, identity.export.publicKey)),
          fingerprint: sha256Hex(identity.export.publicKey),
          public_key: Buffer.from(identity.export.publicKey).toString('base64'),
          added: deps.created
        },
        { use: 'key-encryption' as const, id: identity.kek.id, fingerprint: null, public_key: null, added: deps.created }
      ]
    }),
    'settings.get': async () => deps.settings.get(),
    'settings.set': async (change, caller) => {
      const before = deps.settings.get()
      const drafts = settingDrafts(before, change, caller.actor)
      if (drafts.length > 0) {
        await deps.append(drafts)
        deps.settings.set(applyChange(before, change))
      }
      return deps.settings.get()
    },
    'jobs.list': async () => ({ jobs: jobs.list() }),
    'jobs.get': async ({ id }) => jobs.get(id),
    'jobs.cancel': async ({ id }) => jobs.cancel(id)
  }
}
