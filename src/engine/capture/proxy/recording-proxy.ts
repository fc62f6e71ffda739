// SPDX-License-Identifier: Apache-2.0
import type { IncomingMessage, ServerResponse } from 'node:http'
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Failure } from '../../../shared/contract/errors.ts'
import type { Upstream, UpstreamState } from '../../../shared/contract/proxy.ts'
import type { CanonicalEvent } from '../../../shared/event/canonical-event.ts'
import { passesUnread, wireApi } from '../../../shared/event/wire/routes.ts'
import { wellFormed } from '../../../shared/event/wire/wire.ts'
import { EvidenceError } from '../../../shared/evidence/errors.ts'
import type { Actor, AppendResult, LeafDraft } from '../../ledger/draft.ts'
import { type ClassOf, callDraft, endingOf } from '../call-draft.ts'
import { writeFailure } from '../http/answers.ts'
import { refusals } from '../http/errors.ts'
import { betweenSteps } from '../time-slice.ts'
import { Agents } from './agents.ts'
import { problemOf } from './ask-upstream.ts'
import { COPY_BYTES } from './bounded-copy.ts'
import { CallRecord } from './call-record.ts'
import { blind, Following, type Recorder } from './following.ts'
import { requestHeaders } from './headers.ts'
import { type DigestOf, ModelDigests } from './model-digests.ts'
import { passOn } from './pass-on.ts'
import { CopyBudget } from './slabs.ts'
import { Spool } from './spool.ts'
import { joinTarget } from './target.ts'

export interface ProxyDeps {
  /** Appends leaves, on disk when it resolves. What it refuses is not lost yet. Null while the workspace is open read-only. */
  readonly append: ((drafts: readonly LeafDraft[]) => Promise<readonly AppendResult[]>) | null
  /** Leaves given up. */
  readonly lose: (leaves: number) => void
  readonly classOf: ClassOf
  readonly redact: (event: CanonicalEvent) => CanonicalEvent
  readonly warn: (event: string, upstream: string) => void
  /** A call of this actor became a record. */
  readonly counted: (actor: Actor) => void
  /** A call of this actor that may be one to a model passed without a record. */
  readonly unread: (actor: Actor) => void
  /** Whether what this answers was cut off here, its token being revoked. */
  readonly cutOff: (response: ServerResponse) => boolean
  readonly spoolBytes?: number | undefined
  readonly retryMs?: number | undefined
}

/** Who calls, as the gate found. */
export interface ProxyCaller {
  readonly actor: Actor
  /** What the call itself or its client names as the calling application; null: nothing does. */
  readonly source: string | null
}

interface Counts {
  in_flight: number
  recorded: number
  lost: number
  unread: number
}

const BUDGET_BYTES = 256 * 1024 * 1024
const IDLE_MS = 60_000
/** Longer answers are read one after the other: reading, redacting and sealing one takes so long that calls would wait for a row of them. */
const LONG_BYTES = 128 * 1024

const unreachable: Failure = { code: 'unreachable', message: 'The upstream could not be reached.' }
const notRecorded: Failure = {
  code: 'busy',
  message: 'The call cannot be recorded now, and this upstream takes only calls that are on record.'
}

/** Passes calls on to configured upstreams and puts those to models on record. */
export class RecordingProxy {
  readonly #deps: ProxyDeps
  readonly #agents = new Agents()
  readonly #budget = new CopyBudget(BUDGET_BYTES)
  readonly #digests = new ModelDigests()
  readonly #spool: Spool
  readonly #counts = new Map<string, Counts>()
  readonly #open = new Set<Promise<void>>()
  #lastLong: Promise<unknown> = Promise.resolve()

  constructor(deps: ProxyDeps) {
    this.#deps = deps
    this.#spool = new Spool({ append: deps.append, lose: deps.lose, capBytes: deps.spoolBytes, retryMs: deps.retryMs })
  }

