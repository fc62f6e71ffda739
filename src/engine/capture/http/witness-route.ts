// SPDX-License-Identifier: Apache-2.0
import type { FastifyReply, FastifyRequest } from 'fastify'
import { MOST_REQUEST_BYTES } from '../../anchors/witness.ts'
import { sendFailure, sendTooSlow } from './answers.ts'
import { discardRest, readBody } from './body.ts'
import type { HttpDependencies } from './dependencies.ts'
import { refusals } from './errors.ts'
import type { HttpLimits } from './limits.ts'

/**
 * `add-checkpoint` of c2sp.org/tlog-witness. Open to whoever can reach the port: the signature of the log on the checkpoint is what counts.
 * Not there while this workspace is no witness.
 */
export const witnessRoute =
  (deps: HttpDependencies, limits: HttpLimits) =>
  async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> => {
    const body = await readBody(request.raw, MOST_REQUEST_BYTES, limits.bodyMs)
    if (body === 'gone') return reply.hijack()
    if (body === 'timeout') return sendTooSlow(request, reply)
    if (body === 'too_large') {
      discardRest(request.raw)
      return sendFailure(reply, refusals.tooLarge)
    }
    const answer = await deps.witness(body)
    if (answer === null) return sendFailure(reply, refusals.noRoute)
    return reply.code(answer.status).header('content-type', answer.contentType).send(answer.body)
  }
