// SPDX-License-Identifier: Apache-2.0
// E-mail addresses, secrets with a telling form, and national ids with letters.
import type { Finding } from './kinds.ts'
import { isNir } from './numbers.ts'

const LOCAL = /[\p{L}\p{N}.!#$%&'*+/=?^_`{|}~-]/u
const DOMAIN = /[\p{L}\p{N}.-]/u
const HOST = /^[\p{L}\p{N}](?:[\p{L}\p{N}-]*[\p{L}\p{N}])?$/u
const TOP = /^(?:\p{L}{2,63}|xn--[a-z0-9-]{2,59})$/iu

/** The host name at the beginning of a text: labels with dots, the last one of letters. */
function hostOf(text: string): string | undefined {
  const labels = text.split('.')
  while (labels.length > 1 && !TOP.test(labels.at(-1) ?? '')) labels.pop()
  if (labels.length < 2) return undefined
  return labels.every((label) => label.length <= 63 && HOST.test(label)) ? labels.join('.') : undefined
}

/** Addresses in the common form of RFC 5321 (no quoted local parts). Looks from each `@` at most 64 characters back and 254 ahead. */
export function findEmails(text: string): Finding[] {
  const found: Finding[] = []
  let free = 0
  for (let at = text.indexOf('@'); at >= 0; at = text.indexOf('@', at + 1)) {
    let start = at
    while (start > free && at - start < 64 && LOCAL.test(text[start - 1] ?? '')) start--
    while (start < at && /[.'`{}|/=?*&!#$%^~-]/.test(text[start] ?? '')) start++
    let end = at + 1
    while (end < text.length && end - at < 255 && DOMAIN.test(text[end] ?? '')) end++
    if (start === at || text[at - 1] === '.') continue
    const host = hostOf(text.slice(at + 1, end))
    if (host === undefined) continue
    end = at + 1 + host.length
    found.push({ pack: 'email', kind: 'e-mail', start, end, value: text.slice(start, end).normalize('NFC').toLowerCase() })
    free = end
  }
  return found
}

/**
 * Prefixes that their issuers publish so that leaks can be found (OpenAI, Anthropic, AWS, GitHub, GitLab, Slack, Google, Stripe, Hugging Face, npm),
 * and JSON Web Tokens. Every alternative is one run of one class behind a fixed prefix, and starts only where a word does: linear.
 */
const SECRET =
  /(?<![A-Za-z0-9_-])(?:sk-[A-Za-z0-9_-]{20,}|(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16}(?![A-Za-z0-9])|gh[pousr]_[A-Za-z0-9]{36,}|github_pat_[A-Za-z0-9_]{22,}|glpat-[A-Za-z0-9_-]{20,}|xox[abeoprs]-[A-Za-z0-9-]{10,}|xapp-[A-Za-z0-9-]{10,}|AIza[A-Za-z0-9_-]{35,}|ya29\.[A-Za-z0-9_-]{20,}|GOCSPX-[A-Za-z0-9_-]{20,}|[sr]k_(?:live|test)_[A-Za-z0-9]{16,}|hf_[A-Za-z0-9]{30,}|npm_[A-Za-z0-9]{36,}|eyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,})/g
/** Characters of the shortest form above, a Slack token: names, roles and labels are mostly shorter and need no look. */
export const SHORTEST_SECRET = 15
/** Looked for first: plain searches cost a hundredth of the alternatives at every position. */
const TELLING =
  'sk- AKIA ASIA ABIA ACCA ghp_ gho_ ghu_ ghs_ ghr_ github_pat_ glpat- xox xapp- AIza ya29. GOCSPX- k_live_ k_test_ hf_ npm_ eyJ'.split(' ')
const HOOK = /hooks\.slack\.com\/services\/[A-Z0-9]{1,20}\/[A-Z0-9]{1,20}\/[A-Za-z0-9]{16,64}/g
const KEY_BEGIN = /-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY( BLOCK)?-----/g
const KEY_END = /-----END [A-Z0-9 ]{0,40}PRIVATE KEY( BLOCK)?-----/g

const secret = (start: number, value: string): Finding => ({ pack: 'secret', kind: 'secret', start, end: start + value.length, value })

/** Keys, tokens and private key blocks; a block without its end reaches to the end of the text. */
export function findSecrets(text: string): Finding[] {
  const found: Finding[] = []
  if (TELLING.some((prefix) => text.includes(prefix))) for (const match of text.matchAll(SECRET)) found.push(secret(match.index, match[0]))
  if (text.includes('hooks.slack.com/')) for (const match of text.matchAll(HOOK)) found.push(secret(match.index, match[0]))
  if (!text.includes('-----BEGIN ')) return found
  KEY_BEGIN.lastIndex = 0
  for (let begin = KEY_BEGIN.exec(text); begin; begin = KEY_BEGIN.exec(text)) {
    KEY_END.lastIndex = KEY_BEGIN.lastIndex
    const end = KEY_END.exec(text) ? KEY_END.lastIndex : text.length
    found.push(secret(begin.index, text.slice(begin.index, end)))
    KEY_BEGIN.lastIndex = end
  }
  return found
}

/** HMRC, National Insurance Manual NIM39110: prefixes without D, F, I, Q, U, V, second letter no O, some pairs never given; suffix A to D. */
const NINO = /(?<![A-Za-z0-9])(?!BG|GB|KN|NK|NT|TN|ZZ)[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z] ?\d{2} ?\d{2} ?\d{2} ?[A-D](?![A-Za-z0-9])/gi
const CORSICA = /(?<![A-Za-z0-9])[12378] ?\d{2} ?\d{2} ?2[AB] ?\d{3} ?\d{3} ?\d{2}(?![A-Za-z0-9])/gi

/** British national insurance numbers (where letters stand before digits at all), and French numbers of people born in Corsica. */
export function findLetteredIds(text: string, lettered: boolean): Finding[] {
  const found: Finding[] = []
  for (const match of lettered ? text.matchAll(NINO) : [])
    found.push({ pack: 'national_id', kind: 'UK NINO', start: match.index, end: match.index + match[0].length, value: compact(match[0]) })
  for (const match of /2[AaBb]/.test(text) ? text.matchAll(CORSICA) : [])
    if (isNir(match[0].replaceAll(' ', '').toUpperCase()))
      found.push({ pack: 'national_id', kind: 'FR NIR', start: match.index, end: match.index + match[0].length, value: compact(match[0]) })
  return found
}

const compact = (text: string): string => text.replaceAll(' ', '').toLowerCase()
