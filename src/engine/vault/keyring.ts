// SPDX-License-Identifier: Apache-2.0
import { randomBytes } from 'node:crypto'
import { chmodSync, existsSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { AffidavitError } from '../../shared/contract/errors.ts'
import { originOf } from '../../shared/evidence/note.ts'
import { ed25519FromSeed, sha256 } from '../crypto.ts'
import {
  type KeyProtection,
  notHere,
  type Opening,
  type Protector,
  readKeyFile,
  readPassphrase,
  type Seal,
  sealed,
  sealFor,
  unseal,
  writeKeyFile
} from './key-file.ts'

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

const actor = z.strictObject({ ref: z.string().min(1).max(200), kind: z.enum(['human', 'service', 'model', 'system']) })

/** A leaf that the ring owes the ledger: written again after a crash, and found to be there already by its key id. */
const owedLeaf = z.strictObject({
  type: z.enum(['key.added', 'key.retired']),
  key_id: z.string().min(1).max(64),
  use: z.enum(['log', 'export', 'key-encryption', 'witness']),
  public_key: base64Key.optional(),
  /** Who changed the key; absent: the engine. */
  by: actor.optional(),
  /** What two people decided, where the key changed for that. */
  approval: z.uuid().optional()
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
  past: z.array(
    z.strictObject({
      use: signingUse,
      public_key: base64Key,
      since: time.optional(),
      until: time,
      /** Its statement over the key that followed: a restore may lose the leaf. Absent in rings of earlier versions. */
      next: z.strictObject({ public_key: base64Key, size: z.int().min(0), signature: z.base64() }).optional(),
      /** It is not to be trusted any more, and why. */
      revoked: z.strictObject({ reason: z.string() }).optional()
    })
  ),
  /** Signs for other logs, when this workspace is a witness. */
  witness: signing.optional(),
  dedup_key: base64Key,
  keks: z.array(z.strictObject({ id: kekId, key: base64Key, since: time.optional() })).min(1),
  /** Why key blocks are being rewritten under the newest key-encryption key; absent when none names another. */
  rewrap: z.enum(['rotation', 'erasure']).optional(),
  /** Who began that; absent: the engine. */
  rewrap_by: actor.optional(),
  rewrap_approval: z.uuid().optional(),
  owed: z.array(owedLeaf)
})
export type Keyring = z.infer<typeof ringSchema>

export interface KeyringPlace extends Opening {
  /** Folder outside the workspace, so that a copy of the workspace alone opens nothing. */
  readonly state: string
  readonly workspaceId: string
}

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
      await writeKeyFile(this.#path, await sealed(this.#seal, JSON.stringify(next)))
      this.#ring = next
    })
  }

  /** Protects the ring in another way from now on. @throws AffidavitError keys_unavailable: the key store does not answer */
  protect(by: Protector): Promise<void> {
    return this.#queue(async () => {
      if (this.#seal.protection === 'missing') throw notHere()
      const seal = await sealFor(by)
      await writeKeyFile(this.#path, await sealed(seal, JSON.stringify(this.#ring)))
      this.#seal = seal
    })
  }

  #queue(work: () => Promise<void>): Promise<void> {
    const done = this.#saving.then(work)
    this.#saving = done.catch(() => {})
    return done
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
    await writeKeyFile(path, await sealed(seal, JSON.stringify(ring)))
    return { holder: new KeyHolder(path, ring, seal), created: true }
  }
  const file = readKeyFile(path)
  if (!file) throw new AffidavitError('keys_unavailable', `the key file is damaged: ${path}`, { keyring: 'damaged' })
  const { text, seal } = await unseal(file, place)
  const ring = parseRing(text)
  if (!ring) throw new AffidavitError('keys_unavailable', `the key file is damaged: ${path}`, { keyring: 'damaged' })
  if (file.protection === 'key-file') chmodSync(path, 0o600)
  return { holder: new KeyHolder(path, ring, seal), created: false }
}
