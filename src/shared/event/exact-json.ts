// SPDX-License-Identifier: Apache-2.0

/** Whether a text may hold a whole number of 16 digits or more that is no text itself. */
const LONG = /(?<=(?:^|[:[,\s])-?)[1-9]\d{15}/
/** Numbers as JSON writes them: what begins with 0, or stands where a name should, is left as it is or cut in two, which no JSON is. */
const LITERAL = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?(?!\s*:)/g

const asText = (literal: string): string => (/[.eE]/.test(literal) || Number.isSafeInteger(Number(literal)) ? literal : `"${literal}"`)

/** Where the JSON string that begins at `open` ends: behind its closing quotation mark, or where the text ends without one. */
function endOfString(json: string, open: number): number {
  for (let at = json.indexOf('"', open + 1); at >= 0; at = json.indexOf('"', at + 1)) {
    let escapes = 0
    while (json[at - 1 - escapes] === '\\') escapes++
    if (escapes % 2 === 0) return at + 1
  }
  return json.length
}

/** JSON whose long whole numbers are texts; of what is no JSON, something that is none either. */
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
  return JSON.parse(LONG.test(json) ? withTexts(json) : json)
}
