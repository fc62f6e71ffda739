// SPDX-License-Identifier: Apache-2.0

/**
 * Holds, schedules, trigger events and disposals: who, when and in what state. What they are about (matters, searches, subjects) stays in the
 * encrypted bodies and is read from there, so that no catalog row names a person. `aside`: calls that are no records of their own: wrappers,
 * and with `wrapper` 0 the requests of calls that were on record before they ended. `restricted` and `erased` as in `record`.
 */
export const retentionSchema = `
CREATE TABLE hold (
  id TEXT PRIMARY KEY,
  seq INTEGER NOT NULL UNIQUE,
  time_us INTEGER NOT NULL,
  actor TEXT NOT NULL,
  scope TEXT NOT NULL,
  future INTEGER NOT NULL,
  released_seq INTEGER,
  released_us INTEGER,
  released_by TEXT
) STRICT, WITHOUT ROWID;
CREATE TABLE retention (
  seq INTEGER PRIMARY KEY,
  time_us INTEGER NOT NULL,
  actor TEXT NOT NULL,
  what TEXT NOT NULL,
  data TEXT NOT NULL
) STRICT;
CREATE TABLE aside (
  seq INTEGER PRIMARY KEY,
  class TEXT NOT NULL,
  source TEXT NOT NULL,
  time_us INTEGER NOT NULL,
  appended_us INTEGER NOT NULL,
  wrapper INTEGER NOT NULL,
  conversation TEXT,
  restricted INTEGER NOT NULL DEFAULT 0,
  erased INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE TABLE disposal (
  id TEXT PRIMARY KEY,
  seq INTEGER NOT NULL UNIQUE,
  time_us INTEGER NOT NULL,
  actor TEXT NOT NULL,
  approval TEXT NOT NULL,
  records INTEGER NOT NULL,
  tiles INTEGER NOT NULL,
  bytes INTEGER NOT NULL,
  done_seq INTEGER,
  done_us INTEGER,
  refused_seq INTEGER
) STRICT, WITHOUT ROWID;
CREATE TABLE disposed (
  first_seq INTEGER PRIMARY KEY,
  last_seq INTEGER NOT NULL,
  intent INTEGER NOT NULL
) STRICT;
-- Tiles whose leaves went, whole.
CREATE TABLE disposed_tile (tile INTEGER PRIMARY KEY, intent INTEGER NOT NULL) STRICT;
`
