// SPDX-License-Identifier: Apache-2.0
// The real data of the drift figures, from ../shared/data; where it is absent, generated data of the same kind, and every row says so.
import { existsSync, readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import Papa from 'papaparse'
import { type CountTable, countTableFromJson, countTableOf } from '../src/shared/stats/count-table.ts'
import { seededRandom, tokenLike } from '../src/shared/stats/testing.ts'

const folder = new URL('../../shared/data/', import.meta.url)

const has = (name: string): boolean => existsSync(new URL(name, folder))

const csv = (name: string): Record<string, string>[] =>
  Papa.parse<Record<string, string>>(readFileSync(new URL(name, folder), 'utf8'), { header: true, skipEmptyLines: true }).data

/** What a row says of its data. */
export const origin = (name: string): string => (has(name) ? name : `${name} is absent: generated data`)

export const FILES = {
  numeric: 'llmdrift/llmdrift_numeric.csv',
  prime: 'llmdrift/PRIME_FULL_EVAL.csv',
  code: 'azure2023/AzureLLMInferenceTrace_code.csv',
  conversation: 'azure2023/AzureLLMInferenceTrace_conv.csv',
  servegen: 'servegen/servegen_counts.jsonl.gz'
} as const

export interface DriftRequest {
  readonly dataset: string
  readonly model: string
  /** Whole milliseconds. */
  readonly latency: number
  readonly tokens: number
  readonly characters: number
}

const generated = (seed: number, model: string, factor: number): DriftRequest[] => {
  const random = seededRandom(seed)
  return tokenLike(random, 500, 200 * factor, 0.5).map((tokens) => ({
    dataset: 'prime',
    model,
    tokens,
    latency: tokens * 30 + Math.floor(random() * 500),
    characters: tokens * 4
  }))
}

const generatedVersions = (): DriftRequest[] => [
  ...generated(1, 'gpt-4-0314', 1),
  ...generated(2, 'gpt-4-0613', 0.02),
  ...generated(3, 'gpt-3.5-turbo-0301', 1),
  ...generated(4, 'gpt-3.5-turbo-0613', 1.6)
]

/** Requests of both versions of two models, on the same prompts. */
export const versions = (): readonly DriftRequest[] =>
  has(FILES.numeric)
    ? csv(FILES.numeric).map((row) => ({
        dataset: row.dataset ?? '',
        model: row.model ?? '',
        latency: Math.round(Number(row.latency_s) * 1000),
        tokens: Number(row.answer_tokens),
        characters: Number(row.answer_chars)
      }))
    : generatedVersions()

/** The file of 4,000 answers about prime numbers. */
export const primes = (): readonly DriftRequest[] =>
  has(FILES.prime)
    ? csv(FILES.prime).map((row) => ({
        dataset: 'prime',
        model: (row.model ?? '').replace('openaichat/', ''),
        latency: Math.round(Number(row.latency) * 1000),
        tokens: Number(row.answer_token),
        characters: (row.answer ?? '').length
      }))
    : generatedVersions()

/** Four columns of token counts. */
export const tokenCounts = (): readonly { readonly name: string; readonly values: readonly number[] }[] =>
  [FILES.code, FILES.conversation].flatMap((file, i) =>
    (['ContextTokens', 'GeneratedTokens'] as const).map((column, j) => ({
      name: `${i === 0 ? 'code' : 'conversation'} ${column}`,
      values: has(file) ? csv(file).map((row) => Number(row[column])) : tokenLike(seededRandom(10 * i + j), 10_000, j === 0 ? 1000 : 40)
    }))
  )

export interface ServegenWindow {
  /** Model, client and feature. */
  readonly series: string
  /** Start of the window in seconds. */
  readonly t: number
  readonly table: CountTable
}

interface ServegenLine {
  readonly model: string
  readonly client: number
  readonly t: number
  readonly feature: string
}

/** Every window, by series and time. */
export function servegenWindows(): readonly ServegenWindow[] {
  if (!has(FILES.servegen)) {
    const random = seededRandom(51)
    return Array.from({ length: 400 }, (_, i) => ({
      series: `generated ${Math.floor(i / 20)}`,
      t: (i % 20) * 21_600,
      table: countTableOf(tokenLike(random, 2_000, 100 + 40 * (i % 20)))
    }))
  }
  const lines = gunzipSync(readFileSync(new URL(FILES.servegen, folder)))
    .toString('utf8')
    .split('\n')
  return lines
    .filter((line) => line !== '')
    .map((line): ServegenWindow => {
      const parsed: ServegenLine = JSON.parse(line)
      return { series: `${parsed.model} ${parsed.client} ${parsed.feature}`, t: parsed.t, table: countTableFromJson(parsed) }
    })
    .sort((a, b) => (a.series < b.series ? -1 : a.series > b.series ? 1 : a.t - b.t))
}

/** The observations of a table in ascending order. */
export function expand(table: CountTable): Float64Array {
  const out = new Float64Array(table.total)
  let at = 0
  for (let i = 0; i < table.values.length; i++) {
    const end = table.cumulative[i] ?? 0
    out.fill(table.values[i] ?? 0, at, end)
    at = end
  }
  return out
}

/** `size` observations drawn with replacement, as a table. */
export function drawTable(random: () => number, values: ArrayLike<number>, size: number): CountTable {
  const out = new Float64Array(size)
  for (let i = 0; i < size; i++) out[i] = values[Math.floor(random() * values.length)] ?? 0
  return countTableOf(out)
}
