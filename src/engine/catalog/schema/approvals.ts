// SPDX-License-Identifier: Apache-2.0

/** What waits for a second person, and what was decided. */
export const approvalsSchema = `
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
