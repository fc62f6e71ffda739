// SPDX-License-Identifier: Apache-2.0
// What of the selected leaves stays closed, and why.

import { partOfPlace } from '../../shared/event/correction.ts'
import { erasedBy } from '../../shared/evidence/erasure-scope.ts'
import { beginsRecord, type Leaf } from '../../shared/evidence/leaf.ts'
import type { LeafData } from '../../shared/evidence/leaf-data.ts'
import { correctionIn } from '../catalog/notes-on-records.ts'
import { personalParts } from '../privacy/personal-parts.ts'
import { prepared } from '../sqlite/open.ts'
import type { ReaderContext } from '../threads/reader-context.ts'
import type { OpenPart } from '../vault/payload.ts'
import type { BundleContent } from './bundle-content.ts'
import { askedLeaves } from './selection.ts'
import { WithheldList } from './withheld-list.ts'
import type { WriteBundleInput } from './write-bundle.ts'

/** The part that holds what a leaf does not say of its call. */
const EVENT = 'event'
const NOT_ASKED = 'not asked for: here without content, so that no leaf of the range is missing'
const RESTRICTED = 'restricted: here without content, so that no leaf of the range is missing'

export interface Withholding {
  /** What of a leaf goes out. @throws AffidavitError payload_missing, conflict */
  readonly partsOut: (seq: number) => readonly OpenPart[]
  /** Whether the part `event` of a record goes out, or would if the record had one. */
  readonly opensEvent: (record: number) => boolean
  /** Names all that stays closed, in the order of the leaves. */
  readonly list: (leaves: readonly number[], leafOf: (seq: number) => Leaf) => { readonly withheld: WithheldList; readonly records: number }
}

function correctedRecord({ ledger }: ReaderContext, seq: number): number {
  const bytes = prepared<[number], { readonly bytes: Buffer }>(ledger, 'SELECT bytes FROM leaf WHERE seq = ?').get(seq)
  const { data } = JSON.parse(bytes?.bytes.toString('utf8') ?? '{}') as { readonly data: LeafData<'record.corrected'> }
  return data.record
}

/** Decides for each part of each leaf whether it goes out. */
export function withholding(context: ReaderContext, input: WriteBundleInput, content: BundleContent): Withholding {
  const { selection, withhold, withholdReason, withholdPersonal } = input
  const { partsOf, gone, erased } = content
  const named = new Set<string>(withhold)
  // Made only where they are asked: a million numbers need not be kept twice.
  const asked = selection.range ? new Set(askedLeaves(selection)) : undefined
  const restricted = new Set(selection.restrictedLeaves)
  const exported = new Set(
    withholdPersonal || selection.erasures.length > 0 ? [...selection.records, ...selection.requests, ...selection.corrections] : []
  )
  const reviews = new Set(selection.reviews)
  const corrections = new Set(named.size > 0 || withholdPersonal ? selection.corrections : [])
  const erasures = new Set(selection.erasures)
  const takenBy = context.catalog.prepare<[number, number], number>('SELECT 1 FROM erased WHERE seq = ? AND intent = ?').pluck()
  const personal = withholdPersonal ? personalParts(context) : undefined
  /** Why a leaf stays closed whole. */
  const unasked = (seq: number): string | undefined =>
    asked === undefined || asked.has(seq) ? undefined : restricted.has(seq) ? RESTRICTED : NOT_ASKED
  /** Whether the reason lies in what a part says, not in its name. */
  const read = (seq: number): boolean =>
    erasures.has(seq) || corrections.has(seq) || (personal !== undefined && (exported.has(seq) || reviews.has(seq)))
  /** Why a part of an erasure stays: it is about records that this bundle does not hold. */
  const beyondScope = (seq: number, part: OpenPart): string | undefined => {
    if (!erasures.has(seq)) return undefined
    if (part.name === 'body') return 'the certificate also names other records and recipients'
    const erased = erasedBy(part.data) ?? -1
    if (!exported.has(erased)) return 'another record of the same erasure'
    // A hold kept it from this erasure: whatever took it since is another.
    return takenBy.get(erased, seq) === undefined ? 'not taken by this erasure, which a hold ended' : undefined
  }
  /** Why a correction stays: for what keeps the part of the record that it corrects. */
  const withRecord = (seq: number): string | undefined => {
    if (!corrections.has(seq)) return undefined
    const record = correctedRecord(context, seq)
    const concerned = new Set<string>(correctionIn(context.payloads, seq)?.changes.map(({ what }) => partOfPlace(what)))
    return partsOf(record)
      .filter(({ name }) => concerned.has(name))
      .map((part) => reasonFor(record, part))
      .find((reason) => reason !== undefined)
  }
  const reasonFor = (seq: number, part: OpenPart): string | undefined => {
    if (named.has(part.name)) return withholdReason
    return ((exported.has(seq) || reviews.has(seq)) && personal?.(part)) || withRecord(seq) || beyondScope(seq, part)
  }
  return {
    partsOut: (seq) => (unasked(seq) === undefined ? partsOf(seq).filter((part) => reasonFor(seq, part) === undefined) : []),
    opensEvent: (record) =>
      !named.has(EVENT) &&
      unasked(record) === undefined &&
      (personal === undefined || partsOf(record).every((part) => part.name !== EVENT || reasonFor(record, part) === undefined)),
    list: (leaves, leafOf) => {
      const withheld = new WithheldList()
      let records = selection.records.length
      if (!asked && named.size === 0 && !personal && erasures.size === 0 && gone.size === 0) return { withheld, records }
      if (asked) records = 0
      for (const seq of leaves) {
        const leaf = leafOf(seq)
        if (asked && beginsRecord(leaf)) records++
        const whole = unasked(seq) ?? gone.get(seq)
        const opened = whole === undefined && !erased.has(seq) && read(seq) ? partsOf(seq) : undefined
        for (const { name } of leaf.parts ?? []) {
          const part = opened?.find((one) => one.name === name)
          const reason = whole ?? (part ? reasonFor(seq, part) : named.has(name) && !erased.has(seq) ? withholdReason : undefined)
          if (reason === undefined) withheld.show(name)
          else withheld.withhold(seq, name, reason)
        }
      }
      return { withheld, records }
    }
  }
}
