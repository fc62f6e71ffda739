// SPDX-License-Identifier: Apache-2.0
import { randomBytes } from 'node:crypto'
import { AffidavitError } from '../../shared/contract/errors.ts'
import type { Actor, AppendResult, LeafDraft } from '../ledger/draft.ts'
import type { Ledger } from '../ledger/ledger.ts'
import { emptyWal } from '../sqlite/long-write.ts'
import type { WritableDb } from '../sqlite/open.ts'
import type { Identity } from '../workspace/identity.ts'
import type { KeyHolder, Keyring, OwedLeaf } from './keyring.ts'
import { anyLive, mergeBlocks, rewriteBlocks } from './rewrap.ts'

export interface VaultDeps {
  readonly keys: WritableDb
  readonly holder: KeyHolder
  readonly identity: Identity
  readonly ledger: Ledger
  readonly append: (drafts: readonly LeafDraft[]) => Promise<readonly AppendResult[]>
  /** Tells the threads which key-encryption keys there are; called before the first block is written under a new one. */
  readonly onKeks: (keks: ReadonlyMap<string, Uint8Array>) => void
  /** Copies the write-ahead log of the keys into their database on another thread: see `drainWal`. */
  readonly drain: () => Promise<void>
  /**
   * Called when no block names the old key any more, before it is destroyed, whatever the change is for: a copy of the keys is made and verified
   * for the backups that only the old key opens. When it throws, nothing is destroyed and both keys stay until it is asked again.
   */
  readonly beforeDestroy?: () => Promise<void>
}

export interface RewrapInput {
  /** Seqs whose keys are destroyed: their content can then never be opened again, by nobody. Absent: the key changes all the same; none: it stays. */
  readonly dropSeqs?: Iterable<number>
  /** Who changes the key; the engine when absent. What goes on after a crash is still theirs. */
  readonly by?: Actor
  /** The approval that it rests on, where it was asked for by `by` and given by another. */
  readonly approval?: string
  readonly progress?: (done: number, total: number) => void
  /** Asked before keys of a further block are destroyed; see {@link rewriteBlocks}. */
  readonly mayDestroy?: () => boolean
}

export interface RewrapResult {
  /** Id of the key-encryption key that wraps every block now. */
  readonly kek_id: string
  /** Ids of those that were destroyed. */
  readonly destroyed: readonly string[]
  readonly dropped: number
  readonly blocks: number
  /** Blocks that no key opened: damage from before. */
  readonly damaged: number
}

const SYSTEM = { ref: 'engine', kind: 'system' } as const

/**
 * The key-encryption key and its change (EVIDENCE, Erasure). Order: the new key durably beside the old one, a leaf that says so, every block
 * rewritten under it, the write-ahead log emptied, `beforeDestroy`, the old key destroyed, a leaf that says so. A crash anywhere is made up
 * for by asking again with the same seqs.
 */
export class Vault {
  readonly #deps: VaultDeps
  #running: Promise<unknown> = Promise.resolve()
  /** Blocks below this seq are merged. */
  #merged = 0

  constructor(deps: VaultDeps) {
    this.#deps = deps
  }

  /** Finishes a change of the key-encryption key that a crash interrupted (an erasure finishes its own), and writes leaves that are owed. */
  async resume(): Promise<void> {
    await this.settle()
    if (this.#deps.holder.ring.rewrap === 'rotation') await this.rewrapVault({})
  }

  /**
   * Changes the key-encryption key and destroys the old one, with the keys of `dropSeqs`. One at a time; a second call waits.
   * Called again after a crash, it goes on where it was; called again when all is done, it changes nothing.
   * @throws AffidavitError busy: a reader held the write-ahead log; ask again
   * @throws DestructionStopped `mayDestroy` said no: the change of the key is begun, and ends with this called again or with {@link finish}
   */
  rewrapVault(input: RewrapInput): Promise<RewrapResult> {
    const work = this.#running.then(() => this.#rewrap(input))
    this.#running = work.catch(() => {})
    return work
  }

  /** Ends a change of the key that was begun, with what is destroyed by then; does nothing when none was. @throws AffidavitError busy */
  finish(): Promise<void> {
    const work = this.#running.then(async () => {
      if (this.#deps.holder.ring.keks.length > 1) await this.#rewrap({})
    })
    this.#running = work.catch(() => {})
    return work
  }

