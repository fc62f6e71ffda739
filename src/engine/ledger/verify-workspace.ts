// SPDX-License-Identifier: Apache-2.0
import type { WorkspaceReport } from '../../shared/contract/exports.ts'
import { fromBase64, toBase64 } from '../../shared/evidence/bytes.ts'
import { commitment } from '../../shared/evidence/commitment.ts'
import { jcs } from '../../shared/evidence/jcs.ts'
import { parseLeaf } from '../../shared/evidence/leaf.ts'
import { formatVkey, parseCheckpoint, verifyCheckpoint } from '../../shared/evidence/note.ts'
import { ed25519Verify, sha256 } from '../crypto.ts'
import type { AnyDb } from '../sqlite/open.ts'
import type { PayloadReader } from '../vault/payload-reader.ts'
import { type Disposals, disposalsIn } from './disposals.ts'
import { ErasuresOnRecord, type Reapplied } from './erasures.ts'
import type { CheckpointRow } from './store.ts'
import { disposedHash, TILE } from './tiles.ts'
import { TreeCheck } from './verify-tree.ts'
import { checkVaultBlocks } from './verify-vault.ts'

export interface VerifyWorkspaceInput {
  readonly size: number
  /** Root of the tree of that size as the engine holds it, base64; absent when it has none (read-only). */
  readonly root?: string | undefined
  readonly origin: string
  /** The present key of the log and those before it. */
  readonly logPublicKeys: readonly Uint8Array[]
  /** False when the keyring is not here: contents are then not opened, and the report says so. */
  readonly keys: boolean
  /** Erasures that were just carried out on a copy that does not hold their intents. */
  readonly reapplied?: readonly Reapplied[] | undefined
  /** Share of one processor that this may take, above 0 and at most 1. */
  readonly share: number
}

export interface VerifyControl {
  cancelled(): boolean
  progress(done: number, total: number): void
  /** Sleeps; a cancel may cut it short. */
  rest(ms: number): void
}

type Fault = WorkspaceReport['faults'][number]
/** Beyond this the list says only how many more there are. */
const MOST_FAULTS = 1_000
const STEP = 500

/**
 * Re-hashes every leaf, compares every inner node, opens every payload against its commitments and ciphertext hash, opens every key block and
 * checks every checkpoint. Names each fault by the row it is in: what merely follows from another fault is left out.
 * Runs on read-only connections and holds no snapshot for longer than a step; stops early when cancelled (undefined).
 */
