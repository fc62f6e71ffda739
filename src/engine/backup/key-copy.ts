// SPDX-License-Identifier: Apache-2.0
// A copy of the keys beside the backups, made before a key-encryption key is destroyed: what the older backups still hold opens with it (ADR 17).
import { randomUUID } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { syncFile, syncFolder, writeFileDurably } from '../../node/durable-file.ts'
import { AffidavitError } from '../../shared/contract/errors.ts'
import { leafCount } from '../ledger/store.ts'
import { checkVaultBlocks } from '../ledger/verify-vault.ts'
import { openReadable, type ReadableDb } from '../sqlite/open.ts'
import type { ReaderContext } from '../threads/reader-context.ts'
import { PayloadReader } from '../vault/payload-reader.ts'
import { copyErasures } from './erasure-register.ts'
import { fileSha256, KEYS_NAME } from './manifest.ts'
import { copyDb, toBackupError } from './write-backup.ts'

const schema = z.strictObject({
  v: z.literal(1),
  id: z.uuid(),
  made: z.iso.datetime(),
  origin: z.string().min(1).max(200),
  /** Leaves there were: every backup of at most that many opens with these keys. */
  size: z.int().min(0),
  /** The key-encryption key that wraps them. */
  kek_id: z.string().regex(/^[0-9a-f]{16}$/),
  bytes: z.int().min(0),
  sha256: z.string().length(64)
})

/** A copy of the keys, with the folder it is in. */
export type KeyCopy = z.infer<typeof schema> & { readonly path: string }

export interface WriteKeyCopyInput {
  readonly target: string
  readonly state: string
  readonly origin: string
  /** The new key-encryption key, base64. */
  readonly kek: { readonly id: string; readonly key: string }
}

const MANIFEST = 'keys.json'
const prefixOf = (origin: string): string => `affidavit-keys-${origin.slice(-8)}-`

/** The copies of the keys of a log in a folder, newest first; what cannot be read is none. */
export function keyCopiesIn(folder: string, origin: string): KeyCopy[] {
  let names: string[]
  try {
    names = readdirSync(folder).filter((name) => name.startsWith(prefixOf(origin)) && !name.endsWith('.part'))
  } catch {
    return []
  }
  const found = names.flatMap((name): KeyCopy[] => {
    const path = join(folder, name)
    try {
      const copy = schema.parse(JSON.parse(readFileSync(join(path, MANIFEST), 'utf8')))
      return copy.origin === origin && existsSync(join(path, KEYS_NAME)) ? [{ ...copy, path }] : []
    } catch {
      return []
    }
  })
  return found.sort((a, b) => (a.made < b.made ? 1 : -1))
}

const open = (ledger: ReadableDb, keys: ReadableDb, { kek }: WriteKeyCopyInput): PayloadReader =>
  new PayloadReader(ledger, keys, new Map([[kek.id, Buffer.from(kek.key, 'base64')]]))

/** Opens every block of the copy. Blocks that no key opens in the workspace either are damage from before, and no fault of the copy. */
function verify(context: ReaderContext, path: string, size: number, input: WriteKeyCopyInput): void {
  const copy = openReadable(path)
  try {
    const whole = copy.pragma('quick_check', { simple: true }) === 'ok'
    const faults = checkVaultBlocks(copy, open(context.ledger, copy, input), size)
    const before = faults.length === 0 ? [] : checkVaultBlocks(context.keys, open(context.ledger, context.keys, input), size)
    if (whole && JSON.stringify(faults) === JSON.stringify(before)) return
  } finally {
    copy.close()
  }
  throw new AffidavitError('workspace_damaged', 'the copy of the keys does not open as the keys themselves do: it was not kept')
}

/**
 * Copies keys.db, as it is after the rewriting, beside the backups, with the list of what was erased so far, and opens every block of the copy.
 * Whole, verified and on disk when this resolves; otherwise nothing is left. Older copies are removed: their key is about to go, and this one
 * opens all that they did.
 * @throws AffidavitError file_unreadable, disk_full, workspace_damaged
 */
export async function writeKeyCopy(
  context: ReaderContext,
  input: WriteKeyCopyInput
): Promise<KeyCopy & { readonly replaced: readonly Pick<KeyCopy, 'id' | 'path'>[] }> {
  const made = new Date().toISOString()
  const { target, origin, state, kek } = input
  const final = join(target, `${prefixOf(origin)}${made.replace(/[-:]/g, '').replace('.', '-')}`)
  const part = `${final}.part`
  try {
    for (const name of readdirSync(target))
      if (name.startsWith(prefixOf(origin)) && name.endsWith('.part')) rmSync(join(target, name), { recursive: true, force: true })
    mkdirSync(part, { mode: 0o700 })
    const path = join(part, KEYS_NAME)
    context.ledger.exec('BEGIN')
    context.keys.exec('BEGIN')
    let size: number
    try {
      size = leafCount(context.ledger)
      context.keys.prepare('SELECT max(first_seq) FROM key_block').get()
      await copyDb(context.keys, path, () => {})
      verify(context, path, size, input)
    } finally {
      context.ledger.exec('COMMIT')
      context.keys.exec('COMMIT')
    }
    syncFile(path)
    copyErasures(state, part, origin)
    const copy = {
      v: 1,
      id: randomUUID(),
      made,
      origin,
      size,
      kek_id: kek.id,
      bytes: statSync(path).size,
      sha256: await fileSha256(path)
    } as const
    writeFileDurably(join(part, MANIFEST), `${JSON.stringify(copy, null, 1)}\n`)
    syncFolder(part)
    renameSync(part, final)
    syncFolder(target)
    const replaced = keyCopiesIn(target, origin).filter((old) => old.made < made)
    for (const old of replaced) rmSync(old.path, { recursive: true, force: true })
    return { ...copy, path: final, replaced: replaced.map(({ id, path: at }) => ({ id, path: at })) }
  } catch (error) {
    rmSync(part, { recursive: true, force: true })
    throw toBackupError(error)
  }
}
