// SPDX-License-Identifier: Apache-2.0
// For tests and benches: what becomes of looks that wait for a second one, at the requests of the first or at new ones.
import { countTableOf } from './count-table.ts'
import { DEFAULT_LOOK_SETTINGS, runLook } from './look.ts'
import type { LookSettings, SeriesHistory, TestedVerdict } from './look-types.ts'

/** What is simulated. */
export interface SecondLooks {
  readonly runs: number
  readonly settings: Partial<LookSettings>
  /** Draws so many values of the reference, and of the windows judged against it. */
  readonly reference: (size: number) => readonly number[]
  readonly current: (size: number) => readonly number[]
  readonly n: number
  readonly m: number
}

/** Looks that waited after the first, and of these the ones confirmed by the same requests and by as many new ones. */
export interface SecondLookCounts {
  readonly looks: number
  readonly waiting: number
  readonly bySame: number
  readonly byNew: number
}

const FIRED_BEFORE: SeriesHistory = { looks: 0, maxUnalarmedL: 0, maxD: 0, previousFired: true }

/** Runs pairs of looks at one series, each pair with a reference and windows of its own. */
export function secondLooks({ runs, settings, reference, current, n, m }: SecondLooks): SecondLookCounts {
  const rule = { ...DEFAULT_LOOK_SETTINGS, minimumEffect: false, ...settings }
  let waiting = 0
  let bySame = 0
  let byNew = 0
  for (let run = 0; run < runs; run++) {
    const before = countTableOf(reference(n))
    const look = (values: readonly number[], history?: SeriesHistory): TestedVerdict => {
      const [verdict] = runLook(
        [
          {
            kind: 'ks',
            model: 'm',
            source: 's',
            feature: 'token_usage',
            reference: before,
            current: countTableOf(values),
            ...(history ? { history } : {})
          }
        ],
        rule
      ).verdicts
      if (verdict?.state !== 'tested') throw new Error('these windows are tested')
      return verdict
    }
    const first = current(m)
    const verdict = look(first)
    if (!verdict.fired || verdict.alarmed) continue
    waiting++
    if (look(first, FIRED_BEFORE).alarmed) bySame++
    if (look(current(m), FIRED_BEFORE).alarmed) byNew++
  }
  return { looks: runs, waiting, bySame, byNew }
}
