// SPDX-License-Identifier: Apache-2.0
// Own patterns: the regular part of regular expressions, run by simulating all ways at once (K. Thompson, 1968), so that no pattern and no text
// can make it slow. JavaScript's own engine backtracks: (a+)+b takes it a minute on forty letters.

/** Longest pattern, and most states it may need: bounded repetitions are written out. */
export const MOST_PATTERN = 200
const MOST_STATES = 1_000
const MOST_REPEAT = 100
/** How often on average a character may be looked at again. */
const MOST_PASSES = 8

type Test = (code: number) => boolean

type State =
  | { readonly kind: 'char'; readonly test: Test; readonly next: number }
  | { readonly kind: 'split'; readonly a: number; readonly b: number }
  | { readonly kind: 'assert'; readonly at: 'word' | 'start' | 'end'; readonly next: number }
  | { readonly kind: 'match' }

type Node =
  | { readonly kind: 'empty' }
  | { readonly kind: 'char'; readonly test: Test }
  | { readonly kind: 'assert'; readonly at: 'word' | 'start' | 'end' }
  | { readonly kind: 'all'; readonly items: readonly Node[] }
  | { readonly kind: 'any'; readonly items: readonly Node[] }
  | { readonly kind: 'repeat'; readonly item: Node; readonly min: number; readonly max: number }

/** Why a pattern is refused, with the position of the fault. */
export class PatternError extends Error {
  readonly position: number
  constructor(message: string, position: number) {
    super(message)
    this.name = 'PatternError'
    this.position = position
  }
}

const isDigit: Test = (code) => code >= 48 && code <= 57
const isWord: Test = (code) => isDigit(code) || (code >= 65 && code <= 90) || (code >= 97 && code <= 122) || code === 95
const isSpace: Test = (code) => code === 32 || (code >= 9 && code <= 13) || code === 0xa0 || code === 0x2028 || code === 0x2029
const not =
  (test: Test): Test =>
  (code) =>
    !test(code)
const classes: Readonly<Record<string, Test>> = { d: isDigit, D: not(isDigit), w: isWord, W: not(isWord), s: isSpace, S: not(isSpace) }
const controls: Readonly<Record<string, number>> = { n: 10, r: 13, t: 9, f: 12, v: 11 }

/** Recursive descent over the pattern; anything that is not regular is named and refused. */
class Parser {
  readonly #text: string
  readonly #ignoreCase: boolean
  #at = 0

  constructor(text: string, ignoreCase: boolean) {
    this.#text = text
    this.#ignoreCase = ignoreCase
  }

  parse(): Node {
    const node = this.#alternatives()
    if (this.#at < this.#text.length) throw this.#fault('a closing bracket without its opening one')
    return node
  }

  #fault(message: string): PatternError {
    return new PatternError(message, this.#at)
  }

  #peek(): string {
    return this.#text[this.#at] ?? ''
  }

