// SPDX-License-Identifier: Apache-2.0
import type { Json } from './message.ts'

/** Longest text that a field of an event takes; a longer one stays among the attributes. */
const MOST_TEXT = 4_096

/** Attributes of a span, each read at most once: what nothing has read is kept as it is. */
export class Attributes {
  readonly #all: Readonly<Record<string, Json>>
  readonly #read = new Set<string>()

  constructor(all: Readonly<Record<string, Json>>) {
    this.#all = all
  }

  /** The value, which stays unread. */
  peek(name: string): Json | undefined {
    return this.#all[name]
  }

  /** The first of these names that has a value which fits; all that follow stay unread. */
  #first<T>(names: readonly string[], fit: (value: Json) => T | undefined): T | undefined {
    for (const name of names) {
      const value = this.#all[name]
      if (value === undefined || value === null) continue
      const fitting = fit(value)
      if (fitting === undefined) continue
      this.#read.add(name)
      return fitting
    }
    return undefined
  }

  text(...names: readonly string[]): string | undefined {
    return this.#first(names, (value) => (typeof value === 'string' && value !== '' && value.length <= MOST_TEXT ? value : undefined))
  }

  count(...names: readonly string[]): number | undefined {
    return this.#first(names, countOf)
  }

  number(...names: readonly string[]): number | undefined {
    return this.#first(names, (value) => (typeof value === 'number' ? value : undefined))
  }

  whole(...names: readonly string[]): number | undefined {
    return this.#first(names, (value) => (Number.isSafeInteger(value) ? (value as number) : undefined))
  }

  flag(...names: readonly string[]): boolean | undefined {
    return this.#first(names, (value) => (typeof value === 'boolean' ? value : undefined))
  }

  texts(...names: readonly string[]): readonly string[] | undefined {
    return this.#first(names, (value) => {
      const list = typeof value === 'string' ? [value] : value
      return Array.isArray(list) && list.length <= 64 && list.every((one) => typeof one === 'string' && one.length <= MOST_TEXT)
        ? (list as readonly string[])
        : undefined
    })
  }

  any(...names: readonly string[]): Json | undefined {
    return this.#first(names, (value) => value)
  }

  /** `prefix.0.rest`, `prefix.1.rest`, … as a list of objects by `rest`, all of them read. At most 1,000 are looked at. */
  indexed(prefix: string): readonly Readonly<Record<string, Json>>[] {
    const out: Record<string, Json>[] = []
    const head = `${prefix}.`
    for (const name in this.#all) {
      if (!name.startsWith(head)) continue
      const dot = name.indexOf('.', head.length)
      const index = Number(name.slice(head.length, dot < 0 ? undefined : dot))
      if (!Number.isInteger(index) || index < 0 || index >= 1000 || dot < 0) continue
      const entry = out[index] ?? (Object.create(null) as Record<string, Json>)
      entry[name.slice(dot + 1)] = this.#all[name] ?? null
      out[index] = entry
      this.#read.add(name)
    }
    return out.filter((entry) => entry !== undefined)
  }

  /** Whether any name begins so. */
  some(...prefixes: readonly string[]): boolean {
    for (const name in this.#all) for (const prefix of prefixes) if (name.startsWith(prefix)) return true
    return false
  }

  /** What nothing has read; undefined when all was. */
  rest(): Record<string, Json> | undefined {
    let out: Record<string, Json> | undefined
    for (const name in this.#all) {
      if (this.#read.has(name)) continue
      out ??= Object.create(null) as Record<string, Json>
      out[name] = this.#all[name] ?? null
    }
    return out
  }
}

/** A whole number from 0; undefined for anything else. */
export const countOf = (value: unknown): number | undefined =>
  Number.isSafeInteger(value) && (value as number) >= 0 ? (value as number) : undefined
