// SPDX-License-Identifier: Apache-2.0
// The engine in a process of its own that a test may kill, spoken to over the contract.
import { type ChildProcess, fork } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { testProgram } from '../../node/test-program.ts'
import type { OperationInput, OperationName, OperationOutput } from '../../shared/contract/contract.ts'
import type { Reply } from '../../shared/contract/errors.ts'
import type { EngineState, FromEngine } from '../../shared/contract/wire.ts'
import type { EntryCall, EntryStart, EntryTurn, EntryTurnReply } from './engine-entry.ts'

const entry = testProgram('engine-entry')

export interface EngineProcess {
  readonly pid: number
  /** Address of the compliance server. */
  readonly url: string
  /** Rejects when the engine refuses, and when it dies. `as`: the ref of a person; else the engine itself asks. */
  call<N extends OperationName>(op: N, input: OperationInput<N>, as?: string): Promise<OperationOutput<N>>
  /** Processor time of the longest turn of the writer's thread since this was last asked, milliseconds; the first time 0. */
  longestTurn(): Promise<number>
  /** Ends it as a power cut would: nothing is flushed, nothing answered. */
  kill(): void
  readonly exited: Promise<void>
}

/** Starts an engine with both servers on free ports; `laterMs`: how much later than now its disposals judge; `env`: of its process, beside ours. */
export async function engineProcess(root: string, laterMs = 0, env: NodeJS.ProcessEnv = {}): Promise<EngineProcess> {
  const child: ChildProcess = fork(entry, [], {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    serialization: 'advanced',
    env: { ...process.env, ...env, AFFIDAVIT_LOG_LEVEL: 'silent' }
  })
  const calls = new Map<string, (reply: Reply<unknown>) => void>()
  let dead = false
  const exited = new Promise<void>((resolve) =>
    child.once('exit', () => {
      dead = true
      resolve()
    })
  )
  void exited.then(() => {
    for (const answer of calls.values()) answer({ ok: false, error: { code: 'engine_unavailable', message: 'the engine has died' } })
  })
  const call: EngineProcess['call'] = async (op, input, as) => {
    const id = randomUUID()
    const reply = await new Promise<Reply<unknown>>((resolve) => {
      calls.set(id, resolve)
      if (child.connected && !dead)
        child.send(
          { kind: 'call', id, op, input, as } satisfies EntryCall,
          (error) => error && resolve({ ok: false, error: { code: 'engine_unavailable', message: error.message } })
        )
      else resolve({ ok: false, error: { code: 'engine_unavailable', message: 'the engine has died' } })
    })
    calls.delete(id)
    if (!reply.ok) throw new Error(`${op}: ${reply.error.code}: ${reply.error.message}`)
    return reply.value as never
  }
  await new Promise<void>((resolve, reject) => {
    child.on('message', (message: FromEngine | EngineState) => {
      if (message.kind === 'ready') resolve()
      else if (message.kind === 'failed') reject(new Error(`${message.code}: ${message.message}`))
      else if (message.kind === 'reply') calls.get(message.id)?.(message.reply)
    })
    void exited.then(() => reject(new Error('the engine died while it started')))
    const binding = { host: '127.0.0.1', port: 0 }
    const config = {
      workspace: join(root, 'workspace'),
      state: join(root, 'state'),
      compliance: binding,
      drift: binding,
      appVersion: '0.1.0',
      keyProtection: 'file'
    } as const
    child.send({ kind: 'start', config, laterMs } satisfies EntryStart)
  })
  const { endpoints, problem } = await call('workspace.status', {})
  if (problem) throw new Error(`${problem.code}: ${problem.message}`)
  const longestTurn = () =>
    new Promise<number>((resolve) => {
      const onMessage = (message: EntryTurnReply | FromEngine): void => {
        if (message.kind !== 'turn') return
        child.off('message', onMessage)
        resolve(message.cpuMs)
      }
      child.on('message', onMessage)
      child.send({ kind: 'turn' } satisfies EntryTurn)
    })
  return { pid: child.pid ?? 0, url: endpoints.compliance.url, call, longestTurn, kill: () => void child.kill('SIGKILL'), exited }
}
