// SPDX-License-Identifier: Apache-2.0
import { type BackupPlan, backupPlan } from '../../shared/contract/backup.ts'
import type { OperationOutput } from '../../shared/contract/contract.ts'
import type { LeafData } from '../../shared/evidence/leaf-data.ts'
import { bodyOf } from '../catalog/project-event.ts'
import { isoMs } from '../catalog/rows.ts'
import type { ReaderContext } from '../threads/reader-context.ts'
import { foundBackups } from './restored-note.ts'

/** What holds until a plan is set: no schedule; the last ten are kept, and their keys for a month. */
export const defaultPlan: BackupPlan = { folder: null, every_hours: 24, keep: 10, key_days: 30 }

/**
 * A backup, or a copy of keys, that is on record as there no longer. While it is there, only its leaf says where: copies of the keys go beside it.
 * Of a backup whose keys alone were removed the rest is there.
 */
export const REMOVED = `json_extract(data, '$.backup_id') IN (
    SELECT json_extract(r.data, '$.backup_id') FROM event r WHERE r.type = 'backup.removed' AND json_extract(r.data, '$.what') <> 'keys')`

/** Most backups, and most restores, that a view shows. */
const SHOWN = 200

interface Row {
  readonly seq: number
  readonly time_us: number
  readonly actor: string
  readonly data: string
}

type Overview = OperationOutput<'backup.overview'>

export interface BackupHistory extends Pick<Overview, 'plan' | 'restores'> {
  /** Whether a plan was ever set. */
  readonly set: boolean
  readonly backups: readonly Omit<Overview['backups'][number], 'contents'>[]
}

/** A backup that a change of the key concerns. */
export type StandingBackup = Pick<BackupHistory['backups'][number], 'path' | 'time' | 'size'> & {
  /** It holds leaves that this log does not: no keys of this log open it. */
  readonly other: boolean
}

type Known = BackupHistory['backups'][number] & Pick<StandingBackup, 'other'> & { readonly id: string }

/** Backups that this log made, newest first; `where` and `limit` narrow their leaves. */
function backupsMade({ catalog, payloads }: ReaderContext, where = 'true', limit = -1): Known[] {
  return catalog
    .prepare<[number], Row>(`SELECT seq, time_us, actor, data FROM event WHERE type = 'backup.made' AND ${where} ORDER BY seq DESC LIMIT ?`)
    .all(limit)
    .map(({ seq, time_us, actor, data }) => {
      const { backup_id: id, size, checkpoint_size, bytes, trigger } = JSON.parse(data) as LeafData<'backup.made'>
      const path = String(bodyOf(payloads, seq).path ?? '')
      return { id, seq, time: isoMs(time_us), actor, size, checkpoint_size, bytes, trigger, path, other: false }
    })
}

/** What restores found: the backup that the log came from and those beside it, whose leaves came after them or are of another history. */
function backupsFound({ catalog, payloads }: ReaderContext): Known[] {
  const removed = new Set(
    catalog
      .prepare<[], string>(
        "SELECT json_extract(data, '$.backup_id') FROM event WHERE type = 'backup.removed' AND json_extract(data, '$.what') <> 'keys'"
      )
      .pluck()
      .all()
  )
  const known = new Set(removed)
  return catalog
    .prepare<[], Row>(
      "SELECT seq, time_us, actor, data FROM event WHERE type = 'restore.done' AND json_extract(data, '$.kind') = 'restore' ORDER BY seq DESC"
    )
    .all()
    .flatMap(({ seq, actor }) => {
      const found = foundBackups.safeParse(bodyOf(payloads, seq).backups)
      return (found.data ?? []).flatMap(({ made, ...one }): Known[] => {
        if (known.has(one.id)) return []
        known.add(one.id)
        return [{ ...one, seq, actor, time: made, trigger: 'restore' }]
      })
    })
}

/** Both, each once: the leaf of one that this log made says more. */
function together(made: readonly Known[], found: readonly Known[]): Known[] {
  const ids = new Set(made.map(({ id }) => id))
  return [...made, ...found.filter(({ id }) => !ids.has(id))].sort((a, b) => b.seq - a.seq)
}

/** Every backup on record that is not on record as removed, however many came after it; newest first. */
export function standingBackups(context: ReaderContext): StandingBackup[] {
  return together(backupsMade(context, `NOT (${REMOVED})`), backupsFound(context)).map(({ path, time, size, other }) => ({
    path,
    time,
    size,
    other
  }))
}

/** Plan, and the newest backups and restores as they are on record; newest first. */
export function backupHistory(context: ReaderContext): BackupHistory {
  const { catalog, payloads } = context
  const set = catalog
    .prepare<[], number>("SELECT max(seq) FROM event WHERE type = 'setting.changed' AND json_extract(data, '$.name') = 'backup.plan'")
    .pluck()
    .get()
  const plan = backupPlan.safeParse(set == null ? defaultPlan : bodyOf(payloads, set))
  return {
    set: set != null,
    plan: plan.success ? plan.data : defaultPlan,
    backups: together(backupsMade(context, 'true', SHOWN), backupsFound(context))
      .slice(0, SHOWN)
      .map(({ id: _, other: __, ...one }) => one),
    restores: catalog
      .prepare<[number], Row>("SELECT seq, time_us, actor, data FROM event WHERE type = 'restore.done' ORDER BY seq DESC LIMIT ?")
      .all(SHOWN)
      .map(({ seq, time_us, actor, data }) => {
        const { kind, verdict, size, made } = JSON.parse(data) as LeafData<'restore.done'>
        return { seq, time: isoMs(time_us), actor, kind, verdict, size, made }
      })
  }
}
