// SPDX-License-Identifier: Apache-2.0
import { createCipheriv, createDecipheriv, randomBytes, scrypt } from 'node:crypto'
import { chmodSync, existsSync, mkdirSync, readFileSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { z } from 'zod'
import { AffidavitError } from '../../shared/contract/errors.ts'
import { originOf } from '../../shared/evidence/note.ts'
import { ed25519FromSeed, sha256 } from '../crypto.ts'
import { writeFileDurablyAside } from '../files.ts'

const base64Key = z.base64().refine((text) => Buffer.from(text, 'base64').length === 32)
const kekId = z.string().regex(/^[0-9a-f]{16}$/)
const time = z.iso.datetime()
const signingUse = z.enum(['log', 'export'])
export type SigningUse = z.infer<typeof signingUse>

/** What the first version held: one log key for good. */
const ringV1 = z.strictObject({
  v: z.literal(1),
  log_seed: base64Key,
  export_seed: base64Key,
  dedup_key: base64Key,
  keks: z.array(z.strictObject({ id: kekId, key: base64Key })).min(1)
})

const signing = z.strictObject({ seed: base64Key, since: time.optional() })

/** A leaf that the ring owes the ledger: written again after a crash, and found to be there already by its key id. */
const owedLeaf = z.strictObject({
  type: z.enum(['key.added', 'key.retired']),
  key_id: z.string().min(1).max(64),
  use: z.enum(['log', 'export', 'key-encryption', 'witness']),
  public_key: base64Key.optional()
})
export type OwedLeaf = z.infer<typeof owedLeaf>

/** All secrets of a workspace. Seeds are Ed25519 seeds; `keks` is ordered, the last one is used for new blocks. */
const ringSchema = z.strictObject({
  v: z.literal(2),
  /** The name of the log: made from its first key, kept when the key changes. */
  origin: z.string().min(1).max(200),
  log: signing,
  export: signing,
  /** A key that will take over once its leaf is on record. */
  next: z.strictObject({ use: signingUse, seed: base64Key }).optional(),
  /** Keys that signed before, public halves only: their seeds are destroyed. */
  past: z.array(z.strictObject({ use: signingUse, public_key: base64Key, since: time.optional(), until: time })),
  /** Signs for other logs, when this workspace is a witness. */
  witness: signing.optional(),
  dedup_key: base64Key,
  keks: z.array(z.strictObject({ id: kekId, key: base64Key, since: time.optional() })).min(1),
  /** Why key blocks are being rewritten under the newest key-encryption key; absent when none names another. */
  rewrap: z.enum(['rotation', 'erasure']).optional(),
  owed: z.array(owedLeaf)
})
export type Keyring = z.infer<typeof ringSchema>

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
type KeyFile = z.infer<typeof fileSchema>

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
  /** Typed by a person; counts before the file. */
  readonly passphrase?: string | undefined
  /** A person goes on without the passphrase. */
  readonly withoutKeys?: boolean | undefined
}

/** Shortest passphrase that is taken, in characters. */
const SHORTEST_PASSPHRASE = 8
const SCRYPT = { n: 131_072, r: 8, p: 1 } as const

/** The file that holds the keys of a workspace. */
export const keyringPath = (state: string, workspaceId: string): string => join(state, `keyring-${workspaceId}.json`)

const pathOf = (place: KeyringPlace): string => keyringPath(place.state, place.workspaceId)

function makeRing(): Keyring {
  const key = () => randomBytes(32).toString('base64')
  const since = new Date().toISOString()
  const log = key()
  return {
    v: 2,
    origin: originFrom(log),
    log: { seed: log, since },
    export: { seed: key(), since },
    past: [],
    dedup_key: key(),
    keks: [{ id: randomBytes(8).toString('hex'), key: key(), since }],
    owed: []
  }
}

const originFrom = (logSeed: string): string => originOf(sha256, ed25519FromSeed(Buffer.from(logSeed, 'base64')).publicKey)

function parseRing(text: string): Keyring | undefined {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return undefined
  }
  const old = ringV1.safeParse(value)
  if (old.success) {
    const { log_seed, export_seed, dedup_key, keks } = old.data
    return {
      v: 2,
      origin: originFrom(log_seed),
      log: { seed: log_seed },
      export: { seed: export_seed },
      past: [],
      dedup_key,
      keks,
      owed: []
    }
  }
  return ringSchema.safeParse(value).data
}

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

function openWith({ key }: Derived, file: Extract<KeyFile, { protection: 'passphrase' }>): string {
  const body = Buffer.from(file.sealed, 'base64')
  try {
    const decipher = createDecipheriv('aes-256-gcm', key, body.subarray(0, 12))
    decipher.setAuthTag(body.subarray(body.length - 16))
    return Buffer.concat([decipher.update(body.subarray(12, body.length - 16)), decipher.final()]).toString('utf8')
  } catch {
    throw new AffidavitError('keys_unavailable', 'the passphrase does not open the keys of this workspace', { passphrase: 'wrong' })
  }
}

