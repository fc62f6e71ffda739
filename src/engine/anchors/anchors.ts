// SPDX-License-Identifier: Apache-2.0
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { writeFileDurably } from '../../node/durable-file.ts'
import type { Anchor, Anchoring } from '../../shared/contract/anchors.ts'
import { AffidavitError } from '../../shared/contract/errors.ts'
import type { Settings } from '../../shared/contract/workspace.ts'
import { toBase64 } from '../../shared/evidence/bytes.ts'
import { parseWitnessVkey } from '../../shared/evidence/cosignature.ts'
import { EvidenceError } from '../../shared/evidence/errors.ts'
import { parseCheckpoint } from '../../shared/evidence/note.ts'
import { certificateFacts, signedPart } from '../../shared/evidence/timestamp.ts'
import { footOfCheckpoint } from '../../shared/report/foot.ts'
import { type Clock, Elapsed } from '../clock.ts'
import { sha256, sha256Hex } from '../crypto.ts'
import type { Caller, Handlers } from '../handlers.ts'
import { bodyPart } from '../ledger/body-part.ts'
import type { AppendResult, LeafDraft } from '../ledger/draft.ts'
import { savedDraft } from '../ledger/saved-draft.ts'
import type { CheckpointRow } from '../ledger/store.ts'
import type { Projector } from '../threads/projector.ts'
import type { ReaderPool } from '../threads/reader-pool.ts'
import type { Identity } from '../workspace/identity.ts'
import { readPem, writePage } from './anchor-files.ts'
import { askWitness, type WitnessPeer } from './cosignatures.ts'
import { checkpointPageHtml } from './page.ts'
import { Retry } from './retry.ts'
import { stampCheckpoint } from './timestamps.ts'

export interface AnchorDeps {
  readonly pool: ReaderPool
  readonly projector: Projector
  readonly ledgerSize: () => number
  readonly append: (drafts: readonly LeafDraft[]) => Promise<readonly AppendResult[]>
  readonly settings: () => Settings
  readonly witnesses: { load(): Promise<void>; readonly peers: readonly WitnessPeer[] }
  /** The newest checkpoint over everything committed; null when read-only. */
  readonly checkpoint: () => Promise<CheckpointRow | null>
  /** The folder `anchors/` of the workspace. */
  readonly folder: string
  readonly identity: Identity
  /** Name of the workspace, for people. */
  readonly name: string
  /** The newest checkpoint there is, also when read-only. */
  readonly lastCheckpoint: () => CheckpointRow | undefined
  readonly clock: Clock
  readonly onChanged: () => void
  readonly onFailed: (error: unknown) => void
  /** How often it looks whether something is due; tests look more often. */
  readonly tickMs?: number
  readonly firstRetryMs?: number
}

/** Before anything was read. */
export const NOT_ANCHORING: Anchoring = { state: 'off', waiting_since: null, message: null, next: null }

const TICK_MS = 5_000
const FIRST_RETRY_MS = 60_000
const PATIENCE_MS = 10_000
/** An export does not wait longer for a timestamp of its checkpoint. */
const EXPORT_MS = 10_000

/**
 * Timestamps of checkpoints by an outside authority and cosignatures by witnesses: at most every N minutes while there are new leaves, at an export, and when asked.
 * Without a connection it waits, longer each time, and says since when.
 */
export class Anchors {
  readonly #deps: AnchorDeps
  #last: Anchor | null = null
  #sinceLast: Elapsed | undefined
  /** Size of the tree that everybody who is set to be asked has anchored. */
  #done: number | null = null
  #certificates: string | null = null
  #loaded: Promise<void> | undefined
  #timer: NodeJS.Timeout | undefined
  #asking: Promise<readonly Anchor[]> | undefined
  readonly #retry: Retry
  readonly #stopped = new AbortController()

  constructor(deps: AnchorDeps) {
    this.#deps = deps
    this.#retry = new Retry(deps.clock, deps.firstRetryMs ?? FIRST_RETRY_MS)
  }

  /** Begins to look for what is due. */
  start(): void {
    void this.#load().catch(this.#deps.onFailed)
    this.#timer = setInterval(() => void this.#tick().catch(this.#deps.onFailed), this.#deps.tickMs ?? TICK_MS)
    this.#timer.unref()
  }

