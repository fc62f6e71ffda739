// SPDX-License-Identifier: Apache-2.0
// What a bundle may hold so that every verifier reads it (EVIDENCE, Export bundle).
import { AffidavitError } from '../../shared/contract/errors.ts'
import { LIST_LINES, MOST_ENTRIES, SINGLE_LEAVES } from '../../shared/evidence/bundle-layout.ts'
import type { Leaf } from '../../shared/evidence/leaf.ts'
import { neededTiles } from '../../shared/evidence/verify-tiles.ts'
import type { AnyDb } from '../sqlite/open.ts'

/** Files beside those of leaves, with room to spare. */
const OTHER_FILES = 40

/** More parts are withheld one by one than a case can name. */
export const withheldTooMuch = (): AffidavitError =>
  new AffidavitError(
    'too_large',
    'what is withheld takes more than 64 MiB to name: withhold the part of every record instead of some, or export fewer records at a time'
  )

/**
 * Refuses leaves whose bundle would have more files than a bundle may.
 * @param erasures those among them with a part for each erased leaf
 * @throws AffidavitError too_large
 */
export function checkEntries(
  ledger: AnyDb,
  size: number,
  leaves: readonly number[],
  erasures: readonly number[],
  most = MOST_ENTRIES
): void {
  const bytesOf = ledger.prepare<[number], Buffer>('SELECT bytes FROM leaf WHERE seq = ?').pluck()
  const partsOf = (seqs: readonly number[]): number => {
    let parts = 0
    for (const seq of seqs) parts += (JSON.parse(bytesOf.get(seq)?.toString('utf8') ?? '{}') as Partial<Leaf>).parts?.length ?? 0
    return parts
  }
  const single = leaves.length <= SINGLE_LEAVES
  // Four parts is what a leaf has at most, but for those of erasures.
  const files = single
    ? leaves.length + 2 * partsOf(leaves)
    : neededTiles(size, leaves).length + Math.ceil((4 * leaves.length + partsOf(erasures)) / LIST_LINES)
  if (files + OTHER_FILES <= most) return
  const count = (n: number): string => n.toLocaleString('en-US')
  throw new AffidavitError(
    'too_large',
    `this bundle would have about ${count(files + OTHER_FILES)} files, and no verifier takes more than ${count(most)}: export fewer records at a time${single ? '' : ', or records that lie closer together in the log'}`
  )
}
