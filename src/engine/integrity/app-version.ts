// SPDX-License-Identifier: Apache-2.0
import type { LeafDraft } from '../ledger/draft.ts'
import type { AnyDb } from '../sqlite/open.ts'

/** The change of the program since the last leaf, as a draft; undefined when the same version wrote it, or there is none. */
export function updateSince(ledger: AnyDb, version: string): LeafDraft | undefined {
  const bytes = ledger.prepare<[], Buffer>('SELECT bytes FROM leaf ORDER BY seq DESC LIMIT 1').pluck().get()
  if (!bytes) return undefined
  const { app } = JSON.parse(bytes.toString('utf8')) as { app?: { version?: string } }
  if (app?.version === undefined || app.version === version) return undefined
  return { type: 'app.updated', actor: { ref: 'engine', kind: 'system' }, data: { from: app.version, to: version }, parts: [] }
}
