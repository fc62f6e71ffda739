// SPDX-License-Identifier: Apache-2.0
// Makes the folder of a review from a bundle: a ledger with the leaves that the bundle brings, its contents, and no more. The tree stays in
// the bundle: proofs are read from there.
import { randomBytes } from 'node:crypto'
import { mkdirSync, rmSync, statSync } from 'node:fs'
import { copyFile } from 'node:fs/promises'
import { basename } from 'node:path'
import { ageLock, decryptFile } from '../../node/age-file.ts'
import { verifyBundleFile } from '../../node/verify-file.ts'
import { openZipFiles } from '../../node/zip-files.ts'
import { AffidavitError } from '../../shared/contract/errors.ts'
import type { BundleKey, VerifyReport } from '../../shared/contract/exports.ts'
import { type BundleCase, CASE, caseSchema, LEAVES, payloadLine, payloadPath } from '../../shared/evidence/bundle-layout.ts'
import { fromBase64, utf8Decode } from '../../shared/evidence/bytes.ts'
import type { Leaf } from '../../shared/evidence/leaf.ts'
import type { BundleFiles } from '../../shared/evidence/verify-steps.ts'
import { WithheldIndex } from '../../shared/evidence/withheld.ts'
import { ledgerMigrations } from '../ledger/migrations.ts'
import { migrate, openProjection, type WritableDb } from '../sqlite/open.ts'
import type { ReaderControl } from '../threads/reader-context.ts'
import { BLOCK_KEYS, type Kek, sealBlock } from '../vault/key-block.ts'
import { vaultMigrations } from '../vault/migrations.ts'
import { type OpenPart, openPayload, sealPayload } from '../vault/payload.ts'
import { workspacePaths } from '../workspace/paths.ts'
import { bundleOf, writeReview } from './review-file.ts'

export interface BuildReviewInput {
  readonly id: string
  /** The bundle as the person chose it. */
  readonly path: string
  /** A new folder. */
  readonly folder: string
  readonly trust?: string
  /** What opens it where it is encrypted. */
  readonly key?: BundleKey
  /** Folder in which seen heads and confirmed keys are remembered. */
  readonly memory: string
}

/** Rows of one transaction. */
const ROWS = 2_000

/**
 * Verifies a copy of the bundle and makes the review from that copy, so that nothing can change between the two. Leaves no folder behind when
 * the bundle is invalid or the work ends early.
 * @throws AffidavitError file_unreadable, not_this_format, key_needed, wrong_key, disk_full, cancelled
 */
export async function buildReview(input: BuildReviewInput, control: ReaderControl): Promise<VerifyReport> {
  const { folder, trust, memory, key } = input
  if (statSync(input.path, { throwIfNoEntry: false })?.isDirectory())
    throw new AffidavitError(
      'not_this_format',
      'this is a folder: choose the zip of the bundle; a bundle that was unpacked is verified by `affidavit verify FOLDER`'
    )
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  let made = false
  try {
    const copy = bundleOf(folder)
    const encrypted = (await ageLock(input.path)) !== null
    const encrypted_sha256 = encrypted ? await decryptFile(input.path, copy, { key, cancelled: control.cancelled }) : null
    if (!encrypted) await copyBundle(input.path, copy)
    const verified = await verifyBundleFile(copy, {
      ...(trust === undefined ? {} : { trust }),
      memory,
      cancelled: control.cancelled,
      onProgress: (done, total) => control.progress(done, 2 * total)
    })
    const report = { ...verified, file: { ...verified.file, name: basename(input.path), encrypted_sha256 } }
    if (report.kind === 'invalid') return report
    await fill(input, report, control)
    made = true
    return report
  } finally {
    if (!made) rmSync(folder, { recursive: true, force: true })
  }
}

const copyBundle = (from: string, to: string): Promise<void> =>
  copyFile(from, to).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOSPC') throw new AffidavitError('disk_full', 'the disk is full: a review needs room for a copy of the bundle')
    throw new AffidavitError('file_unreadable', 'the file cannot be read')
  })

