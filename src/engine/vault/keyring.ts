// SPDX-License-Identifier: Apache-2.0
import { createCipheriv, createDecipheriv, randomBytes, scryptSync } from 'node:crypto'
import { chmodSync, existsSync, mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { AffidavitError } from '../../shared/contract/errors.ts'
import { writeFileDurably } from '../files.ts'

const base64Key = z.base64().refine((text) => Buffer.from(text, 'base64').length === 32)

/** All secrets of a workspace. Seeds are Ed25519 seeds; `keks` is ordered, the last one is used for new blocks. */
const ringSchema = z.strictObject({
  v: z.literal(1),
  log_seed: base64Key,
  export_seed: base64Key,
  dedup_key: base64Key,
  keks: z.array(z.strictObject({ id: z.string().regex(/^[0-9a-f]{16}$/), key: base64Key })).min(1)
})
export type Keyring = z.infer<typeof ringSchema>

/** How the keyring is protected at rest. `safe-storage`: by the operating system's key store through main. */
export type KeyProtection = 'safe-storage' | 'passphrase' | 'key-file'

/** What every surface says of the protection. */
export const protectionMessage: Record<KeyProtection, string> = {
  'safe-storage': 'keys protected by the key store of the operating system',
  passphrase: 'keys protected by a passphrase (scrypt)',
  'key-file': 'keys protected by file permissions only'
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

/** Wraps and unwraps through another process; both take and give base64. */
export interface OsKeyStore {
  readonly wrap: (plaintext: string) => Promise<string>
  readonly unwrap: (wrapped: string) => Promise<string>
}

export interface KeyringPlace {
  /** Folder outside the workspace, so that a copy of the workspace alone opens nothing. */
  readonly state: string
  readonly workspaceId: string
  readonly store: OsKeyStore | null
  readonly passphraseFile: string | undefined
}

const SCRYPT = { n: 131_072, r: 8, p: 1 } as const

const pathOf = (place: KeyringPlace): string => join(place.state, `keyring-${place.workspaceId}.json`)

function makeRing(): Keyring {
  const key = () => randomBytes(32).toString('base64')
  return { v: 1, log_seed: key(), export_seed: key(), dedup_key: key(), keks: [{ id: randomBytes(8).toString('hex'), key: key() }] }
}

function readPassphrase(file: string): string {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch {
    throw new AffidavitError('keys_unavailable', 'the passphrase file cannot be read')
  }
  const line = text.split(/\r?\n/, 1)[0] ?? ''
  if (line.length < 8)
    throw new AffidavitError('keys_unavailable', 'the passphrase needs at least 8 characters on the first line of its file')
  return line
}

const deriveKey = (passphrase: string, salt: Buffer, n: number): Buffer =>
  scryptSync(passphrase.normalize('NFC'), salt, 32, { N: n, r: SCRYPT.r, p: SCRYPT.p, maxmem: 256 * n * SCRYPT.r })

function sealWithPassphrase(ring: string, passphrase: string): z.infer<typeof fileSchema> {
  const salt = randomBytes(16)
  const nonce = randomBytes(12)
  const cipher = createCipheriv('aes-256-gcm', deriveKey(passphrase, salt, SCRYPT.n), nonce)
  const body = Buffer.concat([nonce, cipher.update(ring, 'utf8'), cipher.final(), cipher.getAuthTag()])
  return { v: 1, protection: 'passphrase', salt: salt.toString('base64'), ...SCRYPT, sealed: body.toString('base64') }
}

function openWithPassphrase(file: Extract<z.infer<typeof fileSchema>, { protection: 'passphrase' }>, passphrase: string): string {
  const body = Buffer.from(file.sealed, 'base64')
  const decipher = createDecipheriv('aes-256-gcm', deriveKey(passphrase, Buffer.from(file.salt, 'base64'), file.n), body.subarray(0, 12))
  decipher.setAuthTag(body.subarray(body.length - 16))
  try {
    return Buffer.concat([decipher.update(body.subarray(12, body.length - 16)), decipher.final()]).toString('utf8')
  } catch {
    throw new AffidavitError('keys_unavailable', 'the passphrase does not open the keys of this workspace')
  }
}

async function save(place: KeyringPlace, ring: Keyring): Promise<KeyProtection> {
  const text = JSON.stringify(ring)
  mkdirSync(place.state, { recursive: true, mode: 0o700 })
  let file: z.infer<typeof fileSchema>
  if (place.store)
    file = { v: 1, protection: 'safe-storage', wrapped: await place.store.wrap(Buffer.from(text, 'utf8').toString('base64')) }
  else if (place.passphraseFile !== undefined) file = sealWithPassphrase(text, readPassphrase(place.passphraseFile))
  else file = { v: 1, protection: 'key-file', ring: Buffer.from(text, 'utf8').toString('base64') }
  writeFileDurably(pathOf(place), JSON.stringify(file))
  return file.protection
}

async function unseal(file: z.infer<typeof fileSchema>, place: KeyringPlace): Promise<string> {
  switch (file.protection) {
    case 'safe-storage':
      if (!place.store)
        throw new AffidavitError(
          'keys_unavailable',
          'the keys are in the key store of the operating system: open this workspace in the desktop app'
        )
      return Buffer.from(await place.store.unwrap(file.wrapped), 'base64').toString('utf8')
    case 'passphrase':
      if (place.passphraseFile === undefined) {
        throw new AffidavitError('keys_unavailable', 'the keys are protected by a passphrase: name its file in AFFIDAVIT_PASSPHRASE_FILE')
      }
      return openWithPassphrase(file, readPassphrase(place.passphraseFile))
    case 'key-file':
      return Buffer.from(file.ring, 'base64').toString('utf8')
  }
}

/**
 * Loads the keyring of a workspace, or makes one when `mayCreate` (a workspace without leaves).
 * @throws AffidavitError keys_unavailable: missing, unreadable, or protected by something that is not here
 */
export async function loadKeyring(
  place: KeyringPlace,
  mayCreate: boolean
): Promise<{ ring: Keyring; protection: KeyProtection; created: boolean }> {
  const path = pathOf(place)
  if (!existsSync(path)) {
    if (!mayCreate) {
      throw new AffidavitError(
        'keys_unavailable',
        `the keys of this workspace are missing: ${path}; restore that file from its backup or name its folder with --state`
      )
    }
    const ring = makeRing()
    return { ring, protection: await save(place, ring), created: true }
  }
  let file: z.infer<typeof fileSchema>
  try {
    file = fileSchema.parse(JSON.parse(readFileSync(path, 'utf8')))
  } catch {
    throw new AffidavitError('keys_unavailable', `the key file is damaged: ${path}`)
  }
  const text = await unseal(file, place)
  const ring = ringSchema.safeParse(JSON.parse(text))
  if (!ring.success) throw new AffidavitError('keys_unavailable', `the key file is damaged: ${path}`)
  if (file.protection === 'key-file') chmodSync(path, 0o600)
  return { ring: ring.data, protection: file.protection, created: false }
}