  /** What passed to an upstream since the start. */
  callsOf(name: string): UpstreamState['calls'] {
    const { in_flight, recorded, lost, unread } = this.#countsOf(name)
    return { in_flight, recorded, lost, unread, waiting_bytes: this.#spool.waitingBytes }
  }

  /** Calls that may be to models and passed without a record, to all upstreams since the start. */
  get unread(): number {
    let sum = 0
    for (const { unread } of this.#counts.values()) sum += unread
    return sum
  }

  /** Passes a call on. @param rest the request target behind the name of the upstream */
  handle(request: IncomingMessage, response: ServerResponse, upstream: Upstream, rest: string, caller: ProxyCaller): void {
    const url = new URL(upstream.url)
    const target = joinTarget(url, rest)
    const headers = requestHeaders(request.rawHeaders, url.host)
    if (target === null || headers === null) {
      response.setHeader('connection', 'close')
      request.resume()
      writeFailure(response, refusals.malformedRequest)
      return
    }
    const api = wireApi(request.method ?? 'GET', rest)
    const call =
      api === null
        ? null
        : new CallRecord(
            {
              api,
              upstream,
              url,
              source: caller.source ?? upstream.source ?? 'unknown',
              userAgent: request.headers['user-agent'],
              requestEncoding: request.headers['content-encoding']
            },
            this.#budget
          )
    if (passesUnread(request.method ?? 'GET', rest)) {
      this.#countsOf(upstream.name).unread++
      this.#deps.unread(caller.actor)
    }
    const following = call && new Following(call, this.#recorder(upstream, caller.actor, this.#digests.ask(upstream)))
    if (following) this.#follow(upstream.name, following.done)
    passOn({
      request,
      response,
      agents: this.#agents,
      url,
      target,
      headers,
      watcher: following ?? blind,
      idleMs: IDLE_MS,
      cutOff: () => this.#deps.cutOff(response),
      permit: following && upstream.mode === 'fail-closed' ? () => this.#permit(following, response) : null,
      holdBytes: COPY_BYTES,
      budget: this.#budget,
      onUnreachable: (error) => {
        this.#deps.warn('proxy.unreachable', upstream.name)
        if (!response.headersSent)
          writeFailure(response, { ...unreachable, message: `${unreachable.message} ${sentence(problemOf(error))}` })
      }
    })
  }

  /** Waits for records under way and writes what is kept; what then still cannot be written is lost. */
  async close(): Promise<void> {
    this.#agents.close()
    await Promise.race([Promise.allSettled(this.#open), new Promise((resolve) => setTimeout(resolve, 5_000).unref())])
    await this.#spool.close()
  }

  #countsOf(name: string): Counts {
    let counts = this.#counts.get(name)
    if (!counts) {
      counts = { in_flight: 0, recorded: 0, lost: 0, unread: 0 }
      this.#counts.set(name, counts)
    }
    return counts
  }

  #follow(name: string, done: Promise<void>): void {
    const counts = this.#countsOf(name)
    counts.in_flight++
    this.#open.add(done)
    void done.finally(() => {
      counts.in_flight--
      this.#open.delete(done)
    })
  }

  async #permit(following: Following, response: ServerResponse): Promise<boolean> {
    if (await following.begin()) return true
    if (!response.headersSent && !response.destroyed) {
      response.setHeader('retry-after', '1')
      response.setHeader('connection', 'close')
      writeFailure(response, notRecorded)
    }
    return false
  }

  /** One long call after the other, each when the writer has kept up: meanwhile it counts for what all copies share. */
  #inTurn<T>(act: () => Promise<T>): Promise<T> {
    const turn = this.#lastLong.then(async () => {
      await nextTurn()
      await this.#spool.room()
      return act()
    })
    this.#lastLong = turn.catch(() => {})
    return turn
  }

  #recorder(upstream: Upstream, actor: Actor, digest: DigestOf): Recorder {
    const { classOf, redact, append } = this.#deps
    const counts = this.#countsOf(upstream.name)
    const draftOf = async (type: LeafDraft['type'], event: CanonicalEvent, request: number | null, bytes: number): Promise<LeafDraft> => {
      const step = betweenSteps(bytes)
      await step()
      const options = { type, actor, channel: 'proxy', classOf, request } as const
      const redacted = redact(event)
      await step()
      try {
        return callDraft(redacted, options)
      } catch (error) {
        if (error instanceof EvidenceError) return callDraft(wellFormed(redacted) as CanonicalEvent, options)
        throw error
      }
    }
    const count = (seq: number | null): number | null => {
      if (seq === null) counts.lost++
      return seq
    }
    return {
      closed: upstream.mode === 'fail-closed',
      open: async (bytes, event) => {
        const draft = await draftOf('llm.request', event as CanonicalEvent, null, bytes)
        if (upstream.mode !== 'fail-closed') return count(await this.#spool.submit(draft))
        if (append === null || this.#spool.failing) return null
        try {
          return (await append([draft]))[0]?.seq ?? null
        } catch {
          return null
        }
      },
      end: async (asked, keptBytes, read, request) => {
        const submit = async () => {
          const event = await read()
          return { written: this.#spool.submit(await draftOf(endingOf(event.status), event, request, asked + keptBytes)) }
        }
        const { written } = await (asked + keptBytes > LONG_BYTES ? this.#inTurn(submit) : submit())
        if (count(await written) === null) return
        counts.recorded++
        this.#deps.counted(actor)
      },
      digest,
      failed: () => {
        counts.lost++
        this.#deps.lose(1)
        this.#deps.warn('proxy.not_recorded', upstream.name)
      }
    }
  }
}

const sentence = (text: string): string => `${text.charAt(0).toUpperCase()}${text.slice(1)}.`
