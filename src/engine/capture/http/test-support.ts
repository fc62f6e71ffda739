// SPDX-License-Identifier: Apache-2.0
import { createHash, randomUUID } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { type OperationName, operations } from '../../../shared/contract/contract.ts'
import type { DriftAlert } from '../../../shared/contract/drift.ts'
import { AffidavitError, type Reply } from '../../../shared/contract/errors.ts'
import type { RecordRow } from '../../../shared/contract/record.ts'
import type { WorkspaceStatus } from '../../../shared/contract/workspace.ts'
import type { Caller } from '../../handlers.ts'
import type { IncomingEvent, LineResult } from '../ingest.ts'
import type { AlertChange, HttpDependencies } from './dependencies.ts'
import type { HttpLimits } from './limits.ts'
import { type HttpConfig, type HttpServers, startServers } from './servers.ts'

/** A small append-only store that keeps the promises the servers rely on: dense numbers, commits in order, duplicates by key and content. */
export class SmallStore implements HttpDependencies {
  readonly rows: RecordRow[] = []
  readonly alerts: AlertChange[] = []
  readonly events: unknown[] = []
  /** What each event is of its call, as {@link IncomingEvent} has it. */
  readonly callOf: IncomingEvent['call'][] = []
  readonly batches: number[] = []
  readonly calls: { op: string; input: unknown; caller: Caller }[] = []
  readonly logged: object[] = []
  /** Answers of operations; the input is checked against the contract first, as the router does. */
  readonly answers: Partial<Record<OperationName, (input: never) => unknown>> = {}
  inFlight = 0
  mostInFlight = 0
  /** Awaited before each commit. */
  beforeCommit: () => Promise<unknown> = async () => {}
  refuseWith: Error | null = null
  readonly #keys = new Map<string, { hash: string; id: string; seq: number }>()
  readonly #wakes = new Map<string, Set<(event: unknown) => void>>()
  #size = 1

  readonly log = {
    info: (fields: object) => void this.logged.push(fields),
    warn: (fields: object) => void this.logged.push(fields),
    error: (fields: object) => void this.logged.push(fields)
  }

  readonly ingest = {
    append: async (batch: readonly IncomingEvent[]): Promise<readonly LineResult[]> => {
      if (batch.length > 500) throw new Error('a batch has at most 500 events')
      this.inFlight++
      this.mostInFlight = Math.max(this.mostInFlight, this.inFlight)
      try {
        await this.beforeCommit()
        if (this.refuseWith !== null) throw this.refuseWith
        this.batches.push(batch.length)
        const results = batch.map((item) => this.#commit(item))
        this.wake('records')
        return results
      } finally {
        this.inFlight--
      }
    }
  }

  #commit({ line, event, sourceKey, call }: IncomingEvent): LineResult {
    const hash = createHash('sha256')
      .update(JSON.stringify({ ...event, received_us: 0 }))
      .digest('hex')
    const key = sourceKey ?? randomUUID()
    const known = this.#keys.get(key)
    if (known !== undefined) {
      if (known.hash !== hash)
        return { line, kind: 'rejected', code: 'id_conflict', message: 'the same key is on record with other content' }
      return { line, kind: 'duplicate', id: known.id, seq: known.seq }
    }
    const seq = this.#size++
    const id = randomUUID()
    this.#keys.set(key, { hash, id, seq })
    this.events.push(event)
    this.callOf.push(call)
    this.rows.push(rowOf(seq, id, event.source))
    return { line, kind: 'accepted', id, seq }
  }

  openAlert(alert: DriftAlert): void {
    this.#size = Math.max(this.#size, alert.seq + 1)
    this.alerts.push({ seq: alert.seq, alert })
    this.wake('alerts')
  }

