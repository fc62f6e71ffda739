// SPDX-License-Identifier: Apache-2.0
import { AffidavitError } from '../../shared/contract/errors.ts'
import { type PrivacySettings, privacySettings } from '../../shared/contract/privacy.ts'
import type { Leaf } from '../../shared/evidence/leaf.ts'
import { packs } from '../../shared/privacy/kinds.ts'
import { PatternError } from '../../shared/privacy/linear-pattern.ts'
import { leavesOfType } from '../catalog/listings.ts'
import { bodyOf } from '../catalog/project-event.ts'
import { bodyPart } from '../ledger/body-part.ts'
import type { Actor, LeafDraft } from '../ledger/draft.ts'
import type { ReaderContext } from '../threads/reader-context.ts'
import type { ContentSource } from '../vault/payload-reader.ts'
import { compileOwn, defaultPrivacy } from './detectors.ts'

const PREFIX = 'privacy.'

/** The settings that a leaf brings, whole; undefined when it is about something else or its body is gone. */
export function privacyIn(leaf: Pick<Leaf, 'type' | 'data'>, seq: number, payloads: ContentSource): PrivacySettings | undefined {
  if (leaf.type !== 'setting.changed' || !String(leaf.data?.name).startsWith(PREFIX)) return undefined
  const parsed = privacySettings.safeParse(bodyOf(payloads, seq))
  return parsed.success ? parsed.data : undefined
}

/** The settings in force. */
export function readPrivacy({ catalog, ledger, payloads }: ReaderContext): PrivacySettings {
  const find = ledger.prepare<[number], Buffer>('SELECT bytes FROM leaf WHERE seq = ?').pluck()
  for (const seq of leavesOfType(catalog, ledger, 'setting.changed').reverse()) {
    const bytes = find.get(seq)
    const found = bytes && privacyIn(JSON.parse(bytes.toString('utf8')) as Leaf, seq, payloads)
    if (found) return found
  }
  return defaultPrivacy
}

/** What a caller changes; absent parts stay. */
export interface PrivacyChange {
  readonly packs?: { readonly [P in keyof PrivacySettings['packs']]?: PrivacySettings['packs'][P] | undefined } | undefined
  readonly patterns?: PrivacySettings['patterns'] | undefined
  readonly subject_attributes?: PrivacySettings['subject_attributes'] | undefined
}

/** The settings after a change. @throws AffidavitError bad_request: a pattern that cannot be run in bounded time, two of one name */
export function applyPrivacy(before: PrivacySettings, change: PrivacyChange): PrivacySettings {
  const given = Object.fromEntries(Object.entries(change.packs ?? {}).filter(([, mode]) => mode !== undefined))
  const after = privacySettings.parse({
    packs: { ...before.packs, ...given },
    patterns: change.patterns ?? before.patterns,
    subject_attributes: [...new Set(change.subject_attributes ?? before.subject_attributes)]
  })
  if (new Set(after.patterns.map(({ name }) => name)).size < after.patterns.length)
    throw new AffidavitError('bad_request', 'two own patterns have one name: masks could not be told apart')
  for (const { name } of after.patterns)
    try {
      compileOwn(after.patterns.filter((one) => one.name === name))
    } catch (error) {
      if (!(error instanceof PatternError)) throw error
      throw new AffidavitError('bad_request', `the pattern of ${name} is refused: ${error.message}`, { position: error.position })
    }
  return after
}

/** One leaf per changed setting. Patterns and attribute names stand in the encrypted body only, since they may tell of people. */
export function privacyDrafts(before: PrivacySettings, after: PrivacySettings, actor: Actor): LeafDraft[] {
  const { part } = bodyPart(after)
  const draft = (name: string, from: unknown, to: unknown): LeafDraft => ({
    type: 'setting.changed',
    actor,
    data: { name: PREFIX + name, from: JSON.stringify(from), to: JSON.stringify(to) },
    parts: [part]
  })
  const drafts = packs
    .filter((pack) => before.packs[pack] !== after.packs[pack])
    .map((pack) => draft(pack, before.packs[pack], after.packs[pack]))
  for (const name of ['patterns', 'subject_attributes'] as const)
    if (JSON.stringify(before[name]) !== JSON.stringify(after[name])) drafts.push(draft(name, before[name].length, after[name].length))
  return drafts
}
