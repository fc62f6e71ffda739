// SPDX-License-Identifier: Apache-2.0
import { Checkpointer } from '../ledger/checkpointer.ts'
import type { LeafDraft } from '../ledger/draft.ts'
import type { HeadCopyFinding } from '../ledger/head-copy.ts'
import type { Ledger } from '../ledger/ledger.ts'
import type { ReaderPool } from '../threads/reader-pool.ts'
import type { OpenWorkspace } from '../workspace/workspace.ts'

export interface Signing {
  readonly checkpointer: Checkpointer
  /** Size of the checkpoint before the last one. */
  previousSize: number
  /** Size of the tree that the copy outside the database has; undefined when there is none. */
  copySize: number | undefined
  /** What was amiss with that copy in this run, and what to do; null: nothing. */
  copyTrouble: string | null
}

/** Says what was found, and what to do. */
function troubleOf({ reason, written, found, aside }: HeadCopyFinding, time: string): string {
  const file = 'heads.json in the state folder'
  const what = {
    head_copy_unreadable: `${file} could not be read`,
    head_copy_changed: `${file} named a head of ${found} leaves where this engine had written one of ${written}`,
    head_copy_gone: `${file} no longer named this log`
  }[reason]
  const kept = aside === null ? '' : ` The file as it was found is kept as ${aside}.`
  const others = reason === 'head_copy_unreadable' ? ' Other logs of this machine open read-only at their next start.' : ''
  return `${time.slice(0, 19)}Z: ${what}. It was written anew for this log.${kept}${others} See who else can write to that folder.`
}

const disturbedDraft = ({ reason, written, found }: HeadCopyFinding): LeafDraft => ({
  type: 'rollback.detected',
  actor: { ref: 'engine', kind: 'system' },
  data: { reason, head_size: written, found_size: found },
  parts: []
})

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
        const finding = workspace.saveHead(tree, row.note)
        signing.copySize = tree.size
        if (finding) {
          signing.copyTrouble = troubleOf(finding, new Date().toISOString())
          ledger.append([disturbedDraft(finding)]).catch(failed('head_copy.not_recorded'))
        }
      } catch (error) {
        signing.copyTrouble = `The head could not be written to heads.json in the state folder since ${new Date().toISOString().slice(0, 19)}Z: a tail cut off would be noticed up to leaf ${(signing.copySize ?? 0) - 1} only. See whether the folder can be written to.`
        failed('head_copy.failed')(error)
      }
      changed()
    },
    onFailed: failed('checkpoint.failed')
  })
  const signing: Signing = {
    checkpointer,
    previousSize: 0,
    copySize: workspace.start.secondCopy === 'none' ? undefined : workspace.start.checkpoint?.size,
    copyTrouble: null
  }
  return signing
}
