// SPDX-License-Identifier: Apache-2.0
import { AffidavitError } from '../../shared/contract/errors.ts'
import { CompactRange, leafHash } from '../../shared/evidence/merkle.ts'
import { RandomPool, sha256 } from '../crypto.ts'
import type { WritableDb } from '../sqlite/open.ts'
import { BLOCK_KEYS, type Kek, sealBlock } from '../vault/key-block.ts'
import type { PayloadReader } from '../vault/payload-reader.ts'
import type { SealedContent } from '../vault/seal-content.ts'
import { sameContent } from './content.ts'
import { type AppendResult, type LeafDraft, UnconfirmedError } from './draft.ts'
import type { HeadFile } from './head.ts'
import { LatencyWindow } from './latency-window.ts'
import { type SealContext, type SealedLeaf, sealLeaf } from './seal.ts'
import { type KnownKey, SourceKeys } from './source-keys.ts'
import { type LedgerStatements, ledgerStatements, vaultStatements } from './store.ts'

/** Most leaves in one commit: bounds how long the writer holds the thread. */
export const GROUP_LEAVES = 500
/** Most bytes of content in one commit, unless it is one submission alone: bounds the same. */
const GROUP_BYTES = 2 * 1024 * 1024
/** Leaves sealed in one turn of the event loop. */
const SEAL_SLICE = 100
/** Most turns of the event loop that a group waits for others. */
const GATHER_TURNS = 40

const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

/** The tree at one moment; enough to check or extend it elsewhere. */
export interface TreeState {
  readonly size: number
  readonly root: Uint8Array
  /** Roots of the complete subtrees, largest first. */
  readonly hashes: readonly Uint8Array[]
}

export interface LedgerParts {
  readonly ledger: WritableDb
  readonly keys: WritableDb
  readonly head: HeadFile
  readonly range: CompactRange
  readonly nodes: number
  readonly kek: Kek
  readonly dedupKey: Uint8Array
  readonly payloads: PayloadReader
  readonly appVersion: string
  readonly sample: boolean
  /** Wall clock in milliseconds. */
  readonly now: () => number
}

/** Told of each group once it is on disk: the new size, and the leaves with their content. */
export type CommitListener = (size: number, leaves: readonly SealedLeaf[]) => void

/** Seals many contents beside the writer; undefined when the writer has to. */
export type SealBeside = (contents: readonly LeafDraft['parts'][]) => Promise<readonly SealedContent[] | undefined> | undefined

interface Submission {
  readonly drafts: readonly LeafDraft[]
  /** Their contents, being sealed elsewhere. */
  readonly contents: ReturnType<SealBeside>
  /** The caller keeps them and tries again: not lost yet. */
  readonly kept: boolean
  readonly resolve: (results: AppendResult[]) => void
  readonly reject: (error: Error) => void
}

/** What one commit writes, as it grows. */
interface Group {
  /** The seq of its first leaf. */
  readonly first: number
  /** Its time in milliseconds. */
  readonly now: number
  readonly leaves: SealedLeaf[]
  readonly added: { readonly id: string; readonly seq: number }[]
  /** Leaves of the group by source key. */
  readonly twins: Map<string, { readonly draft: LeafDraft; readonly leaf: SealedLeaf }>
}

/**
 * The one writer of ledger.db and keys.db. Group commit: at once when idle, then whatever arrived meanwhile; never a timer.
 * Per group: key blocks to keys.db, commit; leaves, payloads, nodes and source keys to ledger.db, one FULL commit; head; then the callers hear of it.
 */
export class Ledger {
  readonly #parts: LedgerParts
  readonly #write: LedgerStatements
  readonly #vault
  readonly #context: SealContext
  readonly #sourceKeys: SourceKeys
  readonly #listeners = new Set<CommitListener>()
  readonly #latency = new LatencyWindow(1024)
  #sealBeside: SealBeside = () => undefined
  #kek: Kek
  #range: CompactRange
  #nodes: number
  #queue: Submission[] = []
  #waiting = 0
  /** Submissions in the last group. */
  #lastGroup = 0
  #running: Promise<void> | undefined
  #dirtyVault = false
  #lost = 0
  #failed = 0
  #closed = false
  /** Leaves in ledger.db; ahead of what was acknowledged only when `head` could not be written. */
  #committed: number

