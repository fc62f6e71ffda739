// SPDX-License-Identifier: Apache-2.0
import type { RequestListener, Server } from 'node:http'
import { type FastifyInstance, type FastifyReply, type FastifyRequest, fastify } from 'fastify'
import { stackOf } from '../../stack-of.ts'
import { admit } from '../proxy/gate.ts'
import { splitTarget } from '../proxy/target.ts'
import { sendFailure, sendJson, writeFailure } from './answers.ts'
import { bareServer } from './bare-server.ts'
import { discardRest } from './body.ts'
import type { HttpDependencies, HttpScope, HttpToken, OnToken } from './dependencies.ts'
import { docsRoute } from './docs-route.ts'
import { refusals } from './errors.ts'
import { eventsRoute } from './events-route.ts'
import { type Allowed, bodyKind, checkHost, checkOrigin, clientOf, isLoopback, RateLimiter } from './guards.ts'
import type { HttpLimits } from './limits.ts'
import { openapiDocument } from './openapi.ts'
import { callOperation } from './operation-route.ts'
import { type OtlpRoutes, otlpPath, otlpRoutes } from './otlp-route.ts'
import { healthOf, routes, type ServerName } from './routes.ts'
import { StreamHub } from './sse.ts'
import { alertStream, openStream, recordStream } from './stream-route.ts'
import { witnessRoute } from './witness-route.ts'

/** One of the two servers, not yet bound: `listener` serves any number of sockets. */
export interface App {
  readonly listener: RequestListener
  readonly streams: StreamHub
  /** Answers requests that wait for something else to come. */
  readonly answerHeld: () => void
  /** Every route that is served, by method and pattern; the proxy is beside them. */
  readonly served: readonly { readonly method: string; readonly path: string }[]
  /** A bare HTTP server with the time-outs and limits of this app. */
  createServer(): Server
  /** Must be called before the first request: until then every Host is refused. */
  allow(allowed: Allowed, url: string): void
  /** Takes further Host headers: those of another port. */
  allowAlso(hosts: ReadonlySet<string>): void
  close(): Promise<void>
}

export interface AppOptions {
  readonly name: ServerName
  readonly version: string
  readonly limits: HttpLimits
  /** Tokens taken now: clients come and go while the server runs. */
  readonly tokens: () => readonly HttpToken[]
  readonly onToken: OnToken
  /** Whether a token is needed at all: beyond loopback. */
  readonly tokenNeeded: boolean
}

const NOBODY: Allowed = { hosts: new Set(), origins: new Set(), crossOrigins: new Set() }

/** Builds one server from the contract's routes. */
export async function buildApp(deps: HttpDependencies, options: AppOptions): Promise<App> {
  const { limits, name } = options
  let allowed = NOBODY
  const limiter = new RateLimiter(limits.rate)
  let url = ''
  let listener: RequestListener = () => {}
  const app = fastify({
    logger: false,
    exposeHeadRoutes: false,
    rewriteUrl: (request) => (name === 'compliance' && request.method === 'POST' ? otlpPath(request.url ?? '/') : (request.url ?? '/')),
    serverFactory: (handler) => {
      listener =
        name === 'compliance' ? withProxy(deps, options, limiter, () => allowed, handler as RequestListener) : (handler as RequestListener)
      return bareServer(listener, limits)
    },
    frameworkErrors: (_error, _request, reply) => sendFailure(reply as FastifyReply, refusals.noRoute)
  })
  app.decorateRequest('token', null)
  app.addHook(
    'onRequest',
    guard(options, limiter, () => allowed)
  )
  // Bodies are read by the routes, each with its own bounds: the parser hands over the stream as it is.
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('*', (_request, _payload, done) => done(null))
  app.setNotFoundHandler((request, reply) => {
    discardRest(request.raw)
    return sendFailure(reply, refusals.noRoute)
  })
  app.setErrorHandler((error, _request, reply) => {
    const status = statusNumber(error)
    if (status >= 500)
      deps.log.error({
        event: 'http.failed',
        server: name,
        error: error instanceof Error ? { name: error.name, stack: stackOf(error) } : {}
      })
    return sendFailure(reply, status >= 500 ? refusals.internal : status === 415 ? refusals.mediaType : refusals.malformedRequest)
  })
  const served: { method: string; path: string }[] = []
  app.addHook('onRoute', ({ method, url: path }) => {
    for (const one of [method].flat()) served.push({ method: one.toLowerCase(), path })
  })
  const otlp = name === 'compliance' ? otlpRoutes(deps, limits) : null
  addRoutes(app, deps, options, otlp, () => url)
  const streams = new StreamHub(name === 'compliance' ? recordStream(deps) : alertStream(deps), limits, deps.log)
  app.get(name === 'compliance' ? '/api/compliance/stream' : '/api/drift/stream', { config: { scope: 'read' } }, (request, reply) =>
    openStream(streams, deps, request, reply)
  )
  await app.ready()
  return {
    listener,
    answerHeld: () => otlp?.close(),
    streams,
    served,
    createServer: () => bareServer(listener, limits),
    allow: (lists, at) => {
      allowed = lists
      url = at
    },
    allowAlso: (hosts) => {
      allowed = { ...allowed, hosts: new Set([...allowed.hosts, ...hosts]) }
    },
    close: () => app.close()
  }
}

