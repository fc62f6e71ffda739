// SPDX-License-Identifier: Apache-2.0
import { CompactRange, leafHash } from '../../shared/evidence/merkle.ts'
import { RandomPool, sha256 } from '../crypto.ts'
import type { WritableDb } from '../sqlite/open.ts'
import { BLOCK_KEYS, type Kek, sealBlock } from '../vault/key-block.ts'
import type { PayloadReader } from '../vault/payload-reader.ts'
import type { SealedContent } from '../vault/seal-content.ts'
import { sameContent } from './content.ts'
import type { AppendResult, LeafDraft } from './draft.ts'
import type { HeadFile } from './head.ts'
import { LatencyWindow } from './latency-window.ts'
import { type SealContext, type SealedLeaf, sealLeaf } from './seal.ts'
import { type KnownKey, SourceKeys } from './source-keys.ts'
import { type LedgerStatements, ledgerStatements, vaultStatements } from './store.ts'

/** Leaves sealed in one turn of the event loop. */
const SEAL_SLICE = 100

export const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

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

/** Drafts that stand together in a group. */
export interface GroupItem {
  readonly drafts: readonly LeafDraft[]
  /** Their contents, being sealed elsewhere; undefined when they are sealed here. */
  readonly contents: Promise<readonly SealedContent[] | undefined> | undefined
}

/** What became of a group: the results of each item, and its leaves with their content. */
export interface WrittenGroup {
  readonly results: readonly AppendResult[][]
  readonly leaves: readonly SealedLeaf[]
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

/** The group is committed, its high-water mark is not. */
export class HeadFailure extends Error {
  readonly results: WrittenGroup['results']
  constructor(results: WrittenGroup['results']) {
    super('the head could not be written')
    this.results = results
  }
}

/**
 * Writes one group at a time, in the order of EVIDENCE.md: key block to keys.db, commit; leaves, payloads, nodes and source keys to ledger.db,
 * one FULL commit; head.
 */
export class GroupWriter {
  readonly #parts: LedgerParts
  readonly #write: LedgerStatements
  readonly #vault
  readonly #context: SealContext
  readonly #sourceKeys: SourceKeys
  readonly #latency = new LatencyWindow(1024)
  #kek: Kek
  #range: CompactRange
  #nodes: number
  #dirtyVault = false
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

  /** Leaves written or about to be: the next seq. */
  get size(): number {
    return this.#range.size
  }

  /** How long the last commits took. */
  get latency(): LatencyWindow {
    return this.#latency
  }

  tree(): TreeState {
    return { size: this.#range.size, root: this.#range.root(), hashes: [...this.#range.hashes] }
  }

  storeCheckpoint(size: number, signedUs: number, note: string): void {
    this.#write.checkpoint.run(size, signedUs, note)
  }

  useKek(kek: Kek): void {
    this.#kek = kek
  }

  /** Removes keys of a group that never became leaves. */
  dropStrayKeys(): void {
    this.#vault.dropFrom.run(this.#range.size)
    this.#dirtyVault = false
  }

  /**
   * Writes a group; resolves once key block, ledger and head are synced.
   * @param lost calls given up before it: the group then begins with `logging.failed`
   * @throws HeadFailure: all of it is on disk but the mark; anything else: nothing of it is kept
   */
  async write(items: readonly GroupItem[], lost: number): Promise<WrittenGroup> {
    const before = { size: this.#range.size, hashes: [...this.#range.hashes], nodes: this.#nodes }
    try {
      return await this.#commit(items, lost)
    } catch (error) {
      // Nothing of it became leaves; keys of it may be there however early it failed, and would be in the way of the next group.
      if (this.#committed === before.size) {
        this.#range = CompactRange.from(sha256, before.size, before.hashes)
        this.#nodes = before.nodes
        this.#sourceKeys.reload(this.#parts.ledger)
        this.#dirtyVault = true
      }
      throw error
    }
  }

  async #commit(items: readonly GroupItem[], lost: number): Promise<WrittenGroup> {
    // Leaves that could not be acknowledged come first: no crash may then leave more than one group beyond the head.
    if (this.#parts.head.current.size < this.#committed) this.#writeHead()
    if (this.#dirtyVault) this.dropStrayKeys()
    const contents = await Promise.all(items.map((item) => item.contents))
    const pending: Group = { first: this.#range.size, now: this.#parts.now(), leaves: [], added: [], twins: new Map() }
    if (lost > 0) pending.leaves.push(sealLeaf(loggingFailed(lost), pending.first, pending.now, this.#context))
    const identities = this.#identify(items)
    const results: AppendResult[][] = []
    let sealed = 0
    for (const [i, item] of items.entries()) {
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
  #identify(items: readonly GroupItem[]): Map<LeafDraft, KnownKey> {
    const found = new Map<LeafDraft, KnownKey>()
    this.#parts.ledger.transaction(() => {
      for (const { drafts } of items) {
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

const loggingFailed = (lost: number): LeafDraft => ({
  type: 'logging.failed',
  actor: { ref: 'engine', kind: 'system' },
  data: { lost, reason: 'storage' },
  parts: []
})
