// SPDX-License-Identifier: Apache-2.0
import type { Migration } from '../sqlite/open.ts'

/** keys.db: one ciphertext per group commit, holding the keys of `count` consecutive leaves from `first_seq`; mutable, because erasure rewrites blocks. */
export const vaultMigrations: readonly Migration[] = [
  {
    version: 1,
    sql: `
CREATE TABLE key_block (
  first_seq INTEGER PRIMARY KEY,
  count INTEGER NOT NULL CHECK (count BETWEEN 1 AND 64),
  kek_id TEXT NOT NULL,
  ct BLOB NOT NULL
) STRICT;
`
  }
]
