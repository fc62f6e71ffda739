// SPDX-License-Identifier: Apache-2.0
// An engine in a process of its own that takes calls by several people: the crash test gives approvals by a second person. Everything behind
// the router is the product's.
import { pino } from 'pino'
import type { OperationName } from '../../shared/contract/contract.ts'
import { AffidavitError } from '../../shared/contract/errors.ts'
import type { EngineStart } from '../../shared/contract/wire.ts'
import { engineEnvironment } from '../config.ts'
import { type Engine, startEngine } from '../engine.ts'
import type { Caller } from '../handlers.ts'

/** A call; `as`: the ref of a person who is set up, else the engine itself. */
export interface EntryCall {
  readonly kind: 'call'
  readonly id: string
  readonly op: OperationName
  readonly input: unknown
  readonly as: string | undefined
}

export interface EntryStart {
  readonly kind: 'start'
  readonly config: EngineStart['config']
  /** How much later than now disposals judge. */
  readonly laterMs: number
}

/** Asks for the longest turn of the writer's thread since it was last asked; the first time for nothing. */
export interface EntryTurn {
  readonly kind: 'turn'
}

/** Milliseconds of processor time that the thread was busy with at one stretch, at most: what others do on the machine is not in it. */
export interface EntryTurnReply {
  readonly kind: 'turn'
  readonly cpuMs: number
}

let longest: (() => number) | undefined

/** Times the turns of this thread: each begins with a timer that is due every millisecond. */
function timeTurns(): () => number {
  let from = process.threadCpuUsage()
  let most = 0
  const turn = (): void => {
    const { user, system } = process.threadCpuUsage(from)
    most = Math.max(most, (user + system) / 1000)
    from = process.threadCpuUsage()
  }
  setInterval(turn, 1)
  return () => {
    turn()
    const found = most
    most = 0
    return found
  }
}

const local: Caller = { actor: { ref: 'local', kind: 'human' }, via: 'ipc' }
const itself: Caller = { actor: { ref: 'engine', kind: 'system' }, via: 'ipc' }
const post = (message: object): void => void process.send?.(message)
let engine: Engine | undefined

async function start({ config, laterMs }: EntryStart): Promise<void> {
  try {
    engine = await startEngine(config, engineEnvironment(), {
      store: null,
      log: pino({ level: 'silent' }),
      passwordCost: 1024,
      disposal: { now: () => Date.now() + laterMs }
    })
    post({ kind: 'ready' })
  } catch (error) {
    const { code, message } = error instanceof AffidavitError ? error : { code: 'internal', message: String(error) }
    post({ kind: 'failed', code, message })
  }
}

async function answer({ id, op, input, as }: EntryCall): Promise<void> {
  if (!engine) return
  const nobody = engine.people.directory.empty ? local : itself
  const caller: Caller = as === undefined ? nobody : { actor: { ref: as, kind: 'human' }, via: 'ipc' }
  post({ kind: 'reply', id, reply: await engine.router.call(op, input, caller) })
}

function tellTurn(): void {
  longest ??= timeTurns()
  post({ kind: 'turn', cpuMs: longest() } satisfies EntryTurnReply)
}

process.on('message', (message: EntryStart | EntryCall | EntryTurn) => {
  if (message.kind === 'start') void start(message)
  else if (message.kind === 'call') void answer(message)
  else tellTurn()
})
process.on('disconnect', () => process.exit(0))