async function fill(input: BuildReviewInput, report: VerifyReport, control: ReaderControl): Promise<void> {
  const paths = workspacePaths(input.folder)
  mkdirSync(paths.anchors, { mode: 0o700 })
  const kek = { id: randomBytes(8).toString('hex'), key: randomBytes(32) }
  const ledger = openProjection(paths.ledger)
  const keys = openProjection(paths.keys)
  const files = await openZipFiles(bundleOf(input.folder))
  try {
    migrate(ledger, ledgerMigrations)
    migrate(keys, vaultMigrations)
    // The bundle brings some leaves of the tree, not all.
    ledger.exec('DROP TRIGGER leaf_appends; DROP TRIGGER payload_appends')
    const described = caseSchema.parse(JSON.parse(utf8Decode(await files.read(CASE))))
    const withheld = new WithheldCounts(described)
    const seal = new Sealing(ledger, keys, kek)
    let done = 0
    const step = () => {
      if (control.cancelled()) throw new AffidavitError('cancelled', 'cancelled')
      control.progress(3 * described.leaves + ++done, 6 * described.leaves)
    }
    await copyLeaves(files, seal, step)
    await copyLists(files, seal, step)
    seal.keys(withheld, step)
    seal.end()
    ledger
      .prepare('INSERT INTO checkpoint (size, signed_us, note) VALUES (?, ?, ?)')
      .run(described.tree_size, Date.parse(described.written) * 1000, utf8Decode(await files.read('proof/checkpoint')))
    writeReview(input.folder, {
      v: 1,
      id: input.id,
      report,
      requested_by: described.requested_by,
      log_vkey: utf8Decode(await files.read('trust/log.vkey')).trim(),
      withheld: withheld.all,
      kek: { id: kek.id, key: kek.key.toString('base64') },
      secret: randomBytes(32).toString('base64')
    })
  } finally {
    await files.close()
    ledger.close()
    keys.close()
  }
}

/** How often which part is withheld, by reason. */
class WithheldCounts {
  readonly #entries: BundleCase['withheld']
  readonly #index: WithheldIndex
  readonly #counts = new Map<string, { part: string; reason: string; count: number }>()

  constructor({ withheld }: BundleCase) {
    this.#entries = withheld
    this.#index = new WithheldIndex(withheld)
  }

  get all(): { part: string; reason: string; count: number }[] {
    return [...this.#counts.values()]
  }

  /** Counts a leaf; whether a part of it is withheld. */
  some({ seq, parts = [] }: Leaf): boolean {
    let some = false
    for (const { name } of parts) {
      const reason = this.#entries[this.#index.find(seq, name) ?? -1]?.reason
      if (reason === undefined) continue
      some = true
      const known = this.#counts.get(`${name} ${reason}`)
      if (known) known.count++
      else this.#counts.set(`${name} ${reason}`, { part: name, reason, count: 1 })
    }
    return some
  }
}

/** The leaves, and their contents where these are files of their own. */
async function copyLeaves(files: BundleFiles, seal: Sealing, step: () => void): Promise<void> {
  const names = new Set(files.names())
  for await (const line of files.lines(LEAVES)) {
    const leaf = JSON.parse(utf8Decode(line)) as Leaf
    seal.leaf(leaf.seq, line)
    const parts: OpenPart[] = []
    for (const { name } of leaf.parts ?? []) {
      const path = payloadPath(leaf.seq, name)
      if (names.has(path)) parts.push({ name, opening: await files.read(`${path}.opening`), data: await files.read(path) })
    }
    seal.payload(leaf.seq, parts)
    step()
  }
}

/** Contents in lists: lines of one leaf follow each other as this program writes them, and are put together where they do not. */
async function copyLists(files: BundleFiles, seal: Sealing, step: () => void): Promise<void> {
  let seq = -1
  let parts: OpenPart[] = []
  const flush = () => {
    seal.payload(seq, parts)
    parts = []
    step()
  }
  for (const name of files.names().filter((one) => one.startsWith('data/payloads/'))) {
    for await (const bytes of files.lines(name)) {
      const line = payloadLine.parse(JSON.parse(utf8Decode(bytes)))
      if (line.seq !== seq) {
        if (seq >= 0) flush()
        seq = line.seq
        parts = seal.taken(seq)
      }
      parts.push({ name: line.part, opening: fromBase64(line.opening), data: fromBase64(line.plaintext) })
    }
  }
  if (seq >= 0) flush()
}

/** Writes leaves, payloads and key blocks in the form that the readers of a workspace know. */
class Sealing {
  readonly #ledger: WritableDb
  readonly #keysDb: WritableDb
  readonly #kek: Kek
  readonly #leaf
  readonly #payload
  #rows = 0

