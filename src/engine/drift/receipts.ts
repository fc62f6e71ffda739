// SPDX-License-Identifier: Apache-2.0
// Receipts of looks, and the leaves that a bundle needs to give one; on a reader thread.
import { createHash } from 'node:crypto'
import type { DriftReceipt } from '../../shared/contract/drift-backtest.ts'
import { AffidavitError } from '../../shared/contract/errors.ts'
import { receiptOf } from '../../shared/drift/receipt.ts'
import type { LookBody } from '../../shared/event/drift-bodies.ts'
import type { LeafData } from '../../shared/evidence/leaf-data.ts'
import { leafData } from '../catalog/listings.ts'
import { bodyOf } from '../catalog/project-event.ts'
import type { ReaderContext } from '../threads/reader-context.ts'
import { lastLook } from './history.ts'

/** Decides a look of this workspace again; the newest when none is named. @throws AffidavitError not_found */
export function explainLook({ catalog, ledger, payloads }: ReaderContext, look: number | undefined): DriftReceipt {
  const seq = look ?? lastLook(catalog)?.seq
  const known = seq !== undefined && catalog.prepare<[number], number>('SELECT 1 FROM look WHERE seq = ?').pluck().get(seq) === 1
  const leaf = known ? leafData(ledger, seq) : undefined
  if (seq === undefined || !leaf)
    throw new AffidavitError('not_found', look === undefined ? 'no look has been run yet' : 'there is no such look')
  return receiptOf({
    seq,
    time: leaf.ts,
    bodySha256: (leaf.data as LeafData<'drift.look'>).body_sha256,
    body: bodyOf(payloads, seq) as Partial<LookBody>,
    bodyOf: (other) => bodyOf(payloads, other),
    sha256: (text) => createHash('sha256').update(text, 'utf8').digest('hex')
  })
}

/** What a bundle needs to decide verdicts again: looks go along whole, with every series that was judged in them. */
export interface ReceiptLeaves {
  /** Leaves of looks and of everything they were compared with. */
  readonly leaves: readonly number[]
  readonly looks: number
  /** Series, by name, whose names and count tables are in these looks. */
  readonly series: number
}

/** What the alerts of these leaves rest on, below a tree size. */
export function receiptLeaves({ catalog, payloads }: ReaderContext, alertLeaves: readonly number[], size: number): ReceiptLeaves {
  const looks = catalog
    .prepare<[string, number], number>(`
SELECT DISTINCT a.look
FROM alert a
JOIN alert_step s ON s.alert = a.id
JOIN json_each(?) wanted ON wanted.value = s.seq
WHERE a.look < ?`)
    .pluck()
    .all(JSON.stringify(alertLeaves), size)
  const found = new Set(looks)
  const names = new Set<string>()
  for (const look of looks) {
    const body = bodyOf(payloads, look) as Partial<LookBody>
    for (const { model, source, reference } of body.series ?? []) {
      names.add(JSON.stringify([model, source]))
      if (reference.seq !== null && reference.seq < size) found.add(reference.seq)
    }
  }
  return { leaves: [...found], looks: looks.length, series: names.size }
}
