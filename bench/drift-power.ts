// SPDX-License-Identifier: Apache-2.0
// How many requests after a change of version a verdict needs, and what a single outlier does to it.
import { type CountTable, countTableOf } from '../src/shared/stats/count-table.ts'
import { companions } from '../src/shared/stats/distances.ts'
import { effectLowerBound } from '../src/shared/stats/effect.ts'
import { ksTables } from '../src/shared/stats/ks.ts'
import { runLook } from '../src/shared/stats/look.ts'
import type { Series } from '../src/shared/stats/look-types.ts'
import { powerOf, seededRandom, shuffled, type VersionChange } from '../src/shared/stats/testing.ts'
import { type DriftRequest, FILES, origin, primes, versions } from './drift-data.ts'
import type { BenchRow } from './row.ts'

type Field = 'latency' | 'tokens' | 'characters'

const VERSIONS = {
  'gpt-4': ['gpt-4-0314', 'gpt-4-0613'],
  'gpt-3.5': ['gpt-3.5-turbo-0301', 'gpt-3.5-turbo-0613']
} as const
type Model = keyof typeof VERSIONS

const POWER = 0.8
// Random halves at the stated number of requests, and at each step of the search for the least number.
const RUNS = 2_000
const SMALL_RUNS = 10_000
const SEARCH_RUNS = 300

const pick = (requests: readonly DriftRequest[], dataset: string, model: string, field: Field): number[] =>
  requests.filter((one) => one.dataset === dataset && one.model === model).map((one) => one[field])

interface Question extends VersionChange {
  readonly holds: (reference: CountTable, current: CountTable) => boolean
}

const power = (question: Question, size: number, inOrder: boolean, runs = SEARCH_RUNS): number =>
  powerOf(question, size, runs, question.holds, inOrder)

/** The fewest requests from which on the power stays at 80 % over the next steps; undefined when all do not suffice. */
const requestsNeeded = (question: Question, inOrder: boolean): number | undefined => {
  const all = question.now.length
  if (power(question, all, inOrder) < POWER) return undefined
  let low = 1
  let high = all
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2)
    if (power(question, middle, inOrder) >= POWER) high = middle
    else low = middle
  }
  return high
}

const significant = (reference: CountTable, current: CountTable): boolean => ksTables(reference, current).p < 1e-5
const reachesFloor = (reference: CountTable, current: CountTable): boolean =>
  effectLowerBound(ksTables(reference, current, { maxSteps: 0 }).d, reference.total, current.total) >= 0.1

type Expectation = readonly [dataset: string, model: Model, field: Field, requests: number | undefined]

/** The file of 4,000 answers, 500 primes and 500 composites a model: what the expected counts of `prime` were taken from. */
const FULL = 'prime and composite'

const EXPECTED_P: readonly Expectation[] = [
  [FULL, 'gpt-4', 'latency', 16],
  [FULL, 'gpt-4', 'tokens', 8],
  [FULL, 'gpt-3.5', 'latency', 100],
  [FULL, 'gpt-3.5', 'tokens', 400],
  ['prime', 'gpt-4', 'latency', 16],
  ['prime', 'gpt-4', 'tokens', 8],
  ['prime', 'gpt-3.5', 'latency', 100],
  ['prime', 'gpt-3.5', 'tokens', 400],
  ['counthappynumber', 'gpt-4', 'latency', 8],
  ['counthappynumber', 'gpt-4', 'tokens', 8],
  ['counthappynumber', 'gpt-3.5', 'latency', 12],
  ['counthappynumber', 'gpt-3.5', 'tokens', 20],
  ['opinionqa', 'gpt-4', 'latency', 25],
  ['opinionqa', 'gpt-4', 'tokens', 25],
  ['opinionqa', 'gpt-3.5', 'latency', 16],
  ['opinionqa', 'gpt-3.5', 'tokens', undefined],
  ['sensitiveq', 'gpt-4', 'latency', 16],
  ['sensitiveq', 'gpt-4', 'tokens', 8],
  ['sensitiveq', 'gpt-3.5', 'latency', 75],
  ['sensitiveq', 'gpt-3.5', 'tokens', 20],
  ['leetcode_easy', 'gpt-4', 'latency', undefined],
  ['leetcode_easy', 'gpt-4', 'tokens', undefined],
  ['leetcode_easy', 'gpt-3.5', 'latency', undefined],
  ['leetcode_easy', 'gpt-3.5', 'tokens', undefined]
]

