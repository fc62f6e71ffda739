// SPDX-License-Identifier: Apache-2.0
import type { Settings, WorkspaceStatus } from '../../../shared/contract/workspace.ts'
import type { LiveFacts } from './facts.ts'

/** The part of the compliance facts that the running engine knows. */
export const liveFacts = (status: WorkspaceStatus, settings: Settings, created: string): LiveFacts => ({
  now: status.now,
  created,
  size: status.ledger.size,
  checkpoint: status.checkpoint && { size: status.checkpoint.size, time: status.checkpoint.time },
  second_copy: status.head.second_copy,
  second_copy_note: status.head.second_copy_note,
  problem: status.problem?.message ?? null,
  keys: status.keys.protection,
  heartbeats: status.heartbeats,
  unread: status.ingest.unread,
  look_every_minutes: settings.look_every_minutes,
  verify_every_hours: settings.verify_every_hours
})
