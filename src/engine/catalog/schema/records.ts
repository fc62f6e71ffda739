// SPDX-License-Identifier: Apache-2.0

/** Records with their full text and aggregates, and every other leaf as an event. `record.rid` is dense in order of arrival, so that an unfiltered result is plain arithmetic. */
export const recordsSchema = `
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
  script TEXT,
  conversation TEXT,
  preview TEXT NOT NULL,
  class TEXT NOT NULL,
  sample INTEGER NOT NULL,
  -- Whether it was answered outside loopback and private networks; NULL where nothing on record says.
  remote INTEGER,
  -- The leaf of the request, where the call was on record before it ended.
  request_seq INTEGER,
  -- Parameters of the request in the form of src/shared/event/parameters.ts; NULL where none is on record.
  params TEXT,
  -- The leaf that restricted it, 0 for none; the intent that erased its content, 0 for none.
  restricted INTEGER NOT NULL DEFAULT 0,
  erased INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE UNIQUE INDEX record_seq ON record (seq);
CREATE INDEX record_request ON record (request_seq) WHERE request_seq IS NOT NULL;
CREATE INDEX record_time ON record (time_us, seq, status, latency_us);
-- Few, and asked for by every figure.
CREATE INDEX record_restricted ON record (time_us, status, latency_us) WHERE restricted <> 0;
CREATE INDEX record_series ON record (model, source, time_us);
CREATE VIRTUAL TABLE record_text USING fts5 (request, response, content = '', tokenize = "unicode61 remove_diacritics 2 categories 'L* N* Co M*'");
INSERT INTO record_text (record_text, rank) VALUES ('secure-delete', 1);
-- One segment a batch instead of several that are merged again; its pages fill those of the file.
INSERT INTO record_text (record_text, rank) VALUES ('hashsize', 8388608);
INSERT INTO record_text (record_text, rank) VALUES ('pgsz', 16000);
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
CREATE INDEX event_read ON event (json_extract(data, '$.seq')) WHERE type IN ('record.viewed', 'payload.unmasked');
CREATE INDEX event_review ON event (json_extract(data, '$.record')) WHERE type = 'review.decided';
CREATE INDEX event_correction ON event (json_extract(data, '$.record')) WHERE type = 'record.corrected';
`
