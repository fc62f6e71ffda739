// SPDX-License-Identifier: Apache-2.0
// The keys of a restored copy, and what was erased after the backup was made.
import { copyFileSync, existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { AffidavitError } from '../../shared/contract/errors.ts'
import { type SeqRange, seqsIn, toRanges } from '../../shared/policy/ranges.ts'
import type { Reapplied } from '../ledger/erasures.ts'
import { removePayloads } from '../ledger/tiles.ts'
import { openOfRecord, openReadable, settleCopy } from '../sqlite/open.ts'
import { cutKeys } from '../vault/cut-keys.ts'
import { kekIdsIn } from '../vault/key-block.ts'
import { PayloadReader } from '../vault/payload-reader.ts'
import { zeroKeys } from '../vault/zero-keys.ts'
import { erasuresAfter } from './erasure-register.ts'
import { type KeyCopy, keyCopiesIn } from './key-copy.ts'
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
  readonly ranges: readonly SeqRange[]
}

/**
 * What was erased after a backup: as this machine noted it, and as a copy of the keys beside the backup lists it. The list is believed only of
 * leaves whose key in that copy is destroyed indeed: nobody without the key-encryption key can write that.
 */
function erasedSince(path: string, state: string, keks: ReadonlyMap<string, Uint8Array>, manifest: BackupManifest): Later[] {
  const later: Later[] = erasuresAfter(state, manifest.origin, manifest.size)
  const [copy] = copiesFor(path, manifest)
  if (!copy) return later
  const listed = erasuresAfter(copy.path, manifest.origin, manifest.size).filter((one) => !later.some((known) => known.case === one.case))
  if (listed.length === 0) return later
  const keys = openReadable(join(copy.path, KEYS_NAME))
  const ledger = openReadable(join(path, 'ledger.db'))
  try {
    const reader = new PayloadReader(ledger, keys, keks)
    const destroyed = (seq: number): boolean => reader.key(seq)?.every((byte) => byte === 0) ?? false
    return [...later, ...listed.map((one) => ({ ...one, ranges: toRanges([...seqsIn(one.ranges)].filter(destroyed)) }))]
  } finally {
    ledger.close()
    keys.close()
  }
}

/** Carries out on the copy what was erased after it was made. */
export function reapply(
  input: { readonly path: string; readonly state: string; readonly keks: ReadonlyMap<string, Uint8Array> },
  manifest: BackupManifest,
  part: string
): ReappliedErasure[] {
  const later = erasedSince(input.path, input.state, input.keks, manifest)
  if (later.length === 0) return []
  const ledger = openOfRecord(join(part, 'ledger.db'))
  const keys = openOfRecord(join(part, KEYS_NAME))
  try {
    return later.map((entry) => {
      const seqs = [...seqsIn(entry.ranges)].filter((seq) => seq < manifest.size)
      zeroKeys(keys, input.keks, seqs)
      removePayloads(ledger, seqs)
      return { case: entry.case, intent: entry.intent, ranges: toRanges(seqs), leaves: seqs.length }
    })
  } finally {
    ledger.close()
    keys.close()
    settleCopy(join(part, 'ledger.db'))
    settleCopy(join(part, KEYS_NAME))
  }
}
