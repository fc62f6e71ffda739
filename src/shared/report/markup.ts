// SPDX-License-Identifier: Apache-2.0
// Text becomes markup in one place. What a report is made of comes from clients and models: all of it is hostile.

/** A piece of HTML that is safe to put into a page. Made by {@link markup} only, so that plain text cannot pass for it. */
export class Markup {
  readonly html: string
  private constructor(html: string) {
    this.html = html
  }

  static of(strings: readonly string[], values: readonly MarkupValue[]): Markup {
    return new Markup(strings.map((fixed, at) => fixed + (at < values.length ? partOf(values[at]) : '')).join(''))
  }
}

export type MarkupValue = string | number | null | undefined | Markup | readonly Markup[]

const escapes: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' }

/** Controls, unpaired surrogates, and characters that turn the direction of text or are not seen: a name must not look like another. */
const unseen = /[\p{Cc}\p{Cs}\u061c\u200b\u2028\u2029\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff]/gu

const named = (char: string): string =>
  char === '\n' || char === '\t' ? char : `\u27e8U+${(char.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}\u27e9`

/** Text as it may stand in an element or in a quoted attribute. Invisible characters are written by their number. */
export const escaped = (text: string): string => text.replace(unseen, named).replace(/[&<>"']/g, (char) => escapes[char] ?? '')

function partOf(value: MarkupValue): string {
  if (value === null || value === undefined) return ''
  if (value instanceof Markup) return value.html
  if (typeof value === 'string') return escaped(value)
  if (typeof value === 'number') return String(value)
  return value.map((one) => one.html).join('')
}

/** Template tag: the fixed parts are markup, every value is text unless it is markup itself. */
export const markup = (strings: TemplateStringsArray, ...values: readonly MarkupValue[]): Markup => Markup.of(strings, values)
