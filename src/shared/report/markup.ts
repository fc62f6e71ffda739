// SPDX-License-Identifier: Apache-2.0
// Text becomes markup in one place. What a report is made of comes from clients and models: all of it is hostile.

import { codeOf, UNSEEN } from './unseen.ts'

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

const named = (char: string): string => (char === '\n' || char === '\t' ? char : `\u27e8${codeOf(char)}\u27e9`)

/** Text as it may stand in an element or in a quoted attribute. Invisible characters are written by their number. */
export const escaped = (text: string): string => text.replace(UNSEEN, named).replace(/[&<>"']/g, (char) => escapes[char] ?? '')

function partOf(value: MarkupValue): string {
  if (value === null || value === undefined) return ''
  if (value instanceof Markup) return value.html
  if (typeof value === 'string') return escaped(value)
  if (typeof value === 'number') return String(value)
  return value.map((one) => one.html).join('')
}

/** Template tag: the fixed parts are markup, every value is text unless it is markup itself. */
export const markup = (strings: TemplateStringsArray, ...values: readonly MarkupValue[]): Markup => Markup.of(strings, values)
