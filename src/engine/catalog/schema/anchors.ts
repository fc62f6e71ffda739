// SPDX-License-Identifier: Apache-2.0

/** Anchors outside this machine. `said_us`: when the authority or witness says it saw the checkpoint. */
export const anchorsSchema = `
CREATE TABLE anchor (
  seq INTEGER PRIMARY KEY,
  kind TEXT NOT NULL,
  size INTEGER NOT NULL,
  root TEXT NOT NULL,
  said_us INTEGER NOT NULL,
  authority TEXT NOT NULL,
  name TEXT NOT NULL,
  url TEXT NOT NULL
) STRICT;
CREATE INDEX anchor_size ON anchor (size);
`
