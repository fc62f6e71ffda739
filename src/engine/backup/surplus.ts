// SPDX-License-Identifier: Apache-2.0
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import type { BackupInfo, BackupPlan } from '../../shared/contract/backup.ts'
import { bodyPart } from '../ledger/body-part.ts'
import type { LeafDraft } from '../ledger/draft.ts'
import { backupsIn, KEYS_NAME } from './manifest.ts'

const DAY_MS = 86_400_000

/**
 * Removes backups beyond the number that the plan keeps, and the keys of those that are too old; only those of this log. What goes is on record
 * before it goes: after a crash in between it is still there, and named again.
 */
export async function removeSurplus(
  folder: string,
  origin: string,
  { keep, key_days }: BackupPlan,
  append: (drafts: readonly LeafDraft[]) => Promise<unknown>
): Promise<void> {
  const mine = backupsIn(folder).filter((one) => one.origin === origin)
  const surplus = mine.filter((_, i) => keep > 0 && i >= keep)
  const old = mine.filter((one, i) => i > 0 && !surplus.includes(one) && one.keys && Date.now() - Date.parse(one.made) > key_days * DAY_MS)
  const drafts = [...surplus.map((one) => removedDraft(one, 'backup')), ...old.map((one) => removedDraft(one, 'keys'))]
  if (drafts.length > 0) await append(drafts)
  for (const one of surplus) rmSync(one.path, { recursive: true, force: true })
  for (const one of old) rmSync(join(one.path, KEYS_NAME), { force: true })
}

/** The leaf of what is removed. */
export const removedDraft = ({ id, path }: Pick<BackupInfo, 'id' | 'path'>, what: 'backup' | 'keys' | 'key_copy'): LeafDraft => ({
  type: 'backup.removed',
  actor: { ref: 'engine', kind: 'system' },
  data: { backup_id: id, what },
  parts: [bodyPart({ path }).part]
})
