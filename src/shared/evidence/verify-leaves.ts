// SPDX-License-Identifier: Apache-2.0
import { type BundleCase, LEAVES, proofPath, SINGLE_LEAVES } from './bundle-layout.ts'
import { equalBytes, utf8Decode } from './bytes.ts'
import { ExpectedParts } from './expected-parts.ts'
import { jcs } from './jcs.ts'
import { beginsRecord, type Leaf, parseLeaf } from './leaf.ts'
import { LeafSpan } from './leaf-span.ts'
import { leafHash, verifyInclusion } from './merkle.ts'
import type { SignedCheckpoint } from './note.ts'
import { parseTlogProof } from './tlog-proof.ts'
import { type BundleFiles, type Step, StepReport, type VerifyCrypto, type VerifyProgress } from './verify-steps.ts'
import { TileReader } from './verify-tiles.ts'

export interface LeafOutcome {
  readonly step: Step
  readonly parts: ExpectedParts
  readonly readable: boolean
  readonly erasures: ErasureLeaves
  /** Whether a leaf says that it is of a sample. */
  readonly sample: boolean
}

/** The leaves of erasures that a bundle holds. */
export interface ErasureLeaves {
  /** Erasure by the leaf of one of its intents. */
  readonly intents: ReadonlyMap<number, string>
  /** Leaf that ended it, by erasure. */
  readonly done: ReadonlyMap<string, number>
}

/** Step 5: every line is the exact bytes of a leaf, and every leaf is in the tree of the checkpoint. */
export async function checkLeaves(
  files: BundleFiles,
  crypto: VerifyCrypto,
  note: SignedCheckpoint | null,
  bundleCase: BundleCase | null,
  control: VerifyProgress,
  keyLines: ReadonlySet<string> = new Set()
): Promise<LeafOutcome> {
  const report = new StepReport(5)
  const parts = new ExpectedParts()
  if (!files.names().includes(LEAVES) || note === null) {
    report.fault('missing', 'the leaves or the checkpoint are missing', LEAVES)
    const erasures = { intents: new Map<number, string>(), done: new Map<string, number>() }
    return { step: report.done('no leaves to check'), parts, readable: false, erasures, sample: false }
  }
  if (bundleCase === null) report.fault('case_unreadable', 'the description of the case cannot be read', 'data/case.json')
  const tiles = files.names().some((name) => name.startsWith('data/tile/')) ? await loadTiles(files, crypto, note, report) : null
  let leaves = 0
  let bytes = 0
  let records = 0
  let samples = 0
  const intents = new Map<number, string>()
  const done = new Map<string, number>()
  let last = -1
  const span = new LeafSpan(bundleCase?.range)
  let included = 0
  /** Leaves by the first-level tile they are in; one of each tells which tiles the bundle needs. */
  const tiled: number[] = []
  const missingKeys = new Set(keyLines)
  for await (const line of files.lines(LEAVES)) {
    if (control.cancelled?.()) break
    leaves++
    bytes += line.length + 1
    const leaf = readLeaf(line, report, leaves)
    if (!leaf) continue
    if (leaf.seq <= last) report.fault('leaf_order', 'leaves are not in order, or one is here twice', `leaf ${leaf.seq}`)
    last = leaf.seq
    span.add(leaf.seq)
    if (Math.floor(leaf.seq / 256) !== Math.floor((tiled.at(-1) ?? -256) / 256)) tiled.push(leaf.seq)
    if (missingKeys.size > 0) missingKeys.delete(utf8Decode(line))
    if (beginsRecord(leaf)) records++
    if (leaf.sample) samples++
    if (leaf.type === 'erasure.intent') intents.set(leaf.seq, String(leaf.data?.erasure_id))
    if (leaf.type === 'erasure.done') done.set(String(leaf.data?.erasure_id), leaf.seq)
    for (const part of leaf.parts ?? []) parts.add(leaf.seq, part.name, part.commit)
    const hash = leafHash(crypto.sha256, line)
    if (await isIncluded(hash, leaf.seq, files, crypto, note, tiles, report)) included++
  }
  if (bytes > files.size(LEAVES)) report.fault('leaf_schema', 'a last line without an end', LEAVES)
  if (missingKeys.size > 0)
    report.fault('key_leaf_missing', 'a leaf about a signing key that is not among the leaves of the bundle', 'proof/keys.jsonl')
  if (!tiles && leaves > SINGLE_LEAVES) report.fault('layout', `more than ${SINGLE_LEAVES} leaves need tiles`)
  for (const name of tiles?.strays(tiled) ?? []) report.fault('stray_tile', 'a tile that no leaf of the bundle needs', name)
  for (const name of files.names()) {
    const seq = /^data\/proofs\/(\d+)\.tlog-proof$/.exec(name)?.[1]
    if (seq !== undefined && Number(seq) > last) report.fault('stray_proof', 'a proof of a leaf that is not in the bundle', name)
  }
  if (bundleCase) {
    if (bundleCase.leaves !== leaves)
      report.fault('case_count', `the case names ${bundleCase.leaves} leaves, the bundle holds ${leaves}`, 'data/case.json')
    if (bundleCase.records !== records)
      report.fault('case_count', `the case names ${bundleCase.records} records, the bundle holds ${records}`, 'data/case.json')
    if (!span.is(bundleCase.first_seq, bundleCase.last_seq))
      report.fault('case_span', 'the case names another first or last leaf than the bundle holds', 'data/case.json')
    if (bundleCase.records_in_scope < bundleCase.records || (bundleCase.range && bundleCase.records_in_scope > bundleCase.records))
      report.fault('case_scope', 'the case names a number of records in scope that does not fit', 'data/case.json')
    if (samples !== (bundleCase.sample ? leaves : 0))
      report.fault('case_sample', 'case and leaves do not agree on whether this is a sample', 'data/case.json')
    if (bundleCase.range && !span.whole)
      report.fault('range_gap', 'the case says that its range is whole, and leaves of it are not here', LEAVES)
    if (bundleCase.tree_size !== note.size)
      report.fault('case_size', 'the case names another tree size than the checkpoint', 'data/case.json')
    if (bundleCase.origin !== note.origin) report.fault('case_origin', 'log and case do not name the same origin', 'data/case.json')
  }
  const out = (bundleCase?.records_in_scope ?? 0) - (bundleCase?.records ?? 0)
  const left = out > 0 ? `; ${out} restricted records in scope left out` : ''
  return {
    step: report.done(`${included} of ${leaves} leaves lead to the root of ${note.size} leaves; ${span.words()}${left}`),
    parts,
    readable: true,
    erasures: { intents, done },
    sample: samples > 0
  }
}

