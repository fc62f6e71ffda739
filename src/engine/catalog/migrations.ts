// SPDX-License-Identifier: Apache-2.0
import type { Migration } from '../sqlite/open.ts'

/**
 * catalog.db: a projection of the ledger, rebuildable at any time. Times are microseconds since 1970 UTC.
 * `record.rid` is dense in order of arrival, so that an unfiltered result is plain arithmetic.
 * A new version of this schema is a new catalog: the file is dropped and replayed, so there is one step only.
 */
export const catalogMigrations: readonly Migration[] = [
  {
    version: 2,
    sql: `
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE record (
  rid INTEGER PRIMARY KEY,
  seq INTEGER NOT NULL,
  id TEXT NOT NULL,
  time_us INTEGER NOT NULL,
  appended_us INTEGER NOT NULL,
  channel TEXT NOT NULL,
  operation TEXT NOT NULL,
  provider TEXT NOT NULL,
  model TEXT NOT NULL,
  served TEXT,
  source TEXT NOT NULL,
  status TEXT NOT NULL,
  http_status INTEGER,
  error_type TEXT,
  finish TEXT,
  latency_us INTEGER,
  ttft_us INTEGER,
  input_tokens INTEGER,
  output_tokens INTEGER,
  response_chars INTEGER,
  conversation TEXT,
  preview TEXT NOT NULL,
  sample INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX record_seq ON record (seq);
CREATE INDEX record_time ON record (time_us, seq, status, latency_us);
CREATE INDEX record_series ON record (model, source, time_us);
CREATE VIRTUAL TABLE record_text USING fts5 (request, response, content = '', contentless_delete = 1, tokenize = "unicode61 remove_diacritics 2");
CREATE TABLE minute (
  minute INTEGER PRIMARY KEY,
  n INTEGER NOT NULL,
  error INTEGER NOT NULL,
  aborted INTEGER NOT NULL,
  incomplete INTEGER NOT NULL,
  input_tokens INTEGER NOT NULL,
  output_tokens INTEGER NOT NULL,
  latency BLOB NOT NULL
) STRICT;
CREATE TABLE facet (kind TEXT NOT NULL, value TEXT NOT NULL, n INTEGER NOT NULL, PRIMARY KEY (kind, value)) STRICT, WITHOUT ROWID;
CREATE TABLE series (
  model TEXT NOT NULL,
  source TEXT NOT NULL,
  n INTEGER NOT NULL,
  first_us INTEGER NOT NULL,
  last_us INTEGER NOT NULL,
  last_seq INTEGER NOT NULL,
  PRIMARY KEY (model, source)
) STRICT, WITHOUT ROWID;
CREATE TABLE event (
  seq INTEGER PRIMARY KEY,
  time_us INTEGER NOT NULL,
  type TEXT NOT NULL,
  actor TEXT NOT NULL,
  data TEXT NOT NULL
) STRICT;
CREATE INDEX event_type ON event (type, seq);
CREATE TABLE alert (
  id TEXT PRIMARY KEY,
  seq INTEGER NOT NULL UNIQUE,
  time_us INTEGER NOT NULL,
  model TEXT NOT NULL,
  source TEXT NOT NULL,
  state TEXT NOT NULL,
  score REAL NOT NULL,
  features TEXT NOT NULL,
  look INTEGER NOT NULL,
  baseline TEXT NOT NULL,
  changed_seq INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX alert_changed ON alert (changed_seq);
CREATE TABLE alert_step (
  seq INTEGER PRIMARY KEY,
  alert TEXT NOT NULL,
  time_us INTEGER NOT NULL,
  what TEXT NOT NULL,
  actor TEXT NOT NULL,
  note TEXT NOT NULL
) STRICT;
CREATE INDEX alert_step_alert ON alert_step (alert, seq);
CREATE TABLE look (
  seq INTEGER PRIMARY KEY,
  id TEXT NOT NULL,
  time_us INTEGER NOT NULL,
  cause TEXT NOT NULL,
  to_seq INTEGER NOT NULL
) STRICT;
CREATE TABLE look_verdict (
  look INTEGER NOT NULL,
  time_us INTEGER NOT NULL,
  model TEXT NOT NULL,
  source TEXT NOT NULL,
  baseline TEXT NOT NULL,
  feature TEXT NOT NULL,
  state TEXT NOT NULL,
  d REAL,
  l REAL,
  fired INTEGER NOT NULL,
  alarmed INTEGER NOT NULL,
  numbers TEXT NOT NULL,
  PRIMARY KEY (model, source, feature, look)
) STRICT, WITHOUT ROWID;
CREATE TABLE baseline (
  id TEXT PRIMARY KEY,
  seq INTEGER NOT NULL,
  time_us INTEGER NOT NULL,
  actor TEXT NOT NULL,
  model TEXT NOT NULL,
  source TEXT NOT NULL,
  records INTEGER NOT NULL,
  to_seq INTEGER NOT NULL,
  hash TEXT NOT NULL,
  name TEXT NOT NULL,
  query TEXT NOT NULL,
  from_us INTEGER,
  to_us INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX baseline_series ON baseline (model, source, seq);
CREATE TABLE approval (
  id TEXT PRIMARY KEY,
  seq INTEGER NOT NULL,
  time_us INTEGER NOT NULL,
  action TEXT NOT NULL,
  asked_by TEXT NOT NULL,
  title TEXT NOT NULL,
  state TEXT NOT NULL,
  decided_seq INTEGER,
  decided_us INTEGER,
  decided_by TEXT,
  note TEXT NOT NULL DEFAULT '',
  done_seq INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX approval_seq ON approval (seq);
`
  }
]
