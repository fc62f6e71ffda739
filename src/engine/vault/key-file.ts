// SPDX-License-Identifier: Apache-2.0
// The file of a keyring: how its bytes are protected at rest, by a key store, a passphrase or permissions only.
import { createCipheriv, createDecipheriv, randomBytes, scrypt } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { promisify } from 'node:util'
import { z } from 'zod'
import { AffidavitError } from '../../shared/contract/errors.ts'
import { writeFileDurablyAside } from '../files.ts'

/** How the keyring is protected at rest. `safe-storage`: by the operating system's key store through main. */
export type KeyProtection = 'safe-storage' | 'passphrase' | 'key-file' | 'missing'

/** What every surface says of the protection. */
export const protectionMessage: Record<KeyProtection, string> = {
  'safe-storage': 'keys protected by the key store of the operating system',
  passphrase: 'keys protected by a passphrase (scrypt)',
  'key-file': 'keys protected by file permissions only',
  missing: 'the keys are not here: contents cannot be opened'
}

const fileSchema = z.discriminatedUnion('protection', [
  z.strictObject({ v: z.literal(1), protection: z.literal('safe-storage'), wrapped: z.string().min(1) }),
  z.strictObject({ v: z.literal(1), protection: z.literal('key-file'), ring: z.string().min(1) }),
  z.strictObject({
    v: z.literal(1),
    protection: z.literal('passphrase'),
    salt: z.base64(),
    n: z.int().min(16_384).max(1_048_576),
    r: z.literal(8),
    p: z.literal(1),
    sealed: z.base64()
  })
])
export type KeyFile = z.infer<typeof fileSchema>

/** Wraps and unwraps through another process; both take and give base64. */
export interface OsKeyStore {
  readonly wrap: (plaintext: string) => Promise<string>
  readonly unwrap: (wrapped: string) => Promise<string>
}

/** What a person, a file or the system gives so that the keys open. */
export interface Opening {
  readonly store: OsKeyStore | null
  readonly passphraseFile: string | undefined
  /** Typed by a person; counts before the file. */
  readonly passphrase?: string | undefined
  /** A person goes on without the passphrase. */
  readonly withoutKeys?: boolean | undefined
}

/** Shortest passphrase that is taken, in characters. */
const SHORTEST_PASSPHRASE = 8
const SCRYPT = { n: 131_072, r: 8, p: 1 } as const

/** The first line of a file. @throws AffidavitError keys_unavailable: unreadable, or too short */
export function readPassphrase(file: string): string {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch {
    throw new AffidavitError('keys_unavailable', 'the passphrase file cannot be read')
  }
  const line = text.split(/\r?\n/, 1)[0] ?? ''
  if (line.length < SHORTEST_PASSPHRASE)
    throw new AffidavitError(
      'keys_unavailable',
      `the passphrase needs at least ${SHORTEST_PASSPHRASE} characters on the first line of its file`
    )
  return line
}

/** A key derived from a passphrase with the numbers it was derived with: kept, so that saving needs neither the passphrase nor a second. */
interface Derived {
  readonly salt: Buffer
  readonly n: number
  readonly key: Buffer
}

const scryptAsync = promisify<string, Buffer, number, { N: number; r: number; p: number; maxmem: number }, Buffer>(scrypt)

async function derive(passphrase: string, salt: Buffer, n: number): Promise<Derived> {
  const key = await scryptAsync(passphrase.normalize('NFC'), salt, 32, { N: n, r: SCRYPT.r, p: SCRYPT.p, maxmem: 256 * n * SCRYPT.r })
  return { salt, n, key }
}

function sealWith({ salt, n, key }: Derived, text: string): KeyFile {
  const nonce = randomBytes(12)
  const cipher = createCipheriv('aes-256-gcm', key, nonce)
  const body = Buffer.concat([nonce, cipher.update(text, 'utf8'), cipher.final(), cipher.getAuthTag()])
  return {
    v: 1,
    protection: 'passphrase',
    salt: salt.toString('base64'),
    n,
    r: SCRYPT.r,
    p: SCRYPT.p,
    sealed: body.toString('base64')
  }
}

function openWith({ key }: Derived, file: Extract<KeyFile, { protection: 'passphrase' }>): string | null {
  const body = Buffer.from(file.sealed, 'base64')
  try {
    const decipher = createDecipheriv('aes-256-gcm', key, body.subarray(0, 12))
    decipher.setAuthTag(body.subarray(body.length - 16))
    return Buffer.concat([decipher.update(body.subarray(12, body.length - 16)), decipher.final()]).toString('utf8')
  } catch {
    return null
  }
}

