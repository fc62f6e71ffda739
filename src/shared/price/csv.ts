// SPDX-License-Identifier: Apache-2.0
// A price list as CSV: a head line that names the columns, a line for each price.
import { keyText, type Priced, priceKey, tokenKinds, tokenPrices } from './price.ts'

export interface PriceList {
  readonly prices: readonly Priced[]
  /** Lines that are no price, and why; a value is never repeated. */
  readonly problems: readonly { readonly line: number; readonly message: string }[]
}

const columns = ['model', 'provider', 'valid_from', ...tokenKinds] as const
const needed = ['model', 'valid_from', 'input', 'output'] as const

/** The fields of a line; undefined where a quote does not end. Prices have no line breaks in them. */
function fieldsOf(line: string): string[] | undefined {
  const fields: string[] = []
  let at = 0
  for (;;) {
    const quoted = /^\s*"((?:[^"]|"")*)"\s*(?=,|$)/.exec(line.slice(at))
    const field = quoted ?? /^[^",]*(?=,|$)/.exec(line.slice(at))
    if (!field) return undefined
    fields.push(quoted ? (quoted[1] ?? '').replaceAll('""', '"').trim() : field[0].trim())
    at += field[0].length
    if (at >= line.length) return fields
    at++
  }
}

const why = (path: PropertyKey | undefined): string => {
  switch (path) {
    case 'valid_from':
      return 'valid_from: expected a day such as 2026-01-31'
    case 'model':
      return 'model: expected 1 to 128 letters, digits and signs'
    case 'provider':
      return 'provider: expected at most 64 letters, digits and signs without spaces'
    default:
      return `${String(path)}: expected US dollars per million tokens, at most six decimals, such as 2.5`
  }
}

/** Reads a price list. Empty fields are absent; columns may stand in any order, others are left out. */
export function readPriceList(text: string): PriceList {
  const lines = text.replace(/^\ufeff/, '').split(/\r\n|\n|\r/)
  const head = fieldsOf(lines[0] ?? '')?.map((name) => name.toLowerCase())
  const missing = needed.filter((name) => !head?.includes(name))
  if (!head || missing.length > 0) return { prices: [], problems: [{ line: 1, message: `the head line names no ${missing.join(', ')}` }] }
  const prices: Priced[] = []
  const problems: { line: number; message: string }[] = []
  const seen = new Set<string>()
  for (const [i, line] of lines.entries()) {
    if (i === 0 || line.trim() === '') continue
    const problem = (message: string) => problems.push({ line: i + 1, message })
    const fields = fieldsOf(line)
    if (!fields || fields.length > head.length) {
      problem('the fields of this line do not fit the head')
      continue
    }
    const row = new Map(columns.map((name) => [name, fields[head.indexOf(name)] ?? ''] as const))
    const key = priceKey.safeParse({
      model: row.get('model'),
      provider: row.get('provider') || null,
      valid_from: row.get('valid_from')
    })
    const given = tokenPrices.safeParse(Object.fromEntries(tokenKinds.flatMap((kind) => (row.get(kind) ? [[kind, row.get(kind)]] : []))))
    if (!key.success) problem(why(key.error.issues[0]?.path[0]))
    else if (!given.success) problem(why(given.error.issues[0]?.path[0]))
    else if (seen.has(keyText(key.data))) problem('a line before has the same model, provider and day')
    else {
      seen.add(keyText(key.data))
      prices.push({ ...key.data, prices: given.data })
    }
  }
  return { prices, problems }
}
