// SPDX-License-Identifier: Apache-2.0
// The whole engine on a workspace in a temporary folder, for tests.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pino } from 'pino'
import type { OperationInput, OperationName, OperationOutput } from '../../shared/contract/contract.ts'
import type { Role } from '../../shared/contract/permissions.ts'
import type { EngineStart } from '../../shared/contract/wire.ts'
import type { Job } from '../../shared/contract/workspace.ts'
import type { Print } from '../bundle/printer.ts'
import type { Clock } from '../clock.ts'
import { engineEnvironment } from '../config.ts'
import { type Engine, startEngine } from '../engine.ts'
import type { Caller } from '../handlers.ts'
import type { DisposalHooks } from '../policy/disposal.ts'

/** Somebody who is signed in. */
export interface TestPerson {
  readonly ref: string
  readonly caller: Caller
  call<N extends OperationName>(op: N, input: OperationInput<N>): Promise<OperationOutput<N>>
  codeOf<N extends OperationName>(op: N, input: unknown): Promise<string | undefined>
}

export interface TestEngine {
  readonly root: string
  readonly workspace: string
  readonly state: string
  readonly engine: Engine
  call<N extends OperationName>(op: N, input: OperationInput<N>): Promise<OperationOutput<N>>
  /** The failure code of a call; undefined when it went well. */
  codeOf<N extends OperationName>(op: N, input: unknown): Promise<string | undefined>
  /**
   * A person of that role, set up at the first use of the name; from then on people have to be signed in, and `call` acts as the engine itself.
   * Takes effect as in the app: the same checks, the same leaves, the person's own ref.
   */
  as(role: Role, name?: string): Promise<TestPerson>
  job(id: string): Promise<Job>
  /** The newest job of a kind, when it has ended; waits for one to begin. */
  ended(kind: Job['kind']): Promise<Job>
  /** Stops and starts on the same folder; `between` may change files. */
  restart(between?: () => void): Promise<void>
  remove(): Promise<void>
}

const local: Caller = { actor: { ref: 'local', kind: 'human' }, via: 'ipc' }
const itself: Caller = { actor: { ref: 'engine', kind: 'system' }, via: 'ipc' }

/** Starts an engine; with `servers`, both ports are open on free ports. */
export async function testEngine(
  options: {
    readonly servers?: boolean
    /** The address that both ports are bound on, asked at each start; loopback when absent. */
    readonly host?: () => string
    readonly root?: string
    readonly workspace?: string
    readonly print?: Print
    readonly disposal?: DisposalHooks
    readonly clock?: Clock
    /** Variables of the environment, read at each start. */
    readonly env?: NodeJS.ProcessEnv
    readonly onPassphrase?: (passphrase: string | null) => void
    /** Typed at each start. */
    readonly passphrase?: () => string | null
  } = {}
): Promise<TestEngine> {
  const root = options.root ?? mkdtempSync(join(tmpdir(), 'affidavit-engine-'))
  const workspace = options.workspace ?? join(root, 'workspace')
  const state = join(root, 'state')
  const fixed = {
    workspace,
    state,
    appVersion: '0.1.0',
    keyProtection: 'file'
  } as const
  const start = () => {
    const passphrase = options.passphrase?.() ?? null
    const binding = options.servers ? { host: options.host?.() ?? '127.0.0.1', port: 0 } : null
    const config: EngineStart['config'] = { ...fixed, compliance: binding, drift: binding }
    return startEngine(passphrase === null ? config : { ...config, passphrase }, engineEnvironment(options.env ?? {}), {
      store: null,
      log: pino({ level: 'silent' }),
      passwordCost: 1024,
      print: options.print,
      ...(options.disposal ? { disposal: options.disposal } : {}),
      ...(options.clock ? { clock: options.clock } : {}),
      ...(options.onPassphrase ? { onPassphrase: options.onPassphrase } : {})
    })
  }
  let engine = await start()
  const by = (caller: () => Caller) => ({
    call: async <N extends OperationName>(op: N, input: OperationInput<N>): Promise<OperationOutput<N>> => {
      const reply = await engine.router.call(op, input, caller())
      if (!reply.ok) throw new Error(`${op}: ${reply.error.code}: ${reply.error.message}`)
      return reply.value as OperationOutput<N>
    },
    codeOf: async <N extends OperationName>(op: N, input: unknown): Promise<string | undefined> => {
      const reply = await engine.router.call(op, input, caller())
      return reply.ok ? undefined : reply.error.code
    }
  })
  const me = by(() => (engine.people.directory.empty ? local : itself))
  const { call } = me
  /** Resolves when the job that is picked of all, newest first, has ended; asked again whenever one changes. */
  const jobThat = async (pick: (jobs: readonly Job[]) => Job | undefined): Promise<Job> => {
    let changed = (): void => {}
    const off = engine.router.subscribe(
      'jobs',
      {},
      () => changed(),
      () => itself
    )
    try {
      for (;;) {
        const change = new Promise<void>((resolve) => (changed = resolve))
        const job = pick((await call('jobs.list', {})).jobs)
        if (job && job.state !== 'running') return job
        await change
      }
    } finally {
      off()
    }
  }
  const people = new Map<string, TestPerson>()
  const as = async (role: Role, name: string = role): Promise<TestPerson> => {
    const known = people.get(name)
    if (known) return known
    if (engine.people.directory.empty && (role !== 'administrator' || name !== 'administrator')) await as('administrator')
    const { ref } = await call('people.add', { name: `the ${name.replaceAll('_', ' ')}`, role, os_account: `account of ${name}` })
    const caller: Caller = { actor: { ref, kind: 'human' }, via: 'ipc' }
    const person = { ref, caller, ...by(() => caller) }
    people.set(name, person)
    return person
  }
  return {
    root,
    workspace,
    state,
    get engine() {
      return engine
    },
    ...me,
    as,
    job: (id) => jobThat((jobs) => jobs.find((one) => one.id === id)),
    ended: (kind) => jobThat((jobs) => jobs.find((one) => one.kind === kind)),
    restart: async (between) => {
      await engine.stop('quit')
      between?.()
      engine = await start()
    },
    remove: async () => {
      await engine.stop('quit')
      rmSync(root, { recursive: true, force: true })
    }
  }
}

/** A record as the HTTP ingest takes it; `n` makes it unique. */
export const rawRecord = (n: number, more: Readonly<Record<string, unknown>> = {}) => ({
  id: `call-${n}`,
  source: 'desk',
  model: 'gpt-4',
  provider: 'openai',
  start_time: new Date(Date.UTC(2026, 0, 1) + n * 60_000).toISOString(),
  latency_ms: 500 + (n % 100),
  input_tokens: 10,
  output_tokens: 20 + (n % 7),
  prompt: `What is the answer to question ${n}?`,
  response: `The answer to question ${n} is ${n * 2}.`,
  ...more
})
