// SPDX-License-Identifier: Apache-2.0
import { randomUUID } from 'node:crypto'
import type { z } from 'zod'
import {
  type OperationInput,
  type OperationName,
  type OperationOutput,
  operations,
  type TopicEvent,
  type TopicName
} from '../shared/contract/contract.ts'
import { AffidavitError, type ErrorCode, type Reply } from '../shared/contract/errors.ts'
import type { EngineStart, EngineState, FromEngine, PrintReply, PrintRequest } from '../shared/contract/wire.ts'
import { type EngineTransport, startEngine } from './engine-transport.ts'

/** Prints a page as PDF. */
export type Print = (page: { readonly html: string; readonly footer: string }) => Promise<Uint8Array>

async function answer({ id, html, footer }: PrintRequest, print: Print | undefined): Promise<PrintReply> {
  try {
    if (!print) throw new AffidavitError('engine_unavailable', 'nothing here can print')
    return { kind: 'print.reply', id, pdf: await print({ html, footer }), message: '' }
  } catch (error) {
    return {
      kind: 'print.reply',
      id,
      pdf: null,
      message: error instanceof AffidavitError ? error.message : 'the page could not be printed'
    }
  }
}

/** A running engine, spoken to over the contract. */
export class EngineChild {
  readonly #transport: EngineTransport
  readonly #calls = new Map<string, (reply: Reply<unknown>) => void>()
  readonly #topics = new Map<string, (event: unknown) => void>()

  private constructor(transport: EngineTransport) {
    this.#transport = transport
    void transport.exited.then(() => {
      for (const answer of this.#calls.values())
        answer({ ok: false, error: { code: 'engine_unavailable', message: 'the engine has stopped' } })
      this.#calls.clear()
    })
  }

  /**
   * Starts the engine on a workspace and waits until it serves.
   * @throws AffidavitError with the code the engine gave, such as workspace_locked or keys_unavailable
   */
  static start(config: EngineStart['config'], print?: Print): Promise<EngineChild> {
    const transport = startEngine(config.compliance !== null)
    const engine = new EngineChild(transport)
    return new Promise((resolve, reject) => {
      transport.onMessage((message) => {
        const incoming = message as FromEngine | EngineState | PrintRequest
        if (incoming.kind === 'ready') resolve(engine)
        else if (incoming.kind === 'failed') reject(new AffidavitError(incoming.code as ErrorCode, incoming.message))
        else if (incoming.kind === 'print') void answer(incoming, print).then(transport.send)
        else engine.#receive(incoming)
      })
      void transport.exited.then(() => reject(new AffidavitError('engine_unavailable', 'the engine stopped while starting')))
      transport.send({ kind: 'start', config: { ...config, prints: print !== undefined } } satisfies EngineStart)
    })
  }

  /** Calls an operation; throws AffidavitError on a negative reply. */
  async call<N extends OperationName>(op: N, input: OperationInput<N>): Promise<OperationOutput<N>> {
    const id = randomUUID()
    const reply = await new Promise<Reply<unknown>>((resolve) => {
      this.#calls.set(id, resolve)
      this.#transport.send({ kind: 'call', id, op, input })
    })
    if (!reply.ok) throw new AffidavitError(reply.error.code, reply.error.message, reply.error.details)
    return (operations[op].output as unknown as z.ZodType<OperationOutput<N>>).parse(reply.value)
  }

  subscribe<T extends TopicName>(topic: T, listener: (event: TopicEvent<T>) => void): void {
    const id = randomUUID()
    this.#topics.set(id, listener as (event: unknown) => void)
    this.#transport.send({ kind: 'subscribe', id, topic, input: {} })
  }

  /** Asks the engine to sign, close and exit; its exit code. */
  async stop(): Promise<number> {
    this.#transport.send({ kind: 'stop' })
    return this.#transport.exited
  }

  /** Resolves when the engine ends by itself. */
  get exited(): Promise<number> {
    return this.#transport.exited
  }

  #receive(message: FromEngine): void {
    if (message.kind === 'event') {
      this.#topics.get(message.id)?.(message.event)
      return
    }
    const answer = this.#calls.get(message.id)
    this.#calls.delete(message.id)
    answer?.(message.reply)
  }
}
