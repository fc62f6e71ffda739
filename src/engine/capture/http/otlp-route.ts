// SPDX-License-Identifier: Apache-2.0
// OTLP/HTTP (OpenTelemetry protocol specification, OTLP/HTTP): traces and logs; metrics are accepted and discarded.
import type { RequestListener } from 'node:http'
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Failure } from '../../../shared/contract/errors.ts'
import { hasContent } from '../../../shared/event/otlp/content.ts'
import {
  addLogs,
  type CallLog,
  type CallSpan,
  callLogOf,
  callOf,
  callOfLogs,
  eventOfCall,
  type Origin,
  originOf
} from '../../../shared/event/otlp/map.ts'
import { OtlpError } from '../../../shared/event/otlp/message.ts'
import { encodeAnswer, encodeStatus } from '../../../shared/event/otlp/protobuf.ts'
import type { IncomingEvent } from '../ingest.ts'
import { CallJoin, joinLimits } from '../otlp/join.ts'
import { type OtlpBody, type OtlpForm, openBody, otlpType } from '../otlp/read-body.ts'
import { requestOrigin, sendFailure, writeFailure } from './answers.ts'
import { discardRest, readBody } from './body.ts'
import type { HttpDependencies } from './dependencies.ts'
import { refusals, retryAfterOf, statusOf } from './errors.ts'
import { failureOf, type RequestOrigin } from './intake.ts'
import type { HttpLimits } from './limits.ts'

type Handler = (request: FastifyRequest, reply: FastifyReply) => Promise<unknown>

const PATH = /\/v1\/(traces|logs|metrics)$/

/** The path without what stands before `/v1/`: exporters may be set up with any base. Paths below `/proxy/` are the proxy's. */
export function otlpPath(url: string): string {
  if (url.length > 1024 || url.startsWith('/proxy/')) return url
  return PATH.exec(url.split('?')[0] ?? '')?.[0] ?? url
}

/** Serves exports and liveness of a server and nothing else of it. */
export const otlpOnly =
  (listener: RequestListener): RequestListener =>
  (request, response) => {
    const path = otlpPath(request.url ?? '/')
    if (path === '/health' || PATH.exec(path)?.[0] === path) return listener(request, response)
    discardRest(request)
    return writeFailure(response, refusals.noRoute)
  }

/** What became of an export: how many of its items were refused, and the code of the first. */
interface Outcome {
  readonly rejected: number
  readonly first: string
}

const NOTHING: Outcome = { rejected: 0, first: '' }

