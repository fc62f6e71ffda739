// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs'
import { AffidavitError } from '../shared/contract/errors.ts'
import { type Alternative, P_FLOOR } from '../shared/stats/kolmogorov.ts'
import { INVESTIGATION_STEPS, ksSamples } from '../shared/stats/ks.ts'
import { EXIT, print } from './output.ts'

const DECIMAL = /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/

/** Numbers of a file, one a line; empty lines are skipped. @throws AffidavitError file_unreadable, bad_request with the line */
function numbers(path: string): number[] {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch {
    throw new AffidavitError('file_unreadable', `cannot read ${path}`)
  }
  const out: number[] = []
  for (const [i, line] of text
    .replace(/^\uFEFF/, '')
    .split(/\r?\n/)
    .entries()) {
    const trimmed = line.trim()
    if (trimmed === '') continue
    const value = Number(trimmed)
    const refuse = (what: string): never => {
      throw new AffidavitError('bad_request', `${path}: line ${i + 1} ${what}`)
    }
    if (!DECIMAL.test(trimmed)) refuse('is not a decimal number')
    if (!Number.isFinite(value)) refuse('is too large for a number')
    // Rounded, two values that differ would be a tie.
    if (/^[+-]?\d+$/.test(trimmed) && !Number.isSafeInteger(value)) refuse('is a whole number beyond 2^53 - 1, which would be rounded')
    out.push(value)
  }
  if (out.length === 0) throw new AffidavitError('bad_request', `${path} holds no number`)
  return out
}

/**
 * Two-sample Kolmogorov-Smirnov test of two files; prints statistic, p and method. `less` and `greater` say where the distribution
 * function of x lies against that of y, as in ks.ts. Resolves with the exit code. @throws AffidavitError file_unreadable, bad_request
 */
export async function driftTest(options: {
  readonly x: string
  readonly y: string
  readonly alternative: Alternative
  readonly json?: boolean
}): Promise<number> {
  const result = ksSamples(numbers(options.x), numbers(options.y), { alternative: options.alternative, maxSteps: INVESTIGATION_STEPS })
  const { d, p, method, n, m, dLocation, dSign } = result
  if (options.json)
    print(JSON.stringify({ statistic: d, p, method, n, m, alternative: options.alternative, location: dLocation, sign: dSign }))
  else {
    print(`statistic ${d}`)
    print(p <= P_FLOOR ? `p <= ${P_FLOOR}` : `p ${p}`)
    print(`method ${method}`)
  }
  return EXIT.done
}
