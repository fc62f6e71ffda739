// SPDX-License-Identifier: Apache-2.0
// Identifiers made of digits: payment cards, national ids, telephone numbers. One pass over the groups of digits, windows of bounded length.
import { type BuiltInPack, type Finding, normaliseIdentifier } from './kinds.ts'

/** A run of digits and what stands between it and the one before, null when that is not a separator. */
interface Group {
  readonly start: number
  readonly end: number
  readonly gap: string | null
}

const SEPARATOR = /^(?:[ .()/-]|\) |\)-| \(|-\(|\u00a0|\u202f)$/
/** No identifier here has more groups. */
const MOST_GROUPS = 10

function groupsOf(text: string): Group[] {
  const groups: Group[] = []
  let before = -1
  for (const match of text.matchAll(/\d+/g)) {
    const { index } = match
    const gap = before >= 0 && index - before <= 2 ? text.slice(before, index) : null
    before = index + match[0].length
    groups.push({ start: index, end: before, gap: gap !== null && SEPARATOR.test(gap) ? gap.replace(/[\u00a0\u202f]/g, ' ') : null })
  }
  return groups
}

const isWord = (text: string, at: number): boolean => /[\p{L}\p{N}_]/u.test(text[at] ?? '')

/** ISO/IEC 7812-1 annex B. */
export function luhn(digits: string): boolean {
  let sum = 0
  for (let i = 0; i < digits.length; i++) {
    let d = digits.charCodeAt(digits.length - 1 - i) - 48
    if (i % 2 === 1) d = d > 4 ? d * 2 - 9 : d * 2
    sum += d
  }
  return sum % 10 === 0
}

/** Ranges of the large networks with their lengths (Visa, Mastercard, American Express, Diners, Discover, JCB, UnionPay). */
const CARD =
  /^(?:4(?:\d{12}|\d{15}|\d{18})|5[1-5]\d{14}|2(?:22[1-9]|2[3-9]\d|[3-6]\d\d|7[01]\d|720)\d{12}|3[47]\d{13}|3(?:0[0-5]|09|[68]\d)\d{11}|35(?:2[89]|[3-8]\d)\d{12}|6(?:011|5\d\d|4[4-9]\d)\d{12}|62\d{14,17})$/

const isCard = (digits: string): boolean => CARD.test(digits) && luhn(digits)

/** Social Security Administration, POMS RM 10201.035: never area 000, 666 or 900 and above, group 00, serial 0000; two numbers printed in advertisements are void. */
function isSsn(digits: string): boolean {
  if (/^(?:000|666|9)/.test(digits) || digits.slice(3, 5) === '00' || digits.endsWith('0000')) return false
  return digits !== '078051120' && digits !== '219099999'
}

/** German identification number (§ 139b AO): of the first ten digits one occurs twice or three times, the others at most once; check digit ISO 7064 MOD 11,10. */
export function isSteuerId(digits: string): boolean {
  if (!/^[1-9]\d{10}$/.test(digits)) return false
  const counts = new Map<string, number>()
  for (const d of digits.slice(0, 10)) counts.set(d, (counts.get(d) ?? 0) + 1)
  const repeated = [...counts.values()].filter((n) => n > 1)
  if (repeated.length !== 1 || (repeated[0] ?? 0) > 3) return false
  let product = 10
  for (const d of digits.slice(0, 10)) {
    const sum = (Number(d) + product) % 10 || 10
    product = (sum * 2) % 11
  }
  const check = 11 - product
  return Number(digits[10]) === (check === 10 ? 0 : check)
}

/** French registration number (NIR, 13 characters and a key of 2, 97 − n mod 97); `2A` and `2B` are Corsica. */
export function isNir(text: string): boolean {
  const match = /^([12378]\d{2}(?:0[1-9]|1[0-2]|[2-3]\d|4[0-2]|[5-9]\d))(\d{2}|2A|2B)(\d{6})(\d{2})$/.exec(text)
  if (!match) return false
  const [, head = '', department = '', place = '', key = ''] = match
  const number = Number(head + (department === '2A' ? '19' : department === '2B' ? '18' : department) + place)
  return Number(key) === 97 - (number % 97)
}

const lengths = (groups: readonly Group[]): string => groups.map((group) => group.end - group.start).join('-')
const gapsAre = (groups: readonly Group[], allowed: RegExp): boolean => groups.slice(1).every((group) => allowed.test(group.gap ?? ''))

interface Window {
  readonly text: string
  readonly groups: readonly Group[]
  readonly digits: string
}

const first = ({ groups }: Window): Group => groups[0] as Group

/** National telephone forms that are telling enough by themselves: North America with punctuation, France in pairs, others with a trunk 0. */
function isNationalPhone(window: Window): boolean {
  const { text, groups, digits } = window
  const shape = lengths(groups)
  if (/^(?:1-)?3-3-4$/.test(shape)) {
    const number = digits.slice(-10)
    const punctuated = groups.slice(1).some((group) => /[.()-]/.test(group.gap ?? '')) || text[first(window).start - 1] === '('
    return punctuated && /^[2-9]\d\d[2-9]\d{6}$/.test(number)
  }
  if (shape === '2-2-2-2-2') return /^0[1-9]/.test(digits) && gapsAre(groups, /^[ .-]$/)
  return (
    groups.length >= 2 &&
    digits.length >= 9 &&
    digits.length <= 12 &&
    /^[3-5](?:-[3-8]){1,3}$/.test(shape) &&
    /^0[1-9]/.test(digits) &&
    gapsAre(groups, /^(?:[ /-]|\) | \()$/)
  )
}

/** What the digits of a window are; the most specific rule first. */
function classify(window: Window, wanted: ReadonlySet<BuiltInPack>): Pick<Finding, 'pack' | 'kind'> | undefined {
  const { groups, digits } = window
  const shape = lengths(groups)
  if (
    wanted.has('card') &&
    digits.length >= 13 &&
    digits.length <= 19 &&
    gapsAre(groups, /^[ -]$/) &&
    /^\d+$|^[3-7](?:-[3-7])+$/.test(shape) &&
    isCard(digits)
  )
    return { pack: 'card', kind: 'card' }
  if (wanted.has('national_id')) {
    if (shape === '3-2-4' && gapsAre(groups, /^[ -]$/) && groups[1]?.gap === groups[2]?.gap && isSsn(digits))
      return { pack: 'national_id', kind: 'US SSN' }
    if ((shape === '11' || shape === '2-3-3-3') && gapsAre(groups, /^ $/) && isSteuerId(digits))
      return { pack: 'national_id', kind: 'DE tax id' }
    if ((shape === '15' || shape === '13-2' || shape === '1-2-2-2-3-3-2') && gapsAre(groups, /^ $/) && isNir(digits))
      return { pack: 'national_id', kind: 'FR NIR' }
  }
  return wanted.has('phone') && isNationalPhone(window) ? { pack: 'phone', kind: 'phone' } : undefined
}

/** E.164 behind a plus sign or 00: 8 to 15 digits. */
function international(text: string, groups: readonly Group[], from: number): Finding | undefined {
  const start = groups[from] as Group
  const plus = text[start.start - 1] === '+'
  if (!plus && !text.startsWith('00', start.start)) return undefined
  if (isWord(text, start.start - (plus ? 2 : 1))) return undefined
  let digits = ''
  let end: Finding | undefined
  for (let i = from; i < groups.length && i < from + MOST_GROUPS; i++) {
    const group = groups[i] as Group
    if (i > from && group.gap === null) break
    digits += text.slice(group.start, group.end)
    const number = plus ? digits : digits.slice(2)
    if (number.length > 15) break
    if (number.length >= 8 && /^[1-9]/.test(number) && !isWord(text, group.end))
      end = { pack: 'phone', kind: 'phone', start: plus ? start.start - 1 : start.start, end: group.end, value: `+${number}` }
  }
  return end
}

/** Finds cards, national ids and telephone numbers. Linear in the length of the text. */
export function findNumbers(text: string, wanted: ReadonlySet<BuiltInPack>): Finding[] {
  const found: Finding[] = []
  const groups = groupsOf(text)
  for (let i = 0; i < groups.length; i++) {
    const head = groups[i] as Group
    const dialled = wanted.has('phone') ? international(text, groups, i) : undefined
    if (dialled) {
      found.push(dialled)
      while (i + 1 < groups.length && (groups[i + 1] as Group).start < dialled.end) i++
      continue
    }
    if (isWord(text, head.start - 1) || (head.gap === '.' && isWord(text, head.start - 2))) continue
    let digits = ''
    let best: { readonly last: number; readonly finding: Finding } | undefined
    for (let j = i; j < groups.length && j < i + MOST_GROUPS; j++) {
      const group = groups[j] as Group
      if (j > i && group.gap === null) break
      digits += text.slice(group.start, Math.min(group.end, group.start + 20))
      if (digits.length > 19) break
      if (digits.length < 9 || isWord(text, group.end)) continue
      const what = classify({ text, groups: groups.slice(i, j + 1), digits }, wanted)
      if (what) best = { last: j, finding: { ...what, start: head.start, end: group.end, value: normaliseIdentifier(digits) } }
    }
    if (!best) continue
    found.push(best.finding)
    i = best.last
  }
  return found
}
