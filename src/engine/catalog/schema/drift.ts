// SPDX-License-Identifier: Apache-2.0

/** Alerts with their steps, looks with their verdicts, baselines. */
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
`
