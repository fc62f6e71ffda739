// SPDX-License-Identifier: Apache-2.0

import { AffidavitError } from '../../shared/contract/errors.ts'
import { cancelPermissions, type Permission, whoMay } from '../../shared/contract/permissions.ts'
import type { Settings, WorkspaceStatus } from '../../shared/contract/workspace.ts'
import type { Caller, Handlers } from '../handlers.ts'
import type { Jobs } from '../jobs/jobs.ts'
import type { Actor, AppendResult, LeafDraft } from '../ledger/draft.ts'
import { applyChange, settingDrafts } from './settings.ts'

export interface WorkspaceHandlerDeps {
  /** Writes down that a person goes on from a problem. */
  readonly goOn: (actor: Actor, reason: string) => void
  readonly jobs: Jobs
  readonly may: (caller: Caller, permission: Permission) => boolean
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
  | 'workspace.status'
  | 'workspace.continue'
  | 'workspace.rebuild'
  | 'settings.get'
  | 'settings.set'
  | 'jobs.list'
  | 'jobs.get'
  | 'jobs.cancel'
> {
  const { jobs } = deps
  return {
    'workspace.status': async () => deps.status(),
    'workspace.continue': async ({ code, reason }, caller) => {
      const { problem } = deps.status()
      if (!problem) throw new AffidavitError('conflict', 'the workspace is not read-only: there is nothing to go on from')
      if (problem.code !== code)
        throw new AffidavitError('conflict', `this was chosen for another problem than ${problem.code}: read the message again`)
      if (!problem.can_continue) throw new AffidavitError('workspace_damaged', problem.message)
      deps.goOn(caller.actor, reason)
      return { restart: true as const }
    },
    'workspace.rebuild': async (_input, { actor }) => {
      const job = jobs.start('rebuild', 'Rebuilding the catalog', 'leaves', actor, async (control) => {
        const leaves = await deps.rebuild((done, total) => control.progress(done, total))
        control.progress(leaves, leaves)
        return leaves
      })
      return { job_id: job.id }
    },
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
    'jobs.cancel': async ({ id }, caller) => {
      const permission = cancelPermissions[jobs.get(id).kind]
      if (jobs.startedBy(id)?.ref !== caller.actor.ref && !deps.may(caller, permission))
        throw new AffidavitError('forbidden', `somebody else asked for this: to end it, ${whoMay(permission)}`, { permission })
      return jobs.cancel(id, caller.actor)
    }
  }
}
