// SPDX-License-Identifier: Apache-2.0
import type { RecordProof } from '../../shared/contract/record.ts'
import { equalBytes, toBase64, toHex } from '../../shared/evidence/bytes.ts'
import { commitment } from '../../shared/evidence/commitment.ts'
import { jcs } from '../../shared/evidence/jcs.ts'
import { parseLeaf } from '../../shared/evidence/leaf.ts'
import { inclusionProof, leafHash, nodeHash } from '../../shared/evidence/merkle.ts'
import { formatVkey, parseCheckpoint, verifyCheckpoint } from '../../shared/evidence/note.ts'
import { formatTlogProof } from '../../shared/evidence/tlog-proof.ts'
import { ed25519Verify, sha256, sha256Hex } from '../crypto.ts'
import type { AnyDb } from '../sqlite/open.ts'
import type { PayloadReader } from '../vault/payload-reader.ts'
import { checkpointOver, nodeReader } from './store.ts'

export interface ProofInput {
  readonly seq: number
  readonly origin: string
  /** The present key of the log and those before it. */
  readonly logPublicKeys: readonly Uint8Array[]
  /** In a review: the bundle that brings the proofs. It has no ciphertext, so that stays unchecked. */
  readonly bundle?: string
}

/** A proof up to the checkpoint that this log signed. */
type OwnProof = Omit<RecordProof, 'anchor'>

/** Adds what stands outside this machine; an anchor over another history fails the proof. */
export const withAnchor = (proof: OwnProof, anchor: RecordProof['anchor']): RecordProof => ({
  ...proof,
  anchor,
  verdict: anchor.state === 'fail' ? 'failed' : proof.verdict
})

type Check = RecordProof['leaf']['state']
const outcome = (ok: boolean): Check => (ok ? 'pass' : 'fail')

/** On which side each hash of an inclusion proof stands (RFC 9162 2.1.3.2), with the node above it. */
function climb(start: Uint8Array, seq: number, size: number, proof: readonly Uint8Array[]) {
  const path: { level: number; side: 'left' | 'right'; hash: string }[] = []
  let node = start
  let fn = seq
  let sn = size - 1
  let level = 0
  for (const sibling of proof) {
    const left = fn % 2 === 1 || fn === sn
    node = left ? nodeHash(sha256, sibling, node) : nodeHash(sha256, node, sibling)
    path.push({ level, side: left ? 'left' : 'right', hash: toHex(sibling) })
    if (left) {
      while (fn % 2 === 0 && fn !== 0) {
        fn = Math.floor(fn / 2)
        sn = Math.floor(sn / 2)
        level++
      }
    }
    fn = Math.floor(fn / 2)
    sn = Math.floor(sn / 2)
    level++
  }
  return { path, root: node }
}

/**
 * Checks one leaf from its payload to the signed checkpoint, all read from disk now.
 * Undefined when there is no such leaf.
 * @param brought the inclusion proof, where it does not come from the stored nodes
 */
export function proveRecord(
  ledger: AnyDb,
  payloads: PayloadReader,
  input: ProofInput,
  brought?: readonly Uint8Array[]
): OwnProof | undefined {
  const bytes = ledger.prepare<[number], Buffer>('SELECT bytes FROM leaf WHERE seq = ?').pluck().get(input.seq)
  if (bytes === undefined) return undefined
  const text = bytes.toString('utf8')
  const parsed = parseLeaf(text, jcs)
  const hash = leafHash(sha256, bytes)
  const leaf = parsed.ok ? parsed.leaf : undefined
  const payload = payloads.open(input.seq)
  const opened = new Map(payload.state === 'present' ? payload.parts.map((part) => [part.name, part]) : [])
  const parts = (leaf?.parts ?? []).map((part) => {
    const open = opened.get(part.name)
    if (!open)
      return {
        name: part.name,
        commit: part.commit,
        computed: null,
        state: payload.state === 'missing' ? ('fail' as const) : ('not_available' as const)
      }
    const computed = toBase64(commitment(sha256, part.name, open.opening, open.data))
    return { name: part.name, commit: part.commit, computed, state: outcome(computed === part.commit) }
  })
  const ct = input.bundle === undefined ? payloads.ciphertext(input.seq) : undefined
  const expectedCt = leaf?.ct_sha256 ?? null
  const computedCt = ct ? toBase64(sha256(ct)) : null
  const ciphertext = {
    expected: expectedCt,
    computed: computedCt,
    state:
      expectedCt === null || computedCt === null
        ? payload.state === 'missing'
          ? ('fail' as const)
          : ('not_available' as const)
        : outcome(expectedCt === computedCt)
  }
  const row = checkpointOver(ledger, input.seq)
  const leafState = outcome(leaf !== undefined && leaf.seq === input.seq)
  const base = {
    seq: input.seq,
    checked_at: new Date().toISOString(),
    leaf: { json: text, hash: toHex(hash), state: leafState },
    parts,
    ciphertext
  }
  const contentHolds = leafState === 'pass' && ciphertext.state !== 'fail' && parts.every((part) => part.state !== 'fail')
  if (!row) {
    return { ...base, verdict: contentHolds ? 'waiting' : 'failed', path: [], computed_root: null, checkpoint: null, tlog_proof: null }
  }
  const proof = brought ?? inclusionProof(sha256, row.size, input.seq, nodeReader(ledger))
  const { path, root } = climb(hash, input.seq, row.size, proof)
  const note = parseCheckpoint(row.note)
  const rootState = outcome(equalBytes(root, note.root) && note.size === row.size)
  const signer = input.logPublicKeys.find((key) => verifyCheckpoint(sha256, ed25519Verify, row.note, formatVkey(sha256, input.origin, key)))
  const signatureState = outcome(signer !== undefined)
  const holds = contentHolds && rootState === 'pass' && signatureState === 'pass'
  return {
    ...base,
    verdict: holds ? 'verified' : 'failed',
    path,
    computed_root: toHex(root),
    checkpoint: {
      size: row.size,
      root: toBase64(note.root),
      signed_at: new Date(row.signed_us / 1000).toISOString(),
      text: row.note,
      root_state: rootState,
      signature_state: signatureState,
      signature: toHex(note.signatures[0]?.signature ?? new Uint8Array()),
      key_fingerprint: sha256Hex(signer ?? input.logPublicKeys[0] ?? new Uint8Array())
    },
    tlog_proof: formatTlogProof({ index: input.seq, proof, checkpoint: row.note })
  }
}