async function loadTiles(files: BundleFiles, crypto: VerifyCrypto, note: SignedCheckpoint, report: StepReport): Promise<TileReader | null> {
  try {
    const tiles = await TileReader.load(crypto.sha256, note.size, files)
    if (!equalBytes(tiles.root(), note.root)) report.fault('tile_root', 'the tiles do not lead to the root of the checkpoint', 'data/tile')
    const broken = tiles.consistent()
    if (broken !== undefined) report.fault('tile_changed', 'a tile does not lead to the tile above it', broken)
    return tiles
  } catch {
    report.fault('tile_missing', 'a tile that the tree needs is missing or has the wrong length', 'data/tile')
    return null
  }
}

function readLeaf(line: Uint8Array, report: StepReport, number: number): Leaf | undefined {
  let content: string
  try {
    content = utf8Decode(line)
  } catch {
    report.fault('leaf_not_json', 'not UTF-8', `line ${number}`)
    return undefined
  }
  const parsed = parseLeaf(content, jcs)
  if (parsed.ok) return parsed.leaf
  report.fault(parsed.problem.code, parsed.problem.message, `line ${number}`)
  return undefined
}

async function isIncluded(
  hash: Uint8Array,
  seq: number,
  files: BundleFiles,
  crypto: VerifyCrypto,
  note: SignedCheckpoint,
  tiles: TileReader | null,
  report: StepReport
): Promise<boolean> {
  const subject = `leaf ${seq}`
  if (tiles) {
    try {
      if (seq < note.size && equalBytes(tiles.leaf(seq), hash)) return true
      report.fault('leaf_not_in_tree', 'the leaf is not the one that the tree holds', subject)
    } catch {
      report.fault('tile_missing', 'the tile of this leaf is missing', subject)
    }
    return false
  }
  const name = proofPath(seq)
  if (!files.names().includes(name)) {
    report.fault('proof_missing', 'there is no proof of this leaf', subject)
    return false
  }
  try {
    const proof = parseTlogProof(utf8Decode(await files.read(name)))
    if (proof.index !== seq) report.fault('proof_swapped', 'the proof is that of another leaf', name)
    const own = utf8Decode(await files.read('proof/checkpoint'))
    if (proof.checkpoint !== own) report.fault('proof_checkpoint', 'the proof leads to another checkpoint', name)
    verifyInclusion(crypto.sha256, { index: seq, size: note.size, leafHash: hash, proof: proof.proof, root: note.root })
    return true
  } catch {
    report.fault('leaf_not_in_tree', 'the leaf does not lead to the root of the checkpoint', subject)
    return false
  }
}