/** Replaces the key file and overwrites the bytes of the one before, so far as the file system lets them be the same bytes. */
async function replaceKeyFile(path: string, content: string): Promise<void> {
  const old = existsSync(path) ? await open(path, 'r+') : undefined
  try {
    await writeFileDurablyAside(path, content)
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

type Seal =
  | { readonly protection: 'safe-storage'; readonly store: OsKeyStore }
  | { readonly protection: 'passphrase'; readonly derived: Derived }
  | { readonly protection: 'key-file' }
  | { readonly protection: 'missing' }

const notHere = (): AffidavitError =>
  new AffidavitError('keys_unavailable', 'the keys of this workspace are not here: restore the key file and start again')

async function sealRing(seal: Seal, ring: Keyring): Promise<KeyFile> {
  const text = JSON.stringify(ring)
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

async function sealFor(by: Protector): Promise<Seal> {
  if (by.protection !== 'passphrase') return by
  return { protection: 'passphrase', derived: await derive(by.passphrase, randomBytes(16), SCRYPT.n) }
}

/** The keyring of an open workspace: what is in memory is what is on disk. */
export class KeyHolder {
  readonly #path: string
  #ring: Keyring
  #seal: Seal
  #saving: Promise<void> = Promise.resolve()

  constructor(path: string, ring: Keyring, seal: Seal) {
    this.#path = path
    this.#ring = ring
    this.#seal = seal
  }

  get ring(): Keyring {
    return this.#ring
  }

  get protection(): KeyProtection {
    return this.#seal.protection
  }

  /**
   * Changes the ring. Resolves when the new one is on disk and the bytes of the old file are overwritten; until then the old one counts.
   * Changes are made one after the other, each from what the one before left.
   */
  update(change: (ring: Keyring) => Keyring): Promise<void> {
    return this.#queue(async () => {
      if (this.#seal.protection === 'missing') throw notHere()
      const next = ringSchema.parse(change(this.#ring))
      await replaceKeyFile(this.#path, JSON.stringify(await sealRing(this.#seal, next)))
      this.#ring = next
    })
  }

  /** Protects the ring in another way from now on. @throws AffidavitError keys_unavailable: the key store does not answer */
  protect(by: Protector): Promise<void> {
    return this.#queue(async () => {
      if (this.#seal.protection === 'missing') throw notHere()
      const seal = await sealFor(by)
      await replaceKeyFile(this.#path, JSON.stringify(await sealRing(seal, this.#ring)))
      this.#seal = seal
    })
  }

  #queue(work: () => Promise<void>): Promise<void> {
    const done = this.#saving.then(work)
    this.#saving = done.catch(() => {})
    return done
  }
}

async function unseal(file: KeyFile, place: KeyringPlace): Promise<{ readonly text: string; readonly seal: Seal }> {
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
      return { text: openWith(derived, file), seal: { protection: 'passphrase', derived } }
    }
    case 'key-file':
      return { text: Buffer.from(file.ring, 'base64').toString('utf8'), seal: { protection: 'key-file' } }
  }
}

function protectorOf(place: KeyringPlace): Protector {
  if (place.store) return { protection: 'safe-storage', store: place.store }
  if (place.passphraseFile !== undefined) return { protection: 'passphrase', passphrase: readPassphrase(place.passphraseFile) }
  return { protection: 'key-file' }
}

/** Stands in for a keyring that is not here: it holds no secret and takes no change. */
export function missingKeyring(origin: string): KeyHolder {
  const nothing = Buffer.alloc(32).toString('base64')
  const ring: Keyring = {
    v: 2,
    origin,
    log: { seed: nothing },
    export: { seed: nothing },
    past: [],
    dedup_key: nothing,
    keks: [],
    owed: []
  }
  return new KeyHolder('', ring, { protection: 'missing' })
}

/**
 * Loads the keyring of a workspace, or makes one when `mayCreate` (a workspace without leaves).
 * @throws AffidavitError keys_unavailable: missing, unreadable, or protected by something that is not here
 */
export async function loadKeyring(
  place: KeyringPlace,
  mayCreate: boolean
): Promise<{ readonly holder: KeyHolder; readonly created: boolean }> {
  const path = pathOf(place)
  if (!existsSync(path)) {
    if (!mayCreate) {
      throw new AffidavitError(
        'keys_unavailable',
        `the keys of this workspace are missing: ${path}; restore that file from its backup or name its folder with --state`,
        { keyring: 'missing' }
      )
    }
    const ring = makeRing()
    const seal = await sealFor(protectorOf(place))
    mkdirSync(place.state, { recursive: true, mode: 0o700 })
    await replaceKeyFile(path, JSON.stringify(await sealRing(seal, ring)))
    return { holder: new KeyHolder(path, ring, seal), created: true }
  }
  let file: KeyFile
  try {
    file = fileSchema.parse(JSON.parse(readFileSync(path, 'utf8')))
  } catch {
    throw new AffidavitError('keys_unavailable', `the key file is damaged: ${path}`, { keyring: 'damaged' })
  }
  const { text, seal } = await unseal(file, place)
  const ring = parseRing(text)
  if (!ring) throw new AffidavitError('keys_unavailable', `the key file is damaged: ${path}`, { keyring: 'damaged' })
  if (file.protection === 'key-file') chmodSync(path, 0o600)
  return { holder: new KeyHolder(path, ring, seal), created: false }
}