  constructor(parts: LedgerParts) {
    this.#parts = parts
    this.#write = ledgerStatements(parts.ledger)
    this.#vault = vaultStatements(parts.keys)
    this.#sourceKeys = new SourceKeys(parts.ledger, parts.dedupKey)
    this.#context = { random: new RandomPool(), appVersion: parts.appVersion, sample: parts.sample }
    this.#kek = parts.kek
    this.#range = parts.range
    this.#nodes = parts.nodes
    this.#committed = parts.range.size
  }

  /** Leaves acknowledged or about to be: the next seq. */
  get size(): number {
    return this.#range.size
  }

  /** Drafts that could not be written since the start. */
  get failed(): number {
    return this.#failed
  }

  /** Drafts not yet committed. */
  get waiting(): number {
    return this.#waiting
  }

  /** Median and 99th percentile of the last commits in milliseconds; null before the first. */
  get commitLatency(): { readonly p50_ms: number | null; readonly p99_ms: number | null } {
    return { p50_ms: this.#latency.quantile(0.5), p99_ms: this.#latency.quantile(0.99) }
  }

  tree(): TreeState {
    return { size: this.#range.size, root: this.#range.root(), hashes: [...this.#range.hashes] }
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
    this.#write.checkpoint.run(size, signedUs, note)
  }

  /** Wraps the keys of leaves to come under this key-encryption key. */
  useKek(kek: Kek): void {
    this.#kek = kek
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
    this.#vault.dropFrom.run(this.#range.size)
    this.#dirtyVault = false
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
    const before = { size: this.#range.size, hashes: [...this.#range.hashes], nodes: this.#nodes }
    let results: AppendResult[][]
    let leaves: readonly SealedLeaf[]
    try {
      ;({ results, leaves } = await this.#commit(group))
    } catch (error) {
      // Nothing of it became leaves; keys of it may be there however early it failed, and would be in the way of the next group.
      if (this.#committed === before.size) {
        this.#range = CompactRange.from(sha256, before.size, before.hashes)
        this.#nodes = before.nodes
        this.#sourceKeys.reload(this.#parts.ledger)
        this.#dirtyVault = true
      }
      // What is on disk is neither lost nor failed: the next group writes the mark for it.
      if (error instanceof HeadFailure) {
        for (const [i, item] of group.entries()) item.reject(new UnconfirmedError(error.results[i] ?? []))
        return
      }
      this.#failed += group.reduce((sum, item) => sum + item.drafts.length, 0)
      for (const { kept, drafts } of group) if (!kept) this.#lost += drafts.filter((draft) => draft.type.startsWith('llm.')).length
      const reported = toStorageError(error)
      for (const item of group) item.reject(reported)
      return
    }
    for (const [i, item] of group.entries()) item.resolve(results[i] ?? [])
    for (const listener of this.#listeners) listener(this.#range.size, leaves)
  }

  async #commit(group: readonly Submission[]): Promise<{ readonly results: AppendResult[][]; readonly leaves: readonly SealedLeaf[] }> {
    // Leaves that could not be acknowledged come first: no crash may then leave more than one group beyond the head.
    if (this.#parts.head.current.size < this.#committed) this.#writeHead()
    if (this.#dirtyVault) this.dropStrayKeys()
    const contents = await Promise.all(group.map((item) => item.contents))
    const pending: Group = { first: this.#range.size, now: this.#parts.now(), leaves: [], added: [], twins: new Map() }
    if (this.#lost > 0) {
      const failed: LeafDraft = {
        type: 'logging.failed',
        actor: { ref: 'engine', kind: 'system' },
        data: { lost: this.#lost, reason: 'storage' },
        parts: []
      }
      pending.leaves.push(sealLeaf(failed, pending.first, pending.now, this.#context))
    }
    const identities = this.#identify(group)
    const results: AppendResult[][] = []
    let sealed = 0
    for (const [i, item] of group.entries()) {
      const done: AppendResult[] = []
      for (const [j, draft] of item.drafts.entries()) {
        // Sealing a whole group would hold the thread too long: others get their turn in between. The commit below is one piece.
        if (++sealed % SEAL_SLICE === 0) await nextTurn()
        done.push(this.#prepare(draft, contents[i]?.[j], identities.get(draft), pending))
      }
      results.push(done)
    }
    const started = performance.now()
    if (pending.leaves.length > 0) {
      this.#store(pending)
      this.#lost = 0
      try {
        this.#writeHead()
      } catch {
        throw new HeadFailure(results)
      }
    }
    this.#latency.add(performance.now() - started)
    return { results, leaves: pending.leaves }
  }

  /** Looks the source keys of a group up in one read transaction: one transaction each would cost more than sealing. */
  #identify(group: readonly Submission[]): Map<LeafDraft, KnownKey> {
    const found = new Map<LeafDraft, KnownKey>()
    this.#parts.ledger.transaction(() => {
      for (const { drafts } of group) {
        for (const draft of drafts) {
          if (draft.sourceKey !== undefined) found.set(draft, this.#sourceKeys.lookUp(draft.sourceKey))
        }
      }
    })()
    return found
  }

  #prepare(draft: LeafDraft, content: SealedContent | undefined, identity: KnownKey | undefined, pending: Group): AppendResult {
    const known = identity && this.#known(identity, draft, pending)
    if (known) return known
    const seq = pending.first + pending.leaves.length
    const leaf = sealLeaf(draft, seq, pending.now, this.#context, content)
    pending.leaves.push(leaf)
    if (identity) {
      pending.added.push({ id: identity.id, seq })
      pending.twins.set(identity.id, { draft, leaf })
    }
    return { kind: 'appended', seq, id: leaf.id }
  }

  #known({ id, seq }: KnownKey, draft: LeafDraft, { twins }: Group): AppendResult | undefined {
    const twin = twins.get(id)
    if (twin) {
      return sameContent(draft.parts, twin.draft.parts)
        ? { kind: 'duplicate', seq: twin.leaf.seq, id: twin.leaf.id }
        : { kind: 'conflict', seq: twin.leaf.seq }
    }
    if (seq === undefined) return undefined
    const stored = this.#parts.payloads.open(seq)
    if (stored.state !== 'present') return { kind: 'erased', seq }
    if (!sameContent(draft.parts, stored.parts)) return { kind: 'conflict', seq }
    const leaf = this.#write.leafBytes.get(seq)
    return { kind: 'duplicate', seq, id: leaf ? (JSON.parse(leaf.toString('utf8')) as { id: string }).id : '' }
  }

  #store(group: Group): void {
    const kek = this.#kek
    const { first } = group
    this.#parts.keys.transaction(() => {
      for (let i = 0; i < group.leaves.length; i += BLOCK_KEYS) {
        const block = group.leaves.slice(i, i + BLOCK_KEYS)
        this.#vault.block.run(
          first + i,
          block.length,
          kek.id,
          sealBlock(
            kek,
            first + i,
            block.map((leaf) => leaf.key)
          )
        )
      }
    })()
    this.#parts.ledger.transaction(() => {
      for (const leaf of group.leaves) {
        this.#write.leaf.run(leaf.seq, leaf.bytes)
        if (leaf.ct) this.#write.payload.run(leaf.seq, leaf.ct)
        for (const hash of this.#range.push(leafHash(sha256, leaf.bytes))) this.#write.node.run(this.#nodes++, hash)
      }
      this.#sourceKeys.write(group.added)
    })()
    this.#committed = this.#range.size
    this.#parts.payloads.forget()
  }

  #writeHead(): void {
    this.#parts.head.write({ size: this.#range.size, root: this.#range.root(), keysEnd: this.#range.size })
  }
}

/** The group is committed, its high-water mark is not. */
class HeadFailure extends Error {
  readonly results: readonly AppendResult[][]
  constructor(results: readonly AppendResult[][]) {
    super('the head could not be written')
    this.results = results
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
