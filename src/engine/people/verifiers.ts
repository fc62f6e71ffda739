// SPDX-License-Identifier: Apache-2.0
import { createCipheriv, createDecipheriv, hkdfSync, randomBytes, scrypt, timingSafeEqual } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { writeFileDurably } from '../../node/durable-file.ts'
import { AffidavitError } from '../../shared/contract/errors.ts'

const verifier = z.strictObject({
  /** How often the password was set; the ledger says which one counts. */
  generation: z.int().min(1),
  salt: z.base64(),
  n: z.int().min(1024).max(1_048_576),
  r: z.literal(8),
  p: z.literal(1),
  hash: z.base64()
})
type Verifier = z.infer<typeof verifier>

const fileSchema = z.strictObject({ v: z.literal(1), sealed: z.base64() })
const contentSchema = z.strictObject({ v: z.literal(1), people: z.record(z.string(), z.array(verifier).max(2)) })

export interface VerifierPlace {
  readonly state: string
  readonly workspaceId: string
  /** Survives changes of the key-encryption key and is in no leaf, payload or backup of the workspace. */
  readonly secret: Uint8Array
}

const HASH_BYTES = 32

const derive = (password: string, salt: Uint8Array, n: number): Promise<Buffer> =>
  new Promise((resolve, reject) =>
    scrypt(password.normalize('NFC'), salt, HASH_BYTES, { N: n, r: 8, p: 1, maxmem: 256 * n * 8 }, (error, key) =>
      error ? reject(error) : resolve(key)
    )
  )

/**
 * Password verifiers: scrypt with a salt and its parameters each, in one file of the state folder, sealed with AES-256-GCM under a key derived
 * from the keyring. They are in no leaf. Who can write the file but not open the keyring can neither guess offline nor put in a verifier of
 * their own, and an older copy of the file does not bring an older password back: the ledger names the generation that counts.
 */
export class Verifiers {
  readonly #path: string
  readonly #key: Buffer
  readonly #cost: number
  #people: Readonly<Record<string, readonly Verifier[]>> = {}
  #damaged = false
  /** One derivation at a time: each takes 128 MiB. */
  #last: Promise<unknown> = Promise.resolve()

  /** @param cost scrypt N for new verifiers; older ones keep theirs until the password is changed */
  constructor(place: VerifierPlace, cost = 131_072) {
    this.#path = join(place.state, `people-${place.workspaceId}.json`)
    this.#key = Buffer.from(hkdfSync('sha256', place.secret, place.workspaceId, 'affidavit/v1/password-verifiers', 32))
    this.#cost = cost
    if (!existsSync(this.#path)) return
    try {
      this.#people = this.#open(readFileSync(this.#path, 'utf8'))
    } catch {
      // Recording must go on; whoever signs in with a password is told.
      this.#damaged = true
    }
  }

  /** Whether the file is there and cannot be opened. */
  get damaged(): boolean {
    return this.#damaged
  }

  /** Whether a generation of a person's password can be checked. */
  has(ref: string, generation: number): boolean {
    return this.#find(ref, generation) !== undefined
  }

  /**
   * Whether this is the password of that generation. Takes as long for a person that does not exist.
   * @throws AffidavitError keys_unavailable: the file is damaged
   */
  async check(ref: string | undefined, generation: number, password: string): Promise<boolean> {
    if (this.#damaged) throw this.#notOpen()
    const found = ref === undefined ? undefined : this.#find(ref, generation)
    const salt = found ? Buffer.from(found.salt, 'base64') : randomBytes(16)
    const derived = await this.#one(() => derive(password, salt, found?.n ?? this.#cost))
    const expected = found ? Buffer.from(found.hash, 'base64') : randomBytes(HASH_BYTES)
    return expected.length === derived.length && timingSafeEqual(expected, derived) && found !== undefined
  }

  /**
   * Makes a password durable as the next generation. The one before stays until the one after comes: only the leaf decides which counts.
   * @throws AffidavitError keys_unavailable
   */
  async set(ref: string, generation: number, password: string): Promise<void> {
    if (this.#damaged) throw this.#notOpen()
    const salt = randomBytes(16)
    const hash = await this.#one(() => derive(password, salt, this.#cost))
    const made: Verifier = { generation, salt: salt.toString('base64'), n: this.#cost, r: 8, p: 1, hash: hash.toString('base64') }
    const before = (this.#people[ref] ?? []).filter((one) => one.generation === generation - 1)
    const people = { ...this.#people, [ref]: [...before, made] }
    writeFileDurably(this.#path, this.#seal(people))
    this.#people = people
  }

  #find(ref: string, generation: number): Verifier | undefined {
    if (!Object.hasOwn(this.#people, ref)) return undefined
    return this.#people[ref]?.find((one) => one.generation === generation)
  }

  #one<T>(work: () => Promise<T>): Promise<T> {
    const next = this.#last.then(work, work)
    this.#last = next.catch(() => {})
    return next
  }

  #notOpen(): AffidavitError {
    return new AffidavitError(
      'keys_unavailable',
      `the passwords cannot be checked: ${this.#path} is damaged or belongs to other keys; restore it, or sign in with the account of the operating system`
    )
  }

  #seal(people: Readonly<Record<string, readonly Verifier[]>>): string {
    const nonce = randomBytes(12)
    const cipher = createCipheriv('aes-256-gcm', this.#key, nonce)
    const sealed = Buffer.concat([nonce, cipher.update(JSON.stringify({ v: 1, people }), 'utf8'), cipher.final(), cipher.getAuthTag()])
    return JSON.stringify({ v: 1, sealed: sealed.toString('base64') })
  }

  #open(text: string): Readonly<Record<string, readonly Verifier[]>> {
    const sealed = Buffer.from(fileSchema.parse(JSON.parse(text)).sealed, 'base64')
    const decipher = createDecipheriv('aes-256-gcm', this.#key, sealed.subarray(0, 12))
    decipher.setAuthTag(sealed.subarray(sealed.length - 16))
    const content = Buffer.concat([decipher.update(sealed.subarray(12, sealed.length - 16)), decipher.final()])
    return contentSchema.parse(JSON.parse(content.toString('utf8'))).people
  }
}