/** What a key file says of itself; undefined when it is damaged. */
export function readKeyFile(path: string): KeyFile | undefined {
  try {
    return fileSchema.parse(JSON.parse(readFileSync(path, 'utf8')))
  } catch {
    return undefined
  }
}

/** Replaces the key file and overwrites the bytes of the one before, so far as the file system lets them be the same bytes. */
export async function writeKeyFile(path: string, file: KeyFile): Promise<void> {
  const old = existsSync(path) ? await open(path, 'r+') : undefined
  try {
    await writeFileDurablyAside(path, JSON.stringify(file))
    if (old === undefined) return
    const zeros = Buffer.alloc((await old.stat()).size + 4096)
    await old.write(zeros, 0, zeros.length, 0)
    await old.sync()
  } finally {
    await old?.close()
  }
}

/** What protects the ring from now on. */
export type Protector =
  | { readonly protection: 'safe-storage'; readonly store: OsKeyStore }
  | { readonly protection: 'passphrase'; readonly passphrase: string }
  | { readonly protection: 'key-file' }

/** A protector that is ready. */
export type Seal =
  | { readonly protection: 'safe-storage'; readonly store: OsKeyStore }
  | { readonly protection: 'passphrase'; readonly derived: Derived }
  | { readonly protection: 'key-file' }
  | { readonly protection: 'missing' }

/** The keys are needed, and are not in memory. */
export const notHere = (): AffidavitError =>
  new AffidavitError('keys_unavailable', 'the keys of this workspace are not here: restore the key file and start again')

/** The file for what is to be kept secret. */
export async function sealed(seal: Seal, text: string): Promise<KeyFile> {
  switch (seal.protection) {
    case 'safe-storage':
      return { v: 1, protection: 'safe-storage', wrapped: await seal.store.wrap(Buffer.from(text, 'utf8').toString('base64')) }
    case 'passphrase':
      return sealWith(seal.derived, text)
    case 'key-file':
      return { v: 1, protection: 'key-file', ring: Buffer.from(text, 'utf8').toString('base64') }
    case 'missing':
      throw notHere()
  }
}

/** Makes ready to seal; a passphrase is not kept, only the key derived from it. */
export async function sealFor(by: Protector): Promise<Seal> {
  if (by.protection !== 'passphrase') return by
  return { protection: 'passphrase', derived: await derive(by.passphrase, randomBytes(16), SCRYPT.n) }
}

/** Opens what the file holds. @throws AffidavitError keys_unavailable: `details.passphrase` says when one is needed, or does not open it */
export async function unseal(file: KeyFile, place: Opening): Promise<{ readonly text: string; readonly seal: Seal }> {
  switch (file.protection) {
    case 'safe-storage':
      if (!place.store)
        throw new AffidavitError(
          'keys_unavailable',
          'the keys are in the key store of the operating system: open this workspace in the desktop app'
        )
      return {
        text: Buffer.from(await place.store.unwrap(file.wrapped), 'base64').toString('utf8'),
        seal: { protection: 'safe-storage', store: place.store }
      }
    case 'passphrase': {
      if (place.withoutKeys)
        throw new AffidavitError('keys_unavailable', 'the passphrase of the keys was not given: start again to give it', {
          keyring: 'not_given'
        })
      const passphrase = place.passphrase ?? (place.passphraseFile === undefined ? undefined : readPassphrase(place.passphraseFile))
      if (passphrase === undefined)
        throw new AffidavitError('keys_unavailable', 'the keys are protected by a passphrase: name its file in AFFIDAVIT_PASSPHRASE_FILE', {
          passphrase: 'needed'
        })
      const derived = await derive(passphrase, Buffer.from(file.salt, 'base64'), file.n)
      const text = openWith(derived, file)
      if (text === null)
        throw new AffidavitError(
          'keys_unavailable',
          place.passphrase === undefined
            ? 'the passphrase in the file that AFFIDAVIT_PASSPHRASE_FILE names does not open the keys'
            : 'this passphrase does not open the keys',
          { passphrase: 'wrong' }
        )
      return { text, seal: { protection: 'passphrase', derived } }
    }
    case 'key-file':
      return { text: Buffer.from(file.ring, 'base64').toString('utf8'), seal: { protection: 'key-file' } }
  }
}
