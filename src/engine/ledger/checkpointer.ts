// SPDX-License-Identifier: Apache-2.0
import { AffidavitError } from '../../shared/contract/errors.ts'
import { equalBytes } from '../../shared/evidence/bytes.ts'
import { formatCheckpointBody, signCheckpoint } from '../../shared/evidence/note.ts'
import { type Ed25519Key, sha256 } from '../crypto.ts'
import type { TreeState } from './group-writer.ts'
import type { Ledger } from './ledger.ts'
import type { CheckpointRow } from './store.ts'

/** At most one a second (EVIDENCE, Tree and checkpoint). */
const SPACING_MS = 1_000
/** New leaves wait about this long: well inside the promised minute, and far enough apart to cost a bulk import little. */
const DELAY_MS = 4_000

/** Re-hashes the leaves [from.size, toSize) from disk on top of `from`, through a connection that is not the writer's. */
export type Reread = (from: TreeState, toSize: number) => Promise<TreeState>

export interface CheckpointerParts {
  readonly ledger: Ledger
  readonly origin: string
  /** The key in use at the moment of signing. */
  readonly key: () => Ed25519Key
  readonly reread: Reread
  /** The tree at the last checkpoint, verified at start. */
  readonly verified: TreeState
  readonly last: CheckpointRow | undefined
  /** Told of each new checkpoint, for heads.json and the file of the last one. */
  readonly onSigned: (row: CheckpointRow, tree: TreeState) => void
  readonly onFailed: (error: unknown) => void
}

/**
 * Signs tree heads. Before signing, the new leaves are read back from disk and re-hashed by another connection on top of the last verified tree:
 * equal roots mean both that the disk holds what the writer meant and that the new tree extends the last signed one.
 */
export class Checkpointer {
  readonly #parts: CheckpointerParts
  #verified: TreeState
  #last: CheckpointRow | undefined
  /** By the monotonic clock: a wall clock that was set back must not put signing off. */
  #signedAt = Number.NEGATIVE_INFINITY
  #timer: NodeJS.Timeout | undefined
  #running: Promise<CheckpointRow> | undefined
  #failed = false

  constructor(parts: CheckpointerParts) {
    this.#parts = parts
    this.#verified = parts.verified
    this.#last = parts.last
  }

  get last(): CheckpointRow | undefined {
    return this.#last
  }

  /** False once what was on disk was not what had been written; no further checkpoint is signed then. */
  get consistent(): boolean {
    return !this.#failed
  }

  /** Plans a checkpoint when leaves are waiting for one. */
  touch(): void {
    if (this.#timer || this.#failed || this.#parts.ledger.size <= (this.#last?.size ?? 0)) return
    this.#timer = setTimeout(() => {
      this.#timer = undefined
      this.now().then(
        () => this.touch(),
        (error) => this.#parts.onFailed(error)
      )
    }, DELAY_MS)
    this.#timer.unref()
  }

  /**
   * A checkpoint that covers all leaves committed before the call; the last one when it already does.
   * @throws AffidavitError workspace_damaged: the disk does not hold what was written
   */
  async now(): Promise<CheckpointRow> {
    const wanted = this.#parts.ledger.size
    while (this.#running) await this.#running
    if (this.#last && this.#last.size >= wanted) return this.#last
    this.#running = this.#sign()
    try {
      return await this.#running
    } finally {
      this.#running = undefined
    }
  }

  stop(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
  }

  async #sign(): Promise<CheckpointRow> {
    const wait = this.#signedAt + SPACING_MS - performance.now()
    if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait))
    const { ledger, origin } = this.#parts
    const tree = ledger.tree()
    const reread = await this.#parts.reread(this.#verified, tree.size)
    if (reread.size !== tree.size || !equalBytes(reread.root, tree.root)) {
      this.#failed = true
      throw new AffidavitError('workspace_damaged', 'the leaves on disk are not those that were written: no checkpoint was signed')
    }
    const key = this.#parts.key()
    const body = formatCheckpointBody({ origin, size: tree.size, root: tree.root })
    const row = {
      size: tree.size,
      signed_us: Date.now() * 1000,
      note: signCheckpoint(sha256, body, { origin, publicKey: key.publicKey, sign: key.sign })
    }
    ledger.storeCheckpoint(row.size, row.signed_us, row.note)
    this.#verified = tree
    this.#last = row
    this.#signedAt = performance.now()
    this.#parts.onSigned(row, tree)
    return row
  }
}