export function verifyWorkspace(
  db: { readonly ledger: AnyDb; readonly keys: AnyDb; readonly payloads: PayloadReader },
  input: VerifyWorkspaceInput,
  control: VerifyControl
): WorkspaceReport | undefined {
  const { ledger, payloads } = db
  const started = performance.now()
  const checked = { leaves: 0, nodes: 0, payloads: 0, keys: 0, checkpoints: 0, disposed_leaves: 0, disposed_payloads: 0 }
  const disposals = disposalsIn(ledger, payloads, input.size, input.keys)
  const gone = new ErasedPayloads(new ErasuresOnRecord(ledger, payloads, input.reapplied))
  const faults: Fault[] = []
  /** Troubles of single leaves; dropped for a leaf that turns out to be changed itself, which explains them. */
  const ofLeaves: (Fault & { readonly seq: number })[] = []
  const tree = new TreeCheck()
  const checkpoints = checkpointRows(ledger, input)
  const rows = ledger.prepare<[number, number], { seq: number; bytes: Buffer }>(
    'SELECT seq, bytes FROM leaf WHERE seq >= ? AND seq < ? ORDER BY seq'
  )
  const nodeRows = ledger.prepare<[number, number], { pos: number; hash: Buffer }>(
    'SELECT pos, hash FROM node WHERE pos >= ? ORDER BY pos LIMIT ?'
  )
  faults.push(...checkpoints.faults)
  checked.checkpoints = checkpoints.count
  let missing: Fault | undefined

  for (let from = 0; from < input.size && !missing; from += STEP) {
    if (control.cancelled()) return undefined
    const began = performance.now()
    const to = Math.min(input.size, from + STEP)
    // So many leaves close as many nodes, and at most one more for each level above them.
    const nodes = new Map(nodeRows.all(tree.nodes, STEP + 64).map((row) => [row.pos, row.hash]))
    // Leaves that a disposal named are followed by the hashes that were kept; the signed roots tell whether these are the right ones.
    const fillTo = (seq: number): boolean => {
      while (tree.size < seq) {
        const hash = disposals.takesTile(Math.floor(tree.size / TILE)) ? disposedHash(ledger, tree.size) : undefined
        if (hash === undefined) return false
        tree.pushHash(hash, (pos) => nodes.get(pos))
        checked.disposed_leaves++
        const root = checkpoints.roots.get(tree.size)
        if (root) tree.refer(root)
      }
      return true
    }
    for (const row of rows.all(from, to)) {
      if (!fillTo(row.seq)) {
        missing = {
          code: 'leaf_missing',
          message: `leaves ${tree.size} to ${row.seq - 1} are missing: the tree cannot be followed further`,
          seq: tree.size
        }
        break
      }
      tree.push(row.bytes, (pos) => nodes.get(pos))
      checked.leaves++
      ofLeaves.push(...leafFaults(payloads, row.seq, row.bytes.toString('utf8'), input.keys, checked, disposals, gone))
      const root = checkpoints.roots.get(tree.size)
      if (root) tree.refer(root)
    }
    if (!missing && !fillTo(to))
      missing = { code: 'leaf_missing', message: `the ledger ends at leaf ${tree.size}, ${input.size} were acknowledged`, seq: tree.size }
    control.progress(to, input.size)
    if (input.share < 1) control.rest(((performance.now() - began) * (1 - input.share)) / input.share)
  }
  checked.nodes = tree.nodes
  if (input.root !== undefined && !missing) tree.refer(fromBase64(input.root))

  const leafBytes = ledger.prepare<[number], Buffer>('SELECT bytes FROM leaf WHERE seq = ?').pluck()
  const troubled = new Set(ofLeaves.map((fault) => fault.seq))
  const { faults: inTree, unexplained } = tree.conclude({ bytes: (seq) => leafBytes.get(seq), suspicious: (seq) => troubled.has(seq) })
  const changed = new Set(inTree.filter((fault) => fault.code === 'leaf_changed').map((fault) => fault.seq))
  faults.push(...inTree, ...ofLeaves.filter((fault) => !changed.has(fault.seq)))
  for (const size of unexplained)
    faults.push({
      code: 'checkpoint_root',
      message: `the first ${size} leaves are another history than the one ${checkpoints.roots.has(size) ? 'that was signed' : 'that was acknowledged'}`,
      seq: null
    })
  if (missing) faults.push(missing)
  if (input.keys)
    for (const { code, message, from } of checkVaultBlocks(db.keys, payloads, input.size)) faults.push({ code, message, seq: from })
  faults.sort((a, b) => (a.seq ?? -1) - (b.seq ?? -1))
  const more = faults.length - MOST_FAULTS
  return {
    verdict: faults.length === 0 ? 'intact' : 'damaged',
    size: tree.size,
    root: toBase64(tree.root()),
    checked,
    faults: more > 0 ? [...faults.slice(0, MOST_FAULTS), { code: 'more', message: `${more} more faults`, seq: null }] : faults,
    faults_total: faults.length,
    erasures: gone.byLeaf(),
    not_checked: [
      ...notChecked(input.keys, disposals.unread),
      ...(input.keys || gone.unnamed === 0
        ? []
        : [`${gone.unnamed} payloads are gone, no more than the erasures on record took: by which one can be told only with the keys.`])
    ],
    seconds: (performance.now() - started) / 1000
  }
}

function notChecked(keys: boolean, unread: number): string[] {
  if (keys) return []
  const contents = 'Contents: the keys of this workspace are not here. Ciphertexts were held against their leaves.'
  return unread === 0
    ? [contents]
    : [
        contents,
        `What was disposed of: the lists of ${unread === 1 ? 'one disposal' : `${unread} disposals`} cannot be opened. Payloads and tiles that are missing from before were taken to be on them.`
      ]
}

/** Signatures and sizes of all checkpoints; `roots` are those that may be relied on. */
function checkpointRows(ledger: AnyDb, input: VerifyWorkspaceInput) {
  const vkeys = input.logPublicKeys.map((key) => formatVkey(sha256, input.origin, key))
  const roots = new Map<number, Uint8Array>()
  const faults: Fault[] = []
  let count = 0
  const bad = (code: string, message: string) => faults.push({ code, message, seq: null })
  for (const row of ledger.prepare<[], CheckpointRow>('SELECT size, signed_us, note FROM checkpoint ORDER BY size').iterate()) {
    count++
    let note: ReturnType<typeof parseCheckpoint>
    try {
      note = parseCheckpoint(row.note)
    } catch {
      bad('checkpoint_unreadable', `checkpoint ${row.size}: not a signed note`)
      continue
    }
    if (!vkeys.some((vkey) => verifyCheckpoint(sha256, ed25519Verify, row.note, vkey)))
      bad('checkpoint_signature', `checkpoint ${row.size}: the signature is not by the key of this log`)
    else if (note.size !== row.size) bad('checkpoint_size', `checkpoint ${row.size}: the signed note speaks of ${note.size} leaves`)
    // Signed while this runs: those are for the next time.
    else if (row.size <= input.size) roots.set(row.size, note.root)
  }
  return { roots, faults, count }
}

/** Payloads that are gone because an erasure on record says so. */
class ErasedPayloads {
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

function leafFaults(
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
