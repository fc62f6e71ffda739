// SPDX-License-Identifier: Apache-2.0
import type { Migration } from '../sqlite/open.ts'

/**
 * ledger.db. `leaf`, `node` and `checkpoint` only ever grow; `payload` loses rows only through the table `removing`.
 * `node.pos` is the order of completion of the inner nodes, see nodePosition in shared/evidence/merkle.ts; leaf hashes are recomputed from the bytes.
 * The triggers stop accidents; hashes and outside anchors stop people.
 */
export const ledgerMigrations: readonly Migration[] = [
  {
    version: 1,
    sql: `
CREATE TABLE leaf (seq INTEGER PRIMARY KEY, bytes BLOB NOT NULL) STRICT;
CREATE TABLE node (pos INTEGER PRIMARY KEY, hash BLOB NOT NULL CHECK (length(hash) = 32)) STRICT;
CREATE TABLE payload (seq INTEGER PRIMARY KEY, ct BLOB NOT NULL) STRICT;
CREATE TABLE dedup (key BLOB PRIMARY KEY CHECK (length(key) = 16), seq INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE checkpoint (size INTEGER PRIMARY KEY, signed_us INTEGER NOT NULL, note TEXT NOT NULL) STRICT;
CREATE TABLE removing (seq INTEGER PRIMARY KEY) STRICT;

CREATE TRIGGER leaf_appends BEFORE INSERT ON leaf
WHEN NEW.seq <> (SELECT ifnull(max(seq), -1) + 1 FROM leaf)
BEGIN SELECT RAISE(ABORT, 'leaf: only the next seq may be appended'); END;
CREATE TRIGGER leaf_no_update BEFORE UPDATE ON leaf
BEGIN SELECT RAISE(ABORT, 'leaf: append-only'); END;
CREATE TRIGGER leaf_no_delete BEFORE DELETE ON leaf
BEGIN SELECT RAISE(ABORT, 'leaf: append-only'); END;

CREATE TRIGGER node_appends BEFORE INSERT ON node
WHEN NEW.pos <> (SELECT ifnull(max(pos), -1) + 1 FROM node)
BEGIN SELECT RAISE(ABORT, 'node: only the next position may be appended'); END;
CREATE TRIGGER node_no_update BEFORE UPDATE ON node
BEGIN SELECT RAISE(ABORT, 'node: append-only'); END;
CREATE TRIGGER node_no_delete BEFORE DELETE ON node
BEGIN SELECT RAISE(ABORT, 'node: append-only'); END;

CREATE TRIGGER payload_appends BEFORE INSERT ON payload
WHEN NEW.seq <= (SELECT ifnull(max(seq), -1) FROM payload)
BEGIN SELECT RAISE(ABORT, 'payload: append-only'); END;
CREATE TRIGGER payload_no_update BEFORE UPDATE ON payload
BEGIN SELECT RAISE(ABORT, 'payload: append-only'); END;
CREATE TRIGGER payload_no_delete BEFORE DELETE ON payload
WHEN OLD.seq NOT IN (SELECT seq FROM removing)
BEGIN SELECT RAISE(ABORT, 'payload: not listed for removal'); END;

CREATE TRIGGER checkpoint_no_update BEFORE UPDATE ON checkpoint
BEGIN SELECT RAISE(ABORT, 'checkpoint: append-only'); END;
CREATE TRIGGER checkpoint_no_delete BEFORE DELETE ON checkpoint
BEGIN SELECT RAISE(ABORT, 'checkpoint: append-only'); END;
CREATE TRIGGER checkpoint_appends BEFORE INSERT ON checkpoint
WHEN NEW.size <= (SELECT ifnull(max(size), -1) FROM checkpoint)
BEGIN SELECT RAISE(ABORT, 'checkpoint: sizes only grow'); END;
`
  },
  {
    // Whole tiles of leaves may go after retention: only listed for removal, all 256 of them, and with their hashes kept.
    version: 2,
    sql: `
CREATE TABLE disposed_tile (
  tile INTEGER PRIMARY KEY,
  hashes BLOB NOT NULL CHECK (length(hashes) = 8192),
  records INTEGER NOT NULL
) STRICT;
CREATE TRIGGER disposed_tile_whole BEFORE INSERT ON disposed_tile
WHEN (SELECT count(*) FROM removing WHERE seq / 256 = NEW.tile) <> 256
  OR (SELECT count(*) FROM leaf WHERE seq >= NEW.tile * 256 AND seq < NEW.tile * 256 + 256) <> 256
BEGIN SELECT RAISE(ABORT, 'disposed_tile: only whole tiles that are listed for removal'); END;
CREATE TRIGGER disposed_tile_no_update BEFORE UPDATE ON disposed_tile
BEGIN SELECT RAISE(ABORT, 'disposed_tile: append-only'); END;
CREATE TRIGGER disposed_tile_no_delete BEFORE DELETE ON disposed_tile
BEGIN SELECT RAISE(ABORT, 'disposed_tile: append-only'); END;
DROP TRIGGER leaf_no_delete;
CREATE TRIGGER leaf_no_delete BEFORE DELETE ON leaf
WHEN OLD.seq NOT IN (SELECT seq FROM removing) OR OLD.seq / 256 NOT IN (SELECT tile FROM disposed_tile)
BEGIN SELECT RAISE(ABORT, 'leaf: append-only'); END;
`
  },
  {
    // Source keys of the last leaves in order of arrival, until they move to `dedup` (source-keys.ts).
    version: 3,
    sql: `
CREATE TABLE dedup_new (seq INTEGER PRIMARY KEY, key BLOB NOT NULL CHECK (length(key) = 16)) STRICT;
`
  }
]
