// SPDX-License-Identifier: Apache-2.0
// OTLP/HTTP (OpenTelemetry protocol specification, OTLP/HTTP): traces and logs; metrics are accepted and discarded.
import type { RequestListener } from 'node:http'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Failure } from '../../../shared/contract/errors.ts'
import { OtlpError } from '../../../shared/event/otlp/message.ts'
import { encodeAnswer, encodeStatus } from '../../../shared/event/otlp/protobuf.ts'
import { type OtlpBody, type OtlpForm, openBody, otlpType } from '../otlp/read-body.ts'
import { NOTHING, OtlpRecorder, type Outcome } from '../otlp/recorder.ts'
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

/** Memory of the bodies that are in work. */
class Room {
  readonly #most: number
  #taken = 0

  constructor(most: number) {
    this.#most = most
  }

  /** Takes memory for one request; one by itself always has room. */
  share(): { readonly take: (bytes: number) => boolean; readonly release: () => void } {
    let own = 0
    return {
      take: (bytes) => {
        if (this.#taken > own && this.#taken + bytes > this.#most) return false
        this.#taken += bytes
        own += bytes
        return true
      },
      release: () => {
        this.#taken -= own
        own = 0
      }
    }
  }
}

export interface OtlpRoutes extends Readonly<Record<'traces' | 'logs' | 'metrics', Handler>> {
  /** Answers what is held. */
  close(): void
}

/** The three routes, which share what is in work and the joining of spans with log records. */
export function otlpRoutes(deps: HttpDependencies, limits: HttpLimits): OtlpRoutes {
  const recorder = new OtlpRecorder(deps, limits)
  const room = new Room(limits.otlpBytesInWork)

  const route =
    (
      signal: 'traces' | 'logs' | 'metrics',
      work: (body: OtlpBody, origin: RequestOrigin, release: () => void) => Promise<Outcome>
    ): Handler =>
    async (request, reply) => {
      const type = otlpType(request.headers)
      if (type === null) return refuse(request, reply, 'json', refusals.otlpType)
      const origin = requestOrigin(request)
      if ('code' in origin) return refuse(request, reply, type.form, origin)
      const { take, release } = room.share()
      try {
        const bytes = await readBody(request.raw, limits.otlpBytes, limits.bodyMs, take)
        if (bytes === 'gone') return reply.hijack()
        if (bytes === 'busy') return refuse(request, reply, type.form, refusals.busy)
        if (bytes === 'timeout') return refuse(request, reply.header('connection', 'close'), type.form, refusals.slowBody, 408)
        if (bytes === 'too_large') return refuse(request, reply, type.form, refusals.otlpTooLarge)
        if (signal === 'metrics') return answer(reply, type.form, NOTHING, 'rejectedDataPoints')
        const body = await openBody(bytes, type, signal, limits, take)
        if ('code' in body) return refuse(request, reply, type.form, body)
        const outcome = await work(body, origin, release)
        return answer(reply, type.form, outcome, signal === 'traces' ? 'rejectedSpans' : 'rejectedLogRecords')
      } catch (error) {
        if (error instanceof OtlpError) return refuse(request, reply, type.form, refusals.undecodable)
        return refuse(request, reply, type.form, failureOf(error))
      } finally {
        release()
      }
    }

  return {
    traces: route('traces', (body, origin) => recorder.traces(body, origin)),
    logs: route('logs', (body, origin, release) => recorder.logs(body, origin, release)),
    metrics: route('metrics', async () => NOTHING),
    close: () => recorder.close()
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
