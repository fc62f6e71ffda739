// SPDX-License-Identifier: Apache-2.0
// The leaves about signing keys, and what the keyring keeps of them: a restore of a backup that is older than a change or a revocation loses the
// leaves, but not the keyring. The statement of a key over the next one cannot be made again, because its seed was destroyed then.
import { toBase64 } from '../../shared/evidence/bytes.ts'
import { signingKeyId } from '../../shared/evidence/key-chain.ts'
import type { Leaf } from '../../shared/evidence/leaf.ts'
import { bodyOf } from '../catalog/project-event.ts'
import { sha256 } from '../crypto.ts'
import { bodyPart } from '../ledger/body-part.ts'
import type { Actor, LeafDraft } from '../ledger/draft.ts'
import type { AnyDb } from '../sqlite/open.ts'
import type { ReaderContext } from '../threads/reader-context.ts'
import type { Identity } from '../workspace/identity.ts'
import type { Keyring, SigningUse } from './keyring.ts'

/** A leaf about a key, with what its body says. */
export interface KeyLeaf {
  readonly type: string
  readonly data: Readonly<Record<string, unknown>>
  /** Why it was revoked; empty otherwise, and where the body was not read. */
  readonly reason: string
}

const SYSTEM: Actor = { ref: 'engine', kind: 'system' }

/** Every leaf about keys as the catalog has them, oldest first. */
export const keyLeaves = ({ catalog, payloads }: ReaderContext): KeyLeaf[] =>
  catalog
    .prepare<[], { seq: number; type: string; data: string }>(
      "SELECT seq, type, data FROM event WHERE type IN ('key.added', 'key.retired', 'key.revoked') ORDER BY seq"
    )
    .all()
    .map(({ seq, type, data }) => ({
      type,
      data: JSON.parse(data) as Record<string, unknown>,
      reason: type === 'key.revoked' ? String(bodyOf(payloads, seq).reason ?? '') : ''
    }))

/** The same from the ledger, where there is no catalog yet; bodies are not read. */
export const keyLeavesIn = (ledger: AnyDb): KeyLeaf[] =>
  ledger
    .prepare<[Buffer], Buffer>('SELECT bytes FROM leaf WHERE instr(bytes, ?) > 0 ORDER BY seq')
    .pluck()
    .all(Buffer.from('"type":"key.', 'utf8'))
    .map((bytes) => JSON.parse(bytes.toString('utf8')) as Leaf)
    .filter(({ type }) => type.startsWith('key.'))
    .map(({ type, data = {} }) => ({ type, data, reason: '' }))

/** The ring with the statements and revocations that are on record and that it does not keep yet: one of an earlier version. Itself when there are none. */
export function learned(ring: Keyring, leaves: readonly KeyLeaf[]): Keyring {
  let news = false
  const past = ring.past.map((key) => {
    const added = leaves.find(
      ({ type, data }) => type === 'key.added' && data.use === key.use && data.previous_key === key.public_key
    )?.data
    const revoked = leaves.find(({ type, data }) => type === 'key.revoked' && data.public_key === key.public_key)
    const { next, revoked: known, ...rest } = key
    const statement =
      next ??
      (typeof added?.public_key === 'string' && typeof added.size === 'number' && typeof added.signature === 'string'
        ? { public_key: added.public_key, size: added.size, signature: added.signature }
        : undefined)
    const why = known ?? (revoked && { reason: revoked.reason })
    if (statement !== next || why !== known) news = true
    return { ...rest, ...(statement && { next: statement }), ...(why && { revoked: why }) }
  })
  return news ? { ...ring, past } : ring
}

/** Keys of the ring that no leaf names as the successor of the one before. */
export function unlinkedKeys(identity: Pick<Identity, 'publicKeys' | 'origin'>, leaves: readonly Pick<KeyLeaf, 'type' | 'data'>[]) {
  const added = new Set(leaves.flatMap(({ type, data }) => (type === 'key.added' ? [data.key_id] : [])))
  return (['log', 'export'] as const).flatMap((use) =>
    identity
      .publicKeys(use)
      .slice(0, -1)
      .map((key) => ({ use, id: signingKeyId(sha256, identity.origin, key) }))
      .filter(({ id }) => !added.has(id))
  )
}

/** The leaves that the ring knows of and the log does not hold, in the order of what happened, to be written again. */
export function lostLeaves(ring: Keyring, leaves: readonly KeyLeaf[]): LeafDraft[] {
  const { origin } = ring
  const idOf = (key: string): string => signingKeyId(sha256, origin, Buffer.from(key, 'base64'))
  const has = (type: string, use: SigningUse, id: string): boolean =>
    leaves.some((leaf) => leaf.type === type && leaf.data.use === use && leaf.data.key_id === id)
  const leaf = (
    type: 'key.added' | 'key.retired' | 'key.revoked',
    use: SigningUse,
    key: string,
    more: object,
    parts: LeafDraft['parts']
  ) => {
    const id = idOf(key)
    const data = { key_id: id, use, public_key: key, ...more }
    return has(type, use, id) ? [] : [{ type, actor: SYSTEM, data, parts, sourceKey: `${type}/${use}/${id}` }]
  }
  return ring.past.flatMap(({ use, public_key, next, revoked }): LeafDraft[] => {
    const body = revoked && bodyPart({ reason: revoked.reason })
    return [
      ...(next
        ? leaf('key.added', use, next.public_key, { previous_key: public_key, size: next.size, signature: next.signature, again: true }, [])
        : []),
      ...leaf('key.retired', use, public_key, {}, []),
      ...(body ? leaf('key.revoked', use, public_key, { body_sha256: body.sha256 }, [body.part]) : [])
    ]
  })
}

/** What is to be said of keys whose change is not on record and cannot be put there; null when there are none. */
export const unlinkedMessage = (unlinked: readonly { readonly use: string; readonly id: string }[]): string | null =>
  unlinked.length === 0
    ? null
    : `The change to ${unlinked.map(({ use, id }) => `the ${use} key ${id}`).join(', ')} is not on record: the log was restored from a backup made before it, and the keyring of that time kept no statement of the key before. Whoever knows only the earlier key cannot verify what the new one signs: give them the new fingerprint by another way`

/** The statement of a key over the next one, as the ring keeps it. */
export const statementOf = (next: Uint8Array, size: number, signature: Uint8Array) => ({
  public_key: toBase64(next),
  size,
  signature: toBase64(signature)
})
