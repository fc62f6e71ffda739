// SPDX-License-Identifier: Apache-2.0
import { fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { Worker } from 'node:worker_threads'
import { engineVariables } from './config.ts'

/** Beside the built command line, or in the sources when these run directly. */
const entry = import.meta.url.endsWith('.ts') ? new URL('../engine/index.ts', import.meta.url) : new URL('./engine.js', import.meta.url)

/** A way to speak with an engine that was started. */
export interface EngineTransport {
  /** Nothing happens once the engine has ended. */
  readonly send: (message: unknown) => void
  readonly onMessage: (listener: (message: unknown) => void) => void
  /** Exit status of the engine. */
  readonly exited: Promise<number>
}

function inProcess(env: NodeJS.ProcessEnv): EngineTransport {
  const child = fork(fileURLToPath(entry), [], {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    serialization: 'advanced',
    env
  })
  return {
    send: (message) => {
      if (child.connected) child.send(message as object)
    },
    onMessage: (listener) => child.on('message', listener),
    exited: new Promise((resolve) => child.once('exit', (code) => resolve(code ?? 1)))
  }
}

function inThread(env: NodeJS.ProcessEnv): EngineTransport {
  const worker = new Worker(entry, { stdout: true, env })
  return {
    send: (message) => worker.postMessage(message),
    onMessage: (listener) => worker.on('message', listener),
    exited: new Promise((resolve) => {
      worker.once('error', () => resolve(1))
      worker.once('exit', resolve)
    })
  }
}

/**
 * Starts an engine: a process of its own under Node, a thread in the packaged app, whose runtime starts no second program as Node
 * (`runAsNode` is off, so that nobody else can make it do so).
 */
export function startEngine(serves: boolean): EngineTransport {
  const env = engineVariables(serves)
  return process.versions.electron === undefined ? inProcess(env) : inThread(env)
}
