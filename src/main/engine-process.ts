// SPDX-License-Identifier: Apache-2.0
import { type UtilityProcess, utilityProcess } from 'electron'
import { errorCode } from '../shared/contract/errors.ts'
import type { ShellEngineState } from '../shared/contract/shell.ts'
import type {
  EngineStart,
  EngineState,
  EngineStop,
  FromEngine,
  KeyReply,
  KeyRequest,
  PassphraseChanged,
  PrintReply,
  PrintRequest,
  ToEngine
} from '../shared/contract/wire.ts'
import { engineVariables } from './config.ts'

type Failed = Extract<EngineState, { kind: 'failed' }>
type FromProcess = FromEngine | EngineState | KeyRequest | PassphraseChanged | PrintRequest

export interface EngineProcessOptions {
  /** The built entry of the engine. */
  readonly entry: string
  /** Asked at each start. */
  readonly config: () => EngineStart['config']
  readonly answerPrintRequest: (request: PrintRequest) => Promise<PrintReply>
  readonly answerKeyRequest: (request: KeyRequest) => KeyReply
  readonly onPassphrase: (passphrase: string | null) => void
  readonly onMessage: (message: FromEngine) => void
  readonly onState: (state: ShellEngineState) => void
}

const FIRST_RETRY_MS = 250
const LONGEST_RETRY_MS = 8_000
/** So many unexpected ends within {@link WINDOW_MS} are not an accident any more. */
const MOST_RESTARTS = 5
const WINDOW_MS = 120_000
const STOP_MS = 10_000

/** The engine's process: started, watched, started again with growing pauses when it ends by itself, and ended in order. */
export class EngineProcess {
  readonly #options: EngineProcessOptions
  #child: UtilityProcess | null = null
  #state: ShellEngineState = { state: 'starting', restarts: 0, retry_ms: null, code: null, message: null, asks: null }
  #ends: number[] = []
  #restarts = 0
  #retry: NodeJS.Timeout | null = null
  /** Resolves when the present child has ended. */
  #ended: Promise<void> = Promise.resolve()
  #stopping = false

  constructor(options: EngineProcessOptions) {
    this.#options = options
  }

  get state(): ShellEngineState {
    return this.#state
  }

  /** Passes a message on; only while the state is `running`. */
  send(message: ToEngine): void {
    this.#child?.postMessage(message)
  }

  start(): void {
    if (this.#child !== null || this.#stopping) return
    const child = utilityProcess.fork(this.#options.entry, [], {
      serviceName: 'Affidavit engine',
      stdio: 'inherit',
      env: engineVariables()
    })
    this.#child = child
    let failure: Failed | null = null
    child.on('message', (message: FromProcess) => {
      if (this.#child !== child) return
      switch (message.kind) {
        case 'ready':
          this.#set({ state: 'running', retry_ms: null, code: null, message: null })
          return
        case 'failed':
          failure = message
          return
        case 'keys.wrap':
        case 'keys.unwrap':
          child.postMessage(this.#options.answerKeyRequest(message))
          return
        case 'keys.passphrase':
          this.#options.onPassphrase(message.passphrase)
          return
        case 'print':
          void this.#options.answerPrintRequest(message).then((reply) => {
            if (this.#child === child) child.postMessage(reply)
          })
          return
        case 'reply':
        case 'event':
          this.#options.onMessage(message)
          return
      }
    })
    this.#ended = new Promise((resolve) => {
      child.once('exit', () => {
        resolve()
        if (this.#child !== child) return
        this.#child = null
        if (!this.#stopping) this.#unexpectedEnd(failure)
      })
    })
    child.postMessage({ kind: 'start', config: this.#options.config() } satisfies EngineStart)
  }

  #unexpectedEnd(failure: Failed | null): void {
    if (failure !== null) {
      const code = errorCode.safeParse(failure.code)
      this.#set({
        state: 'failed',
        retry_ms: null,
        code: code.success ? code.data : 'internal',
        message: failure.message,
        asks: failure.asks ?? null
      })
      return
    }
    const now = Date.now()
    this.#ends = [...this.#ends.filter((time) => now - time < WINDOW_MS), now]
    this.#restarts += 1
    if (this.#ends.length > MOST_RESTARTS) {
      this.#set({
        state: 'failed',
        retry_ms: null,
        code: 'engine_unavailable',
        message: `The engine ended ${this.#ends.length} times within ${WINDOW_MS / 60_000} minutes. What it acknowledged is on disk.`
      })
      return
    }
    const pause = Math.min(LONGEST_RETRY_MS, FIRST_RETRY_MS * 2 ** (this.#ends.length - 1))
    this.#set({ state: 'restarting', retry_ms: pause, code: 'engine_unavailable', message: 'The engine ended and is being started again.' })
    this.#retry = setTimeout(() => this.start(), pause)
  }

  #set(change: Omit<ShellEngineState, 'restarts' | 'asks'> & Partial<Pick<ShellEngineState, 'asks'>>): void {
    this.#state = { asks: null, ...change, restarts: this.#restarts }
    this.#options.onState(this.#state)
  }

  /** Ends a running engine in order and starts a new one, whatever the state was. */
  async restart(): Promise<void> {
    await this.#end()
    this.#ends = []
    this.#set({ state: 'starting', retry_ms: null, code: null, message: null })
    this.start()
  }

  /** Ends the engine for good; what it acknowledged is on disk in any case. */
  async stop(): Promise<void> {
    this.#stopping = true
    await this.#end()
  }

  async #end(): Promise<void> {
    if (this.#retry !== null) clearTimeout(this.#retry)
    this.#retry = null
    const child = this.#child
    if (child === null) return
    const ended = this.#ended
    this.#child = null
    child.postMessage({ kind: 'stop' } satisfies EngineStop)
    // `child.kill()` asks with SIGTERM, to which the engine is already ending.
    const force = setTimeout(() => {
      if (child.pid !== undefined) process.kill(child.pid, 'SIGKILL')
    }, STOP_MS)
    await ended
    clearTimeout(force)
  }
}
