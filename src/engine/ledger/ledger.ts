// SPDX-License-Identifier: Apache-2.0
import { AffidavitError } from '../../shared/contract/errors.ts'
import type { Kek } from '../vault/key-block.ts'
import type { SealedContent } from '../vault/seal-content.ts'
import { type AppendResult, type LeafDraft, UnconfirmedError } from './draft.ts'
import { type GroupItem, GroupWriter, HeadFailure, type LedgerParts, nextTurn, type TreeState } from './group-writer.ts'
import type { SealedLeaf } from './seal.ts'

/** Most leaves in one commit: bounds how long the writer holds the thread. */
export const GROUP_LEAVES = 500
/** Most bytes of content in one commit, unless it is one submission alone: bounds the same. */
const GROUP_BYTES = 2 * 1024 * 1024
/** Most turns of the event loop that a group waits for others. */
const GATHER_TURNS = 40

/** Told of each group once it is on disk: the new size, and the leaves with their content. */
export type CommitListener = (size: number, leaves: readonly SealedLeaf[]) => void

/** Seals many contents beside the writer; undefined when the writer has to. */
export type SealBeside = (contents: readonly LeafDraft['parts'][]) => Promise<readonly SealedContent[] | undefined> | undefined

interface Submission extends GroupItem {
  /** The caller keeps them and tries again: not lost yet. */
  readonly kept: boolean
  readonly resolve: (results: AppendResult[]) => void
  readonly reject: (error: Error) => void
}

/** Since when every group failed, and the drafts in them. */
interface Failing {
  readonly sinceMs: number
  readonly leaves: number
  readonly diskFull: boolean
}

/**
 * The one writer of ledger.db and keys.db. Group commit: at once when idle, then whatever arrived meanwhile; never a timer. The callers of a
 * group hear of it once it is on disk.
 */
export class Ledger {
  readonly #parts: LedgerParts
  readonly #writer: GroupWriter
  readonly #listeners = new Set<CommitListener>()
  #sealBeside: SealBeside = () => undefined
  #queue: Submission[] = []
  #waiting = 0
  /** Submissions in the last group. */
  #lastGroup = 0
  #running: Promise<void> | undefined
  #lost = 0
  #failed = 0
  #failing: Failing | null = null
  #closed = false

  constructor(parts: LedgerParts) {
    this.#parts = parts
    this.#writer = new GroupWriter(parts)
  }

  /** Leaves acknowledged or about to be: the next seq. */
  get size(): number {
    return this.#writer.size
  }

  /** Drafts that could not be written since the start. */
  get failed(): number {
    return this.#failed
  }

  /** Since when nothing could be written; null after something was. */
  get failing(): Failing | null {
    return this.#failing
  }

  /** Drafts not yet committed. */
  get waiting(): number {
    return this.#waiting
  }

  /** Median and 99th percentile of the last commits in milliseconds; null before the first. */
  get commitLatency(): { readonly p50_ms: number | null; readonly p99_ms: number | null } {
    const { latency } = this.#writer
    return { p50_ms: latency.quantile(0.5), p99_ms: latency.quantile(0.99) }
  }

  tree(): TreeState {
    return this.#writer.tree()
  }

  /** Called after each group; returns its off function. */
  onCommitted(listener: CommitListener): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /**
   * Appends drafts in order. Resolves when they are on disk: key block, ledger and head synced.
   * @param kept the caller keeps what cannot be written and tries again, or says {@link lose}
   * @throws AffidavitError too_many: more than GROUP_LEAVES drafts; disk_full, internal: nothing of the group was kept
   * @throws UnconfirmedError: all of it is on disk, and the high-water mark is not
   */
  append(drafts: readonly LeafDraft[], kept = false): Promise<AppendResult[]> {
    if (this.#closed) return Promise.reject(new AffidavitError('engine_unavailable', 'the ledger is closed'))
    if (drafts.length > GROUP_LEAVES) return Promise.reject(new AffidavitError('too_many', `at most ${GROUP_LEAVES} leaves at once`))
    if (drafts.length === 0) return Promise.resolve([])
    return new Promise((resolve, reject) => {
      this.#queue.push({ drafts, contents: this.#sealBeside(drafts.map((draft) => draft.parts)), kept, resolve, reject })
      this.#waiting += drafts.length
      this.#schedule()
    })
  }

  /** Counts calls that were given up: the next group begins with `logging.failed`. */
  lose(leaves: number): void {
    this.#lost += leaves
  }

  /** Stores a checkpoint that covers leaves already on disk. */
  storeCheckpoint(size: number, signedUs: number, note: string): void {
    this.#writer.storeCheckpoint(size, signedUs, note)
  }

  /** Wraps the keys of leaves to come under this key-encryption key. */
  useKek(kek: Kek): void {
    this.#writer.useKek(kek)
  }

  /** From now on large batches are sealed by this, while the one before is committed. */
  sealBy(beside: SealBeside): void {
    this.#sealBeside = beside
  }

  /** Drops keys held in memory: they may have been destroyed. */
  forgetKeys(): void {
    this.#parts.payloads.forget()
  }

  /** Removes keys of a group that never became leaves, so that blocks below may be rewritten and merged. */
  dropStrayKeys(): void {
    this.#writer.dropStrayKeys()
  }

  /** Commits what is waiting and refuses more. The caller closes the databases. */
  async close(): Promise<void> {
    this.#closed = true
    await this.#running
  }

  #schedule(): void {
    this.#running ??= this.#run()
  }