  #alternatives(): Node {
    const items = [this.#sequence()]
    while (this.#peek() === '|') {
      this.#at++
      items.push(this.#sequence())
    }
    return items.length === 1 ? (items[0] as Node) : { kind: 'any', items }
  }

  #sequence(): Node {
    const items: Node[] = []
    while (this.#at < this.#text.length && this.#peek() !== '|' && this.#peek() !== ')') items.push(this.#repeated())
    return items.length === 0 ? { kind: 'empty' } : { kind: 'all', items }
  }

  #repeated(): Node {
    const item = this.#atom()
    const bounds = this.#bounds()
    if (!bounds) return item
    if (item.kind === 'assert') throw this.#fault('a position cannot be repeated')
    if (this.#peek() === '?' || this.#peek() === '+') throw this.#fault('lazy and possessive repetition are not supported')
    return { kind: 'repeat', item, ...bounds }
  }

  #bounds(): { readonly min: number; readonly max: number } | undefined {
    const simple = { '*': [0, Number.POSITIVE_INFINITY], '+': [1, Number.POSITIVE_INFINITY], '?': [0, 1] }[this.#peek()]
    if (simple) {
      this.#at++
      return { min: simple[0] as number, max: simple[1] as number }
    }
    const braces = /^\{(\d{1,3})(,(\d{0,3}))?\}/.exec(this.#text.slice(this.#at))
    if (!braces) {
      if (this.#peek() === '{') throw this.#fault('a brace that is no repetition; write \\{ for the character')
      return undefined
    }
    const min = Number(braces[1])
    const max = braces[2] === undefined ? min : braces[3] === '' ? Number.POSITIVE_INFINITY : Number(braces[3])
    if (max < min || min > MOST_REPEAT || (max > MOST_REPEAT && max !== Number.POSITIVE_INFINITY))
      throw this.#fault(`a repetition goes from 0 to at most ${MOST_REPEAT}`)
    this.#at += braces[0].length
    return { min, max }
  }

  #atom(): Node {
    const char = this.#peek()
    switch (char) {
      case '(':
        return this.#group()
      case '[':
        return { kind: 'char', test: this.#set() }
      case '.':
        this.#at++
        return { kind: 'char', test: (code) => code !== 10 && code !== 13 }
      case '^':
      case '$':
        this.#at++
        return { kind: 'assert', at: char === '^' ? 'start' : 'end' }
      case '\\':
        return this.#escape()
      case '*':
      case '+':
      case '?':
      case '{':
      case ']':
      case '}':
        throw this.#fault('nothing to repeat, or a bracket alone; put \\ before the character itself')
      default:
        return { kind: 'char', test: this.#cased(this.#literal()) }
    }
  }

  #group(): Node {
    this.#at++
    if (this.#peek() === '?') {
      if (!this.#text.startsWith('?:', this.#at)) throw this.#fault('look-around and named groups cannot be run in linear time')
      this.#at += 2
    }
    const inside = this.#alternatives()
    if (this.#peek() !== ')') throw this.#fault('a group that is not closed')
    this.#at++
    return inside
  }

  #escape(): Node {
    const char = this.#text[this.#at + 1] ?? ''
    if (char === 'b') {
      this.#at += 2
      return { kind: 'assert', at: 'word' }
    }
    if (/[1-9]/.test(char)) throw this.#fault('references to groups cannot be run in linear time')
    return { kind: 'char', test: this.#escaped(true) }
  }

  /** One escaped class or character. */
  #escaped(alone: boolean): Test {
    const char = this.#text[this.#at + 1] ?? ''
    const known = classes[char]
    if (char === '' || (/[A-Za-z0-9]/.test(char) && !known && controls[char] === undefined)) throw this.#fault('an unknown escape')
    this.#at += 2
    const code = controls[char] ?? char.charCodeAt(0)
    const same: Test = (other) => other === code
    return known ?? (alone ? this.#cased(same) : same)
  }

  #literal(): Test {
    const code = this.#text.charCodeAt(this.#at++)
    return (other) => other === code
  }

  #set(): Test {
    this.#at++
    const negated = this.#peek() === '^'
    if (negated) this.#at++
    const tests: Test[] = []
    while (this.#peek() !== ']') {
      if (this.#at >= this.#text.length) throw this.#fault('a class that is not closed')
      if (this.#peek() === '\\') {
        tests.push(this.#escaped(false))
        continue
      }
      const from = this.#text.charCodeAt(this.#at++)
      if (this.#peek() === '-' && this.#text[this.#at + 1] !== ']' && this.#at + 1 < this.#text.length) {
        const to = this.#text.charCodeAt(this.#at + 1)
        if (to < from || this.#text[this.#at + 1] === '\\') throw this.#fault('a range goes from a smaller to a larger character')
        this.#at += 2
        tests.push((code) => code >= from && code <= to)
      } else tests.push((code) => code === from)
    }
    this.#at++
    if (tests.length === 0) throw this.#fault('an empty class')
    const some = this.#cased((code) => tests.some((test) => test(code)))
    return negated ? not(some) : some
  }

  #cased(test: Test): Test {
    if (!this.#ignoreCase) return test
    return (code) => {
      if (test(code)) return true
      const char = String.fromCharCode(code)
      return test(char.toLowerCase().charCodeAt(0)) || test(char.toUpperCase().charCodeAt(0))
    }
  }
}

/** Builds states backwards: each node is given the state that follows it. */
function compile(node: Node, next: number, states: State[]): number {
  const add = (state: State): number => {
    if (states.length >= MOST_STATES)
      throw new PatternError(`the pattern needs more than ${MOST_STATES} states: shorten its repetitions`, 0)
    return states.push(state) - 1
  }
  switch (node.kind) {
    case 'empty':
      return next
    case 'char':
      return add({ kind: 'char', test: node.test, next })
    case 'assert':
      return add({ kind: 'assert', at: node.at, next })
    case 'all':
      return node.items.reduceRight((after, item) => compile(item, after, states), next)
    case 'any':
      return node.items.map((item) => compile(item, next, states)).reduce((a, b) => add({ kind: 'split', a, b }))
    case 'repeat': {
      let entry = next
      if (node.max === Number.POSITIVE_INFINITY) {
        const loop = add({ kind: 'split', a: next, b: next })
        states[loop] = { kind: 'split', a: compile(node.item, loop, states), b: next }
        entry = loop
      } else for (let i = node.min; i < node.max; i++) entry = add({ kind: 'split', a: compile(node.item, entry, states), b: next })
      for (let i = 0; i < node.min; i++) entry = compile(node.item, entry, states)
      return entry
    }
  }
}

/** A compiled pattern. Time is at most the length of the text times the number of states. */
export class LinearPattern {
  readonly #states: readonly State[]
  readonly #entry: number

  /** @throws PatternError too long, not regular, too many states, or matching nothing at all */
  constructor(source: string, ignoreCase = true) {
    if (source.length === 0 || source.length > MOST_PATTERN) throw new PatternError(`a pattern has 1 to ${MOST_PATTERN} characters`, 0)
    const states: State[] = [{ kind: 'match' }]
    this.#entry = compile(new Parser(source, ignoreCase).parse(), 0, states)
    this.#states = states
    if (this.#longest('') === 0) throw new PatternError('this pattern also matches nothing at all, and so everywhere', 0)
  }

  /** States: what a search costs per character at most. */
  get states(): number {
    return this.#states.length
  }

  #longest(text: string): number | undefined {
    const [found] = this.#search(text, 0)
    return found === undefined ? undefined : found.end - found.start
  }

  /** All matches from left to right, without overlap, each as long as possible. */
  *findAll(text: string): Generator<readonly [start: number, end: number]> {
    for (const { start, end } of this.#search(text, 1)) yield [start, end]
  }

  /**
   * One pass: every state carries the earliest start that leads to it, so the leftmost match is found without trying starts one by one.
   * @param least matches shorter than this do not count
   */
  *#search(text: string, least: number): Generator<{ readonly start: number; readonly end: number }> {
    const states = this.#states
    let starts = new Int32Array(states.length).fill(-1)
    let after = new Int32Array(states.length).fill(-1)
    let live: number[] = []
    let nextLive: number[] = []
    let found: { readonly start: number; readonly end: number } | undefined
    let free = 0
    const wordAt = (at: number): boolean => at >= 0 && at < text.length && isWord(text.charCodeAt(at))
    const stack: number[] = []
    const enter = (state: number, start: number, at: number, into: Int32Array, list: number[]) => {
      stack.push(state)
      for (let top = stack.pop(); top !== undefined; top = stack.pop()) {
        const known = into[top] as number
        if (known >= 0 && known <= start) continue
        if (known < 0) list.push(top)
        into[top] = start
        const one = states[top] as State
        if (one.kind === 'split') stack.push(one.b, one.a)
        else if (one.kind === 'assert') {
          const holds = one.at === 'word' ? wordAt(at - 1) !== wordAt(at) : one.at === 'start' ? at === 0 : at === text.length
          if (holds) stack.push(one.next)
        } else if (one.kind === 'match' && at - start >= least) {
          if (!found || start < found.start || (start === found.start && at > found.end)) found = { start, end: at }
        }
      }
    }
    let left = MOST_PASSES * (text.length + 1)
    for (let at = 0; at <= text.length; at++) {
      if (left-- === 0) {
        // Looking ahead again and again behind every match: the rest counts as found, since what cannot be judged is not shown.
        yield { start: free, end: text.length }
        return
      }
      if (!found && at >= free) enter(this.#entry, at, at, starts, live)
      const code = at < text.length ? text.charCodeAt(at) : -1
      for (const state of live) {
        const one = states[state] as State
        const start = starts[state] as number
        starts[state] = -1
        if (one.kind !== 'char' || code < 0 || !one.test(code)) continue
        if (found && start > found.start) continue
        enter(one.next, start, at + 1, after, nextLive)
      }
      live.length = 0
      ;[starts, after] = [after, starts]
      ;[live, nextLive] = [nextLive, live]
      if (found && live.every((state) => (starts[state] as number) > (found as { start: number }).start)) {
        yield found
        // Starts inside the match are dead; what comes after it begins afresh.
        for (const state of live) starts[state] = -1
        live.length = 0
        free = found.end
        at = free - 1
        found = undefined
      } else if (found && at === text.length) yield found
    }
  }
}
