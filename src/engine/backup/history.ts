// SPDX-License-Identifier: Apache-2.0
import { type BackupPlan, backupPlan } from '../../shared/contract/backup.ts'
import type { OperationOutput } from '../../shared/contract/contract.ts'
import type { LeafData } from '../../shared/evidence/leaf-data.ts'
import { bodyOf } from '../catalog/project-event.ts'
import { isoMs } from '../catalog/rows.ts'
import type { ReaderContext } from '../threads/reader-context.ts'

/** What holds until a plan is set: no schedule; the last ten are kept, and their keys for a month. */
export const defaultPlan: BackupPlan = { folder: null, every_hours: 24, keep: 10, key_days: 30 }

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

/** Plan, backups and restores as they are on record; newest first. */
export function backupHistory(context: ReaderContext): BackupHistory {
  const { catalog, payloads } = context
  const newest = catalog.prepare<[string], Row>('SELECT seq, time_us, actor, data FROM event WHERE type = ? ORDER BY seq DESC LIMIT 200')
  const set = catalog
    .prepare<[], number>("SELECT max(seq) FROM event WHERE type = 'setting.changed' AND json_extract(data, '$.name') = 'backup.plan'")
    .pluck()
    .get()
  const plan = backupPlan.safeParse(set == null ? defaultPlan : bodyOf(payloads, set))
  return {
    set: set != null,
    plan: plan.success ? plan.data : defaultPlan,
    backups: newest.all('backup.made').map(({ seq, time_us, actor, data }) => {
      const { size, checkpoint_size, bytes, trigger } = JSON.parse(data) as LeafData<'backup.made'>
      return { seq, time: isoMs(time_us), actor, size, checkpoint_size, bytes, trigger, path: String(bodyOf(payloads, seq).path ?? '') }
    }),
    restores: newest.all('restore.done').map(({ seq, time_us, actor, data }) => {
      const { kind, verdict, size, made } = JSON.parse(data) as LeafData<'restore.done'>
      return { seq, time: isoMs(time_us), actor, kind, verdict, size, made }
    })
  }
}
