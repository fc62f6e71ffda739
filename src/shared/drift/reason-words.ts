// SPDX-License-Identifier: Apache-2.0
// Why a verdict is what it is, in words: the same in the views and on the command line.
import type { VerdictNumbers } from '../contract/drift.ts'
import { GATE_FACTOR, GATE_LOOKS, LARGE_EFFECT } from '../stats/look.ts'
import type { Reason } from '../stats/look-types.ts'

const words: Readonly<Record<Reason, string>> = {
  too_few_current: 'too few current requests',
  too_few_reference: 'too few reference requests',
  p_above_threshold: 'chance alone explains the gap within the budget of false alarms',
  effect_below_floor: 'L is below the smallest shift that alarms',
  gate_closed: `L is not beyond ${GATE_FACTOR} times what the series usually shows, and D is no record gap`,
  waiting_for_second_look: `it is beyond the rule once; with L below ${LARGE_EFFECT} it waits for a look at newer requests to say the same`,
  p_below_threshold: 'chance alone does not explain the gap within the budget of false alarms',
  effect_at_floor: 'L reaches the smallest shift that alarms',
  gate_short_history: `fewer than ${GATE_LOOKS} earlier looks say what is usual`,
  gate_beyond_usual: `L is beyond ${GATE_FACTOR} times what the series usually shows`,
  gate_record_gap: 'D is larger than ever before',
  large_effect: `with L of at least ${LARGE_EFFECT} one look is enough`,
  second_look: 'the look before said the same of other requests',
  immediate: 'one look was asked to be enough'
}

/** A reason in words; one that a later version gave stands as it is. */
const wordsOf = (reason: string): string => (words as Readonly<Record<string, string>>)[reason] ?? reason.replaceAll('_', ' ')

/** Why it alarmed, why it did not, or what it waits for: one clause for each reason, and the smallest effect it can find while it collects. */
export function whyWords(numbers: Pick<VerdictNumbers, 'alarmed' | 'state' | 'reasons' | 'minimum_effect'>): string {
  const { alarmed, state, reasons, minimum_effect } = numbers
  const why = reasons.map(wordsOf).join('; ')
  if (state === 'collecting')
    return minimum_effect === null
      ? `Not tested: ${why}.`
      : `Not tested: ${why}. With as many as now a shift of ${minimum_effect.toFixed(2)} or more would be found (80 % power).`
  if (reasons.includes('waiting_for_second_look') && reasons.length === 1) return `Waits for a second look: ${why}.`
  return `${alarmed ? 'Alarmed' : 'No alarm'}: ${why}.`
}
