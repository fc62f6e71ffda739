// SPDX-License-Identifier: Apache-2.0

/**
 * Alerts with their steps, looks with what they left behind, references, webhooks; and the exact counts of each series by claimed hour
 * (`span` 1) and by claimed day (`span` 24), so that neither a look nor a back-test reads the records of its history again.
 */
export const driftSchema = `
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
  changed_seq INTEGER NOT NULL,
  resolved_us INTEGER,
  snoozed_until_us INTEGER
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
CREATE TABLE look_history (
  model TEXT NOT NULL,
  source TEXT NOT NULL,
  reference TEXT NOT NULL,
  feature TEXT NOT NULL,
  day INTEGER NOT NULL,
  looks INTEGER NOT NULL,
  max_l REAL NOT NULL,
  max_d REAL NOT NULL,
  last INTEGER NOT NULL,
  fired INTEGER NOT NULL,
  PRIMARY KEY (model, source, reference, feature, day)
) STRICT, WITHOUT ROWID;
CREATE TABLE look_series (
  model TEXT NOT NULL,
  source TEXT NOT NULL,
  reference TEXT NOT NULL,
  look INTEGER NOT NULL,
  time_us INTEGER NOT NULL,
  judged_to INTEGER NOT NULL,
  counted_to INTEGER NOT NULL,
  -- The leaf from which on a second look is waited for, 0 for none, and the features for which, with commas between.
  waits_from INTEGER NOT NULL,
  waits_for TEXT NOT NULL,
  numbers TEXT NOT NULL,
  PRIMARY KEY (model, source, reference)
) STRICT, WITHOUT ROWID;
CREATE TABLE reference (hash TEXT PRIMARY KEY, seq INTEGER NOT NULL) STRICT, WITHOUT ROWID;
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
CREATE TABLE cell (
  model TEXT NOT NULL,
  source TEXT NOT NULL,
  span INTEGER NOT NULL,
  start INTEGER NOT NULL,
  records INTEGER NOT NULL,
  errors INTEGER NOT NULL,
  ended INTEGER NOT NULL,
  low_seq INTEGER NOT NULL,
  high_seq INTEGER NOT NULL,
  low_us INTEGER NOT NULL,
  high_us INTEGER NOT NULL,
  tables BLOB NOT NULL,
  beside TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX cell_place ON cell (model, source, span, start);
CREATE TABLE webhook (
  id TEXT PRIMARY KEY,
  seq INTEGER NOT NULL,
  time_us INTEGER NOT NULL,
  actor TEXT NOT NULL,
  url TEXT NOT NULL,
  enabled INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
`
