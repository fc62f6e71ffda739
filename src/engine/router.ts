// SPDX-License-Identifier: Apache-2.0
import type { Logger } from 'pino'
import type { z } from 'zod'
import { type OperationName, operations, type TopicEvent, type TopicName, topics } from '../shared/contract/contract.ts'
import { AffidavitError, type Failure, type Reply } from '../shared/contract/errors.ts'
import { inputProblem } from '../shared/contract/input-problem.ts'
import { isWellFormed } from '../shared/evidence/jcs.ts'
import type { Caller, Handlers } from './handlers.ts'
import { stackOf } from './stack-of.ts'

type Handler = (input: unknown, caller: Caller) => Promise<unknown>

/** Where topics get their events: `start` begins pushing and returns its off function. */
export type TopicSources = { readonly [T in TopicName]: (push: (event: TopicEvent<T>) => void, caller: Caller) => () => void }

/** Who may call and follow what. */
export interface Guard {
  refusal(op: OperationName, caller: Caller): Failure | null
  /** What of an event is shown to a caller; null: nothing. */
  shown<T extends TopicName>(topic: T, event: TopicEvent<T>, caller: Caller): TopicEvent<T> | null
}

/** Parse → handler → reply, for every transport. Inputs are parsed here and nowhere else; outputs are parsed again by the receiver. */
export class Router {
  readonly #handlers: ReadonlyMap<string, Handler>
  readonly #sources: TopicSources
  readonly #log: Logger
  readonly #problem: (op: OperationName) => string | null
  readonly #guard: Guard

  /** @param problem why an operation that changes something is refused, null when it is not: the workspace is read-only */
  constructor(
    handlers: Handlers<OperationName>,
    sources: TopicSources,
    log: Logger,
    problem: (op: OperationName) => string | null,
    guard: Guard
  ) {
    this.#handlers = new Map(Object.entries(handlers as Readonly<Record<string, Handler>>))
    this.#sources = sources
    this.#log = log
    this.#problem = problem
    this.#guard = guard
  }

  /** Never throws and never rejects: failures are replies with a code of the closed union. */
  async call(op: string, input: unknown, caller: Caller): Promise<Reply<unknown>> {
    const handler = this.#handlers.get(op)
    const definition = Object.hasOwn(operations, op) ? operations[op as OperationName] : undefined
    if (!handler || !definition) return { ok: false, error: { code: 'unknown_operation', message: 'there is no such operation' } }
    const refusal = this.#guard.refusal(op as OperationName, caller)
    if (refusal) return { ok: false, error: refusal }
    const parsed = (definition.input as z.ZodType).safeParse(input)
    if (!parsed.success) return { ok: false, error: { code: 'bad_request', message: inputProblem(parsed.error) } }
    // Events are refused one by one.
    if (op !== 'events.append' && !isWellFormed(parsed.data))
      return { ok: false, error: { code: 'bad_request', message: 'the input: text that is no valid Unicode' } }
    const problem = definition.access === 'write' ? this.#problem(op as OperationName) : null
    if (problem !== null) return { ok: false, error: { code: 'read_only', message: problem } }
    try {
      return { ok: true, value: await handler(parsed.data, caller) }
    } catch (error) {
      if (caller.signal?.aborted) return { ok: false, error: { code: 'cancelled', message: 'cancelled' } }
      if (error instanceof AffidavitError) return { ok: false, error: error.toFailure() }
      this.#log.error({ event: 'handler.failed', op, error: error instanceof Error ? { name: error.name, stack: stackOf(error) } : {} })
      return { ok: false, error: { code: 'internal', message: 'this failed for a reason of its own; the log of the engine names it' } }
    }
  }

  /**
   * Subscribes to a topic. Events that the caller of the moment may not see are left out, so that a subscription outlives a lock.
   * @param callerNow asked at each event
   * @throws AffidavitError for an unknown topic or a bad input
   */
  subscribe(topic: string, input: unknown, push: (event: unknown) => void, callerNow: () => Caller): () => void {
    if (!Object.hasOwn(topics, topic)) throw new AffidavitError('unknown_operation', 'there is no such topic')
    const name = topic as TopicName
    const parsed = topics[name].input.safeParse(input)
    if (!parsed.success) throw new AffidavitError('bad_request', inputProblem(parsed.error))
    return this.#sources[name]((event) => {
      const shown = this.#guard.shown(name, event, callerNow())
      if (shown !== null) push(shown)
    }, callerNow())
  }
}
