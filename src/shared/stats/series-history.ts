// SPDX-License-Identifier: Apache-2.0
import type { SeriesHistory, TestedVerdict } from './look-types.ts'

/** What the gate needs of a tested verdict. */
export type PastVerdict = Pick<TestedVerdict, 'd' | 'l' | 'fired' | 'alarmed'>

/**
 * What a tested verdict leaves to the gate. L counts where the verdict did not fire; D counts too where it alarmed. One that fired and waits
 * for its second look leaves neither: it would shut out the look that confirms it.
 */
export const leftToGate = ({ d, l, fired, alarmed }: PastVerdict): { readonly l: number; readonly d: number } => ({
  l: fired ? 0 : l,
  d: fired && !alarmed ? 0 : d
})

/** The history that earlier tested verdicts of one series are, oldest first; undefined without one. */
export function seriesHistory(past: readonly PastVerdict[]): SeriesHistory | undefined {
  const last = past.at(-1)
  if (last === undefined) return undefined
  const left = past.map(leftToGate)
  return {
    looks: past.length,
    maxUnalarmedL: Math.max(0, ...left.map((one) => one.l)),
    maxD: Math.max(0, ...left.map((one) => one.d)),
    previousFired: last.fired
  }
}
