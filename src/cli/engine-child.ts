// SPDX-License-Identifier: Apache-2.0
import { type ChildProcess, fork } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { fileURLToPath } from 'node:url'
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
import { engineVariables } from './config.ts'

/** Beside the built command line, or in the sources when these run directly. */
const entry = import.meta.url.endsWith('.ts') ? new URL('../engine/index.ts', import.meta.url) : new URL('./engine.js', import.meta.url)

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

/** A running engine in a child process, spoken to over the contract. */
export class EngineChild {
  readonly #child: ChildProcess
  readonly #calls = new Map<string, (reply: Reply<unknown>) => void>()
  readonly #topics = new Map<string, (event: unknown) => void>()
  readonly #exited: Promise<number>

  private constructor(child: ChildProcess) {
    this.#child = child
    this.#exited = new Promise((resolve) => child.once('exit', (code) => resolve(code ?? 1)))
    void this.#exited.then(() => {
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
    const child = fork(fileURLToPath(entry), [], {
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
      serialization: 'advanced',
      env: engineVariables()
    })
    const engine = new EngineChild(child)
    return new Promise((resolve, reject) => {
      child.on('message', (message) => {
        const incoming = message as FromEngine | EngineState | PrintRequest
        if (incoming.kind === 'ready') resolve(engine)
        else if (incoming.kind === 'failed') reject(new AffidavitError(incoming.code as ErrorCode, incoming.message))
        else if (incoming.kind === 'print') void answer(incoming, print).then((reply) => child.connected && child.send(reply))
        else engine.#receive(incoming)
      })
      void engine.#exited.then(() => reject(new AffidavitError('engine_unavailable', 'the engine stopped while starting')))
      child.send({ kind: 'start', config: { ...config, prints: print !== undefined } } satisfies EngineStart)
    })
  }

  /** Calls an operation; throws AffidavitError on a negative reply. */
  async call<N extends OperationName>(op: N, input: OperationInput<N>): Promise<OperationOutput<N>> {
    const id = randomUUID()
    const reply = await new Promise<Reply<unknown>>((resolve) => {
      this.#calls.set(id, resolve)
      this.#child.send({ kind: 'call', id, op, input })
    })
    if (!reply.ok) throw new AffidavitError(reply.error.code, reply.error.message, reply.error.details)
    return (operations[op].output as unknown as z.ZodType<OperationOutput<N>>).parse(reply.value)
  }

  subscribe<T extends TopicName>(topic: T, listener: (event: TopicEvent<T>) => void): void {
    const id = randomUUID()
    this.#topics.set(id, listener as (event: unknown) => void)
    this.#child.send({ kind: 'subscribe', id, topic, input: {} })
  }

  /** Asks the engine to sign, close and exit; its exit code. */
  async stop(): Promise<number> {
    if (this.#child.connected) this.#child.send({ kind: 'stop' })
    return this.#exited
  }

  /** Resolves when the engine ends by itself. */
  get exited(): Promise<number> {
    return this.#exited
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
