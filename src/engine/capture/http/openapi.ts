// SPDX-License-Identifier: Apache-2.0
import { z } from 'zod'
import { operations } from '../../../shared/contract/contract.ts'
import { driftAlert } from '../../../shared/contract/drift.ts'
import { errorCodes, failure } from '../../../shared/contract/errors.ts'
import { lineError } from '../../../shared/contract/imports.ts'
import { recordRow } from '../../../shared/contract/record.ts'
import { statusOf } from './errors.ts'
import { passingRoutes, proxyToken, sourceHeader, tokenWith } from './openapi-passing.ts'
import { type Route, routes, type ServerName } from './routes.ts'

type Json = Readonly<Record<string, unknown>>

/** The OpenAPI 3.1 document of one server, derived from the routes and the schemas of the contract. */
export function openapiDocument(server: ServerName, version: string, urls: readonly string[]): Json {
  const paths: Record<string, Record<string, Json>> = {}
  const add = (path: string, method: string, definition: Json): void => {
    paths[path] = { ...paths[path], [method]: definition }
  }
  const open = (id: string, summary: string, type: string, of: Json): Json => ({
    ...operation(id, summary, { 200: { description: 'Done', content: { [type]: { schema: of } } } }),
    security: []
  })
  const object = { type: 'object' }
  add('/health', 'get', open('health', 'Liveness, instance, ledger size and last checkpoint', 'application/json', object))
  add('/openapi.json', 'get', open('openapi', 'This document', 'application/json', object))
  add('/docs', 'get', open('docs', 'A page on which the routes are tried', 'text/html', { type: 'string' }))
  for (const route of routes) if (route.server === server) add(openapiPath(route), route.method.toLowerCase(), ofRoute(route))
  if (server === 'compliance') {
    add('/api/compliance/events', 'post', eventsOperation())
    add(
      '/api/compliance/stream',
      'get',
      streamOperation('records.stream', 'Each ended record as it becomes visible', schema(recordRow, 'output'))
    )
    for (const { path, method, definition } of passingRoutes(operation)) add(path, method, definition)
  } else {
    add('/api/drift/stream', 'get', streamOperation('drift.stream', 'Alerts as they open and change state', schema(driftAlert, 'output')))
  }
  return {
    openapi: '3.1.0',
    info: {
      title: server === 'compliance' ? 'Affidavit compliance API' : 'Affidavit drift API',
      version,
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' }
    },
    servers: urls.map((url) => ({ url })),
    paths,
    components: {
      schemas: { Error: schema(z.object({ error: failure }), 'output') },
      securitySchemes: {
        token: { type: 'http', scheme: 'bearer', description: 'Needed where the server listens beyond loopback.' },
        ...(server === 'compliance' ? { proxyToken } : {})
      }
    }
  }
}

const openapiPath = (route: Route): string => route.path.replace(/:(\w+)/g, '{$1}')

function ofRoute(route: Route): Json {
  const definition = operations[route.op]
  const input = schema(definition.input, 'input')
  const properties = isJson(input.properties) ? input.properties : {}
  const required = Array.isArray(input.required) ? input.required.map(String) : []
  const inPath = route.pathParameters.map((name) => ({ name, in: 'path', required: true, schema: properties[name] ?? { type: 'string' } }))
  const others = Object.entries(properties).filter(([name]) => !route.pathParameters.includes(name))
  const inQuery =
    route.method === 'GET' ? others.map(([name, of]) => ({ name, in: 'query', required: required.includes(name), schema: of })) : []
  const parameters = [...inPath, ...inQuery]
  const body = {
    ...input,
    properties: Object.fromEntries(others),
    required: required.filter((name) => !route.pathParameters.includes(name))
  }
  return {
    ...operation(route.op, definition.summary, { 200: json('Done', schema(definition.output, 'output')) }),
    security: tokenWith(route.scope),
    ...(parameters.length > 0 ? { parameters } : {}),
    ...(route.method === 'POST' ? { requestBody: { required: true, content: { 'application/json': { schema: body } } } } : {})
  }
}

function eventsOperation(): Json {
  const count = z.int().min(0)
  const summary = z.object({
    accepted: count,
    duplicates: count,
    rejected: z.array(lineError),
    rejected_total: count,
    id: z.string().optional(),
    seq: count.optional()
  })
  const event = {
    type: 'object',
    description: 'A canonical event. Fields without a place are kept in its attributes.',
    additionalProperties: true
  }
  const line = z.union([
    z.object({ line: count, id: z.string(), seq: count, duplicate: z.literal(true).optional() }),
    lineError,
    z.object({ summary: z.object({ accepted: count, duplicates: count, rejected_total: count }), error: failure.optional() })
  ])
  return {
    ...operation('events.append', operations['events.append'].summary, {
      200: {
        description: 'On disk',
        content: {
          'application/json': { schema: schema(summary, 'output') },
          'application/x-ndjson': { schema: schema(line, 'output') }
        }
      },
      422: json('No record of the request could be taken', schema(summary.extend({ error: failure }), 'output'))
    }),
    security: tokenWith('ingest'),
    parameters: [sourceHeader],
    requestBody: {
      required: true,
      content: {
        'application/json': { schema: { oneOf: [event, { type: 'array', items: event, minItems: 1 }] } },
        'application/x-ndjson': { schema: event }
      }
    }
  }
}

function streamOperation(id: string, summary: string, item: Json): Json {
  const eventId = { type: 'string', pattern: '^\\d{1,15}$' }
  return {
    ...operation(id, summary, {
      200: {
        description:
          'Server-Sent Events: unnamed events whose id is a ledger number and whose data is the JSON below; `heartbeat` events between them',
        content: { 'text/event-stream': { schema: { type: 'string', contentMediaType: 'application/json', contentSchema: item } } }
      }
    }),
    security: tokenWith('read'),
    parameters: [
      { name: 'Last-Event-ID', in: 'header', schema: eventId },
      { name: 'last_event_id', in: 'query', schema: eventId }
    ]
  }
}

function operation(id: string, summary: string, responses: Json): Json {
  return { operationId: id, summary, responses: { ...responses, default: json(errorDescription, { $ref: '#/components/schemas/Error' }) } }
}

const errorDescription = `An error; the status follows from its code: ${errorCodes.map((code) => `${code} ${statusOf(code)}`).join(', ')}`

const json = (description: string, of: Json): Json => ({ description, content: { 'application/json': { schema: of } } })

function schema(of: z.ZodType, io: 'input' | 'output'): Json {
  const { $schema: _, ...rest } = z.toJSONSchema(of, { io, unrepresentable: 'any' }) as Record<string, unknown>
  return rest
}

const isJson = (value: unknown): value is Json => typeof value === 'object' && value !== null
