// SPDX-License-Identifier: Apache-2.0
import type { WorkspaceReport } from '../../shared/contract/exports.ts'
import { equalBytes, toBase64 } from '../../shared/evidence/bytes.ts'
import { commitment } from '../../shared/evidence/commitment.ts'
import { jcs } from '../../shared/evidence/jcs.ts'
import { parseLeaf } from '../../shared/evidence/leaf.ts'
import { CompactRange, leafHash } from '../../shared/evidence/merkle.ts'
import { formatVkey, parseCheckpoint, verifyCheckpoint } from '../../shared/evidence/note.ts'
import { ed25519Verify, sha256 } from '../crypto.ts'
import type { AnyDb } from '../sqlite/open.ts'
import type { PayloadReader } from '../vault/payload-reader.ts'
import type { CheckpointRow } from './store.ts'

export interface VerifyWorkspaceInput {
  readonly size: number
  readonly origin: string
  readonly logPublicKey: Uint8Array
}

export interface VerifyControl {
  cancelled(): boolean
  progress(done: number, total: number): void
}

type Fault = WorkspaceReport['faults'][number]
/** Beyond this the list says only how many more there are. */
const MOST_FAULTS = 1_000
const STEP = 1_000

/**
 * Re-hashes every leaf, compares every inner node, opens every payload against its commitments and ciphertext hash, and checks every checkpoint.
 * Names each fault by the leaf or row it is in. Runs on read-only connections; stops early when cancelled (undefined).
 */
export function verifyWorkspace(
  ledger: AnyDb,
  payloads: PayloadReader,
  input: VerifyWorkspaceInput,
  control: VerifyControl
): WorkspaceReport | undefined {
  const started = performance.now()
  const faults: Fault[] = []
  let more = 0
  const fault = (code: string, message: string, seq: number | null) => {
    if (faults.length < MOST_FAULTS) faults.push({ code, message, seq })
    else more++
  }
  const checked = { leaves: 0, nodes: 0, payloads: 0, keys: 0, checkpoints: 0 }
  const vkey = formatVkey(sha256, input.origin, input.logPublicKey)
  const checkpoints = ledger
    .prepare<[number], CheckpointRow>('SELECT size, signed_us, note FROM checkpoint WHERE size <= ? ORDER BY size')
    .all(input.size)
  let nextCheckpoint = 0
  const range = CompactRange.from(sha256, 0, [])
  const nodes = ledger.prepare<[], { pos: number; hash: Buffer }>('SELECT pos, hash FROM node ORDER BY pos').iterate()
  const rows = ledger.prepare<[number, number], { seq: number; bytes: Buffer }>(
    'SELECT seq, bytes FROM leaf WHERE seq >= ? AND seq < ? ORDER BY seq'
  )

  const checkCheckpoint = (row: CheckpointRow) => {
    checked.checkpoints++
    try {
      const note = parseCheckpoint(row.note)
      if (note.size !== row.size || !equalBytes(note.root, range.root()))
        fault('checkpoint_root', `checkpoint ${row.size}: its root is not that of the first ${row.size} leaves`, null)
      if (!verifyCheckpoint(sha256, ed25519Verify, row.note, vkey))
        fault('checkpoint_signature', `checkpoint ${row.size}: the signature is not by the key of this log`, null)
    } catch {
      fault('checkpoint_unreadable', `checkpoint ${row.size}: not a signed note`, null)
    }
  }
  const checkPayload = (seq: number, text: string) => {
    const parsed = parseLeaf(text, jcs)
    if (!parsed.ok) return fault(parsed.problem.code, `leaf ${seq}: ${parsed.problem.message}`, seq)
    const { leaf } = parsed
    if (leaf.seq !== seq) fault('leaf_seq', `leaf ${seq}: says it is leaf ${leaf.seq}`, seq)
    const key = payloads.key(seq)
    if (key) checked.keys++
    else fault('key_missing', `leaf ${seq}: its key cannot be read`, seq)
    if (!leaf.parts || leaf.parts.length === 0) return undefined
    const state = payloads.open(seq)
    if (state.state === 'erased') return undefined
    const ct = payloads.ciphertext(seq)
    if (!ct) return fault('payload_missing', `leaf ${seq}: its payload is missing`, seq)
    if (toBase64(sha256(ct)) !== leaf.ct_sha256) fault('payload_changed', `leaf ${seq}: its payload was changed`, seq)
    if (state.state !== 'present') return fault('payload_unreadable', `leaf ${seq}: its payload cannot be opened`, seq)
    checked.payloads++
    const opened = new Map(state.parts.map((part) => [part.name, part]))
    for (const part of leaf.parts) {
      const open = opened.get(part.name)
      if (!open) fault('part_missing', `leaf ${seq}: part ${part.name} is missing`, seq)
      else if (toBase64(commitment(sha256, part.name, open.opening, open.data)) !== part.commit)
        fault('commitment', `leaf ${seq}: part ${part.name} does not match its commitment`, seq)
    }
    return undefined
  }

  for (let from = 0; from < input.size; from += STEP) {
    if (control.cancelled()) return undefined
    const batch = rows.all(from, Math.min(input.size, from + STEP))
    for (const row of batch) {
      if (row.seq !== range.size) {
        fault('leaf_missing', `leaves ${range.size} to ${row.seq - 1} are missing: the tree cannot be followed further`, range.size)
        return report()
      }
      checked.leaves++
      for (const expected of range.push(leafHash(sha256, row.bytes))) {
        const stored = nodes.next()
        checked.nodes++
        if (stored.done) fault('node_missing', `an inner node over leaf ${row.seq} is missing`, row.seq)
        else if (!equalBytes(stored.value.hash, expected))
          fault('node_changed', `inner node ${stored.value.pos}, closed by leaf ${row.seq}, is not the hash of its children`, row.seq)
      }
      checkPayload(row.seq, row.bytes.toString('utf8'))
      while (checkpoints[nextCheckpoint]?.size === range.size) {
        const due = checkpoints[nextCheckpoint++]
        if (due) checkCheckpoint(due)
      }
    }
    control.progress(Math.min(input.size, from + STEP), input.size)
  }
  nodes.return?.()
  if (range.size < input.size) fault('leaf_missing', `the ledger ends at leaf ${range.size}, ${input.size} were acknowledged`, range.size)
  for (const beyond of checkpoints.slice(nextCheckpoint)) {
    fault('checkpoint_beyond', `checkpoint ${beyond.size} covers more leaves than there are`, null)
  }
  return report()

  function report(): WorkspaceReport {
    if (more > 0) faults.push({ code: 'more', message: `${more} more faults`, seq: null })
    return {
      verdict: faults.length === 0 ? 'intact' : 'damaged',
      size: range.size,
      root: toBase64(range.root()),
      checked,
      faults,
      seconds: (performance.now() - started) / 1000
    }
  }
}
