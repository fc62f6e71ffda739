// SPDX-License-Identifier: Apache-2.0
// The engine's entry: a utility process under Electron (process.parentPort), a child of the command line under plain Node (process.send), or a
// thread of the packaged command line (the port of worker_threads).
import { randomUUID } from 'node:crypto'
import { parentPort as portOfThread } from 'node:worker_threads'
import { AffidavitError } from '../shared/contract/errors.ts'
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
import type { Print } from './bundle/printer.ts'
import { engineEnvironment } from './config.ts'
import { type Engine, startEngine } from './engine.ts'
import { engineLog } from './log.ts'
import { Session } from './session.ts'
import { useNativeBinding } from './sqlite/open.ts'
import type { OsKeyStore } from './vault/key-file.ts'

type Incoming = ToEngine | EngineStart | EngineStop | KeyReply | PrintReply
type Outgoing = FromEngine | EngineState | KeyRequest | PassphraseChanged | PrintRequest

interface Port {
  readonly surface: 'desktop' | 'cli'
  post(message: Outgoing): void
  onMessage(listener: (message: Incoming) => void): void
  onClose(listener: () => void): void
}

interface ParentPort {
  postMessage(message: unknown): void
  on(event: 'message', listener: (event: { readonly data: unknown }) => void): void
}

function openPort(): Port {
  const parentPort = (process as unknown as { readonly parentPort?: ParentPort }).parentPort
  if (parentPort) {
    return {
      surface: 'desktop',
      post: (message) => parentPort.postMessage(message),
      onMessage: (listener) => parentPort.on('message', (event) => listener(event.data as Incoming)),
      onClose: (listener) => process.on('disconnect', listener)
    }
  }
  const threadPort = portOfThread
  if (threadPort) {
    return {
      surface: 'cli',
      post: (message) => threadPort.postMessage(message),
      onMessage: (listener) => threadPort.on('message', listener),
      onClose: (listener) => threadPort.on('close', listener)
    }
  }
  return {
    surface: 'cli',
    post: (message) => {
      if (process.connected) process.send?.(message)
    },
    onMessage: (listener) => process.on('message', (message) => listener(message as Incoming)),
    onClose: (listener) => process.on('disconnect', listener)
  }
}

const port = openPort()
const environment = engineEnvironment()
const log = engineLog(environment.logLevel)
useNativeBinding(environment.nativeBinding)

const waitingKeys = new Map<string, { resolve: (value: string) => void; reject: (error: Error) => void }>()
const keyStore: OsKeyStore = {
  wrap: (plaintext) => askForKey({ kind: 'keys.wrap', id: randomUUID(), plaintext }),
  unwrap: (wrapped) => askForKey({ kind: 'keys.unwrap', id: randomUUID(), wrapped })
}

function askForKey(request: KeyRequest): Promise<string> {
  return new Promise((resolve, reject) => {
    waitingKeys.set(request.id, { resolve, reject })
    port.post(request)
  })
}

const waitingPrints = new Map<string, (reply: PrintReply) => void>()
const print: Print = ({ html, footer }) =>
  new Promise((resolve, reject) => {
    const id = randomUUID()
    waitingPrints.set(id, ({ pdf, message }) => (pdf === null ? reject(new AffidavitError('internal', message)) : resolve(pdf)))
    port.post({ kind: 'print', id, html, footer })
  })

let engine: Engine | undefined
let session: Session | undefined
let stopping = false

async function start(config: EngineStart['config']): Promise<void> {
  try {
    engine = await startEngine(config, environment, {
      store: config.keyProtection === 'safe-storage' ? keyStore : null,
      log,
      onPassphrase: (passphrase) => port.surface === 'desktop' && port.post({ kind: 'keys.passphrase', passphrase }),
      ...(config.prints ? { print } : {})
    })
    const { router, people } = engine
    const person = await people.openSession(port.surface)
    session = new Session(
      router,
      (signal) => people.callerOf(person, signal),
      (message) => port.post(message)
    )
    port.post({ kind: 'ready' })
  } catch (error) {
    const known = error instanceof AffidavitError ? { code: error.code, message: error.message } : undefined
    const passphrase = error instanceof AffidavitError ? error.details?.passphrase : undefined
    if (!known)
      log.fatal({
        event: 'engine.start_failed',
        error: error instanceof Error ? { name: error.name, message: error.message, stack: error.stack } : {}
      })
    port.post({
      kind: 'failed',
      code: known?.code ?? 'internal',
      message: known?.message ?? 'the engine could not start; its log names the reason',
      ...(passphrase === 'needed' ? { asks: 'passphrase' } : passphrase === 'wrong' ? { asks: 'another_passphrase' } : {})
    })
    setTimeout(() => process.exit(1), 100)
  }
}

async function stop(reason: 'quit' | 'signal'): Promise<void> {
  if (stopping) return
  stopping = true
  session?.close()
  await engine?.stop(reason)
  process.exit(0)
}

port.onMessage((message) => {
  switch (message.kind) {
    case 'start':
      if (!engine) void start(message.config)
      return
    case 'stop':
      void stop('quit')
      return
    case 'keys.reply': {
      const waiting = waitingKeys.get(message.id)
      waitingKeys.delete(message.id)
      if (message.ok) waiting?.resolve(message.value)
      else
        waiting?.reject(
          new AffidavitError('keys_unavailable', 'the key store of the operating system did not answer', { keyring: 'refused' })
        )
      return
    }
    case 'print.reply': {
      const waiting = waitingPrints.get(message.id)
      waitingPrints.delete(message.id)
      waiting?.(message)
      return
    }
    default:
      session?.receive(message)
  }
})
port.onClose(() => void stop('quit'))
process.on('SIGTERM', () => void stop('signal'))
process.on('SIGINT', () => void stop('signal'))