/** Targets below `/proxy/` go past Fastify: what passes there is not for it to parse, and every layer would delay the first byte. */
function withProxy(
  deps: HttpDependencies,
  options: AppOptions,
  limiter: RateLimiter,
  allowedNow: () => Allowed,
  others: RequestListener
): RequestListener {
  const { proxy } = deps
  const { limits, tokens, onToken, tokenNeeded } = options
  return (request, response) => {
    const target = proxy === undefined ? null : splitTarget(request.url ?? '')
    if (proxy === undefined || target === null) return others(request, response)
    const caller = admit(request, response, { allowed: allowedNow(), limiter, limits, tokens, onToken, tokenNeeded })
    const upstream = proxy.find(target.name)
    if ('code' in caller || upstream === undefined) {
      discardRest(request)
      return writeFailure(response, 'code' in caller ? caller : refusals.upstream)
    }
    return proxy.handle(request, response, upstream, target.rest, caller)
  }
}

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Scope a token needs for the route; none for liveness, the OpenAPI document and its page. */
    scope?: HttpScope
    /** The route takes a body of any media type. */
    anyBody?: boolean
  }
}

type OnRequest = (request: FastifyRequest, reply: FastifyReply, done: () => void) => void

/** First of all hooks: Host, Origin, rate, token and media type, in this order. */
function guard(options: AppOptions, limiter: RateLimiter, allowedNow: () => Allowed): OnRequest {
  const { limits } = options
  const refuse = (request: FastifyRequest, reply: FastifyReply, failure: Parameters<typeof sendFailure>[1]): void => {
    discardRest(request.raw)
    sendFailure(reply, failure)
  }
  return (request, reply, done) => {
    const { raw } = request
    const allowed = allowedNow()
    reply.header('cache-control', 'no-store').header('x-content-type-options', 'nosniff')
    const { scope } = request.routeOptions.config
    const denied = checkHost(raw, allowed) ?? checkOrigin(raw.headers, allowed, raw.method === 'GET' && scope === undefined)
    if (denied !== null) return refuse(request, reply, denied)
    const origin = raw.headers.origin
    if (origin !== undefined && allowed.crossOrigins.has(origin))
      reply.header('access-control-allow-origin', origin).header('vary', 'Origin')
    const client = raw.socket.remoteAddress ?? ''
    if ((limits.rateOnLoopback || !isLoopback(client.replace(/^::ffff:/, ''))) && !limiter.take(client, performance.now())) {
      return refuse(request, reply, refusals.rate)
    }
    // A token that is given must be right, also where none is needed: one that was revoked never passes as none.
    if (scope !== undefined && (options.tokenNeeded || raw.headers.authorization !== undefined)) {
      request.token = clientOf(raw.headers, options.tokens(), scope)
      if (request.token === null) return refuse(request, reply, refusals.token)
      options.onToken(request.token, reply.raw)
    }
    if (raw.method === 'POST' && request.routeOptions.config.anyBody !== true && bodyKind(raw.headers) === null)
      return refuse(request, reply, refusals.mediaType)
    done()
  }
}

function addRoutes(app: FastifyInstance, deps: HttpDependencies, options: AppOptions, otlp: OtlpRoutes | null, urlNow: () => string): void {
  const { name, limits } = options
  app.get('/health', (_request, reply) => sendJson(reply, 200, JSON.stringify(healthOf(deps.status(), name))))
  app.get('/openapi.json', (_request, reply) => sendJson(reply, 200, JSON.stringify(openapiDocument(name, options.version, [urlNow()]))))
  app.get('/docs', docsRoute)
  if (name === 'compliance') app.post('/api/compliance/events', { config: { scope: 'ingest' } }, eventsRoute(deps, limits))
  if (name === 'compliance') app.post('/witness/add-checkpoint', { config: { anyBody: true } }, witnessRoute(deps, limits))
  if (otlp !== null) {
    for (const signal of ['traces', 'logs', 'metrics'] as const)
      app.post(`/v1/${signal}`, { config: { scope: 'ingest', anyBody: true } }, otlp[signal])
  }
  for (const route of routes) {
    if (route.server !== name) continue
    app.route({
      method: route.method,
      url: route.path,
      config: { scope: route.scope },
      handler: (request, reply) => callOperation(deps, limits, route, request, reply)
    })
  }
  app.options('*', (request, reply) => {
    const origin = request.headers.origin
    if (origin === undefined || reply.getHeader('access-control-allow-origin') === undefined) return sendFailure(reply, refusals.noRoute)
    return reply
      .code(204)
      .header('access-control-allow-methods', 'GET, POST')
      .header('access-control-allow-headers', 'content-type, authorization, last-event-id, x-affidavit-source')
      .header('access-control-max-age', '600')
      .send()
  })
}

function statusNumber(error: unknown): number {
  if (typeof error !== 'object' || error === null || !('statusCode' in error)) return 500
  return typeof error.statusCode === 'number' && error.statusCode >= 400 ? error.statusCode : 500
}
