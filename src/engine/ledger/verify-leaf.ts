// SPDX-License-Identifier: Apache-2.0
import type { WorkspaceReport } from '../../shared/contract/exports.ts'
import { toBase64 } from '../../shared/evidence/bytes.ts'
import { commitment } from '../../shared/evidence/commitment.ts'
import { jcs } from '../../shared/evidence/jcs.ts'
import { parseLeaf } from '../../shared/evidence/leaf.ts'
import { sha256 } from '../crypto.ts'
import type { PayloadReader } from '../vault/payload-reader.ts'
import type { Disposals } from './disposals.ts'
import type { ErasuresOnRecord } from './erasures.ts'

type Fault = WorkspaceReport['faults'][number]

/** Payloads that are gone because an erasure on record says so. */
export class ErasedPayloads {
  readonly #erasures: ErasuresOnRecord
  readonly #counts = new Map<number, number>()
  /** Gone payloads of a workspace whose keys are not here: scopes cannot be opened, only the number of records in them is known. */
  unnamed = 0

  constructor(erasures: ErasuresOnRecord) {
    this.#erasures = erasures
  }

  explains(seq: number, keys: boolean): boolean {
    const leaf = this.#erasures.namedBy(seq)
    if (leaf !== undefined) this.#counts.set(leaf, (this.#counts.get(leaf) ?? 0) + 1)
    else if (keys || this.unnamed >= this.#erasures.named) return false
    else this.unnamed++
    return true
  }

  byLeaf(): WorkspaceReport['erasures'] {
    return [...this.#counts].map(([leaf, payloads]) => ({ leaf, payloads })).sort((a, b) => a.leaf - b.leaf)
  }
}

/** What is wrong with one leaf and its content by themselves, whatever the tree says. */
export function leafFaults(
  payloads: PayloadReader,
  seq: number,
  text: string,
  keys: boolean,
  checked: { payloads: number; keys: number; disposed_payloads: number },
  disposals: Disposals,
  gone: ErasedPayloads
): (Fault & { readonly seq: number })[] {
  const parsed = parseLeaf(text, jcs)
  if (!parsed.ok) return [{ code: parsed.problem.code, message: `leaf ${seq}: ${parsed.problem.message}`, seq }]
  const { leaf } = parsed
  const bad = (code: string, message: string) => [{ code, message: `leaf ${seq}: ${message}`, seq }]
  if (leaf.seq !== seq) return bad('leaf_seq', `says it is leaf ${leaf.seq}`)
  const key = keys ? payloads.key(seq) : undefined
  if (key) checked.keys++
  if (!leaf.parts || leaf.parts.length === 0) return []
  const destroyed = key?.every((byte) => byte === 0) === true
  const ct = payloads.ciphertext(seq)
  if ((destroyed || !ct) && disposals.takes(seq)) {
    checked.disposed_payloads++
    return []
  }
  if ((destroyed || !ct) && gone.explains(seq, keys)) return []
  if (destroyed) return bad('key_destroyed', 'its key was destroyed, and no erasure or disposal on record names it')
  if (!ct) return bad('payload_missing', 'its payload is missing')
  if (toBase64(sha256(ct)) !== leaf.ct_sha256) return bad('payload_changed', 'its payload was changed')
  // Without a key the fault is in the vault, and is named there.
  if (!key) return []
  const state = payloads.open(seq)
  if (state.state !== 'present') return bad('payload_unreadable', 'its payload cannot be opened with its key')
  checked.payloads++
  const opened = new Map(state.parts.map((part) => [part.name, part]))
  return leaf.parts.flatMap((part) => {
    const open = opened.get(part.name)
    if (!open) return bad('part_missing', `part ${part.name} is missing`)
    const fits = toBase64(commitment(sha256, part.name, open.opening, open.data)) === part.commit
    return fits ? [] : bad('commitment', `part ${part.name} does not match its commitment`)
  })
}
