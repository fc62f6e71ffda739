// SPDX-License-Identifier: Apache-2.0
// Whether the verdicts are worth what they say: size of the test, false alarms a day, the bound, and the same KS from tables and raw values.
import { countTableOf } from '../src/shared/stats/count-table.ts'
import { effectLowerBound } from '../src/shared/stats/effect.ts'
import { ksSamples, ksSorted, ksTables } from '../src/shared/stats/ks.ts'
import { DEFAULT_LOOK_SETTINGS, runLook } from '../src/shared/stats/look.ts'
import type { LookResult, LookSettings, Series } from '../src/shared/stats/look-types.ts'
import { secondLooks } from '../src/shared/stats/second-looks.ts'
import { type PastVerdict, seriesHistory } from '../src/shared/stats/series-history.ts'
import { drawWith, seededRandom, shuffled } from '../src/shared/stats/testing.ts'
import { drawTable, expand, FILES, origin, servegenWindows, tokenCounts } from './drift-data.ts'
import type { BenchRow } from './row.ts'

const sizeOfTest = (): BenchRow[] => {
  const random = seededRandom(41)
  return tokenCounts().flatMap(({ name, values }) =>
    [50, 100, 200, 500, 1000].map((n): BenchRow => {
      const runs = n === 1000 ? 4_000 : n === 500 ? 8_000 : 20_000
      let rejected = 0
      for (let run = 0; run < runs; run++) if (ksTables(drawTable(random, values, n), drawTable(random, values, n)).p <= 0.05) rejected++
      const size = rejected / runs
      return {
        name: `size of the test at nominal .05, ${name}, n = m = ${n}`,
        value: size,
        unit: '',
        expected: '.03 to .055',
        holds: size >= 0.03 && size <= 0.055,
        note: `${runs} runs, ${origin(FILES.code)}`
      }
    })
  )
}

interface Drawn {
  readonly values: Float64Array
  readonly n: number
  readonly m: number
  /** Tested verdicts of the last 28 days, as the gate sees them. */
  readonly past: PastVerdict[]
}

/** Hourly looks of 28 days. */
const HISTORY_LOOKS = 24 * 28

/** 400 series, each drawn from one window of real traffic. */
function nullSeries(): readonly Drawn[] {
  const windows = servegenWindows().filter(({ table }) => table.total >= 2_000 && table.total <= 200_000)
  const step = Math.max(1, Math.floor(windows.length / 400))
  return Array.from({ length: 400 }, (_, i) => {
    const table = windows[(i * step) % windows.length]?.table
    const values = table === undefined ? new Float64Array(1) : expand(table)
    return { values, n: 200 + ((i * 37) % 800), m: 50 + ((i * 17) % 250), past: [] }
  })
}

/** One look with the history of the series, which it becomes part of. `after`: what the current window of a series is drawn from. */
function lookAt(
  random: Parameters<typeof drawTable>[0],
  drawn: readonly Drawn[],
  settings: LookSettings,
  after = (one: Drawn, _i: number): Float64Array => one.values
): LookResult {
  const result = runLook(
    drawn.map((one, i): Series => {
      const history = seriesHistory(one.past)
      return {
        kind: 'ks',
        model: `m${i}`,
        source: 's',
        feature: 'token_usage',
        reference: drawTable(random, one.values, one.n),
        current: drawTable(random, after(one, i), one.m),
        ...(history ? { history } : {})
      }
    }),
    settings
  )
  for (const [i, verdict] of result.verdicts.entries()) {
    const past = drawn[i]?.past
    if (!past || verdict.state !== 'tested') continue
    past.push(verdict)
    if (past.length > HISTORY_LOOKS) past.shift()
  }
  return result
}

