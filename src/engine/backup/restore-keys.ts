// SPDX-License-Identifier: Apache-2.0
// The keys of a restored copy, and what was erased after the backup was made.
import { copyFileSync, existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { AffidavitError } from '../../shared/contract/errors.ts'
import type { Leaf } from '../../shared/evidence/leaf.ts'
import { seqsIn, toRanges } from '../../shared/policy/ranges.ts'
import { bodyOf } from '../catalog/project-event.ts'
import type { Reapplied } from '../ledger/erasures.ts'
import { removePayloads } from '../ledger/tiles.ts'
import { openOfRecord, openReadable, type ReadableDb, settleCopy } from '../sqlite/open.ts'
import { cutKeys } from '../vault/cut-keys.ts'
import { kekIdsIn } from '../vault/key-block.ts'
import { PayloadReader } from '../vault/payload-reader.ts'
import { zeroKeys } from '../vault/zero-keys.ts'
import { type ErasureEntry, erasuresAfter } from './erasure-register.ts'
import { type KeyCopy, keyCopiesIn } from './key-copy.ts'
import { foundWithoutIntent } from './leaf-marks.ts'
import { type BackupManifest, backupsIn, fileSha256, KEYS_NAME, readManifest } from './manifest.ts'

type Keks = Readonly<Record<string, string>>

/** What was erased after a backup was made, as the restored log records it. */
export type ReappliedErasure = Reapplied & { readonly case: string; readonly leaves: number }

const kekIds = (path: string): string[] => {
  const db = openReadable(path)
  try {
    return kekIdsIn(db)
  } finally {
    db.close()
  }
}

/** Copies of the keys beside a backup that hold all of its leaves; newest first. */
const copiesFor = (path: string, { origin, made, size }: BackupManifest): KeyCopy[] =>
  keyCopiesIn(dirname(path), origin).filter((copy) => copy.made > made && copy.size >= size)

/** Where keys for a backup are that this machine can open: in it, or beside it and newer; null when nowhere. Looks, and copies nothing. */
export function keysOfBackup(path: string, manifest: BackupManifest, keks: Iterable<string>): 'own' | 'newer' | null {
  const known = new Set(keks)
  const fits = (folder: string, named: readonly string[] | undefined): boolean =>
    existsSync(join(folder, KEYS_NAME)) && (named ?? kekIds(join(folder, KEYS_NAME))).every((id) => known.has(id))
  if (fits(path, manifest.keks)) return 'own'
  const copied = copiesFor(path, manifest).some((copy) => known.has(copy.kek_id))
  return copied || newerBackups(path, manifest).some((other) => fits(other.path, readManifest(other.path).keks)) ? 'newer' : null
}

const newerBackups = (path: string, manifest: BackupManifest) =>
  backupsIn(dirname(path))
    .filter((other) => other.origin === manifest.origin && other.made > manifest.made && other.size >= manifest.size)
    .reverse()

/**
 * Puts keys in place that this machine can still open: those of the backup, or, when a change of the key destroyed what wrapped them, those of a
 * copy of the keys or of a newer backup beside it, from which the erased ones are missing.
 * @throws AffidavitError keys_unavailable: none can be opened, or the keyring is older than a change of the key beside the backup
 */
export async function keysFor(path: string, keks: Keks, manifest: BackupManifest, part: string): Promise<'own' | 'newer'> {
  const copies = copiesFor(path, manifest)
  if (copies[0] && !(copies[0].kek_id in keks))
    throw new AffidavitError(
      'keys_unavailable',
      'The keyring here is older than the last change of the key: content that was erased since would come back with it. Restore the keyring file as it was afterwards'
    )
  const fits = (file: string): boolean => existsSync(file) && kekIds(file).every((id) => id in keks)
  const own = join(part, KEYS_NAME)
  if (fits(own)) return 'own'
  for (const copy of copies) {
    const file = join(copy.path, KEYS_NAME)
    if (!(copy.kek_id in keks) || (await fileSha256(file)) !== copy.sha256) continue
    copyFileSync(file, own)
    return 'newer'
  }
  for (const other of newerBackups(path, manifest)) {
    const file = join(other.path, KEYS_NAME)
    const expected = readManifest(other.path).files.find(({ name }) => name === KEYS_NAME)?.sha256
    if (!fits(file) || (await fileSha256(file)) !== expected) continue
    copyFileSync(file, own)
    return 'newer'
  }
  throw new AffidavitError(
    'keys_unavailable',
    'The keys that open this backup are not here: they were destroyed by a later change of the key or by age, or the keyring of its workspace is missing. Restore its keyring file first, put the newest copy of the keys beside it, or use a newer backup'
  )
}

/** Removes keys of leaves that the copy does not hold: those of a newer copy of the vault, or of a group that was on its way. */
export function trimKeys(part: string, size: number, keks: ReadonlyMap<string, Uint8Array>): void {
  const keys = openOfRecord(join(part, KEYS_NAME))
  try {
    cutKeys(keys, size, keks)
  } finally {
    keys.close()
  }
  settleCopy(join(part, KEYS_NAME))
}

interface Later {
  readonly case: string
  readonly intent: number
  /** Leaves of the copy. */
  readonly seqs: readonly number[]
}

/** The restored folder, not in its place yet. */
interface Copy {
  readonly size: number
  readonly ledger: ReadableDb
  readonly payloads: PayloadReader
}

/**
 * Below which number an entry without marks speaks of leaves of this copy: a restore of it that knew of the entry already gave new numbers from
 * there on, so that the entry means leaves that were given up.
 * @throws AffidavitError keys_unavailable: what such a restore knew cannot be read
 */
function lastMeant({ ledger, payloads }: Copy): (entry: ErasureEntry) => number {
  const restores = ledger
    .prepare<[Buffer], { seq: number; bytes: Buffer }>('SELECT seq, bytes FROM leaf WHERE instr(bytes, ?) > 0 ORDER BY seq')
    .all(Buffer.from('"type":"restore.done"', 'utf8'))
    .flatMap(({ seq, bytes }) => {
      const { type, data } = JSON.parse(bytes.toString('utf8')) as Leaf
      if (type !== 'restore.done' || data?.kind !== 'restore') return []
      const { reapplied } = bodyOf(payloads, seq) as { readonly reapplied?: readonly { readonly case?: string }[] }
      return [{ size: Number(data.size), known: reapplied && new Set(reapplied.map((one) => one.case)) }]
    })
  return ({ case: id, ranges }) => {
    const sizes = restores.flatMap(({ size, known }) => {
      // A leaf that was there before the restore is the same in both histories.
      if (ranges.every(([, last]) => last < size)) return []
      if (!known)
        throw new AffidavitError(
          'keys_unavailable',
          'The register of erasures names leaves of this log from a time before a restore, and what that restore knew of them cannot be read here: whether these are the leaves of the backup cannot be told. Restore the keyring file of its workspace first, or use a backup made before that restore'
        )
      return known.has(id) ? [size] : []
    })
    return Math.min(Number.MAX_SAFE_INTEGER, ...sizes)
  }
}

/** Which entries of a register a copy does not know of, with those leaves of theirs that it holds. @throws AffidavitError workspace_damaged */
function unknownTo(copy: Copy, entries: readonly ErasureEntry[]): Later[] {
  let meant: ReturnType<typeof lastMeant> | undefined
  return entries.flatMap((entry): Later[] => {
    const { case: id, intent, ranges, marks } = entry
    if (!marks) {
      if (intent < copy.size) return []
      meant ??= lastMeant(copy)
      const end = Math.min(copy.size, meant(entry))
      return [{ case: id, intent, seqs: [...seqsIn(ranges)].filter((seq) => seq < end) }]
    }
    const seqs = foundWithoutIntent(copy.ledger, copy.size, { intent, ranges }, marks)
    if (!seqs)
      throw new AffidavitError(
        'workspace_damaged',
        `an entry of the register of erasures (case ${id}) does not fit itself: what was erased cannot be erased in the copy too`
      )
    return seqs.length === 0 ? [] : [{ case: id, intent, seqs }]
  })
}

/**
 * What was erased after a backup: as this machine noted it, and as a copy of the keys beside the backup lists it. The list is believed only of
 * leaves whose key in that copy is destroyed indeed: nobody without the key-encryption key can write that.
 */
function erasedSince(input: ReapplyInput, manifest: BackupManifest, part: string): Later[] {
  const noted = erasuresAfter(input.state, manifest.origin, 0)
  const [copied] = copiesFor(input.path, manifest)
  const listed = copied
    ? erasuresAfter(copied.path, manifest.origin, 0).filter((one) => !noted.some((known) => known.case === one.case))
    : []
  if (noted.length + listed.length === 0) return []
  const ledger = openReadable(join(part, 'ledger.db'))
  const keys = openReadable(join(part, KEYS_NAME))
  const copiedKeys = copied && listed.length > 0 ? openReadable(join(copied.path, KEYS_NAME)) : undefined
  try {
    const copy = { size: manifest.size, ledger, payloads: new PayloadReader(ledger, keys, input.keks) }
    const later = unknownTo(copy, noted)
    if (!copiedKeys) return later
    const reader = new PayloadReader(ledger, copiedKeys, input.keks)
    const destroyed = (seq: number): boolean => reader.key(seq)?.every((byte) => byte === 0) ?? false
    return [...later, ...unknownTo(copy, listed).map((one) => ({ ...one, seqs: one.seqs.filter(destroyed) }))]
  } finally {
    copiedKeys?.close()
    keys.close()
    ledger.close()
  }
}

interface ReapplyInput {
  readonly path: string
  readonly state: string
  readonly keks: ReadonlyMap<string, Uint8Array>
}

/** Carries out on the copy what was erased after it was made. */
export function reapply(input: ReapplyInput, manifest: BackupManifest, part: string): ReappliedErasure[] {
  const later = erasedSince(input, manifest, part)
  if (later.length === 0) return []
  const ledger = openOfRecord(join(part, 'ledger.db'))
  const keys = openOfRecord(join(part, KEYS_NAME))
  try {
    return later.map(({ case: id, intent, seqs }) => {
      zeroKeys(keys, input.keks, seqs)
      removePayloads(ledger, seqs)
      return { case: id, intent, ranges: toRanges(seqs), leaves: seqs.length }
    })
  } finally {
    ledger.close()
    keys.close()
    settleCopy(join(part, 'ledger.db'))
    settleCopy(join(part, KEYS_NAME))
  }
}
