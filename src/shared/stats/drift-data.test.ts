// SPDX-License-Identifier: Apache-2.0
import { existsSync, readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import Papa from 'papaparse'
import { describe, expect, it } from 'vitest'
import { type CountTable, countTableFromJson, countTableOf } from './count-table.ts'
import { effectLowerBound } from './effect.ts'
import { explainValues } from './explain.ts'
import { falseDiscovery } from './fdr.ts'
import { FEATURES } from './features.ts'
import { ksTables } from './ks.ts'
import { DEFAULT_LOOK_SETTINGS, groupAlarms, runLook } from './look.ts'
import type { Series } from './look-types.ts'
import { drawFrom, drawWith, powerOf, seededRandom, shuffled, tokenLike } from './testing.ts'

const data = new URL('../../../../shared/data/', import.meta.url)
const has = (name: string): boolean => existsSync(new URL(name, data))
const text = (name: string): string => readFileSync(new URL(name, data), 'utf8')
const rowsOf = (csv: string): Record<string, string>[] =>
  Papa.parse<Record<string, string>>(csv, { header: true, skipEmptyLines: true }).data

const label = (name: string, promise: string): string =>
  has(name) ? `${promise} (${name})` : `${name} is absent; on generated data, ${promise}`

interface Request {
  readonly dataset: string
  readonly model: string
  readonly latency: number
  readonly tokens: number
  readonly characters: number
}

const requestOf = (row: Record<string, string>, latency: string, tokens: string, characters: number): Request => ({
  dataset: row.dataset ?? '',
  model: (row.model ?? '').replace('openaichat/', ''),
  latency: Math.round(Number(row[latency]) * 1000),
  tokens: Number(row[tokens]),
  characters
})

// Old and new version of a model whose answers became several times longer, or by the given factor.
const generatedRequests = (seed: number, size: number, factor: number, model: string): Request[] => {
  const random = seededRandom(seed)
  return tokenLike(random, size, 200 * factor, 0.5).map((tokens) => ({
    dataset: 'prime',
    model,
    tokens,
    latency: tokens * 30 + Math.floor(random() * 500),
    characters: tokens * 4
  }))
}

const PRIME = 'llmdrift/PRIME_FULL_EVAL.csv'
const NUMERIC = 'llmdrift/llmdrift_numeric.csv'

describe('a known change of version', () => {
  const requests: readonly Request[] = has(PRIME)
    ? rowsOf(text(PRIME)).map((row) => requestOf(row, 'latency', 'answer_token', (row.answer ?? '').length))
    : [...generatedRequests(1, 1000, 1, 'gpt-4-0314'), ...generatedRequests(2, 1000, 0.01, 'gpt-4-0613')]

  const lookAt = (old: string, current: string, extra: readonly number[] = []) => {
    const pick = (model: string, field: 'latency' | 'tokens' | 'characters') =>
      requests.filter((request) => request.model === model).map((request) => request[field])
    const name = { kind: 'ks', model: current, source: 'file' } as const
    const series: Series[] = [
      {
        ...name,
        feature: 'latency',
        reference: countTableOf(pick(old, 'latency')),
        current: countTableOf([...pick(current, 'latency'), ...extra])
      },
      { ...name, feature: 'token_usage', reference: countTableOf(pick(old, 'tokens')), current: countTableOf(pick(current, 'tokens')) },
      {
        ...name,
        feature: 'response_length',
        reference: countTableOf(pick(old, 'characters')),
        current: countTableOf(pick(current, 'characters'))
      }
    ]
    return { series, result: runLook(series) }
  }

  it(label(PRIME, 'gpt-4 alarms on all three value features in one look'), () => {
    const { result, series } = lookAt('gpt-4-0314', 'gpt-4-0613')
    expect(result).toMatchObject({ tests: 3, alarms: 3 })
    const [group] = groupAlarms(result.verdicts)
    expect(group?.driftedFeatures).toBe('latency,token_usage,response_length')
    expect(group?.features).toEqual(FEATURES.slice(0, 3).map((feature) => feature.name))
    if (!has(PRIME)) return
    expect(result.verdicts.map((verdict) => [verdict.n, verdict.m])).toEqual(Array(3).fill([1000, 1000]))
    expect(result.verdicts.map((verdict) => (verdict.state === 'tested' ? verdict.d : 0))).toEqual([0.711, 0.999, 0.999])
    const [latency] = series
    const [verdict] = result.verdicts
    if (latency?.kind !== 'ks' || verdict?.state !== 'tested' || verdict.dLocation === undefined) throw new Error('not tested')
    const said = explainValues({ ...latency, dLocation: verdict.dLocation, d: verdict.d, lowerBound: verdict.l })
    expect(said.direction).toBe('lower')
    expect(said.headline).toMatch(/^\d+(\.\d)? % of requests finished within \d+(\.\d+)? (s|ms), now \d+(\.\d)? %\.$/)
  })

  it(label(PRIME, 'a version against itself does not alarm, and one latency of 7,922.9 s does not make it'), () => {
    const model = 'gpt-4-0314'
    for (const extra of [[], [7_922_900]]) {
      const { result } = lookAt(model, model, extra)
      expect(result.alarms).toBe(0)
    }
  })

  it(label(PRIME, 'one latency of 7,922.9 s does not hide a drift of 50 against 50'), () => {
    const latencies = (model: string) => requests.filter((request) => request.model === model).map((request) => request.latency)
    const old = countTableOf(latencies('gpt-4-0314').slice(0, 50))
    const now = latencies('gpt-4-0613').slice(0, 50)
    const plain = ksTables(old, countTableOf(now))
    const grafted = ksTables(old, countTableOf([...now, 7_922_900]))
    expect(plain.p).toBeLessThan(1e-6)
    expect(grafted.p).toBeLessThan(1e-6)
    expect(Math.abs(grafted.d - plain.d)).toBeLessThanOrEqual(1 / 51 + 1e-12)
  })
})

describe('power', () => {
  const requests: readonly Request[] = has(NUMERIC)
    ? rowsOf(text(NUMERIC)).map((row) => requestOf(row, 'latency_s', 'answer_tokens', Number(row.answer_chars)))
    : []
  const pick = (dataset: string, model: string, field: 'latency' | 'tokens') =>
    requests.filter((request) => request.dataset === dataset && request.model === model).map((request) => request[field])

  // Share of random halves of the old version against `size` requests of the new one for which the condition holds.
  const share = (
    dataset: string,
    model: string,
    field: 'latency' | 'tokens',
    size: number,
    holds: (reference: CountTable, current: CountTable) => boolean
  ): number => {
    const [before, after] = model === 'gpt-4' ? ['gpt-4-0314', 'gpt-4-0613'] : ['gpt-3.5-turbo-0301', 'gpt-3.5-turbo-0613']
    const old = has(NUMERIC) ? pick(dataset, before, field) : generatedRequests(1, 500, 1, '').map((r) => r[field])
    const now = has(NUMERIC)
      ? pick(dataset, after, field)
      : generatedRequests(2, 500, model === 'gpt-4' ? 0.05 : 1.7, '').map((r) => r[field])
    return powerOf({ old, now }, size, 200, holds)
  }

  const significant = (reference: CountTable, current: CountTable): boolean => ksTables(reference, current).p < 1e-5

  it(label(NUMERIC, '80 % power at p < 1e-5 with the stated numbers of requests'), () => {
    if (!has(NUMERIC)) {
      expect(share('prime', 'gpt-4', 'tokens', 16, significant)).toBeGreaterThanOrEqual(0.8)
      return
    }
    // sensitiveq, gpt-4, tokens is stated as 8, which is enough in 75.48 % of all subsets (docs/drift.md); 11 are in 86 %.
    // The others allow for the spread of 200 draws.
    const stated = [
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
      ['sensitiveq', 'gpt-4', 'latency', 16],
      ['sensitiveq', 'gpt-4', 'tokens', 11],
      ['sensitiveq', 'gpt-3.5', 'latency', 75],
      ['sensitiveq', 'gpt-3.5', 'tokens', 20]
    ] as const
    for (const [dataset, model, field, size] of stated) {
      expect(share(dataset, model, field, size, significant), `${dataset} ${model} ${field} ${size}`).toBeGreaterThanOrEqual(0.77)
    }
  })

  it(label(NUMERIC, 'of the one count that is missed: 7 short answers of 8 are enough against every half, 6 against none'), () => {
    if (!has(NUMERIC)) return
    const old = pick('sensitiveq', 'gpt-4-0314', 'tokens')
    const now = pick('sensitiveq', 'gpt-4-0613', 'tokens')
    const short = now.filter((tokens) => tokens <= 10)
    const long = now.filter((tokens) => tokens > 10)
    expect([short.length, long.length]).toEqual([88, 12])
    const random = seededRandom(8)
    const pOf = (few: number, alternative: 'two-sided' | 'less' | 'greater') =>
      Array.from({ length: 100 }, () => {
        const half = shuffled(random, old).slice(0, 50)
        const drawn = [...shuffled(random, short).slice(0, few), ...shuffled(random, long).slice(0, 8 - few)]
        return ksTables(countTableOf(half), countTableOf(drawn), { alternative }).p
      })
    expect(Math.max(...pOf(7, 'two-sided'))).toBeLessThan(1e-5)
    // The old version tends to be longer: its distribution function lies below.
    expect(Math.min(...pOf(6, 'two-sided'), ...pOf(6, 'less'))).toBeGreaterThan(1e-5)
    expect(Math.max(...pOf(7, 'less'))).toBeLessThan(1e-5)
  })

  const reaches = (reference: CountTable, current: CountTable): boolean =>
    effectLowerBound(ksTables(reference, current, { maxSteps: 0 }).d, reference.total, current.total) >= 0.1

  it(label(NUMERIC, 'L reaches the floor within 50 requests for a strong change, about 125 for a moderate one'), () => {
    const datasets = has(NUMERIC) ? (['prime', 'counthappynumber'] as const) : (['prime'] as const)
    for (const dataset of datasets) {
      for (const field of ['latency', 'tokens'] as const) {
        expect(share(dataset, 'gpt-4', field, 50, reaches), `${dataset} ${field}`).toBeGreaterThanOrEqual(0.8)
      }
    }
    if (!has(NUMERIC)) return
    expect(share('prime', 'gpt-3.5', 'latency', 140, reaches)).toBeGreaterThanOrEqual(0.77)
    expect(share('prime', 'gpt-3.5', 'latency', 100, reaches)).toBeLessThan(0.8)
    expect(share('prime', 'gpt-3.5', 'tokens', 500, reaches)).toBeLessThan(0.8)
  })
})

const AZURE = 'azure2023/AzureLLMInferenceTrace_code.csv'

describe('size of the test', () => {
  it(label(AZURE, 'at nominal .05 it lies in [.03, .055] on token counts'), () => {
    const random = seededRandom(41)
    const counts = has(AZURE) ? rowsOf(text(AZURE)).map((row) => Number(row.GeneratedTokens)) : tokenLike(random, 8000, 20)
    for (const [n, runs] of [
      [50, 4000],
      [200, 4000],
      [1000, 1500]
    ] as const) {
      let rejected = 0
      for (let run = 0; run < runs; run++) {
        const result = ksTables(countTableOf(drawWith(random, counts, n)), countTableOf(drawWith(random, counts, n)))
        expect(result.method).toBe('exact')
        if (result.p <= 0.05) rejected++
      }
      expect(rejected / runs, `n = ${n}`).toBeGreaterThanOrEqual(0.03)
      expect(rejected / runs, `n = ${n}`).toBeLessThanOrEqual(0.055)
    }
  })
})

const SERVEGEN = 'servegen/servegen_counts.jsonl.gz'

const servegenTables = (limit: number): readonly CountTable[] => {
  if (!has(SERVEGEN)) {
    const random = seededRandom(51)
    return Array.from({ length: limit }, (_, i) => countTableOf(tokenLike(random, 20_000, 100 + 40 * i)))
  }
  const lines = gunzipSync(readFileSync(new URL(SERVEGEN, data)))
    .toString('utf8')
    .split('\n')
  const tables: CountTable[] = []
  for (let i = 0; i < lines.length && tables.length < limit; i += 40) {
    const line = lines[i] ?? ''
    if (line === '') continue
    const parsed: unknown = JSON.parse(line)
    const table = countTableFromJson(parsed)
    if (table.total >= 5000) tables.push(table)
  }
  return tables
}

describe('false alarms', () => {
  it(label(SERVEGEN, 'at most 24 / T looks a day are significant while nothing drifts, before floor and gate'), () => {
    const random = seededRandom(61)
    const tables = servegenTables(100)
    const settings = { ...DEFAULT_LOOK_SETTINGS, looksPerFalseAlarm: 16 }
    const looks = 24 * 6
    let significant = 0
    let alarmed = 0
    for (let look = 0; look < looks; look++) {
      const series = tables.map((table, i): Series => {
        const draw = (size: number) => countTableOf(drawFrom(random, table, size))
        return { kind: 'ks', model: `m${i}`, source: 's', feature: 'token_usage', reference: draw(200), current: draw(50) }
      })
      const result = runLook(series, settings)
      if (result.verdicts.some((verdict) => verdict.state === 'tested' && verdict.p <= result.threshold)) significant++
      if (result.alarms > 0) alarmed++
    }
    // 9 are expected at most; 17 would be beyond three standard deviations of that.
    expect(significant).toBeLessThanOrEqual(16)
    expect(alarmed).toBe(0)
  }, 60_000)

  it('the family-wise level holds for uniform p-values', () => {
    const random = seededRandom(62)
    let any = 0
    for (let look = 0; look < 4000; look++) {
      if (falseDiscovery(Array.from({ length: 400 }, random), 1 / 16).rejections > 0) any++
    }
    expect(any / 4000).toBeLessThan(1 / 16 + 3 * Math.sqrt(0.0586 / 4000))
    expect(any / 4000).toBeGreaterThan(1 / 16 - 4 * Math.sqrt(0.0586 / 4000))
  })

  it(label(SERVEGEN, 'the score is a bound of the true gap at every sample size and does not grow with it'), () => {
    const random = seededRandom(63)
    const [a, b] = servegenTables(40).filter((_, i) => i === 0 || i === 7)
    if (a === undefined || b === undefined) throw new Error('two windows are needed')
    const truth = ksTables(a, b, { maxSteps: 0 }).d
    for (const [size, runs] of [
      [100, 1000],
      [1000, 200],
      [10_000, 40],
      [1_000_000, 1]
    ] as const) {
      let above = 0
      let aboveNothing = 0
      let sum = 0
      for (let run = 0; run < runs; run++) {
        const x = countTableOf(drawFrom(random, a, size))
        const score = (other: CountTable) =>
          effectLowerBound(ksTables(x, countTableOf(drawFrom(random, other, size)), { maxSteps: 0 }).d, size, size)
        const one = score(b)
        sum += one
        if (one > truth) above++
        if (score(a) > 0) aboveNothing++
      }
      // One bound of a family of four has its share of the error; whatever n is, the score stays below what is true.
      expect(above / runs, `n = ${size}`).toBeLessThanOrEqual(0.05 / 4)
      expect(aboveNothing / runs, `n = ${size}`).toBeLessThanOrEqual(0.05 / 4)
      expect(sum / runs, `n = ${size}`).toBeLessThanOrEqual(truth)
    }
  }, 60_000)
})
