// SPDX-License-Identifier: Apache-2.0
// A bundle that was encrypted for its recipient (age-encryption.org/v1), as hostile input: its header is bounded and looked at before any
// work is done for it.
import { createHash, randomUUID } from 'node:crypto'
import { createReadStream, mkdirSync, readdirSync, rmSync } from 'node:fs'
import { open, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import type { ReadableStream as WebStream } from 'node:stream/web'
import { Decrypter } from 'age-encryption'
import { AffidavitError } from '../shared/contract/errors.ts'
import type { BundleKey } from '../shared/contract/exports.ts'
import { ArmorError, isArmored, unarmored, unarmoredStart } from './age-armor.ts'

/** What opens a file: a passphrase, or the secret half of a key it was encrypted to. */
export type AgeLock = 'passphrase' | 'identity'

const MAGIC = 'age-encryption.org/v1\n'
/** A header of hundreds of recipients; nothing is read beyond it in search of its end. */
const MOST_HEADER = 64 * 1024
/** The same in base64, with its line ends and the space before it. */
const MOST_ARMORED_HEADER = Math.ceil(MOST_HEADER / 48) * 66 + 2048
/** scrypt with 2^20 takes 1 GiB; age itself writes 2^18. */
const MOST_WORK = 20
const MOST_IDENTITY = 64 * 1024

const damaged = (): AffidavitError => new AffidavitError('not_this_format', 'the encrypted file is truncated or was changed')
const unreadable = (): AffidavitError => new AffidavitError('file_unreadable', 'the file cannot be read')

/** The first bytes of a file. @throws AffidavitError file_unreadable */
async function beginning(path: string, most: number): Promise<string> {
  try {
    const file = await open(path, 'r')
    try {
      const { buffer, bytesRead } = await file.read(Buffer.alloc(most), 0, most, 0)
      return buffer.toString('latin1', 0, bytesRead)
    } finally {
      await file.close()
    }
  } catch {
    throw unreadable()
  }
}

/** The beginning of an age file without its armor; null where it is none. @throws AffidavitError not_this_format: armor that holds no age file */
function headerOf(text: string): string | null {
  if (text.startsWith(MAGIC)) return text.slice(0, MOST_HEADER)
  if (!isArmored(text)) return null
  const opened = Buffer.from(startOf(text)).toString('latin1')
  if (!opened.startsWith(MAGIC)) throw damaged()
  return opened.slice(0, MOST_HEADER)
}

function startOf(text: string): Uint8Array {
  try {
    return unarmoredStart(text)
  } catch (error) {
    throw error instanceof ArmorError ? damaged() : error
  }
}

/**
 * What a file is locked with; null where it is no age file, or cannot be read, which whoever reads it says.
 * @throws AffidavitError not_this_format: its header has no end, or asks for more work than any program writes
 */
export async function ageLock(path: string): Promise<AgeLock | null> {
  const text = headerOf(await beginning(path, MOST_ARMORED_HEADER).catch(() => ''))
  if (text === null) return null
  const end = text.indexOf('\n--- ')
  if (end < 0) throw damaged()
  const stanzas = text
    .slice(0, end)
    .split('\n')
    .filter((line) => line.startsWith('-> '))
  const scrypt = stanzas.find((line) => line.startsWith('-> scrypt '))
  if (scrypt === undefined) return 'identity'
  const work = Number(scrypt.split(' ').at(-1))
  if (!Number.isInteger(work) || work < 1 || stanzas.length > 1) throw damaged()
  if (work > MOST_WORK)
    throw new AffidavitError(
      'not_this_format',
      `the encrypted file asks for 2^${work} rounds of work, more than 2^${MOST_WORK}: it is refused`
    )
  return 'passphrase'
}

/** The sentence that asks for what is missing. */
const keyNeeded = (lock: AgeLock): AffidavitError =>
  new AffidavitError(
    'key_needed',
    lock === 'passphrase'
      ? 'the file is encrypted with a passphrase: give it to open the file'
      : 'the file is encrypted for the holder of an age key: give its identity to open the file',
    { lock }
  )

/** Asks for what opens an encrypted file, before any work on it begins. @throws AffidavitError key_needed, not_this_format */
export async function requireKey(path: string, key: BundleKey | undefined): Promise<AgeLock | null> {
  const lock = await ageLock(path)
  if (lock !== null && (key === undefined || 'passphrase' in key !== (lock === 'passphrase'))) throw keyNeeded(lock)
  return lock
}

/** Identities of a key file (lines of `AGE-SECRET-KEY-…`, comments) or typed in the same form. @throws AffidavitError bad_request, file_unreadable */
async function identitiesOf(key: Exclude<BundleKey, { readonly passphrase: string }>): Promise<readonly string[]> {
  let text: string
  if ('identity' in key) text = key.identity
  else {
    const found = await stat(key.identity_file).catch(() => null)
    if (!found?.isFile() || found.size > MOST_IDENTITY) throw new AffidavitError('file_unreadable', 'the identity file cannot be read')
    text = await beginning(key.identity_file, MOST_IDENTITY)
  }
  if (text.startsWith(MAGIC) || isArmored(text))
    throw new AffidavitError('bad_request', 'the identity file is encrypted itself: decrypt it first')
  const lines = text.split(/\r?\n/).map((line) => line.trim())
  const identities = lines.filter((line) => line !== '' && !line.startsWith('#'))
  if (identities.length === 0) throw new AffidavitError('bad_request', 'there is no identity: it begins with AGE-SECRET-KEY-')
  return identities
}

async function decrypterOf(key: BundleKey): Promise<Decrypter> {
  const decrypter = new Decrypter()
  if ('passphrase' in key) {
    decrypter.addPassphrase(key.passphrase)
    return decrypter
  }
  for (const identity of await identitiesOf(key)) {
    try {
      decrypter.addIdentity(identity)
    } catch {
      throw new AffidavitError('bad_request', 'this is no age identity: it begins with AGE-SECRET-KEY- and is copied whole')
    }
  }
  return decrypter
}

export interface Decrypting {
  readonly key: BundleKey | undefined
  readonly cancelled?: (() => boolean) | undefined
  readonly onProgress?: ((done: number, total: number) => void) | undefined
}

/**
 * Decrypts a file into a new one that only its owner can read; memory stays bounded. What is left after a failure is the caller's to remove.
 * @throws AffidavitError key_needed, wrong_key, bad_request, not_this_format, file_unreadable, disk_full, cancelled
 * @returns SHA-256 of the encrypted file
 */
export async function decryptFile(from: string, to: string, { key, cancelled, onProgress }: Decrypting): Promise<string> {
  if ((await requireKey(from, key)) === null || key === undefined) throw damaged()
  const decrypter = await decrypterOf(key)
  const { size } = await stat(from)
  const hash = createHash('sha256')
  let done = 0
  const source = createReadStream(from, { highWaterMark: 256 * 1024 })
  const counted = async function* () {
    for await (const chunk of source) {
      if (cancelled?.()) throw new AffidavitError('cancelled', 'cancelled')
      hash.update(chunk as Buffer)
      done += (chunk as Buffer).length
      onProgress?.(done, size)
      // A buffer of its own pool would be overwritten while it waits in a queue.
      yield new Uint8Array(chunk as Buffer)
    }
  }
  const armored = isArmored(await beginning(from, MOST_ARMORED_HEADER))
  const cipher = Readable.toWeb(Readable.from(armored ? unarmored(counted()) : counted())) as unknown as ReadableStream<
    Uint8Array<ArrayBuffer>
  >
  try {
    const plain = await decrypter.decrypt(cipher)
    const file = await open(to, 'wx', 0o600)
    try {
      for await (const chunk of plain as unknown as WebStream<Uint8Array>) await file.writeFile(chunk)
    } finally {
      await file.close()
    }
  } catch (error) {
    throw failureOf(error)
  } finally {
    source.destroy()
  }
  return hash.digest('hex')
}

function failureOf(error: unknown): AffidavitError {
  if (error instanceof AffidavitError) return error
  if (error instanceof ArmorError) return damaged()
  const { code, message } = error as { readonly code?: unknown; readonly message?: unknown }
  if (code === 'ENOSPC') return new AffidavitError('disk_full', 'the disk is full: an encrypted bundle needs room for its plain form')
  if (message === "no identity matched any of the file's recipients")
    return new AffidavitError(
      'wrong_key',
      'the file cannot be opened with this: it was encrypted for somebody else, or with another passphrase'
    )
  return damaged()
}

const openedFolder = (state: string): string => join(state, 'opened')

/** Decrypts into a folder of this program, and removes what is there when the work has ended, however it ended. */
export async function withPlain<R>(
  path: string,
  state: string,
  options: Decrypting,
  work: (plain: string, sha256: string) => Promise<R>
): Promise<R> {
  const folder = join(openedFolder(state), `${process.pid}-${randomUUID()}`)
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  try {
    const plain = join(folder, 'bundle.affidavit.zip')
    const sha256 = await decryptFile(path, plain, options)
    return await work(plain, sha256)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

/** Removes what programs left that ended in the middle. To be called where this process has nothing open. */
export function removeLeftPlain(state: string): void {
  let names: string[]
  try {
    names = readdirSync(openedFolder(state))
  } catch {
    return
  }
  for (const name of names) {
    const pid = Number.parseInt(name, 10)
    if (pid === process.pid || !isAlive(pid)) rmSync(join(openedFolder(state), name), { recursive: true, force: true })
  }
}