/** The three routes, which share what is in work and the joining of spans with log records. */
export function otlpRoutes(deps: HttpDependencies, limits: HttpLimits): Readonly<Record<'traces' | 'logs' | 'metrics', Handler>> {
  const join = new CallJoin(joinLimits)
  let inWork = 0

  const route =
    (signal: 'traces' | 'logs' | 'metrics', work: (body: OtlpBody, origin: RequestOrigin) => Promise<Outcome>): Handler =>
    async (request, reply) => {
      const type = otlpType(request.headers)
      if (type === null) return refuse(request, reply, 'json', refusals.otlpType)
      const origin = requestOrigin(request)
      if ('code' in origin) return refuse(request, reply, type.form, origin)
      const most = type.gzip ? limits.otlpBytes : Number(request.headers['content-length'] ?? limits.otlpBytes)
      if (inWork > 0 && inWork + most > limits.otlpBytesInWork) return refuse(request, reply, type.form, refusals.busy)
      inWork += most
      try {
        const bytes = await readBody(request.raw, limits.otlpBytes, limits.bodyMs)
        if (bytes === 'gone') return reply.hijack()
        if (bytes === 'timeout') return refuse(request, reply.header('connection', 'close'), type.form, refusals.slowBody, 408)
        if (bytes === 'too_large') return refuse(request, reply, type.form, refusals.otlpTooLarge)
        if (signal === 'metrics') return answer(reply, type.form, NOTHING, 'rejectedDataPoints')
        const body = await openBody(bytes, type, signal, limits.otlpBytes)
        if ('code' in body) return refuse(request, reply, type.form, body)
        return answer(reply, type.form, await work(body, origin), signal === 'traces' ? 'rejectedSpans' : 'rejectedLogRecords')
      } catch (error) {
        if (error instanceof OtlpError) return refuse(request, reply, type.form, refusals.undecodable)
        return refuse(request, reply, type.form, failureOf(error))
      } finally {
        inWork -= most
      }
    }

  /** Records calls; resolves when all are on disk. */
  const record = async (calls: readonly CallSpan[], origin: RequestOrigin): Promise<Outcome> => {
    let rejected = 0
    let first = ''
    const note = (code: string): void => {
      rejected++
      if (first === '') first = code
    }
    const receivedUs = Date.now() * 1000
    for (let from = 0; from < calls.length; from += limits.batchLines) {
      const batch: IncomingEvent[] = []
      for (const call of calls.slice(from, from + limits.batchLines)) {
        const read = eventOfCall(call, receivedUs, origin.source)
        if (read.ok) batch.push({ line: batch.length + 1, event: read.event, sourceKey: read.sourceKey })
        else note(read.code)
      }
      if (batch.length === 0) continue
      for (const result of await deps.ingest.append(batch, { channel: 'otlp', actor: origin.actor }))
        if (result.kind === 'rejected') note(result.code)
    }
    return { rejected, first }
  }

  const traces = async (body: OtlpBody, origin: RequestOrigin): Promise<Outcome> => {
    const calls: CallSpan[] = []
    await each(body, limits, (item, from) => {
      const call = callOf(body.encoding.span(item), from)
      if (call !== undefined) calls.push(call)
    })
    const waiting = calls.filter((call) => isInference(call) && !hasContent(call.content) && join.expects(sourceOf(call, origin)))
    if (waiting.length > 0) await join.arrived(waiting.map((call) => call.key))
    let done: (recorded: boolean) => void = () => {}
    const recorded = new Promise<boolean>((resolve) => {
      done = resolve
    })
    for (const call of calls) if (isInference(call)) addLogs(call, join.take(call.key, recorded))
    try {
      const outcome = await record(calls, origin)
      done(outcome.rejected === 0)
      return outcome
    } catch (error) {
      done(false)
      throw error
    }
  }

  const logs = async (body: OtlpBody, origin: RequestOrigin): Promise<Outcome> => {
    const byKey = new Map<string, { readonly logs: CallLog[]; readonly from: Origin }>()
    await each(body, limits, (item, from) => {
      const log = callLogOf(body.encoding.log(item))
      if (log === undefined) return
      const known = byKey.get(log.key)
      if (known === undefined) byKey.set(log.key, { logs: [log], from })
      else known.logs.push(log)
    })
    if (byKey.size === 0) return NOTHING
    for (const { logs: list, from } of byKey.values()) join.offer(list, from.source ?? origin.source)
    const joined = await join.recorded([...byKey.keys()])
    const alone = [...byKey].filter(([key]) => joined.get(key) !== true)
    return record(
      alone.map(([key, { logs: list, from }]) => callOfLogs(key, list, from)),
      origin
    )
  }

  return { traces: route('traces', traces), logs: route('logs', logs), metrics: route('metrics', async () => NOTHING) }
}

const isInference = (call: CallSpan): boolean => call.raw.span_role === 'inference'

const sourceOf = (call: CallSpan, origin: RequestOrigin): string => (typeof call.raw.source === 'string' ? call.raw.source : origin.source)

/** Every item of a body with where it comes from; others get a turn after each slice of time. */
async function each(body: OtlpBody, limits: HttpLimits, take: (item: unknown, from: Origin) => void): Promise<void> {
  let sliceStart = performance.now()
  for (const group of body.groups) {
    const from = originOf(group.resource)
    for (const item of group.items) {
      take(item, from)
      if (performance.now() - sliceStart <= limits.sliceMs) continue
      await nextTurn()
      sliceStart = performance.now()
    }
  }
}

function answer(reply: FastifyReply, form: OtlpForm, { rejected, first }: Outcome, name: string): FastifyReply {
  const message = rejected === 0 ? '' : `not recorded; the first for: ${first}`
  if (form === 'protobuf')
    return reply
      .code(200)
      .header('content-type', 'application/x-protobuf')
      .send(Buffer.from(encodeAnswer(rejected, message)))
  const body = rejected === 0 ? {} : { partialSuccess: { [name]: String(rejected), errorMessage: message } }
  return reply.code(200).header('content-type', 'application/json').send(JSON.stringify(body))
}

/** An error in the form of the request, as google.rpc.Status; what may work later is 503, which exporters try again. */
function refuse(
  request: FastifyRequest,
  reply: FastifyReply,
  form: OtlpForm,
  failure: Failure,
  status = statusOf(failure.code)
): FastifyReply {
  discardRest(request.raw)
  const later = status === 507 ? 503 : status
  if (form === 'json')
    return sendFailure(later === 503 ? reply.header('retry-after', '5') : reply, failure, { message: failure.message }, later)
  if (later === 503 || later === 429) reply.header('retry-after', String(retryAfterOf(failure.code) ?? 5))
  return reply
    .code(later)
    .header('content-type', 'application/x-protobuf')
    .send(Buffer.from(encodeStatus(failure.message)))
}
