// SPDX-License-Identifier: Apache-2.0
import { AffidavitError } from '../../shared/contract/errors.ts'
import { erasedBy } from '../../shared/evidence/erasure-scope.ts'
import type { Leaf } from '../../shared/evidence/leaf.ts'
import { BY_RESTORE } from '../catalog/project-privacy.ts'
import type { ReaderContext } from '../threads/reader-context.ts'
import type { OpenPart } from '../vault/payload.ts'
import type { Selection } from './selection.ts'

/** Why a part is not in a bundle whose tree does not hold the leaf that took it yet. */
export const GONE_LATER = 'erased or disposed of, which was not done yet at the checkpoint of this bundle'

/** Why a part is not in a bundle: it went before a hold ended the erasure. */
export const GONE_BEFORE_HOLD = 'erased before a hold ended the erasure, as its erasure.refused says'

/** Why a part is not in a bundle: an earlier copy of the log was restored, and what was erased after it was erased in it again. */
const goneByRestore = (leaf: number): string => `erased or disposed of, and again by the restore in leaf ${leaf} (restore.done)`

/** What was there when the files were listed is gone now: no bundle can be made of both states. */
export const changedMeanwhile = (): AffidavitError =>
  new AffidavitError('conflict', 'records of this export were erased, disposed of or restricted while it was written: export again')

export interface BundleContent {
  /** All parts of a leaf that are there. @throws AffidavitError payload_missing, conflict */
  readonly partsOf: (seq: number) => readonly OpenPart[]
  /** Leaves whose content an erasure in this bundle took. */
  readonly erased: ReadonlySet<number>
  /** Leaves whose content is gone and that no erasure that was done at the checkpoint of this bundle accounts for, with why it is gone. */
  readonly gone: ReadonlyMap<number, string>
}

/** The content of the selected leaves as it is now. Content that goes later on is noticed where it is read. */
export function bundleContent(context: ReaderContext, selection: Selection): BundleContent {
  const { ledger, payloads } = context
  const leaf = ledger.prepare<[number], Buffer>('SELECT bytes FROM leaf WHERE seq = ?').pluck()
  const stored = ledger.prepare<[number], number>('SELECT 1 FROM payload WHERE seq = ?').pluck()
  const present = (seq: number): boolean => stored.get(seq) !== undefined && !(payloads.key(seq)?.every((byte) => byte === 0) ?? false)
  const leafOf = (seq: number): Partial<Leaf> => JSON.parse(leaf.get(seq)?.toString('utf8') ?? '{}') as Partial<Leaf>
  const hasParts = (seq: number): boolean => (leafOf(seq).parts ?? []).length > 0
  const open = (seq: number): readonly OpenPart[] => {
    const state = payloads.open(seq)
    if (state.state === 'missing')
      throw new AffidavitError('payload_missing', `the content of leaf ${seq} cannot be opened: verify the workspace before exporting`)
    return state.state === 'present' ? state.parts : []
  }
  const done = new Set(
    selection.erasures.map(leafOf).flatMap(({ type, data }) => (type === 'erasure.done' ? [String(data?.erasure_id)] : []))
  )
  const erased = new Set<number>()
  for (const seq of selection.erasures) {
    // An erasure that is not done at the checkpoint accounts for nothing yet.
    if (!done.has(String(leafOf(seq).data?.erasure_id))) continue
    for (const part of open(seq)) {
      const other = part.name.startsWith('scope.') ? erasedBy(part.data) : undefined
      if (other !== undefined) erased.add(other)
    }
  }
  const refused = context.catalog
    .prepare<[number, number], number>('SELECT 1 FROM erased d JOIN erasure e ON e.id = d.erasure WHERE d.seq = ? AND e.refused_seq < ?')
    .pluck()
  const restored = context.catalog
    .prepare<[number, string, number], number>('SELECT intent FROM erased WHERE seq = ? AND erasure = ? AND intent < ?')
    .pluck()
  const reasonOf = (seq: number): string => {
    const restore = restored.get(seq, BY_RESTORE, selection.checkpoint.size)
    if (restore !== undefined) return goneByRestore(restore)
    return refused.get(seq, selection.checkpoint.size) === undefined ? GONE_LATER : GONE_BEFORE_HOLD
  }
  const gone = new Map<number, string>()
  for (const seqs of [selection.records, selection.requests, selection.corrections])
    for (const seq of seqs) if (!erased.has(seq) && !present(seq) && hasParts(seq)) gone.set(seq, reasonOf(seq))
  return {
    erased,
    gone,
    partsOf: (seq) => {
      const parts = open(seq)
      if (erased.has(seq) || gone.has(seq)) return []
      if (parts.length === 0 && hasParts(seq)) throw changedMeanwhile()
      return parts
    }
  }
}
