// SPDX-License-Identifier: Apache-2.0
import { statfsSync, statSync } from 'node:fs'
import type { WorkspaceStatus } from '../../shared/contract/workspace.ts'
import { toBase64 } from '../../shared/evidence/bytes.ts'
import { parseCheckpoint } from '../../shared/evidence/note.ts'
import { sha256Hex } from '../crypto.ts'
import type { CheckpointRow } from '../ledger/store.ts'
import { type ReviewFile, stateOf } from '../review/review-file.ts'
import { protectionMessage } from '../vault/key-file.ts'
import type { OpenWorkspace } from './workspace.ts'

/** What changes while the engine runs. */
export interface LiveFigures {
  readonly endpoints: WorkspaceStatus['endpoints']
  readonly size: number
  readonly records: number
  readonly waiting: number
  readonly unread: number
  readonly failing: { readonly sinceMs: number; readonly leaves: number; readonly diskFull: boolean } | null
  readonly commit: WorkspaceStatus['commit']
  readonly checkpoint: CheckpointRow | undefined
  readonly previousSize: number
  readonly consistent: boolean
  readonly secondCopySize: number | undefined
  readonly copyTrouble: string | null
  readonly projected: number
  readonly rebuilt: number | null
  readonly perSecond: number
  readonly heartbeats: WorkspaceStatus['heartbeats']
  readonly last_day: WorkspaceStatus['last_day']
  readonly alerts: WorkspaceStatus['alerts']
  readonly verified: WorkspaceStatus['verified']
  readonly anchor: WorkspaceStatus['anchor']
  readonly anchoring: WorkspaceStatus['anchoring']
  readonly review: ReviewFile | null
}

const bytesOf = (path: string): number => {
  try {
    return statSync(path).size
  } catch {
    return 0
  }
}

function freeBytes(path: string): number | null {
  try {
    const { bavail, bsize } = statfsSync(path)
    return bavail * bsize
  } catch {
    return null
  }
}

function secondCopy(workspace: OpenWorkspace, live: LiveFigures): WorkspaceStatus['head']['second_copy'] {
  if (workspace.start.problem) return workspace.start.secondCopy
  if (live.copyTrouble !== null) return 'disturbed'
  if (live.secondCopySize === undefined) return 'none'
  return live.secondCopySize === live.size ? 'matches' : 'behind'
}

/** The status of a workspace from what was measured; nothing in it is assumed. */
export function statusOf(workspace: OpenWorkspace, version: string, started: Date, live: LiveFigures): WorkspaceStatus {
  const { paths, identity, description, start } = workspace
  const checkpoint = live.checkpoint
  return {
    state: start.problem ? 'read_only' : live.rebuilt !== null ? 'rebuilding' : 'open',
    problem: start.problem ?? null,
    name: description.name,
    path: paths.root,
    version,
    instance_id: identity.origin.slice(-16, -12).concat('-', identity.origin.slice(-12, -8)),
    origin: identity.origin,
    log_key: sha256Hex(identity.log.publicKey),
    sample: description.sample,
    review: live.review && stateOf(live.review),
    started: started.toISOString(),
    now: new Date().toISOString(),
    endpoints: live.endpoints,
    ledger: { size: live.size, records: live.records, bytes: bytesOf(paths.ledger) + bytesOf(`${paths.ledger}-wal`) },
    checkpoint: checkpoint
      ? {
          size: checkpoint.size,
          time: new Date(checkpoint.signed_us / 1000).toISOString(),
          root: toBase64(parseCheckpoint(checkpoint.note).root),
          previous_size: live.previousSize,
          // A bundle brings the proof to the checkpoint before, where there is one: its verification says whether that holds.
          consistent: live.review ? live.review.report.kind !== 'invalid' : live.consistent
        }
      : null,
    head: {
      size: start.head?.current.size ?? live.size,
      state: start.problem ? 'differs' : 'matches',
      second_copy: secondCopy(workspace, live),
      second_copy_note: live.copyTrouble
    },
    verified: live.verified,
    anchor: live.anchor && { time: live.anchor.time, kind: live.anchor.kind, size: live.anchor.size },
    anchoring: live.anchoring,
    heartbeats: live.heartbeats,
    last_day: live.last_day,
    failing: live.failing && {
      since: new Date(live.failing.sinceMs).toISOString(),
      leaves: live.failing.leaves,
      disk_full: live.failing.diskFull
    },
    ingest: { per_second: live.perSecond, waiting: live.waiting, unread: live.unread, last_seq: live.size > 0 ? live.size - 1 : null },
    commit: live.commit,
    projection: { applied: live.projected, behind: Math.max(0, live.size - live.projected), rebuilt: live.rebuilt },
    keys: { protection: identity.protection, message: protectionMessage[identity.protection] },
    disk: { free_bytes: freeBytes(paths.root) },
    alerts: live.alerts
  }
}
