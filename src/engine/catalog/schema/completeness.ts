// SPDX-License-Identifier: Apache-2.0

/** Requests on record that nothing has ended yet. */
export const completenessSchema = `
CREATE TABLE open_request (seq INTEGER PRIMARY KEY, time_us INTEGER NOT NULL) STRICT;
CREATE INDEX event_time ON event (time_us, seq);
`
