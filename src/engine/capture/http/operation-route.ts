// SPDX-License-Identifier: Apache-2.0
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { OperationName, OperationOutput } from '../../../shared/contract/contract.ts'
import { callerOf, sendFailure, sendJson, sendTooSlow } from './answers.ts'
import { discardRest, isTooDeep, MALFORMED, parseJson, readBody } from './body.ts'
import type { HttpDependencies } from './dependencies.ts'
import { refusals } from './errors.ts'
import { bodyKind } from './guards.ts'
import type { HttpLimits } from './limits.ts'
import type { Route } from './routes.ts'

/** Answers a request by the operation of its route. */
export async function callOperation(
  deps: HttpDependencies,
  limits: HttpLimits,
  route: Route,
  request: FastifyRequest,
  reply: FastifyReply
) {
  let body: unknown
  if (route.method === 'POST') {
    if (bodyKind(request.headers) !== 'json') {
      discardRest(request.raw)
      return sendFailure(reply, refusals.notNdjson)
    }
    const bytes = await readBody(request.raw, limits.operationBytes, limits.bodyMs)
    if (bytes === 'gone') return reply.hijack()
    if (typeof bytes === 'string') {
      if (bytes === 'timeout') return sendTooSlow(request, reply)
      discardRest(request.raw)
      return sendFailure(reply, refusals.operationTooLarge)
    }
    body = parseJson(bytes)
    if (body === MALFORMED || isTooDeep(body, limits.depth)) return sendFailure(reply, refusals.malformed)
  }
  const made = route.fromRequest({
    params: request.params as Readonly<Record<string, string>>,
    query: request.query as Readonly<Record<string, unknown>>,
    body
  })
  if ('code' in made) return sendFailure(reply, made)
  const cancel = new AbortController()
  const onClose = (): void => cancel.abort()
  reply.raw.once('close', onClose)
  const answer = await deps.call(route.op, made.input, { ...callerOf(request), signal: cancel.signal })
  reply.raw.off('close', onClose)
  if (!answer.ok) return sendFailure(reply, answer.error)
  return sendJson(reply, 200, JSON.stringify(route.toResponse(answer.value as OperationOutput<OperationName>)))
}
