// SPDX-License-Identifier: Apache-2.0
import type { Migration } from '../sqlite/open.ts'

/** keys.db: one ciphertext per group commit, holding the keys of `count` consecutive leaves from `first_seq`; mutable, because erasure rewrites blocks.
 * After a rollback that a person accepted, `key_aside` keeps the keys of leaves that are gone, and `key_lost` says which leaves have none. */
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
  },
  {
    version: 2,
    sql: `
CREATE TABLE key_aside (
  id INTEGER PRIMARY KEY,
  first_seq INTEGER NOT NULL,
  count INTEGER NOT NULL CHECK (count BETWEEN 1 AND 64),
  kek_id TEXT NOT NULL,
  ct BLOB NOT NULL
) STRICT;
CREATE TABLE key_lost (first_seq INTEGER PRIMARY KEY, count INTEGER NOT NULL) STRICT;
`
  }
]
