// SPDX-License-Identifier: Apache-2.0
import { formatCheckpointBody, signCheckpoint } from '../../shared/evidence/note.ts'
import { sha256 } from '../crypto.ts'
import { writerOf } from '../workspace/test-workspace.ts'
import type { OpenWorkspace } from '../workspace/workspace.ts'

/** Signs and stores a checkpoint over everything in an open workspace, for tests that run no engine; gives its note. */
export function signed(workspace: OpenWorkspace): string {
  const { origin, log } = workspace.identity
  const writer = writerOf(workspace)
  const { size, root } = writer.tree()
  const note = signCheckpoint(sha256, formatCheckpointBody({ origin, size, root }), { origin, publicKey: log.publicKey, sign: log.sign })
  writer.storeCheckpoint(size, Date.now() * 1000, note)
  return note
}
