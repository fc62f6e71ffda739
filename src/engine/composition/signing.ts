// SPDX-License-Identifier: Apache-2.0
import { Checkpointer } from '../ledger/checkpointer.ts'
import type { Ledger } from '../ledger/ledger.ts'
import type { ReaderPool } from '../threads/reader-pool.ts'
import type { OpenWorkspace } from '../workspace/workspace.ts'

export interface Signing {
  readonly checkpointer: Checkpointer
  /** Size of the checkpoint before the last one. */
  previousSize: number
  /** Size of the tree that the copy outside the database has; undefined when there is none. */
  copySize: number | undefined
}

/** Says in the log that something which runs by itself did not work. */
export type Failed = (event: string) => (error: unknown) => void

/** Checkpoints with their copies outside the database. */
export function startSigning(workspace: OpenWorkspace, ledger: Ledger, pool: ReaderPool, failed: Failed, changed: () => void): Signing {
  let lastSize = workspace.start.checkpoint?.size ?? 0
  const checkpointer = new Checkpointer({
    ledger,
    origin: workspace.identity.origin,
    key: () => workspace.identity.log,
    reread: (from, toSize) => pool.run('reread', { from, toSize }),
    verified: workspace.start.verified,
    last: workspace.start.checkpoint,
    onSigned: (row, tree) => {
      signing.previousSize = lastSize
      lastSize = row.size
      try {
        workspace.saveHead(tree, row.note)
        signing.copySize = tree.size
      } catch (error) {
        failed('head_copy.failed')(error)
      }
      changed()
    },
    onFailed: failed('checkpoint.failed')
  })
  const signing: Signing = {
    checkpointer,
    previousSize: 0,
    copySize: workspace.start.secondCopy === 'none' ? undefined : workspace.start.checkpoint?.size
  }
  return signing
}