const falseAlarms = (): BenchRow[] => {
  const T = 16
  const days = 60
  const random = seededRandom(61)
  const drawn = nullSeries()
  const settings = { ...DEFAULT_LOOK_SETTINGS, looksPerFalseAlarm: T, minimumEffect: false }
  let falseLooks = 0
  let rejections = 0
  let alarms = 0
  for (let look = 0; look < 24 * days; look++) {
    const result = lookAt(random, drawn, settings)
    const significant = result.verdicts.filter((one) => one.state === 'tested' && one.p <= result.threshold).length
    if (significant > 0) falseLooks++
    rejections += significant
    alarms += result.alarms
  }
  const perDay = falseLooks / days
  const runLength = falseLooks === 0 ? Number.POSITIVE_INFINITY : (24 * days) / falseLooks
  const note = `${days} days, 400 series, 24 looks a day, each with its history of 28 days, ${origin(FILES.servegen)}`
  return [
    {
      name: 'false alarms a day before floor and gate, T = 16',
      value: perDay,
      unit: 'looks a day',
      expected: 'at most 1.5',
      holds: perDay <= 1.5,
      note
    },
    { name: 'average run length, T = 16', value: runLength, unit: 'looks', expected: 'at least 16', holds: runLength >= T, note },
    { name: 'significant series a day before floor and gate', value: rejections / days, unit: 'series a day', note },
    { name: 'alarms after floor and gate', value: alarms, unit: 'alarms', expected: '0', holds: alarms === 0, note }
  ]
}

/** What the gate lets through once it has a history: 20 quiet looks, then a tenth of the series shift by .4 and stay there. */
const behindTheGate = (): BenchRow[] => {
  const settings = { ...DEFAULT_LOOK_SETTINGS, minimumEffect: false }
  const random = seededRandom(67)
  const drawn = nullSeries()
  let quietAlarms = 0
  for (let look = 0; look < 20; look++) quietAlarms += lookAt(random, drawn, settings).alarms
  const shifts = (i: number): boolean => i % 10 === 0
  const shifted = (one: Drawn, i: number): Float64Array =>
    shifts(i) ? one.values.map((value, at) => (at % 5 < 2 ? value + 1_000_000 : value)) : one.values
  const found: [number, number] = [0, 0]
  let moderate = 0
  let falseAfter = 0
  const waiting = new Set<number>()
  for (const look of [0, 1] as const) {
    const { verdicts } = lookAt(random, drawn, settings, shifted)
    for (const [i, one] of verdicts.entries()) {
      if (one.state !== 'tested') continue
      if (one.alarmed && !shifts(i)) falseAfter++
      if (!shifts(i)) continue
      if (one.alarmed) found[look]++
      if (look === 0 && one.fired && !one.alarmed) waiting.add(i)
      if (look === 1 && one.alarmed && waiting.has(i)) moderate++
    }
  }
  const share = waiting.size === 0 ? 0 : moderate / waiting.size
  const note = `40 of 400 series shift by .4 after 20 quiet looks, T = 168; ${found[0]} alarm at the first look, ${waiting.size} wait for the second; ${origin(FILES.servegen)}`
  return [
    {
      name: 'false alarms in 22 looks with a history, T = 168',
      value: quietAlarms + falseAfter,
      unit: 'alarms',
      expected: '0',
      holds: quietAlarms + falseAfter === 0,
      note
    },
    {
      name: 'shifts with L below .3 that alarm at their second look, behind the gate',
      value: share,
      unit: '',
      expected: 'at least .8',
      holds: share >= 0.8,
      note
    }
  ]
}

/** What a second look by hand is worth: false first looks, without a floor, that the same requests and new ones of one window confirm. */
const byHand = (): BenchRow[] => {
  const random = seededRandom(69)
  const T = 16
  const windows = servegenWindows().filter(({ table }) => table.total >= 2_000 && table.total <= 200_000)
  const values = expand((windows[Math.floor(windows.length / 2)] ?? windows[0])?.table ?? countTableOf([1]))
  const draw = (size: number) => drawWith(random, values, size)
  const found = secondLooks({
    runs: 8_000,
    settings: { looksPerFalseAlarm: T, floor: 0, stepBudget: 0 },
    reference: draw,
    current: draw,
    n: 300,
    m: 100
  })
  const note = `${found.waiting} of ${found.looks} looks were false first ones, without a floor, T = ${T}; the same requests confirm ${found.bySame}; ${origin(FILES.servegen)}`
  const share = found.byNew / found.waiting
  const rate = found.byNew / found.looks
  return [
    {
      name: 'false first looks that a second one at new requests confirms',
      value: share,
      unit: '',
      expected: 'at most .25',
      holds: share <= 0.25,
      note
    },
    {
      name: 'second looks at new requests that alarm while nothing drifts, T = 16',
      value: rate,
      unit: 'a look',
      expected: 'at most 1 / 16',
      holds: rate <= 1 / T,
      note
    }
  ]
}