  constructor(ledger: WritableDb, keys: WritableDb, kek: Kek) {
    this.#ledger = ledger
    this.#keysDb = keys
    this.#kek = kek
    this.#leaf = ledger.prepare<[number, Uint8Array]>('INSERT INTO leaf (seq, bytes) VALUES (?, ?)')
    // Each row with its own key: the block of keys is sealed at the end.
    ledger.exec('CREATE TEMP TABLE opened (seq INTEGER PRIMARY KEY, key BLOB NOT NULL)')
    this.#payload = {
      put: ledger.prepare<[number, Buffer]>('INSERT INTO payload (seq, ct) VALUES (?, ?)'),
      list: ledger.prepare('INSERT OR IGNORE INTO removing (seq) VALUES (?)'),
      drop: ledger.prepare('DELETE FROM payload WHERE seq = ?'),
      key: ledger.prepare<[number, Buffer]>('INSERT OR REPLACE INTO temp.opened (seq, key) VALUES (?, ?)'),
      find: ledger.prepare<[number], { ct: Buffer; key: Buffer }>(
        'SELECT p.ct, o.key FROM payload p JOIN temp.opened o ON o.seq = p.seq WHERE p.seq = ?'
      )
    }
    ledger.exec('BEGIN')
  }

  leaf(seq: number, bytes: Uint8Array): void {
    this.#leaf.run(seq, Buffer.from(bytes))
    this.#grouped()
  }

  payload(seq: number, parts: readonly OpenPart[]): void {
    if (parts.length === 0) return
    const key = randomBytes(32)
    this.#payload.put.run(seq, sealPayload(key, parts))
    this.#payload.key.run(seq, key)
    this.#grouped()
  }

  /** What was written of a leaf so far, taken back: to be written again with more. */
  taken(seq: number): OpenPart[] {
    const found = this.#payload.find.get(seq)
    if (!found) return []
    this.#payload.list.run(seq)
    this.#payload.drop.run(seq)
    return openPayload(found.key, found.ct)
  }

  /** Key blocks: a key of zeros, as an erasure leaves it, where the content is gone; any key where there is none to open. */
  keys(withheld: WithheldCounts, step: () => void): void {
    const rows = this.#ledger.prepare<[], { seq: number; bytes: Buffer; key: Buffer | null }>(
      'SELECT l.seq, l.bytes, o.key FROM leaf l LEFT JOIN temp.opened o ON o.seq = l.seq ORDER BY l.seq'
    )
    const put = this.#keysDb.prepare('INSERT INTO key_block (first_seq, count, kek_id, ct) VALUES (?, ?, ?, ?)')
    let first = -1
    let block: Uint8Array[] = []
    const flush = () => {
      if (first >= 0) put.run(first, BLOCK_KEYS, this.#kek.id, sealBlock(this.#kek, first, block))
    }
    this.#keysDb.exec('BEGIN')
    for (const { seq, bytes, key } of rows.iterate()) {
      const at = seq - (seq % BLOCK_KEYS)
      if (at !== first) {
        flush()
        first = at
        block = Array.from({ length: BLOCK_KEYS }, () => NO_KEY)
      }
      const leaf = JSON.parse(bytes.toString('utf8')) as Leaf
      const closed = withheld.some(leaf)
      block[seq - at] = key ?? (leaf.parts?.length && !closed ? DESTROYED : NO_KEY)
      step()
    }
    flush()
    this.#keysDb.exec('COMMIT')
  }

  end(): void {
    this.#ledger.exec('COMMIT')
    this.#ledger.exec('DELETE FROM removing')
  }

  #grouped(): void {
    if (++this.#rows % ROWS > 0) return
    this.#ledger.exec('COMMIT')
    this.#ledger.exec('BEGIN')
  }
}

const DESTROYED = new Uint8Array(32)
/** Opens nothing. */
const NO_KEY = new Uint8Array(32).fill(1)
