// SPDX-License-Identifier: Apache-2.0
import { type Detectors, detect } from './detect.ts'
import { type Finding, normaliseIdentifier } from './kinds.ts'

/** Brackets that no keyboard types: a mask in a text cannot be confused with what was written. */
export const MASK = /\u27e6(redacted )?([^\u27e6\u27e7]{1,40}) (\d{1,9})\u27e7/g

/**
 * Replaces what the detectors find by `⟦kind number⟧`. The same value has the same number in everything one instance sees, so a masked record
 * still reads. `redacted` says so in the token: the value was never kept.
 */
export class Masker {
  readonly #detectors: Detectors
  readonly #word: string
  readonly #numbers = new Map<string, Map<string, number>>()
  readonly #counts = new Map<string, number>()

  constructor(detectors: Detectors, style: 'mask' | 'redact' = 'mask') {
    this.#detectors = detectors
    this.#word = style === 'redact' ? 'redacted ' : ''
  }

  /** Places replaced so far by kind; holds no value. */
  get counts(): Readonly<Record<string, number>> {
    return Object.fromEntries([...this.#counts].sort(([a], [b]) => (a < b ? -1 : 1)))
  }

  get total(): number {
    return [...this.#counts.values()].reduce((sum, n) => sum + n, 0)
  }

  text(text: string): string {
    const found = detect(text, this.#detectors)
    if (found.length === 0) return text
    let out = ''
    let from = 0
    for (const one of found) {
      out += text.slice(from, one.start) + this.#token(one)
      from = one.end
    }
    return out + text.slice(from)
  }

  /** Masks a whole value as one kind, whatever it looks like. */
  whole(value: string, kind: string): string {
    return this.#token({ kind, value: normaliseIdentifier(value) })
  }

  /** A copy of a JSON value with every text in it masked, names of members too. Returns the value itself when nothing was found. */
  json<T>(value: T): T {
    if (typeof value === 'string') return this.text(value) as T
    if (Array.isArray(value)) {
      const copy = value.map((item: unknown) => this.json(item))
      return copy.every((item, i) => item === value[i]) ? value : (copy as T)
    }
    if (typeof value !== 'object' || value === null) return value
    let changed = false
    const copy = Object.entries(value).map(([name, member]): [string, unknown] => {
      const masked: unknown = this.json(member)
      const key = this.text(name)
      changed ||= masked !== member || key !== name
      return [key, masked]
    })
    return changed ? (Object.fromEntries(copy) as T) : value
  }

  #token({ kind, value }: Pick<Finding, 'kind' | 'value'>): string {
    let numbers = this.#numbers.get(kind)
    if (!numbers) {
      numbers = new Map()
      this.#numbers.set(kind, numbers)
    }
    const number = numbers.get(value) ?? numbers.size + 1
    numbers.set(value, number)
    this.#counts.set(kind, (this.#counts.get(kind) ?? 0) + 1)
    return `\u27e6${this.#word}${kind} ${number}\u27e7`
  }
}
