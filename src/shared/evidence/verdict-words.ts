// SPDX-License-Identifier: Apache-2.0
// How a verdict is said, in the app and in the page of a bundle alike.
import type { StepState } from './verify-steps.ts'

/** A verdict, as far as its words need it. */
export interface SpokenVerdict {
  readonly kind: 'valid' | 'consistent' | 'invalid' | 'unchecked'
  readonly verdict: string
  readonly steps: readonly { readonly state: StepState; readonly reasons: readonly { readonly message: string }[] }[]
  /** Null when the case cannot be read. */
  readonly records: number | null
  readonly withheld: number | null
  /** Leaves of which none is missing, where the bundle says so and step 5 passed. */
  readonly range?: { readonly first: number; readonly last: number } | null
  /** Restricted records in scope that were left out. */
  readonly leftOut?: number | null
}

/** The state of a step in words. */
export const stepWord: Record<StepState, string> = {
  pass: 'passed',
  fail: 'failed',
  not_checked: 'not checked here',
  absent: 'none'
}

/** What to do with a bundle that does not verify. */
export const whatToDo = [
  'Do not rely on any record of this bundle. Damage in transit and editing look the same from here.',
  'Ask for the file again by another way and compare its SHA-256 with the sender by phone.',
  'If it fails again, ask the sender for a fresh export of the same scope and tree size; the records can be compared one by one.'
] as const

/** Said of every bundle of a sample. */
export const SAMPLE = 'SAMPLE: generated data, no evidence.'

const count = (n: number): string => n.toLocaleString('en-US')

/** Title and one sentence. */
export function headline(report: SpokenVerdict): readonly [title: string, detail: string] {
  const failed = report.steps.filter((step) => step.state === 'fail')
  const reasons = failed.reduce((sum, step) => sum + step.reasons.length, 0)
  const records = report.records === null ? 'its records' : `${count(report.records)} records`
  const said = [
    report.range ? `; leaves ${report.range.first} to ${report.range.last}, no gap` : '',
    report.leftOut ? `; ${count(report.leftOut)} restricted records in scope were left out` : '',
    report.withheld ? `; ${count(report.withheld)} parts are withheld, each named` : ''
  ].join('')
  switch (report.kind) {
    case 'valid':
      return [
        report.range ? 'Verifies: genuine, unchanged, all accounted for' : 'Verifies: genuine and unchanged',
        `${records} are here, as recorded${said}.`
      ]
    case 'consistent':
      return [
        'Consistent, signer not confirmed',
        `${records} are unchanged since they were signed${said}. Who signed is known only once the keys are compared outside the bundle.`
      ]
    case 'invalid':
      return [
        `Does not verify: ${failed[0]?.reasons[0]?.message ?? 'a step failed'}`,
        `${count(reasons)} fault${reasons === 1 ? '' : 's'} in ${count(failed.length)} of six steps. One failure refuses the whole bundle.`
      ]
    case 'unchecked':
      return [report.verdict.charAt(0).toUpperCase() + report.verdict.slice(1), 'Some steps could not be checked here.']
  }
}
