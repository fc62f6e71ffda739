// SPDX-License-Identifier: Apache-2.0
import type { Migration } from '../sqlite/open.ts'
import { anchorsSchema } from './schema/anchors.ts'
import { approvalsSchema } from './schema/approvals.ts'
import { completenessSchema } from './schema/completeness.ts'
import { driftSchema } from './schema/drift.ts'
import { pricesSchema } from './schema/prices.ts'
import { privacySchema } from './schema/privacy.ts'
import { recordsSchema } from './schema/records.ts'
import { retentionSchema } from './schema/retention.ts'

const metaSchema = 'CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;'

/** The tables of each area; times are microseconds since 1970 UTC. */
const areas = [
  metaSchema,
  recordsSchema,
  driftSchema,
  approvalsSchema,
  retentionSchema,
  anchorsSchema,
  completenessSchema,
  privacySchema,
  pricesSchema
]

/**
 * catalog.db: a projection of the ledger, rebuildable at any time. A new schema, or a projection that fills it differently, is a new version,
 * and a new version is a new catalog: the file is dropped and replayed, so there is one step only.
 */
export const catalogMigrations: readonly Migration[] = [{ version: 25, sql: areas.join('\n') }]