  /** Merges small neighbouring blocks while `goOn` agrees; for when nobody waits. Not while a change of the key is unfinished. */
  merge(goOn: () => boolean): Promise<void> {
    const work = this.#running.then(async () => {
      const { keys, holder, identity, ledger, drain } = this.#deps
      if (holder.ring.keks.length > 1) return
      this.#merged = await mergeBlocks(keys, identity.kek, { from: this.#merged, end: ledger.size }, drain, goOn)
    })
    this.#running = work.catch(() => {})
    return work
  }

  /** Appends the leaves that the ring owes; those already there are not written twice. */
  async settle(): Promise<void> {
    const { holder, append } = this.#deps
    const { owed } = holder.ring
    if (owed.length === 0) return
    await append(owed.map(owedDraft))
    await holder.update((ring) => ({ ...ring, owed: ring.owed.filter((leaf) => !owed.some((one) => sameLeaf(one, leaf))) }))
  }

  async #rewrap(input: RewrapInput): Promise<RewrapResult> {
    const { keys, holder, identity, ledger } = this.#deps
    const drop = [...(input.dropSeqs ?? [])].sort((a, b) => a - b)
    const destroys = input.dropSeqs !== undefined
    if (destroys ? await this.#opensLive(drop) : holder.ring.keks.length === 1) await this.#addKek(destroys ? 'erasure' : 'rotation', input)
    else if (holder.ring.keks.length === 1) {
      await this.settle()
      return { kek_id: identity.kek.id, destroyed: [], dropped: 0, blocks: 0, damaged: 0 }
    }
    const target = identity.kek
    ledger.dropStrayKeys()
    const total = ledger.size
    const source = { get: (id: string) => identity.keks.get(id) }
    const progress = (seq: number) => input.progress?.(Math.min(seq, total), total)
    const counts = await rewriteBlocks(keys, target, source, new Set(drop), progress, this.#deps.drain, input.mayDestroy)
    if (!(await emptyWal(keys, this.#deps.drain)))
      throw new AffidavitError('busy', 'the old keys are still being read: the change of the key goes on at the next attempt')
    await this.#deps.beforeDestroy?.()
    const old = holder.ring.keks.filter((kek) => kek.id !== target.id).map((kek) => kek.id)
    await holder.update(({ rewrap: _, rewrap_by: by, rewrap_approval: approval, ...ring }) => ({
      ...ring,
      keks: ring.keks.filter((kek) => kek.id === target.id),
      owed: [
        ...ring.owed,
        ...old.map(
          (id): OwedLeaf => ({ type: 'key.retired', key_id: id, use: 'key-encryption', ...(by && { by }), ...(approval && { approval }) })
        )
      ]
    }))
    this.#deps.onKeks(identity.keks)
    ledger.forgetKeys()
    await this.settle()
    return { kek_id: target.id, destroyed: old, ...counts }
  }

  /** A key that wraps what is to be destroyed cannot stay: whoever has an old copy of the file could open it. */
  #opensLive(drop: readonly number[]): Promise<boolean> {
    return anyLive(this.#deps.keys, this.#deps.identity.kek, drop)
  }

  async #addKek(reason: Keyring['rewrap'], { by: actor, approval }: Pick<RewrapInput, 'by' | 'approval'>): Promise<void> {
    const { holder, identity, ledger } = this.#deps
    const id = randomBytes(8).toString('hex')
    const by = actor && { ref: actor.ref, kind: actor.kind }
    await holder.update((ring) => ({
      ...ring,
      keks: [...ring.keks, { id, key: randomBytes(32).toString('base64'), since: new Date().toISOString() }],
      rewrap: reason,
      ...(by && { rewrap_by: by, rewrap_approval: approval }),
      owed: [...ring.owed, { type: 'key.added', key_id: id, use: 'key-encryption', ...(by && { by, ...(approval && { approval }) }) }]
    }))
    this.#deps.onKeks(identity.keks)
    ledger.useKek(identity.kek)
    await this.settle()
  }
}

const sameLeaf = (a: OwedLeaf, b: OwedLeaf): boolean => a.type === b.type && a.key_id === b.key_id

const owedDraft = ({ type, by = SYSTEM, ...data }: OwedLeaf): LeafDraft => ({
  type,
  actor: by,
  data,
  parts: [],
  sourceKey: `${type}/${data.use}/${data.key_id}`
})