  stop(): void {
    clearInterval(this.#timer)
    this.#stopped.abort()
  }

  /** The anchor that covers most leaves, for the status. */
  get last(): Anchor | null {
    return this.#last
  }

  get state(): Anchoring {
    const url = this.#deps.settings().tsa_url
    const waiting = this.#retry.since
    const dueIn = this.#dueIn()
    return {
      state:
        url === '' && this.#deps.witnesses.peers.length === 0
          ? 'off'
          : this.#asking
            ? 'asking'
            : waiting !== null
              ? 'waiting'
              : this.#behind()
                ? 'due'
                : 'current',
      waiting_since: waiting === null ? null : new Date(waiting).toISOString(),
      message: this.#retry.message,
      next: dueIn === null ? null : new Date(this.#deps.clock.now() + dueIn).toISOString()
    }
  }

  /**
   * Tries to have the newest checkpoint timestamped before an export. The size of the anchored tree when it holds everything recorded so far;
   * undefined otherwise: the bundle then has no timestamp.
   */
  async beforeExport(): Promise<number | undefined> {
    await this.#load()
    if (!this.#anyone()) return undefined
    const size = this.#deps.ledgerSize()
    const late = new Promise<null>((resolve) => setTimeout(() => resolve(null), EXPORT_MS).unref())
    await Promise.race([this.#now(), late]).catch(() => {})
    const anchored = this.#done
    return anchored !== null && anchored + this.#deps.witnesses.peers.length + 1 >= size ? anchored : undefined
  }

  readonly handlers: Handlers<'anchors.list' | 'anchors.now' | 'anchors.page' | 'anchors.trust_authority'> = {
    'anchors.list': async ({ limit }) => {
      await this.#load()
      await this.#caughtUp()
      const { tsa_url, tsa_every_minutes } = this.#deps.settings()
      return {
        anchors: await this.#deps.pool.run('anchors', { limit }),
        authority: {
          url: tsa_url,
          every_minutes: tsa_every_minutes,
          certificates: this.#certificates === null ? [] : certificateFacts(sha256, this.#certificates)
        },
        anchoring: this.state
      }
    },
    'anchors.now': async () => {
      await this.#load()
      return { anchored: [...(await this.#now())] }
    },
    'anchors.page': async ({ out, replace }, caller) => {
      const row = (await this.#deps.checkpoint()) ?? this.#deps.lastCheckpoint()
      if (!row) throw new AffidavitError('not_found', 'there is no checkpoint yet')
      const { identity, name } = this.#deps
      const html = checkpointPageHtml({
        note: signedPart(row.note),
        name,
        signed: new Date(row.signed_us / 1000).toISOString(),
        logKey: sha256Hex(identity.log.publicKey)
      })
      if (out !== undefined) {
        writePage(out, html, replace)
        await this.#deps.append([savedDraft(caller.actor, 'checkpoint_page', html)])
      }
      const { origin, root } = parseCheckpoint(row.note)
      return { html, footer: footOfCheckpoint(origin, { size: row.size, root: toBase64(root) }), size: row.size, path: out ?? null }
    },
    'anchors.trust_authority': async ({ path }, caller) => {
      const pem = readPem(path)
      let certificates: ReturnType<typeof certificateFacts>
      try {
        certificates = certificateFacts(sha256, pem)
      } catch (error) {
        if (!(error instanceof EvidenceError)) throw error
        throw new AffidavitError('not_this_format', `the file holds no certificate in PEM form that can be read`)
      }
      await this.#load()
      await this.#recordCertificates(pem, caller)
      this.#certificates = pem
      this.#retry.soon()
      return { certificates }
    }
  }

  async #recordCertificates(pem: string, caller: Caller): Promise<void> {
    const hashOf = (text: string | null) => JSON.stringify(text === null ? null : sha256Hex(Buffer.from(text, 'utf8')))
    const data = { name: 'tsa_certificates', from: hashOf(this.#certificates), to: hashOf(pem) }
    const [written] = await this.#deps.append([{ type: 'setting.changed', actor: caller.actor, data, parts: [bodyPart({ pem }).part] }])
    if (!written) throw new AffidavitError('read_only', 'the workspace is open read-only')
  }

  #load(): Promise<void> {
    this.#loaded ??= (async () => {
      await this.#caughtUp()
      await this.#deps.witnesses.load()
      const [certificates, last] = await Promise.all([
        this.#deps.pool.run('settingBody', { name: 'tsa_certificates' }),
        this.#deps.pool.run('widestAnchor', {})
      ])
      this.#certificates ??= typeof certificates?.pem === 'string' ? certificates.pem : null
      if (!this.#last && last) this.#anchored(last)
      this.#deps.onChanged()
    })().catch((error: unknown) => {
      this.#loaded = undefined
      throw error
    })
    return this.#loaded
  }

  /** Whether leaves were added since the last anchor. */
  #behind(): boolean {
    return this.#deps.ledgerSize() > (this.#done ?? this.#last?.size ?? 0) + this.#deps.witnesses.peers.length + 1
  }

  #anchored(anchor: Anchor): void {
    this.#last = anchor
    this.#sinceLast = new Elapsed(this.#deps.clock, Date.parse(anchor.time))
  }

  /** Milliseconds until the next attempt falls due; null when there is none. */
  #dueIn(): number | null {
    const { tsa_url, tsa_every_minutes } = this.#deps.settings()
    if ((tsa_url === '' && this.#deps.witnesses.peers.length === 0) || tsa_every_minutes === 0) return null
    if (this.#retry.since !== null) return this.#retry.dueIn
    return this.#sinceLast ? Math.max(0, tsa_every_minutes * 60_000 - this.#sinceLast.ms) : 0
  }

  async #tick(): Promise<void> {
    if (this.#dueIn() !== 0 || this.#asking || !this.#behind()) return
    await this.#load()
    if (!this.#anyone()) return
    await this.#now().catch(() => {})
  }

  /** Whether anybody can be asked. */
  #anyone(): boolean {
    return (this.#deps.settings().tsa_url !== '' && this.#certificates !== null) || this.#deps.witnesses.peers.length > 0
  }

  /** One attempt; a second caller gets the one that runs. Empty when the newest checkpoint is anchored already. */
  #now(): Promise<readonly Anchor[]> {
    this.#asking ??= this.#attempt().finally(() => {
      this.#asking = undefined
      this.#deps.onChanged()
    })
    return this.#asking
  }

  /** Asks everybody who is set. @throws AffidavitError of the first that failed, when none gave an anchor */
  async #attempt(): Promise<readonly Anchor[]> {
    const { tsa_url: url } = this.#deps.settings()
    const { peers } = this.#deps.witnesses
    if (url === '' && peers.length === 0)
      throw new AffidavitError('bad_request', 'nobody is set to anchor: give the address of a timestamp authority or of a witness')
    if (url !== '' && this.#certificates === null && peers.length === 0)
      throw new AffidavitError('bad_request', 'no certificate of the authority is trusted: import it as a PEM file first')
    const row = await this.#deps.checkpoint()
    if (!row) throw new AffidavitError('read_only', 'the workspace is open read-only: there is no new checkpoint to anchor')
    // The leaf of the anchor itself is no reason for another one.
    if (this.#done !== null && row.size <= this.#done + peers.length + 1) return []
    const given: Anchor[] = []
    const failures: unknown[] = []
    const attempt = async (work: () => Promise<Anchor | undefined>) => {
      try {
        const anchor = await work()
        if (anchor) given.push(anchor)
      } catch (error) {
        failures.push(error)
      }
    }
    if (url !== '') await attempt(() => this.#stamp(row, url))
    for (const peer of peers) await attempt(() => this.#cosign(row, peer))
    if (failures.length === 0) {
      this.#done = row.size
      this.#retry.succeeded()
      return given
    }
    const [first] = failures
    this.#retry.failed(first)
    if (given.length === 0) throw first
    return given
  }

  async #stamp(row: CheckpointRow, url: string): Promise<Anchor | undefined> {
    if (this.#certificates === null)
      throw new AffidavitError('bad_request', 'no certificate of the authority is trusted: import it as a PEM file first')
    const stamped = await stampCheckpoint(row, url, this.#certificates, this.#stopped.signal)
    return this.#keep(stamped.draft, row.size, { checkpoint: stamped.note, tsr: stamped.response })
  }

  async #cosign(row: CheckpointRow, peer: WitnessPeer): Promise<Anchor | undefined> {
    const { pool } = this.#deps
    const authority = sha256Hex(parseWitnessVkey(sha256, peer.vkey).publicKey)
    const cosigned = await askWitness({
      row,
      peer,
      lastSize: await pool.run('witnessedSize', { authority }),
      proof: (from, to) => pool.run('consistency', { from, to }),
      signal: this.#stopped.signal
    })
    return this.#keep(cosigned.draft, row.size, { cosigned: cosigned.note })
  }

  /** Copies in `anchors/`, and the leaf. */
  async #keep(draft: LeafDraft, size: number, files: Readonly<Record<string, string | Uint8Array>>): Promise<Anchor | undefined> {
    const { folder, append, pool } = this.#deps
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    for (const [suffix, content] of Object.entries(files)) writeFileDurably(join(folder, `${size}.${suffix}`), content)
    const [written] = await append([draft])
    if (!written) throw new AffidavitError('read_only', 'the workspace is open read-only')
    await this.#caughtUp()
    const [anchor] = await pool.run('anchors', { limit: 1 })
    if (anchor && (!this.#last || anchor.size >= this.#last.size)) this.#anchored(anchor)
    return anchor
  }

  async #caughtUp(): Promise<void> {
    await this.#deps.projector.waitFor(this.#deps.ledgerSize(), PATIENCE_MS)
  }
}
