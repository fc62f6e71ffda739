// SPDX-License-Identifier: Apache-2.0
import { randomBytes } from 'node:crypto'
import { AffidavitError } from '../../shared/contract/errors.ts'
import { toBase64 } from '../../shared/evidence/bytes.ts'
import { keyStatement, signingKeyId } from '../../shared/evidence/key-chain.ts'
import { type Ed25519Key, ed25519FromSeed, sha256 } from '../crypto.ts'
import { bodyPart } from '../ledger/body-part.ts'
import type { Actor, AppendResult, LeafDraft } from '../ledger/draft.ts'
import type { Identity } from '../workspace/identity.ts'
import type { KeyHolder, SigningUse } from './keyring.ts'
import { type KeyLeaf, learned, lostLeaves, statementOf } from './signing-record.ts'

export interface SigningKeysDeps {
  readonly holder: KeyHolder
  readonly identity: Identity
  readonly ledgerSize: () => number
  readonly append: (drafts: readonly LeafDraft[]) => Promise<readonly AppendResult[]>
  /** A checkpoint by the key in use, over everything committed. */
  readonly checkpoint: () => Promise<unknown>
}

const SYSTEM: Actor = { ref: 'engine', kind: 'system' }
const seedOf = (text: string): Ed25519Key => ed25519FromSeed(Buffer.from(text, 'base64'))

/**
 * Change of the log key and of the export key (docs/adr/0010). The next key is stored durably, a leaf signed by the present key names it, then
 * it takes over and the seed before is destroyed. The name of the log stays. A crash between the steps is made up for at the next start.
 */
export class SigningKeys {
  readonly #deps: SigningKeysDeps
  #running: Promise<unknown> = Promise.resolve()

  constructor(deps: SigningKeysDeps) {
    this.#deps = deps
  }

  /** Finishes a change that a crash interrupted. */
  async resume(): Promise<void> {
    if (this.#deps.holder.ring.next) await this.#queue(() => this.#takeOver(SYSTEM))
  }

  /**
   * Holds the ring against the leaves: it learns what one of an earlier version did not keep, and leaves that a restore lost are written again.
   * Called when the catalog shows all of the ledger.
   */
  async reconcile(leaves: readonly KeyLeaf[]): Promise<void> {
    await this.#queue(async () => {
      const { holder, append } = this.#deps
      if (learned(holder.ring, leaves) !== holder.ring) await holder.update((ring) => learned(ring, leaves))
      const lost = lostLeaves(holder.ring, leaves)
      if (lost.length > 0) await append(lost)
    })
  }

  /** Puts a new key in the place of the present one. @throws AffidavitError read_only */
  rotate(use: SigningUse, actor: Actor): Promise<void> {
    return this.#queue(async () => {
      const { holder } = this.#deps
      if (holder.ring.next) await this.#takeOver(actor)
      // What was recorded so far is signed by the key that was in use then.
      await this.#deps.checkpoint()
      await holder.update((ring) => ({ ...ring, next: { use, seed: randomBytes(32).toString('base64') } }))
      await this.#takeOver(actor)
    })
  }

  /**
   * Says on record that a key is not to be trusted any more; a key in use is replaced first.
   * @throws AffidavitError not_found: no such signing key
   */
  async revoke(keyId: string, reason: string, actor: Actor): Promise<number> {
    const { identity } = this.#deps
    const found = (['log', 'export'] as const).flatMap((use) =>
      identity
        .publicKeys(use)
        .map((key, i) => ({ use, key, current: i === 0 }))
        .filter((one) => signingKeyId(sha256, identity.origin, one.key) === keyId)
    )[0]
    if (!found) throw new AffidavitError('not_found', 'there is no signing key with this id')
    const { part, sha256: body_sha256 } = bodyPart({ reason })
    if (found.current) await this.rotate(found.use, actor)
    const data = { key_id: keyId, use: found.use, public_key: toBase64(found.key), body_sha256 }
    const [written] = await this.#deps.append([{ type: 'key.revoked', actor, data, parts: [part] }])
    if (!written) throw new AffidavitError('read_only', 'the workspace is open read-only')
    await this.#deps.holder.update((ring) => ({
      ...ring,
      past: ring.past.map((key) => (key.use === found.use && key.public_key === data.public_key ? { ...key, revoked: { reason } } : key))
    }))
    return written.seq
  }

  async #takeOver(actor: Actor): Promise<void> {
    const { holder, identity } = this.#deps
    const { next } = holder.ring
    if (!next) return
    const { use, seed } = next
    const { origin } = identity
    const [before, after] = [use === 'log' ? identity.log : identity.export, seedOf(seed)]
    const size = this.#deps.ledgerSize()
    const nextId = signingKeyId(sha256, origin, after.publicKey)
    const oldId = signingKeyId(sha256, origin, before.publicKey)
    const statement = statementOf(after.publicKey, size, before.sign(keyStatement(origin, use, before.publicKey, after.publicKey, size)))
    const [added] = await this.#deps.append([
      {
        type: 'key.added',
        actor,
        data: {
          key_id: nextId,
          use,
          public_key: toBase64(after.publicKey),
          previous_key: toBase64(before.publicKey),
          size: statement.size,
          signature: statement.signature
        },
        parts: [],
        sourceKey: `key.added/${use}/${nextId}`
      },
      {
        type: 'key.retired',
        actor,
        data: { key_id: oldId, use, public_key: toBase64(before.publicKey) },
        parts: [],
        sourceKey: `key.retired/${use}/${oldId}`
      }
    ])
    if (!added) throw new AffidavitError('read_only', 'the workspace is open read-only: its keys stay as they are')
    const now = new Date().toISOString()
    await holder.update(({ next: _, ...ring }) => {
      const { since } = ring[use]
      const past = { use, public_key: toBase64(before.publicKey), ...(since === undefined ? {} : { since }), until: now, next: statement }
      return { ...ring, [use]: { seed, since: now }, past: [...ring.past, past] }
    })
    if (use === 'log') await this.#deps.checkpoint()
  }

  #queue<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#running.then(work)
    this.#running = done.catch(() => {})
    return done
  }
}
