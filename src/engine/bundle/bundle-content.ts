// SPDX-License-Identifier: Apache-2.0
import { AffidavitError } from '../../shared/contract/errors.ts'
import { erasedBy } from '../../shared/evidence/erasure-scope.ts'
import type { Leaf } from '../../shared/evidence/leaf.ts'
import type { ReaderContext } from '../threads/reader-context.ts'
import type { OpenPart } from '../vault/payload.ts'
import type { Selection } from './selection.ts'

/** Why a part is not in a bundle whose tree does not hold the leaf that took it yet. */
export const GONE_LATER = 'erased or disposed of after the checkpoint of this bundle'

/** What was there when the files were listed is gone now: no bundle can be made of both states. */
export const changedMeanwhile = (): AffidavitError =>
  new AffidavitError('conflict', 'records of this export were erased or disposed of while it was written: export again')

export interface BundleContent {
  /** All parts of a leaf that are there. @throws AffidavitError payload_missing, conflict */
  readonly partsOf: (seq: number) => readonly OpenPart[]
  /** Parts that no leaf of this bundle accounts for, because what took them came after its checkpoint. */
  readonly goneLater: readonly { readonly seq: number; readonly part: string }[]
}

/** The content of the selected leaves as it is now. Content that goes later on is noticed where it is read. */
export function bundleContent({ ledger, payloads }: ReaderContext, selection: Selection): BundleContent {
  const leaf = ledger.prepare<[number], Buffer>('SELECT bytes FROM leaf WHERE seq = ?').pluck()
  const stored = ledger.prepare<[number], number>('SELECT 1 FROM payload WHERE seq = ?').pluck()
  const present = (seq: number): boolean => stored.get(seq) !== undefined && !(payloads.key(seq)?.every((byte) => byte === 0) ?? false)
  const partNames = (seq: number): string[] => {
    const bytes = leaf.get(seq)
    return bytes ? ((JSON.parse(bytes.toString('utf8')) as Leaf).parts ?? []).map((part) => part.name) : []
  }
  const open = (seq: number): readonly OpenPart[] => {
    const state = payloads.open(seq)
    if (state.state === 'missing')
      throw new AffidavitError('payload_missing', `the content of leaf ${seq} cannot be opened: verify the workspace before exporting`)
    return state.state === 'present' ? state.parts : []
  }
  const accounted = new Set<number>()
  for (const seq of selection.erasures)
    for (const part of open(seq)) {
      const erased = part.name.startsWith('scope.') ? erasedBy(part.data) : undefined
      if (erased !== undefined) accounted.add(erased)
    }
  const goneLater: { seq: number; part: string }[] = []
  for (const seq of selection.records) {
    if (accounted.has(seq) || present(seq)) continue
    for (const part of partNames(seq)) goneLater.push({ seq, part })
    accounted.add(seq)
  }
  return {
    goneLater,
    partsOf: (seq) => {
      const parts = open(seq)
      if (accounted.has(seq)) return []
      if (parts.length === 0 && partNames(seq).length > 0) throw changedMeanwhile()
      return parts
    }
  }
}
