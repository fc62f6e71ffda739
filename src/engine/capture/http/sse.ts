// SPDX-License-Identifier: Apache-2.0
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { HttpLog } from './dependencies.ts'
import type { HttpLimits } from './limits.ts'
import { waitForDrain } from './results.ts'

/** One event of a stream: its number in the ledger and its JSON. */
export interface StreamItem {
  readonly seq: number
  readonly data: unknown
}

/** Where a stream gets its events. */
export interface StreamSource {
  readonly name: string
  /** Events with a larger number than `after`, in order. */
  read(after: number, limit: number): Promise<readonly StreamItem[]>
  /** Leaves in the ledger: a stream without a last event id begins with what comes after them. */
  size(): number
  /** Calls back whenever there may be more to read. Returns its off function. */
  subscribe(wake: () => void): () => void
}

interface Chunk {
  readonly bytes: Buffer
  readonly last: number
}

interface Client {
  readonly response: ServerResponse
  last: number
  running: boolean
  again: boolean
  gone: boolean
}

const PAGE = 500
const CHUNK_BYTES = 64 * 1024
const PATIENT_BYTES = 256 * 1024

/**
 * Server-Sent Events by pull: a wake-up carries nothing, each client reads what comes after the last event it was given until there
 * is no more. Replay and live are therefore the same thing, without a gap or a duplicate between them. Clients at the same place share
 * one read and one serialisation.
 */
export class StreamHub {
  readonly #source: StreamSource
  readonly #limits: HttpLimits
  readonly #log: HttpLog
  readonly #clients = new Set<Client>()
  #pages = new Map<number, Promise<readonly Chunk[]>>()
  #off: (() => void) | null = null
  #heartbeat: NodeJS.Timeout | null = null

  constructor(source: StreamSource, limits: HttpLimits, log: HttpLog) {
    this.#source = source
    this.#limits = limits
    this.#log = log
  }

  get full(): boolean {
    return this.#clients.size >= this.#limits.sseClients
  }

  get clients(): number {
    return this.#clients.size
  }

  /** Serves one client until it goes. @param after the last event it has; null to begin with what comes next */
  open(request: IncomingMessage, response: ServerResponse, headers: Readonly<Record<string, string>>, after: number | null): void {
    const client: Client = { response, last: after ?? this.#source.size() - 1, running: false, again: false, gone: false }
    response.writeHead(200, { ...headers, 'content-type': 'text/event-stream; charset=utf-8', 'x-accel-buffering': 'no' })
    response.write(`retry: ${this.#limits.retryMs}\n\n`)
    this.#clients.add(client)
    response.on('error', ignore)
    response.once('close', () => this.#leave(client))
    request.on('error', ignore)
    request.resume()
    this.#start()
    void this.#pump(client)
  }

  /** Ends every stream; clients come back by themselves. */
  close(): void {
    for (const client of [...this.#clients]) {
      client.response.end()
      this.#leave(client)
    }
  }

  #start(): void {
    if (this.#off !== null) return
    this.#off = this.#source.subscribe(() => this.#wakeAll())
    this.#heartbeat = setInterval(() => this.#beat(), this.#limits.heartbeatMs)
    this.#heartbeat.unref()
  }

  #leave(client: Client): void {
    client.gone = true
    this.#clients.delete(client)
    if (this.#clients.size > 0) return
    this.#off?.()
    this.#off = null
    if (this.#heartbeat !== null) clearInterval(this.#heartbeat)
    this.#heartbeat = null
    this.#pages.clear()
  }

  #wakeAll(): void {
    this.#pages = new Map()
    for (const client of this.#clients) void this.#pump(client)
  }

  #beat(): void {
    const text = `event: heartbeat\ndata: ${JSON.stringify({ time: new Date().toISOString(), ledger_size: this.#source.size() })}\n\n`
    for (const client of this.#clients) this.#write(client, text)
    // A wake-up that was lost on the way costs one heartbeat at most.
    this.#wakeAll()
  }

  #write(client: Client, content: Buffer | string): void {
    if (client.gone) return
    client.response.write(content)
    if (client.response.writableLength > this.#limits.sseBufferBytes) this.#drop(client, 'buffer')
  }

  #drop(client: Client, reason: 'buffer' | 'stalled' | 'read'): void {
    if (client.gone) return
    this.#log.warn({ event: 'stream.dropped', stream: this.#source.name, reason })
    this.#leave(client)
    client.response.destroy()
  }

  async #pump(client: Client): Promise<void> {
    if (client.running) {
      client.again = true
      return
    }
    client.running = true
    try {
      do {
        client.again = false
        while (await this.#send(client)) {}
      } while (client.again && !client.gone)
    } catch (error) {
      this.#log.error({ event: 'stream.failed', stream: this.#source.name, error: error instanceof Error ? error.name : 'unknown' })
      this.#drop(client, 'read')
    } finally {
      client.running = false
    }
  }

  /** Sends one page. False when there is no more for now, or the client has gone. */
  async #send(client: Client): Promise<boolean> {
    const chunks = await this.#page(client.last)
    if (client.gone || chunks.length === 0) return false
    for (const chunk of chunks) {
      this.#write(client, chunk.bytes)
      client.last = chunk.last
      if (client.gone) return false
      if (client.response.writableLength > PATIENT_BYTES && !(await waitForDrain(client.response, this.#limits.sseStallMs))) {
        this.#drop(client, 'stalled')
        return false
      }
    }
    return true
  }

  #page(after: number): Promise<readonly Chunk[]> {
    const known = this.#pages.get(after)
    if (known !== undefined) return known
    // Pages live until the next wake-up; a long replay must not pile them up.
    if (this.#pages.size >= this.#limits.sseClients) this.#pages.clear()
    const page = this.#source.read(after, PAGE).then(chunksOf)
    this.#pages.set(after, page)
    return page
  }
}

function chunksOf(items: readonly StreamItem[]): readonly Chunk[] {
  const chunks: Chunk[] = []
  let text = ''
  for (const [i, item] of items.entries()) {
    text += `id: ${item.seq}\ndata: ${JSON.stringify(item.data)}\n\n`
    if (text.length < CHUNK_BYTES && i < items.length - 1) continue
    chunks.push({ bytes: Buffer.from(text, 'utf8'), last: item.seq })
    text = ''
  }
  return chunks
}

/**
 * The place a client asks to resume from: the header, else the query parameter, where 0 is the beginning, before leaf 0. `null` for none,
 * `invalid` for what is not the number of a leaf this ledger has.
 */
export function lastEventId(header: string | readonly string[] | undefined, parameter: unknown, size: number): number | null | 'invalid' {
  const given = header ?? parameter
  if (given === undefined || given === '') return null
  if (typeof given !== 'string' || !/^\d{1,15}$/.test(given)) return 'invalid'
  const seq = Number(given)
  if (seq === 0 && header === undefined) return -1
  return seq < size ? seq : 'invalid'
}

function ignore(): void {}
