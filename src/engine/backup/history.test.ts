// SPDX-License-Identifier: Apache-2.0
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { catalogMigrations } from '../catalog/migrations.ts'
import { migrate, openOfRecord } from '../sqlite/open.ts'
import type { ReaderContext } from '../threads/reader-context.ts'
import { backupHistory, standingBackups } from './history.ts'

it('shows the newest backups, and reaches every one that is not removed for a change of the key', () => {
  const folder = mkdtempSync(join(tmpdir(), 'affidavit-history-'))
  const catalog = openOfRecord(join(folder, 'catalog.db'))
  try {
    migrate(catalog, catalogMigrations)
    const event = catalog.prepare<[number, string, string], unknown>(
      "INSERT INTO event (seq, time_us, type, actor, data) VALUES (?, 0, ?, 'engine', ?)"
    )
    const MADE = 250
    const made = { size: 1, checkpoint_size: 1, bytes: 1, trigger: 'schedule' }
    for (let n = 0; n < MADE; n++) event.run(n, 'backup.made', JSON.stringify({ backup_id: `b${n}`, ...made }))
    // The keys of the first are gone, the backup is not; the second is gone.
    event.run(MADE, 'backup.removed', JSON.stringify({ backup_id: 'b0', what: 'keys' }))
    event.run(MADE + 1, 'backup.removed', JSON.stringify({ backup_id: 'b1', what: 'backup' }))
    const body = (seq: number) => [{ name: 'body', data: Buffer.from(JSON.stringify({ path: `/backups/b${seq}` })) }]
    const payloads = { open: (seq: number) => ({ state: 'present', parts: body(seq) }) }
    const context = { catalog, payloads } as unknown as ReaderContext
    const paths = standingBackups(context).map(({ path }) => path)
    expect(paths).toHaveLength(MADE - 1)
    expect(paths).toContain('/backups/b0')
    expect(paths).not.toContain('/backups/b1')
    expect(backupHistory(context).backups).toHaveLength(200)
    expect(backupHistory(context).backups[0]).toMatchObject({ seq: MADE - 1, path: `/backups/b${MADE - 1}` })
  } finally {
    catalog.close()
    rmSync(folder, { recursive: true, force: true })
  }
})
