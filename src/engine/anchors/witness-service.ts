// SPDX-License-Identifier: Apache-2.0
import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { AffidavitError } from '../../shared/contract/errors.ts'
import type { WitnessReport } from '../../shared/contract/witness.ts'
import { formatWitnessVkey, parseWitnessVkey, witnessName } from '../../shared/evidence/cosignature.ts'
import { signingKeyId } from '../../shared/evidence/key-chain.ts'
import { parseVkey } from '../../shared/evidence/note.ts'
import { type Ed25519Key, ed25519FromSeed, sha256, sha256Hex } from '../crypto.ts'
import type { Handlers } from '../handlers.ts'
import { bodyPart } from '../ledger/body-part.ts'
import type { AppendResult, LeafDraft } from '../ledger/draft.ts'
import type { Projector } from '../threads/projector.ts'
import type { ReaderPool } from '../threads/reader-pool.ts'
import type { KeyHolder } from '../vault/keyring.ts'
import type { Vault } from '../vault/vault.ts'
import { anchorUrl } from './ask.ts'
import type { WitnessPeer } from './cosignatures.ts'
import { readWitnessState, Witness, type WitnessAnswer } from './witness.ts'

export interface WitnessServiceDeps {
  readonly pool: ReaderPool
  readonly projector: Projector
  readonly ledgerSize: () => number
  readonly append: (drafts: readonly LeafDraft[]) => Promise<readonly AppendResult[]>
  readonly holder: KeyHolder
  /** null when the workspace is open read-only: it witnesses nothing then. */
  readonly vault: Vault | null
  /** Folder outside the workspace: a copy of the workspace put back must not make the witness forget. */
  readonly state: string
  readonly workspaceId: string
}

interface Config {
  readonly serve: boolean
  readonly logs: readonly string[]
  readonly peers: readonly WitnessPeer[]
}

const NAME = 'witness'
const NOTHING: Config = { serve: false, logs: [], peers: [] }
const PATIENCE_MS = 10_000

/** Which logs this workspace witnesses, and which witnesses it asks. Off until a person sets it; each change is a leaf. */
export class WitnessService {
  readonly #deps: WitnessServiceDeps
  readonly #file: string
  #config: Config = NOTHING
  #witness: Witness | null = null
  #loaded: Promise<void> | undefined

  constructor(deps: WitnessServiceDeps) {
    this.#deps = deps
    this.#file = join(deps.state, `witness-${deps.workspaceId}.json`)
  }

  /** Answers `add-checkpoint`; null while this workspace is no witness. */
  async answer(body: Uint8Array): Promise<WitnessAnswer | null> {
    await this.load()
    return this.#witness?.answer(body) ?? null
  }

  /** Witnesses to ask for this log. */
  get peers(): readonly WitnessPeer[] {
    return this.#config.peers
  }

  /** Reads what was set last. */
  load(): Promise<void> {
    this.#loaded ??= (async () => {
      await this.#deps.projector.waitFor(this.#deps.ledgerSize(), PATIENCE_MS)
      const body = (await this.#deps.pool.run('settingBody', { name: NAME })) as Config | null
      if (body) this.#use(body)
    })().catch((error: unknown) => {
      this.#loaded = undefined
      throw error
    })
    return this.#loaded
  }

  readonly handlers: Handlers<'witness.report' | 'witness.configure'> = {
    'witness.report': async () => {
      await this.load()
      return this.#report()
    },
    'witness.configure': async (input, { actor }) => {
      const { vault, append } = this.#deps
      if (!vault) throw new AffidavitError('read_only', 'the workspace is open read-only')
      await this.load()
      const next: Config = {
        serve: input.serve ?? this.#config.serve,
        logs: input.logs?.map((vkey) => vkey.trim()) ?? this.#config.logs,
        peers: input.peers ?? this.#config.peers
      }
      checkConfig(next)
      if (next.serve) await this.#makeKey(vault)
      const hashOf = (config: Config) => JSON.stringify(sha256Hex(Buffer.from(JSON.stringify(config), 'utf8')))
      const data = { name: NAME, from: hashOf(this.#config), to: hashOf(next) }
      await append([{ type: 'setting.changed', actor, data, parts: [bodyPart(next).part] }])
      this.#use(next)
      return this.#report()
    }
  }

  #use(config: Config): void {
    this.#config = config
    const key = this.#key()
    this.#witness =
      config.serve && key && this.#deps.vault ? new Witness(this.#file, witnessName(sha256, key.publicKey), key, config.logs) : null
  }

  #key(): Ed25519Key | null {
    const { witness } = this.#deps.holder.ring
    return witness ? ed25519FromSeed(Buffer.from(witness.seed, 'base64')) : null
  }

  /** A key of its own: it must never sign for another purpose. */
  async #makeKey(vault: Vault): Promise<void> {
    const { holder } = this.#deps
    if (holder.ring.witness) return
    const seed = randomBytes(32)
    const { publicKey } = ed25519FromSeed(seed)
    await holder.update((ring) => ({
      ...ring,
      witness: { seed: seed.toString('base64'), since: new Date().toISOString() },
      owed: [
        ...ring.owed,
        {
          type: 'key.added',
          key_id: signingKeyId(sha256, witnessName(sha256, publicKey), publicKey),
          use: 'witness',
          public_key: Buffer.from(publicKey).toString('base64')
        }
      ]
    }))
    await vault.settle()
  }

  #report(): WitnessReport {
    const key = this.#key()
    const seen = readWitnessState(this.#file)
    const name = key && witnessName(sha256, key.publicKey)
    return {
      serve: this.#witness !== null,
      key: key && name ? { name, vkey: formatWitnessVkey(sha256, name, key.publicKey), fingerprint: sha256Hex(key.publicKey) } : null,
      logs: this.#config.logs.map((vkey) => {
        const origin = parseVkey(sha256, vkey).name
        const last = seen[origin]
        return { origin, vkey, size: last?.size ?? null, time: last?.time ?? null, refused: last?.refused ?? null }
      }),
      peers: this.#config.peers.map(({ url, vkey }) => ({ url, vkey, name: parseWitnessVkey(sha256, vkey).name }))
    }
  }
}

function checkConfig({ logs, peers }: Config): void {
  try {
    for (const vkey of logs) parseVkey(sha256, vkey)
    for (const { vkey } of peers) parseWitnessVkey(sha256, vkey)
  } catch {
    throw new AffidavitError('bad_request', 'a verifier key cannot be read: copy it whole, as name+id+key')
  }
  if (peers.some(({ url }) => !anchorUrl(url)))
    throw new AffidavitError('bad_request', 'the address of a witness must be an http or https address without a password')
}
