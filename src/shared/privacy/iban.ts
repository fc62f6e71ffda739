// SPDX-License-Identifier: Apache-2.0
import type { Finding } from './kinds.ts'

/** Lengths by country, ISO 13616 registry. */
const lengths: Readonly<Record<string, number>> = Object.fromEntries(
  (
    'AD24 AE23 AL28 AT20 AZ28 BA20 BE16 BG22 BH22 BI27 BR29 BY28 CH21 CR22 CY28 CZ24 DE22 DJ27 DK18 DO28 EE20 EG29 ES24 FI18 FK18 FO18 FR27 ' +
    'GB22 GE22 GI23 GL18 GR27 GT28 HN28 HR21 HU28 IE22 IL23 IQ23 IS26 IT27 JO30 KW30 KZ20 LB28 LC32 LI21 LT20 LU20 LV21 LY25 MC27 MD24 ' +
    'ME22 MK19 MN20 MR27 MT31 MU30 NI28 NL18 NO15 OM23 PK24 PL28 PS29 PT25 QA29 RO24 RS22 RU33 SA24 SC31 SD18 SE24 SI19 SK24 SM27 SO23 ' +
    'ST25 SV28 TL23 TN24 TR26 UA29 VA22 VG24 XK20 YE30'
  )
    .split(' ')
    .map((entry) => [entry.slice(0, 2), Number(entry.slice(2))])
)

/** ISO 7064 MOD 97-10 over the account number with its first four characters moved to the end. */
export function ibanHolds(compact: string): boolean {
  if (lengths[compact.slice(0, 2)] !== compact.length) return false
  let rest = 0
  for (const char of compact.slice(4) + compact.slice(0, 4)) {
    const value = Number.parseInt(char, 36)
    rest = (rest * (value > 9 ? 100 : 10) + value) % 97
  }
  return rest === 1
}

const isAlphanumeric = (code: number): boolean => (code >= 48 && code <= 57) || (code >= 65 && code <= 90) || (code >= 97 && code <= 122)

/** Finds account numbers, in one piece or with single spaces. Linear: a candidate is followed for at most its country's length. */
export function findIbans(text: string): Finding[] {
  const found: Finding[] = []
  const start = /(?<![A-Za-z0-9])[A-Za-z]{2}\d{2}(?=[ \u00a0-]?[A-Za-z0-9])/g
  for (let match = start.exec(text); match; match = start.exec(text)) {
    const wanted = lengths[match[0].slice(0, 2).toUpperCase()]
    if (wanted === undefined) continue
    let compact = ''
    let at = match.index
    for (; compact.length < wanted && at < text.length; at++) {
      const char = text[at] as string
      if (isAlphanumeric(char.charCodeAt(0))) compact += char.toUpperCase()
      else if (!/[ \u00a0-]/.test(char) || !isAlphanumeric(text.charCodeAt(at + 1))) break
    }
    if (compact.length !== wanted || isAlphanumeric(text.charCodeAt(at)) || !ibanHolds(compact)) continue
    found.push({ pack: 'iban', kind: 'IBAN', start: match.index, end: at, value: compact.toLowerCase() })
    start.lastIndex = at
  }
  return found
}
