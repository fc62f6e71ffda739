// SPDX-License-Identifier: Apache-2.0

/**
 * Requests of data subjects, erasures, and the index from identifiers to records. The index holds keyed hashes (HMAC-SHA-256, 16 bytes, under a key
 * derived from the dedup key), so that the catalog names nobody; an erasure removes its rows.
 */
export const privacySchema = `
CREATE TABLE subject_key (key BLOB NOT NULL, seq INTEGER NOT NULL, PRIMARY KEY (key, seq)) STRICT, WITHOUT ROWID;
CREATE INDEX subject_key_seq ON subject_key (seq);
CREATE TABLE request (
  id TEXT PRIMARY KEY,
  seq INTEGER NOT NULL,
  time_us INTEGER NOT NULL,
  actor TEXT NOT NULL,
  kind TEXT NOT NULL,
  reference TEXT NOT NULL,
  received TEXT NOT NULL,
  due TEXT NOT NULL,
  extended INTEGER NOT NULL DEFAULT 0,
  state TEXT NOT NULL DEFAULT 'open',
  closed_us INTEGER,
  closed_by TEXT
) STRICT, WITHOUT ROWID;
CREATE TABLE request_step (
  seq INTEGER PRIMARY KEY,
  request TEXT NOT NULL,
  time_us INTEGER NOT NULL,
  actor TEXT NOT NULL,
  type TEXT NOT NULL,
  records INTEGER NOT NULL,
  note TEXT NOT NULL
) STRICT;
CREATE INDEX request_step_request ON request_step (request, seq);
CREATE TABLE erasure (
  id TEXT PRIMARY KEY,
  request TEXT NOT NULL,
  seq INTEGER NOT NULL,
  time_us INTEGER NOT NULL,
  records INTEGER NOT NULL,
  done_seq INTEGER,
  refused_seq INTEGER
) STRICT, WITHOUT ROWID;
CREATE TABLE erased (seq INTEGER PRIMARY KEY, erasure TEXT NOT NULL, intent INTEGER NOT NULL) STRICT;
`