const EXPECTED_PIPELINE: readonly Expectation[] = [
  ['prime', 'gpt-4', 'latency', 50],
  ['prime', 'gpt-4', 'tokens', 50],
  ['counthappynumber', 'gpt-4', 'latency', 50],
  ['counthappynumber', 'gpt-4', 'tokens', 50],
  ['prime', 'gpt-3.5', 'latency', 125],
  ['prime', 'gpt-3.5', 'tokens', undefined]
]

const rowsOf = (what: string, expectations: readonly Expectation[], holds: Question['holds']): BenchRow[] => {
  const numeric = versions()
  const full = primes()
  return expectations.flatMap(([dataset, model, field, expected]): BenchRow[] => {
    const [before, after] = VERSIONS[model]
    const of = (version: string): number[] =>
      dataset === FULL ? pick(full, 'prime', version, field) : pick(numeric, dataset, version, field)
    const old = of(before)
    const now = of(after)
    if (old.length === 0 || now.length === 0) return []
    const needed = requestsNeeded({ old, now, holds }, false)
    const inOrder = requestsNeeded({ old, now, holds }, true)
    const count = (size: number | undefined): string => (size === undefined ? `more than ${now.length}` : `${size}`)
    const at = expected ?? now.length
    const runs = at <= 25 ? SMALL_RUNS : RUNS
    const reached = power({ old, now, holds }, at, false, runs)
    // Twice the standard error of a share of that many draws.
    const slack = 2 * Math.sqrt((POWER * (1 - POWER)) / runs)
    return [
      {
        name: `${what}, ${dataset} ${model} ${field}, ${at} requests`,
        value: reached,
        unit: '',
        expected: expected === undefined ? `under ${POWER}: not within its ${now.length}` : `at least ${POWER}, within ${slack.toFixed(3)}`,
        holds: expected === undefined ? reached < POWER : reached >= POWER - slack,
        note: `${POWER} from ${count(needed)} on drawn at random, from the first ${count(inOrder)} after the switch; ${origin(dataset === FULL ? FILES.prime : FILES.numeric)}`
      }
    ]
  })
}

/** C(good, k) C(bad, size - k) / C(good + bad, size): the share of all subsets of `size` that hold `k` of the good ones. */
const hypergeometric = (good: number, bad: number, size: number, k: number): number => {
  const choose = (n: number, r: number): number => Array.from({ length: r }, (_, i) => (n - i) / (i + 1)).reduce((all, one) => all * one, 1)
  return (choose(good, k) * choose(bad, size - k)) / choose(good + bad, size)
}

/**
 * The one count that is missed, over all subsets instead of drawn ones. 88 of the 100 answers of the new version have 10 tokens or fewer; 8
 * requests are enough when at least 7 are of those, and never with 6: the least p of such a draw is above 1e-5 for every half of the old
 * version, one-sided or two-sided, so no choice among these reaches 80 %.
 */
const countedPower = (): BenchRow[] => {
  const requests = versions()
  const [before, after] = VERSIONS['gpt-4']
  const old = pick(requests, 'sensitiveq', before, 'tokens')
  const now = pick(requests, 'sensitiveq', after, 'tokens')
  if (old.length === 0 || now.length === 0) return []
  const size = 8
  const low = now.filter((tokens) => tokens <= 10).length
  const share = [size - 1, size].reduce((sum, k) => sum + hypergeometric(low, now.length - low, size, k), 0)
  const random = seededRandom(8)
  const worst = { enough: 0, oneSided: 0, tooFew: 1 }
  for (let run = 0; run < SMALL_RUNS; run++) {
    const reference = countTableOf(shuffled(random, old).slice(0, Math.floor(old.length / 2)))
    const drawn = shuffled(random, now).slice(0, size)
    const current = countTableOf(drawn)
    const p = ksTables(reference, current).p
    const oneSided = ksTables(reference, current, { alternative: 'less' }).p
    if (drawn.filter((tokens) => tokens <= 10).length >= size - 1) {
      worst.enough = Math.max(worst.enough, p)
      worst.oneSided = Math.max(worst.oneSided, oneSided)
    } else worst.tooFew = Math.min(worst.tooFew, p, oneSided)
  }
  return [
    {
      name: `power at p < 1e-5, sensitiveq gpt-4 tokens, ${size} requests, counted over all subsets`,
      value: share,
      unit: '',
      expected: 'p < 1e-5 with 7 or 8 of 8 at 10 tokens or fewer, and with no fewer',
      holds: worst.enough < 1e-5 && worst.tooFew >= 1e-5,
      note: `${low} of ${now.length} have 10 tokens or fewer; largest p with 7 or 8 of them ${worst.enough.toExponential(1)} (one-sided ${worst.oneSided.toExponential(1)}), least p with fewer, either side, ${worst.tooFew.toExponential(1)}; ${origin(FILES.numeric)}`
    }
  ]
}

