// SPDX-License-Identifier: Apache-2.0
import type { WorkspaceReport } from '../../shared/contract/exports.ts'
import { fromBase64, toBase64 } from '../../shared/evidence/bytes.ts'
import { emptyRoot } from '../../shared/evidence/merkle.ts'
import { sha256 } from '../crypto.ts'
import type { AnyDb } from '../sqlite/open.ts'
import type { PayloadReader } from '../vault/payload-reader.ts'
import { type Disposals, disposalsIn } from './disposals.ts'
import { ErasuresOnRecord, type Reapplied } from './erasures.ts'
import { disposedHash, TILE } from './tiles.ts'
import { readOr, unreadable } from './unreadable.ts'
import { checkpointRows } from './verify-checkpoints.ts'
import { ErasedPayloads, leafFaults } from './verify-leaf.ts'
import { lookupFaults } from './verify-lookups.ts'
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

interface Databases {
  readonly ledger: AnyDb
  readonly keys: AnyDb
  readonly payloads: PayloadReader
  /** The projection, whose indexes are held against its rows; absent for a copy, which has none. */
  readonly catalog?: AnyDb
}

const nothing = () => ({ leaves: 0, nodes: 0, payloads: 0, keys: 0, checkpoints: 0, disposed_leaves: 0, disposed_payloads: 0 })

/**
 * Re-hashes every leaf, compares every inner node, opens every payload against its commitments and ciphertext hash, opens every key block and
 * checks every checkpoint. Names each fault by the row it is in: what merely follows from another fault is left out. What cannot be read from
 * disk is a fault like any other, and the rest is checked.
 * Runs on read-only connections and holds no snapshot for longer than a step; stops early when cancelled (undefined).
 */
export function verifyWorkspace(db: Databases, input: VerifyWorkspaceInput, control: VerifyControl): WorkspaceReport | undefined {
  const started = performance.now()
  try {
    return verify(db, input, control, started)
  } catch (error) {
    const word = unreadable(error)
    if (word === undefined) throw error
    return {
      verdict: 'damaged',
      size: 0,
      root: toBase64(emptyRoot(sha256)),
      checked: nothing(),
      faults: [{ code: 'unreadable', message: `the databases cannot be read (${word}): nothing in them could be checked`, seq: null }],
      faults_total: 1,
      erasures: [],
      not_checked: notChecked(input.keys, 0),
      seconds: (performance.now() - started) / 1000
    }
  }
}

function verify(db: Databases, input: VerifyWorkspaceInput, control: VerifyControl, started: number): WorkspaceReport | undefined {
  const { ledger, payloads } = db
  const checked = nothing()
  const faults: Fault[] = []
  const cannotRead = (code: string, what: string, seq: number | null) => (word: string) =>
    faults.push({ code, message: `${what} cannot be read from disk (${word})`, seq })
  const disposals = readOr<Disposals>(
    { takes: () => false, takesTile: () => false, unread: 0 },
    cannotRead('leaf_unreadable', 'some of the leaves', null),
    () => disposalsIn(ledger, payloads, input.size, input.keys)
  )
  const gone = new ErasedPayloads(new ErasuresOnRecord(ledger, payloads, input.reapplied))
  /** Troubles of single leaves; dropped for a leaf that turns out to be changed itself, which explains them. */
  const ofLeaves: (Fault & { readonly seq: number })[] = []
  const tree = new TreeCheck()
  const checkpoints = checkpointRows(ledger, input)
  const rows = ledger.prepare<[number, number], { seq: number; bytes: Buffer }>(
    'SELECT seq, bytes FROM leaf WHERE seq >= ? AND seq < ? ORDER BY seq'
  )
  const leafBytes = ledger.prepare<[number], Buffer>('SELECT bytes FROM leaf WHERE seq = ?').pluck()
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
    const nodes = readOr(new Map<number, Buffer>(), cannotRead('node_unreadable', `the inner nodes from ${tree.nodes} on`, from), () =>
      hashesOf(nodeRows.all(tree.nodes, STEP + 64))
    )
    // Leaves that a disposal named are followed by the hashes that were kept; the signed roots tell whether these are the right ones.
    const fillTo = (seq: number): boolean => {
      while (tree.size < seq) {
        const at = tree.size
        const kept = () => (disposals.takesTile(Math.floor(at / TILE)) ? disposedHash(ledger, at) : undefined)
        const hash = readOr(undefined, cannotRead('tile_unreadable', `the hash that was kept of leaf ${at}`, at), kept)
        if (hash === undefined) return false
        tree.pushHash(hash, (pos) => nodes.get(pos))
        checked.disposed_leaves++
        const root = checkpoints.roots.get(tree.size)
        if (root) tree.refer(root)
      }
      return true
    }
    // Row by row where the rows together cannot be read: the first of them that cannot is where the tree ends.
    const apart = (): { seq: number; bytes: Buffer }[] => {
      const found: { seq: number; bytes: Buffer }[] = []
      for (let seq = from; seq < to; seq++) {
        const told = cannotRead('leaf_unreadable', `leaf ${seq}`, seq)
        const bytes = readOr<Buffer | undefined | null>(null, told, () => leafBytes.get(seq))
        if (bytes === null) {
          missing = { code: 'leaf_missing', message: `without leaf ${seq} the tree cannot be followed further`, seq }
          break
        }
        if (bytes) found.push({ seq, bytes })
      }
      return found
    }
    for (const row of readOr(
      undefined,
      () => {},
      () => rows.all(from, to)
    ) ?? apart()) {
      if (!fillTo(row.seq)) {
        missing = {
          code: 'leaf_missing',
          message: `leaves ${tree.size} to ${row.seq - 1} are missing: the tree cannot be followed further`,
          seq: tree.size
        }
        break
      }
      if (!(row.bytes instanceof Buffer)) {
        missing = {
          code: 'leaf_unreadable',
          message: `leaf ${row.seq} is not what a leaf is: the tree cannot be followed further`,
          seq: row.seq
        }
        break
      }
      tree.push(row.bytes, (pos) => nodes.get(pos))
      checked.leaves++
      ofLeaves.push(
        ...readOr(
          [],
          (word) =>
            ofLeaves.push({
              code: 'payload_unreadable',
              message: `leaf ${row.seq}: its content cannot be read from disk (${word})`,
              seq: row.seq
            }),
          () => leafFaults(payloads, row.seq, row.bytes.toString('utf8'), input.keys, checked, disposals, gone)
        )
      )
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

  const troubled = new Set(ofLeaves.map((fault) => fault.seq))
  const { faults: inTree, unexplained } = tree.conclude({
    bytes: (seq) =>
      readOr(
        undefined,
        () => {},
        () => leafBytes.get(seq)
      ),
    suspicious: (seq) => troubled.has(seq)
  })
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
    for (const { code, message, from } of readOr([], cannotRead('vault_unreadable', 'the key blocks', null), () =>
      checkVaultBlocks(db.keys, payloads, input.size)
    ))
      faults.push({ code, message, seq: from })
  faults.push(
    ...lookupFaults(db, (took) => {
      if (input.share < 1) control.rest((took * (1 - input.share)) / input.share)
      return !control.cancelled()
    })
  )
  if (control.cancelled()) return undefined
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

/** Hashes by position; a value of another shape is left out, and its node is missing. */
const hashesOf = (rows: readonly { readonly pos: number; readonly hash: Buffer }[]) =>
  new Map(rows.filter((row) => row.hash instanceof Buffer).map((row) => [row.pos, row.hash]))
