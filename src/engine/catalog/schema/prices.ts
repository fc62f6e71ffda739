// SPDX-License-Identifier: Apache-2.0

/** The price table as the leaves leave it. `name` is the key whatever its letter case; an empty provider is any. */
export const pricesSchema = `
CREATE TABLE price (
  name TEXT PRIMARY KEY,
  seq INTEGER NOT NULL,
  time_us INTEGER NOT NULL,
  actor TEXT NOT NULL,
  model TEXT NOT NULL,
  provider TEXT,
  valid_from TEXT NOT NULL,
  prices TEXT NOT NULL
) STRICT, WITHOUT ROWID;
`