  /** One group after the other until nothing waits. */
  async #run(): Promise<void> {
    await this.#gather()
    for (let group = this.#takeGroup(); group.length > 0; group = this.#takeGroup()) {
      await this.#flush(group)
      await this.#gather()
    }
    this.#running = undefined
  }

  /**
   * Lets requests that are already on the wire join the group: turns of the event loop, never a timer. A lone request goes at once; under
   * load about as many as last time are expected, because those who were answered ask again.
   */
  async #gather(): Promise<void> {
    for (let turn = 0, seen = -1; turn < GATHER_TURNS && this.#waiting < GROUP_LEAVES; turn++) {
      const grew = this.#queue.length > seen
      if (turn > 0 && !grew && this.#queue.length >= this.#lastGroup) return
      seen = this.#queue.length
      await nextTurn()
    }
  }

  #takeGroup(): Submission[] {
    let leaves = 0
    let bytes = 0
    let n = 0
    for (const item of this.#queue) {
      for (const { parts } of item.drafts) for (const { data } of parts) bytes += data.length
      if (n > 0 && (leaves + item.drafts.length > GROUP_LEAVES || bytes > GROUP_BYTES)) break
      leaves += item.drafts.length
      n++
    }
    this.#waiting -= leaves
    this.#lastGroup = n
    return this.#queue.splice(0, n)
  }

  async #flush(group: readonly Submission[]): Promise<void> {
    const lost = this.#lost
    let written: Awaited<ReturnType<GroupWriter['write']>>
    try {
      written = await this.#writer.write(group, lost)
    } catch (error) {
      // What is on disk is neither lost nor failed: the next group writes the mark for it.
      if (error instanceof HeadFailure) {
        this.#lost -= lost
        for (const [i, item] of group.entries()) item.reject(new UnconfirmedError(error.results[i] ?? []))
        return
      }
      const refused = group.reduce((sum, item) => sum + item.drafts.length, 0)
      this.#failed += refused
      for (const { kept, drafts } of group) if (!kept) this.#lost += drafts.filter((draft) => draft.type.startsWith('llm.')).length
      const reported = toStorageError(error)
      const { sinceMs, leaves } = this.#failing ?? { sinceMs: Date.now(), leaves: 0 }
      this.#failing = { sinceMs, leaves: leaves + refused, diskFull: reported.code === 'disk_full' }
      for (const item of group) item.reject(reported)
      return
    }
    // Others may have been given up while this was written: the next group says so.
    this.#lost -= lost
    this.#failing = null
    for (const [i, item] of group.entries()) item.resolve(written.results[i] ?? [])
    for (const listener of this.#listeners) listener(this.size, written.leaves)
  }
}

/** A full disk, a quota, a limit on the size of files. */
const NO_ROOM: ReadonlySet<string> = new Set(['SQLITE_FULL', 'ENOSPC', 'EDQUOT', 'EFBIG'])

function toStorageError(error: unknown): AffidavitError {
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  if (NO_ROOM.has(code)) {
    return new AffidavitError('disk_full', 'the disk is full: nothing of this request was recorded; free some space and send it again')
  }
  return new AffidavitError('internal', 'the ledger could not be written: nothing of this request was recorded', {
    storage: code || 'unknown'
  })
}
