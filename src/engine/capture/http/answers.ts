// SPDX-License-Identifier: Apache-2.0
import type { ServerResponse } from 'node:http'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Failure } from '../../../shared/contract/errors.ts'
import type { Caller } from '../../handlers.ts'
import type { Actor } from '../../ledger/draft.ts'
import { discardRest } from './body.ts'
import type { HttpToken } from './dependencies.ts'
import { errorBody, refusals, retryAfterOf, statusOf } from './errors.ts'
import type { RequestOrigin } from './intake.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** The client behind the bearer token, null without one. */
    token: HttpToken | null
  }
}

const JSON_UTF8 = 'application/json; charset=utf-8'

/** Sends a text that is JSON already. */
export function sendJson(reply: FastifyReply, status: number, text: string): FastifyReply {
  return reply.code(status).header('content-type', JSON_UTF8).send(text)
}

/** Sends an error in its one form, with the status of its code unless another is given. `extra` are further members beside `error`. */
export function sendFailure(
  reply: FastifyReply,
  failure: Failure,
  extra?: Readonly<Record<string, unknown>>,
  status = statusOf(failure.code)
): FastifyReply {
  const retry = retryAfterOf(failure.code)
  if (retry !== null) reply.header('retry-after', String(retry))
  if (failure.code === 'unauthorized') reply.header('www-authenticate', 'Bearer')
  return sendJson(reply, status, extra === undefined ? errorBody(failure) : JSON.stringify({ error: failure, ...extra }))
}

/** Writes an error past Fastify, in the same form. */
export function writeFailure(response: ServerResponse, failure: Failure, status = statusOf(failure.code)): void {
  const body = errorBody(failure)
  const retry = retryAfterOf(failure.code)
  response.writeHead(status, {
    'content-type': JSON_UTF8,
    'content-length': Buffer.byteLength(body),
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    ...(retry === null ? {} : { 'retry-after': String(retry) }),
    ...(failure.code === 'unauthorized' ? { 'www-authenticate': 'Bearer' } : {})
  })
  response.end(body)
}

/** Headers of an answer that is written past Fastify, as Node takes them. */
export function rawHeaders(reply: FastifyReply): Record<string, string> {
  const headers: Record<string, string> = {}
  for (const [name, value] of Object.entries(reply.getHeaders())) if (typeof value === 'string') headers[name] = value
  return headers
}

const ANYONE: Actor = { ref: 'http', kind: 'service' }

/** Who acts through a request: the token's name, else `http`. */
const actorOf = (request: FastifyRequest): Actor =>
  request.token === null ? ANYONE : { ref: `client:${request.token.name}`, kind: 'service' }

/** A client without a token, on loopback: what this machine's programs could do before there were tokens. */
const ANYONE_MAY = ['ingest', 'read', 'write'] as const

/** Who calls an operation through a request, and with which scopes: THE place where HTTP callers get their actor. */
export const callerOf = (request: FastifyRequest): Caller => ({
  actor: actorOf(request),
  via: 'http',
  scopes: request.token?.scopes ?? ANYONE_MAY
})

const SOURCE = /^[\x20-\x7e]{1,128}$/

/** Actor and default source of ingested events; a failure when the source header cannot be one. */
export function requestOrigin(request: FastifyRequest): RequestOrigin | Failure {
  const named = request.headers['x-affidavit-source']
  if (named === undefined) return { actor: actorOf(request), source: request.token?.name ?? 'unknown' }
  if (typeof named !== 'string' || !SOURCE.test(named)) return refusals.source
  return { actor: actorOf(request), source: named }
}

/** A sender that is too slow is told so with 408 and cut off. */
export function sendTooSlow(request: FastifyRequest, reply: FastifyReply, extra?: Readonly<Record<string, unknown>>): FastifyReply {
  discardRest(request.raw)
  return sendFailure(reply.header('connection', 'close'), refusals.slowBody, extra, 408)
}
