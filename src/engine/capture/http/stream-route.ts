// SPDX-License-Identifier: Apache-2.0
import type { FastifyReply, FastifyRequest } from 'fastify'
import { callerOf, rawHeaders, sendFailure } from './answers.ts'
import type { HttpDependencies } from './dependencies.ts'
import { refusals } from './errors.ts'
import { lastEventId, type StreamHub, type StreamSource } from './sse.ts'

/** Keeps an answer open as a stream of events, from behind the one the client saw last. */
export function openStream(streams: StreamHub, deps: HttpDependencies, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const query = request.query as Readonly<Record<string, unknown>>
  const after = lastEventId(request.headers['last-event-id'], query.last_event_id, deps.status().ledger.size)
  if (after === 'invalid') return sendFailure(reply, refusals.eventId)
  if (streams.full) return sendFailure(reply, refusals.streams)
  if (request.routeOptions.url === '/api/compliance/stream')
    deps.streamOpened(callerOf(request).actor).catch(() => deps.log.warn({ event: 'read.not_recorded', server: 'compliance' }))
  reply.hijack()
  streams.open(request.raw, reply.raw, rawHeaders(reply), after)
  return reply
}

/** Records as they are applied. */
export const recordStream = (deps: HttpDependencies): StreamSource => ({
  name: 'records',
  read: async (after, limit) => (await deps.recordsAfter(after, limit)).map((row) => ({ seq: row.seq, data: row })),
  size: () => deps.status().ledger.size,
  subscribe: (wake) => deps.subscribe('records', {}, wake)
})

/** Alerts of drift as they are raised. */
export const alertStream = (deps: HttpDependencies): StreamSource => ({
  name: 'alerts',
  read: async (after, limit) => (await deps.alertsAfter(after, limit)).map(({ seq, alert }) => ({ seq, data: alert })),
  size: () => deps.status().ledger.size,
  subscribe: (wake) => deps.subscribe('alerts', {}, wake)
})