const bound = (): BenchRow[] => {
  const random = seededRandom(63)
  const windows = servegenWindows().filter(({ table }) => table.total >= 2_000 && table.total <= 1_000_000)
  const first = windows[0]
  if (first === undefined) throw new Error('a window is needed')
  // A second window of the same series, moderately far away.
  const gap = (other: (typeof windows)[number]): number => ksTables(first.table, other.table, { maxSteps: 0 }).d
  const second = windows.filter(({ series }) => series === first.series).sort((a, b) => Math.abs(gap(a) - 0.2) - Math.abs(gap(b) - 0.2))[0]
  if (second === undefined) throw new Error('two windows are needed')
  const truth = gap(second)
  const a = expand(first.table)
  const b = expand(second.table)
  return (
    [
      [100, 20_000],
      [1_000, 5_000],
      [10_000, 1_000],
      [100_000, 100],
      [1_000_000, 20]
    ] as const
  ).map(([n, runs]): BenchRow => {
    let above = 0
    let something = 0
    let sum = 0
    for (let run = 0; run < runs; run++) {
      const x = drawTable(random, a, n)
      const score = (values: Float64Array) => effectLowerBound(ksTables(x, drawTable(random, values, n), { maxSteps: 0 }).d, n, n)
      const l = score(b)
      sum += l
      if (l > truth) above++
      if (score(a) > 0) something++
    }
    return {
      name: `P(score > true D), n = m = ${n}`,
      value: above / runs,
      unit: '',
      expected: 'at most .05',
      holds: above / runs <= 0.05 && something / runs <= 0.05 && sum / runs <= truth,
      note: `mean score ${(sum / runs).toFixed(4)} of a true D of ${truth.toFixed(4)}; above 0 without drift in ${something} of ${runs} runs`
    }
  })
}

const tablesAgainstRaw = (): BenchRow[] => {
  const most = 1_000_000
  const random = seededRandom(65)
  const windows = servegenWindows()
  let pairs = 0
  let unequal = 0
  let resorted = 0
  let tooLarge = 0
  let before: { readonly series: string; readonly values: Float64Array } | undefined
  let beforeTable = windows[0]?.table
  for (const { series, table } of windows) {
    if (table.total > most) tooLarge++
    const values = table.total > most ? undefined : expand(table)
    if (values !== undefined && before?.series === series && beforeTable !== undefined) {
      const byTables = ksTables(beforeTable, table, { maxSteps: 0 })
      const raw = ksSorted({ sorted: before.values }, { sorted: values }, { maxSteps: 0 })
      pairs++
      if (JSON.stringify(byTables) !== JSON.stringify(raw)) unequal++
      // From values in random order, sorted again: for the small ones, because a million takes a while.
      if (values.length <= 20_000 && before.values.length <= 20_000) {
        resorted++
        const unsorted = ksSamples(shuffled(random, [...before.values]), shuffled(random, [...values]), { maxSteps: 0 })
        if (JSON.stringify(byTables) !== JSON.stringify(unsorted)) unequal++
      }
    }
    before = values === undefined ? undefined : { series, values }
    beforeTable = table
  }
  return [
    {
      name: 'pairs of consecutive windows whose KS from tables differs from the raw one in any digit',
      value: unequal,
      unit: `of ${pairs} pairs`,
      expected: '0',
      holds: unequal === 0 && pairs > 0,
      note: `${resorted} of them also from shuffled values; ${tooLarge} windows have more than a million values; ${origin(FILES.servegen)}`
    }
  ]
}

/** Size of the test, false alarms, the bound of the score, and tables against raw values. */
export async function benchDriftCalibration(): Promise<BenchRow[]> {
  return [...sizeOfTest(), ...falseAlarms(), ...behindTheGate(), ...byHand(), ...bound(), ...tablesAgainstRaw()]
}
