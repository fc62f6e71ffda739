// SPDX-License-Identifier: Apache-2.0

/** Whether a text may hold a whole number of 16 digits or more that is no text itself. */
const LONG = /(?<=(?:^|[:[,\s])-?)[1-9]\d{15}/
const LITERAL = /-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g

const asText = (literal: string): string => (/[.eE]/.test(literal) || Number.isSafeInteger(Number(literal)) ? literal : `"${literal}"`)

/** Where the JSON string that begins at `open` ends: behind its closing quotation mark. */
function endOfString(json: string, open: number): number {
  for (let at = json.indexOf('"', open + 1); ; at = json.indexOf('"', at + 1)) {
    let escapes = 0
    while (json[at - 1 - escapes] === '\\') escapes++
    if (escapes % 2 === 0) return at + 1
  }
}

function withTexts(json: string): string {
  const pieces: string[] = []
  let from = 0
  for (let open = json.indexOf('"'); open >= 0; open = json.indexOf('"', from)) {
    const end = endOfString(json, open)
    pieces.push(json.slice(from, open).replace(LITERAL, asText), json.slice(open, end))
    from = end
  }
  return `${pieces.join('')}${json.slice(from).replace(LITERAL, asText)}`
}

/**
 * What JSON says, without losing a digit: whole numbers beyond 2^53 - 1 in size, which a number here would round, are texts of their
 * digits, as the JSON form of Protocol Buffers writes them. Numbers with a fraction or an exponent are what their writer held as a double.
 * @throws SyntaxError for anything that is no JSON
 */
export function parseExact(json: string): unknown {
  const value: unknown = JSON.parse(json)
  // Only of what is known to be JSON: every quotation mark outside of a string opens one then.
  return LONG.test(json) ? JSON.parse(withTexts(json)) : value
}
