// SPDX-License-Identifier: Apache-2.0
import { AffidavitError } from '../../shared/contract/errors.ts'
import type { PrivacySettings } from '../../shared/contract/privacy.ts'
import type { CanonicalEvent } from '../../shared/event/canonical-event.ts'
import { detect, type OwnPattern } from '../../shared/privacy/detect.ts'
import { builtInPacks } from '../../shared/privacy/kinds.ts'
import { PatternError } from '../../shared/privacy/linear-pattern.ts'
import { Masker } from '../../shared/privacy/mask.ts'
import { restricted } from '../catalog/handlers.ts'
import type { Caller, Handlers } from '../handlers.ts'
import { bodyPart } from '../ledger/body-part.ts'
import type { AppendResult, LeafDraft } from '../ledger/draft.ts'
import type { Projector } from '../threads/projector.ts'
import type { ReaderPool } from '../threads/reader-pool.ts'
import { compileOwn, defaultPrivacy, redactorOf } from './detectors.ts'
import { applyPrivacy, privacyDrafts } from './settings.ts'

export interface PrivacyDeps {
  readonly pool: ReaderPool
  readonly projector: Projector
  readonly ledgerSize: () => number
  readonly append: (drafts: readonly LeafDraft[]) => Promise<readonly AppendResult[]>
  /** Whether somebody may see records that are restricted. */
  readonly seesRestricted: (caller: Caller) => boolean
}

const PATIENCE_MS = 2_000

/** Masking in views and redaction at ingest: the settings in force, and what follows from them. */
export class Privacy {
  readonly #deps: PrivacyDeps
  #settings: PrivacySettings = defaultPrivacy
  #redact = redactorOf(defaultPrivacy)

  constructor(deps: PrivacyDeps) {
    this.#deps = deps
  }

  /** Reads the settings from the ledger; before this, the defaults hold. */
  async start(): Promise<void> {
    this.#use(await this.#deps.pool.run('privacySettings', {}))
  }

  get settings(): PrivacySettings {
    return this.#settings
  }

  /** What is sealed of an event. */
  redact(event: CanonicalEvent): CanonicalEvent {
    return this.#redact(event)
  }

  #use(settings: PrivacySettings): void {
    this.#settings = settings
    this.#redact = redactorOf(settings)
  }

  readonly handlers: Handlers<'privacy.get' | 'privacy.set' | 'privacy.test' | 'records.unmask' | 'records.review'> = {
    'privacy.get': async () => this.#settings,
    'privacy.set': async (change, caller) => {
      const after = applyPrivacy(this.#settings, change)
      const drafts = privacyDrafts(this.#settings, after, caller.actor)
      if (drafts.length > 0) await this.#deps.append(drafts)
      this.#use(after)
      return after
    },
    'privacy.test': async ({ text, patterns = [] }) => {
      const own: OwnPattern[] = []
      const refused: { index: number; position: number; message: string }[] = []
      for (const [index, one] of patterns.entries()) {
        try {
          own.push(...compileOwn([one]))
        } catch (error) {
          if (!(error instanceof PatternError)) throw error
          refused.push({ index, position: error.position, message: error.message })
        }
      }
      const detectors = { packs: new Set([...builtInPacks, 'own'] as const), own }
      const found = detect(text, detectors).map(({ kind, start, end }) => ({ kind, start, end }))
      return { found, masked: new Masker(detectors).text(text), refused }
    },
    'records.review': async ({ seq, decision, note }, caller) => {
      const { pool, projector, append, ledgerSize } = this.#deps
      await projector.waitFor(ledgerSize(), PATIENCE_MS)
      const detail = await pool.run('recordDetail', { seq, privacy: this.#settings })
      if (!detail) throw new AffidavitError('not_found', 'there is no such record')
      if (detail.row.restricted && !this.#deps.seesRestricted(caller)) throw restricted()
      const data = { record: seq, decision }
      const [leaf] = await append([{ type: 'review.decided', actor: caller.actor, data, parts: [bodyPart({ note }).part] }])
      if (!leaf) throw new AffidavitError('read_only', 'the workspace is open read-only')
      return { seq: leaf.seq }
    },
    'records.unmask': async ({ seq, reason }, caller) => {
      const { pool, projector, append, ledgerSize } = this.#deps
      await projector.waitFor(ledgerSize(), PATIENCE_MS)
      const detail = await pool.run('recordDetail', { seq, privacy: null })
      if (!detail) throw new AffidavitError('not_found', 'there is no such record')
      if (detail.row.restricted && !this.#deps.seesRestricted(caller)) throw restricted()
      // On record before anything is shown.
      const [leaf] = await append([{ type: 'payload.unmasked', actor: caller.actor, data: { seq }, parts: [bodyPart({ reason }).part] }])
      return { ...detail, view_seq: leaf?.seq ?? null }
    }
  }
}