const wholeFile = (): BenchRow[] => {
  const requests = primes()
  const table = (model: string, field: Field) => countTableOf(pick(requests, 'prime', model, field))
  const [before, after] = VERSIONS['gpt-4']
  const fields = [
    ['latency', 'latency', 0.711],
    ['tokens', 'token_usage', 0.999],
    ['characters', 'response_length', 0.999]
  ] as const
  const look = runLook(
    fields.map(
      ([field, feature]): Series => ({
        kind: 'ks',
        model: after,
        source: 'file',
        feature,
        reference: table(before, field),
        current: table(after, field)
      })
    )
  )
  return look.verdicts.map((verdict, i): BenchRow => {
    const d = verdict.state === 'tested' ? verdict.d : Number.NaN
    const expected = fields[i]?.[2] ?? Number.NaN
    return {
      name: `one look, ${after} against pinned ${before}, D of ${verdict.feature}`,
      value: d,
      unit: '',
      expected: `${expected} and an alarm`,
      holds: verdict.alarmed && Math.abs(d - expected) < 0.0005,
      note: `${verdict.alarmed ? 'alarmed' : 'not alarmed'}, ${verdict.n} against ${verdict.m}; ${origin(FILES.prime)}`
    }
  })
}

const outlier = (): BenchRow[] => {
  const requests = versions()
  // The smallest set of the study; generated data have no such set.
  const dataset = requests.some((one) => one.dataset === 'leetcode_easy') ? 'leetcode_easy' : 'prime'
  const latencies = (model: string): number[] => pick(requests, dataset, model, 'latency').slice(0, 50)
  const [before, after] = VERSIONS['gpt-4']
  const old = countTableOf(latencies(before))
  const plain = countTableOf(latencies(after))
  const grafted = countTableOf([...latencies(after), 7_922_900])
  const ks = { plain: ksTables(old, plain), grafted: ksTables(old, grafted) }
  const quiet = ksTables(old, countTableOf([...latencies(before), 7_922_900]))
  const away = { plain: companions(old, plain), grafted: companions(old, grafted) }
  const said = (one: typeof quiet): string => `D ${one.d.toFixed(3)}, p ${one.p.toExponential(1)}`
  const shown = (what: 'psi' | 'js'): string => `${what} ${away.plain[what].toFixed(3)} and ${away.grafted[what].toFixed(3)}`
  return [
    {
      name: 'drift of 50 against 50 with one more latency of 7,922.9 s, D',
      value: ks.grafted.d,
      unit: '',
      expected: '0.62 and p 2.6e-9 as without it, within 1/50',
      holds: Math.abs(ks.grafted.d - ks.plain.d) <= 0.02 && ks.grafted.p < 1e-5 && ks.plain.p < 1e-5,
      note: `without ${said(ks.plain)}, with ${said(ks.grafted)}; ${shown('psi')}; ${shown('js')}; ${origin(FILES.numeric)}`
    },
    {
      name: 'no drift, 50 against the same 50 and one latency of 7,922.9 s, p',
      value: quiet.p,
      unit: '',
      expected: '1',
      holds: quiet.p > 0.99,
      note: said(quiet)
    }
  ]
}

/** Requests to 80 % power by p-value and by the pipeline's bound, the whole file in one look, and the outlier. */
export async function benchDriftPower(): Promise<BenchRow[]> {
  return [
    ...rowsOf('power at p < 1e-5', EXPECTED_P, significant),
    ...countedPower(),
    ...rowsOf('power at L >= 0.1', EXPECTED_PIPELINE, reachesFloor),
    ...wholeFile(),
    ...outlier()
  ]
}