  wake(topic: string): void {
    for (const push of this.#wakes.get(topic) ?? []) push({})
  }

  subscribers(topic: string): number {
    return this.#wakes.get(topic)?.size ?? 0
  }

  async call(op: string, input: unknown, caller: Caller): Promise<Reply<unknown>> {
    this.calls.push({ op, input, caller })
    const name = op as OperationName
    const parsed = operations[name].input.safeParse(input)
    if (!parsed.success) return { ok: false, error: { code: 'bad_request', message: 'the input does not fit' } }
    try {
      const answer = this.answers[name]
      if (answer === undefined) throw new AffidavitError('not_found', 'there is no such thing')
      return { ok: true, value: await answer(parsed.data as never) }
    } catch (error) {
      if (error instanceof AffidavitError) return { ok: false, error: error.toFailure() }
      throw error
    }
  }

  subscribe(topic: string, _input: unknown, push: (event: unknown) => void): () => void {
    const set = this.#wakes.get(topic) ?? new Set()
    this.#wakes.set(topic, set)
    set.add(push)
    return () => void set.delete(push)
  }

  readonly followed: string[] = []
  async streamOpened(actor: { readonly ref: string }): Promise<void> {
    this.followed.push(actor.ref)
  }
  async recordsAfter(seq: number, limit: number): Promise<readonly RecordRow[]> {
    await sleep(0)
    let low = 0
    let high = this.rows.length
    while (low < high) {
      const middle = (low + high) >> 1
      if ((this.rows[middle]?.seq ?? 0) > seq) high = middle
      else low = middle + 1
    }
    return this.rows.slice(low, low + limit)
  }

  async alertsAfter(seq: number, limit: number): Promise<readonly AlertChange[]> {
    return this.alerts.filter((change) => change.seq > seq).slice(0, limit)
  }

  async witness(): Promise<null> {
    return null
  }

  status(): WorkspaceStatus {
    return {
      state: 'open',
      version: '9.9.9',
      instance_id: 'instance-1',
      origin: 'affidavit.test/1',
      sample: false,
      started: '2026-01-01T00:00:00.000Z',
      path: '/secret/folder',
      ledger: { size: this.#size, records: this.rows.length, bytes: 0 },
      checkpoint: { size: 1, time: '2026-01-01T00:00:00.000Z', root: 'abc', previous_size: 0, consistent: true },
      anchor: null,
      anchoring: { state: 'off' }
    } as WorkspaceStatus
  }
}

function rowOf(seq: number, id: string, source: string): RecordRow {
  const now = new Date().toISOString()
  return {
    id,
    seq,
    timestamp: now,
    appended: now,
    channel: 'http',
    operation: 'chat',
    provider: 'openai',
    model: 'gpt-4',
    served_model: null,
    source,
    status: 'success',
    http_status: 200,
    error_type: null,
    finish: 'stop',
    processing_time_ms: 12.5,
    ttft_ms: null,
    input_tokens: 10,
    output_tokens: 20,
    response_chars: 80,
    conversation: null,
    preview: 'What is a leaf?',
    restricted: false,
    erased: false,
    sample: false,
    sealed: true
  }
}

export function alertAt(seq: number): DriftAlert {
  const timestamp = new Date().toISOString()
  return {
    id: randomUUID(),
    seq,
    timestamp,
    model: 'gpt-4',
    source: 'web-app',
    state: 'open',
    drift_score: 0.5,
    drifted_features: 'latency',
    features: [],
    look_seq: 0,
    baseline_id: randomUUID(),
    snoozed_until: null,
    history: []
  }
}

export interface TestServers {
  readonly store: SmallStore
  readonly servers: HttpServers
  readonly compliance: string
  readonly drift: string
  readonly port: number
  readonly workspace: string
  stop(): Promise<void>
}

/** Both servers on free ports over a fresh store and a temporary folder. */
export async function startTestServers(limits: Partial<HttpLimits> = {}, config: Partial<HttpConfig> = {}): Promise<TestServers> {
  const store = new SmallStore()
  const workspace = mkdtempSync(join(tmpdir(), 'affidavit-http-'))
  const servers = await startServers(store, {
    compliance: { host: '127.0.0.1', port: 0 },
    drift: { host: '127.0.0.1', port: 0 },
    workspace,
    instanceId: 'instance-1',
    version: '9.9.9',
    limits: { closeMs: 200, ...limits },
    ...config
  })
  return {
    store,
    servers,
    compliance: servers.endpoints.compliance.url,
    drift: servers.endpoints.drift.url,
    port: servers.endpoints.compliance.port,
    workspace,
    stop: async () => {
      await servers.close()
      rmSync(workspace, { recursive: true, force: true })
    }
  }
}

/** One small event, different for each number. */
export const eventNo = (n: number): Record<string, unknown> => ({
  id: `event-${n}`,
  request_model: 'gpt-4',
  provider: 'openai',
  source: 'web-app',
  status: 'success',
  start_time: '2026-01-01T00:00:00.000Z',
  latency_ms: 12,
  input_messages: [{ role: 'user', parts: [{ type: 'text', content: `Question ${n}` }] }],
  output_messages: [{ role: 'assistant', parts: [{ type: 'text', content: `Answer ${n}` }] }]
})

/** Sends bytes as they are and returns everything that comes back until the other side closes or `ms` have passed. */
export function rawExchange(port: number, bytes: string | Buffer, ms = 1_500, host = '127.0.0.1'): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(port, host)
    let text = ''
    const finish = (): void => {
      clearTimeout(timer)
      socket.destroy()
      resolve(text)
    }
    const timer = setTimeout(finish, ms)
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1')
    })
    socket.on('error', finish)
    socket.on('close', finish)
    socket.write(bytes)
  })
}

/** Polls until the condition holds; throws after 30 s, which is long: machines that test are busy. */
export async function until(condition: () => boolean): Promise<void> {
  const end = performance.now() + 30_000
  while (!condition()) {
    if (performance.now() > end) throw new Error('the condition did not come to hold within 30 s')
    await sleep(5)
  }
}

/** Reads a response body piece by piece; `until` resolves once the text collected so far fits. */
export class TextReader {
  text = ''
  ended = false
  readonly #abort = new AbortController()
  static async open(url: string, init: RequestInit = {}): Promise<{ response: Response; reader: TextReader }> {
    const reader = new TextReader()
    const response = await fetch(url, { ...init, signal: reader.#abort.signal })
    void reader.#read(response)
    return { response, reader }
  }
  async #read(response: Response): Promise<void> {
    const decoder = new TextDecoder()
    try {
      for await (const chunk of response.body ?? []) this.text += decoder.decode(chunk, { stream: true })
    } catch {
      // aborted by the test, or dropped by the server
    }
    this.ended = true
  }
  /** Ids of the events so far. */
  ids(): readonly number[] {
    return [...this.text.matchAll(/^id: (\d+)$/gm)].map((match) => Number(match[1]))
  }
  close(): void {
    this.#abort.abort()
  }
}
