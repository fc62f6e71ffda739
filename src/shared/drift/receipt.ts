// SPDX-License-Identifier: Apache-2.0
// The receipt of a look: decided again from stored bodies alone, and held against what was recorded.
import type { DriftReceipt } from '../contract/drift-backtest.ts'
import type { BaselineBody, LookBody, SeriesReference, WindowBody } from '../event/drift-bodies.ts'
import { type JsonValue, jcs } from '../evidence/jcs.ts'
import { judgeSeries, type LookInput } from './judge.ts'

/** What a receipt is made from. `bodyOf` gives the decoded body of a leaf; undefined when it is not there. */
export interface ReceiptInput {
  readonly seq: number
  readonly time: string
  /** What the leaf says of its body. */
  readonly bodySha256: string
  readonly body: Partial<LookBody>
  readonly bodyOf: (seq: number) => object | undefined
  /** SHA-256 of UTF-8 text in hex. */
  readonly sha256: (text: string) => string
}

/**
 * Decides a look again. `reproduced` is true when body, references and every digit are what was recorded.
 * Never throws: whatever is missing or odd is a fault.
 */
export function receiptOf(input: ReceiptInput): DriftReceipt {
  const { body, sha256 } = input
  const faults: string[] = []
  const hashOf = (value: object): string => sha256(jcs(value as unknown as JsonValue))
  const known = new Map<string, WindowBody | undefined>()
  const windowOf = (reference: SeriesReference): WindowBody | undefined => {
    const { kind, seq, sha256: named } = reference
    if (known.has(named)) return known.get(named)
    const holder = seq === null ? body : input.bodyOf(seq)
    const found =
      kind === 'baseline' ? (holder as BaselineBody | undefined) : (holder as Partial<LookBody> | undefined)?.references?.[named]
    const where = seq === null ? 'this look' : `leaf ${seq}`
    if (found?.window === undefined) faults.push(`the reference in ${where} is not there`)
    else if (hashOf(found) !== named) faults.push(`the reference in ${where} is not the one that was used`)
    known.set(named, found?.window)
    return found?.window
  }
  const series = body.series ?? []
  let recomputed: string | null = null
  try {
    if (hashOf(body) !== input.bodySha256) faults.push('the body is not the one the leaf names')
    const inputs = series.flatMap((one): LookInput[] => {
      const against = windowOf(one.reference)
      if (!against) return []
      const { model, source, reference, since, current } = one
      const fresh = reference.seq === null ? (body.references?.[reference.sha256] ?? null) : null
      const history = Object.fromEntries(one.verdicts.map((verdict) => [verdict.numbers.feature, verdict.history]))
      return [{ model, source, reference, against, fresh, since, current, history }]
    })
    if (body.settings && body.query !== undefined && inputs.length === series.length)
      recomputed = hashOf(judgeSeries(inputs, body.settings, body.query).body)
  } catch {
    faults.push('the body cannot be read as a look')
  }
  if (recomputed !== null && recomputed !== input.bodySha256) faults.push('deciding again gives other digits')
  return {
    look_seq: input.seq,
    look_time: input.time,
    reproduced: faults.length === 0 && recomputed === input.bodySha256,
    body_sha256: input.bodySha256,
    recomputed_sha256: recomputed,
    faults,
    series: series.map(({ model, source, reference, verdicts }) => ({
      model,
      source,
      reference: reference.kind,
      numbers: verdicts.map((verdict) => verdict.numbers)
    }))
  }
}
