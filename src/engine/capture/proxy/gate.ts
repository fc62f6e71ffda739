// SPDX-License-Identifier: Apache-2.0
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Failure } from '../../../shared/contract/errors.ts'
import type { HttpToken, OnToken } from '../http/dependencies.ts'
import { refusals } from '../http/errors.ts'
import { type Allowed, checkHost, checkOrigin, clientOf, isLoopback, type RateLimiter } from '../http/guards.ts'
import type { HttpLimits } from '../http/limits.ts'
import type { ProxyCaller } from './recording-proxy.ts'

/** What decides who may call through one port. */
export interface GateRules {
  readonly allowed: Allowed
  readonly limiter: RateLimiter
  readonly limits: HttpLimits
  /** Tokens taken now. */
  readonly tokens: () => readonly HttpToken[]
  readonly onToken: OnToken
  /** Whether a token is needed at all: beyond loopback. */
  readonly tokenNeeded: boolean
}

const SOURCE = /^[\x20-\x7e]{1,128}$/

/**
 * Host, Origin, rate and token, in this order, as on every other route. `Authorization` belongs to the upstream: a token for this program comes in
 * `x-affidavit-token`, which is never passed on.
 */
export function admit(request: IncomingMessage, response: ServerResponse, rules: GateRules): ProxyCaller | Failure {
  const { allowed, limiter, limits, tokens, onToken, tokenNeeded } = rules
  const denied = checkHost(request, allowed) ?? checkOrigin(request.headers, allowed)
  if (denied !== null) return denied
  const peer = request.socket.remoteAddress ?? ''
  if ((limits.rateOnLoopback || !isLoopback(peer.replace(/^::ffff:/, ''))) && !limiter.take(peer, performance.now())) return refusals.rate
  const given = request.headers['x-affidavit-token']
  let client: HttpToken | null = null
  if (tokenNeeded || given !== undefined) {
    client = typeof given === 'string' ? clientOf({ authorization: `Bearer ${given}` }, tokens(), 'ingest') : null
    if (client === null) return refusals.token
    onToken(client, response)
  }
  const named = request.headers['x-affidavit-source']
  if (named !== undefined && (typeof named !== 'string' || !SOURCE.test(named))) return refusals.source
  return {
    actor: { ref: client === null ? 'http' : `client:${client.name}`, kind: 'service' },
    source: named ?? client?.name ?? null
  }
}
