// SPDX-License-Identifier: Apache-2.0
// The part of the OpenAPI document that no operation of the contract stands for: formats of others, and calls that are passed on.
import type { HttpScope } from './dependencies.ts'

type Json = Readonly<Record<string, unknown>>

/** What a token must be good for; on loopback there need be none. */
export const tokenWith = (scope: HttpScope, scheme = 'token'): readonly Json[] => [{}, { [scheme]: [scope] }]

/** `Authorization` belongs to the upstream. */
export const proxyToken: Json = {
  type: 'apiKey',
  in: 'header',
  name: 'x-affidavit-token',
  description: 'Needed where the server listens beyond loopback; Authorization goes to the upstream.'
}

export const sourceHeader: Json = {
  name: 'x-affidavit-source',
  in: 'header',
  schema: { type: 'string', maxLength: 128 },
  description: 'Source of events that name none'
}

interface PassingRoute {
  readonly path: string
  readonly method: string
  readonly definition: Json
}

type Operation = (id: string, summary: string, responses: Json) => Json

const binary: Json = { type: 'string', format: 'binary' }
const count: Json = {
  oneOf: [
    { type: 'string', pattern: '^\\d+$' },
    { type: 'integer', minimum: 0 }
  ]
}

interface Signal {
  readonly name: 'traces' | 'logs' | 'metrics'
  readonly summary: string
  readonly field: string
  readonly rejected: string
  readonly example: Json
}

const text = (key: string, value: string): Json => ({ key, value: { stringValue: value } })
const attributes = [text('gen_ai.operation.name', 'chat'), text('gen_ai.request.model', 'gpt-4')]

const signals: readonly Signal[] = [
  {
    name: 'traces',
    summary: 'OTLP/HTTP: spans of calls to models become records',
    field: 'resourceSpans',
    rejected: 'rejectedSpans',
    example: {
      resourceSpans: [
        {
          scopeSpans: [
            {
              spans: [
                {
                  traceId: '5b8efff798038103d269b633813fc60c',
                  spanId: 'eee19b7ec3c1b174',
                  name: 'chat',
                  startTimeUnixNano: '1767225600000000000',
                  endTimeUnixNano: '1767225601000000000',
                  attributes
                }
              ]
            }
          ]
        }
      ]
    }
  },
  {
    name: 'logs',
    summary: 'OTLP/HTTP: log records of calls to models are joined with their spans',
    field: 'resourceLogs',
    rejected: 'rejectedLogRecords',
    example: { resourceLogs: [] }
  },
  {
    name: 'metrics',
    summary: 'OTLP/HTTP: accepted and discarded',
    field: 'resourceMetrics',
    rejected: 'rejectedDataPoints',
    example: { resourceMetrics: [] }
  }
]

function otlpRoute(operation: Operation, { name, summary, field, rejected, example }: Signal): PassingRoute {
  const protobuf = { 'application/x-protobuf': { schema: binary } }
  const answer = {
    type: 'object',
    properties: { partialSuccess: { type: 'object', properties: { [rejected]: count, errorMessage: { type: 'string' } } } }
  }
  const status = { type: 'object', properties: { code: { type: 'integer' }, message: { type: 'string' } } }
  const failed = (description: string): Json => ({ description, content: { 'application/json': { schema: status }, ...protobuf } })
  const { responses: _, ...definition } = operation(`otlp.${name}`, summary, {})
  return {
    path: `/v1/${name}`,
    method: 'post',
    definition: {
      ...definition,
      description: 'Plain or gzip. Whatever stands before /v1/ in the path is ignored. The answer comes in the type of the request.',
      security: tokenWith('ingest'),
      parameters: [sourceHeader],
      requestBody: {
        required: true,
        content: {
          'application/json': {
            schema: { type: 'object', properties: { [field]: { type: 'array', items: { type: 'object' } } } },
            example
          },
          ...protobuf
        }
      },
      responses: {
        200: {
          description: 'On disk, as far as it could be taken; `partialSuccess` counts the rest',
          content: { 'application/json': { schema: answer }, ...protobuf }
        },
        503: failed('Come again after Retry-After seconds'),
        default: failed('A google.rpc.Status; nothing was taken')
      }
    }
  }
}

function proxyRoute(operation: Operation, method: string): PassingRoute {
  const { responses: _, ...definition } = operation(`proxy.${method}`, 'Passes a call on to a configured model server and records it', {})
  const any = { '*/*': { schema: binary } }
  return {
    path: '/proxy/{upstream}/{path}',
    method,
    definition: {
      ...definition,
      description:
        'Bytes pass as they are both ways, with their headers. Calls that models answer are on record from the moment they arrive; everything else passes without a record.',
      security: tokenWith('ingest', 'proxyToken'),
      parameters: [
        {
          name: 'upstream',
          in: 'path',
          required: true,
          schema: { type: 'string' },
          description: 'Name of an upstream, from Settings, Capture'
        },
        {
          name: 'path',
          in: 'path',
          required: true,
          schema: { type: 'string' },
          description: 'Path at the upstream, with its slashes, such as api/chat'
        },
        sourceHeader
      ],
      ...(method === 'get'
        ? {}
        : {
            requestBody: {
              content: {
                'application/json': {
                  schema: { type: 'object' },
                  example: { model: 'llama3', messages: [{ role: 'user', content: 'Hello' }] }
                },
                ...any
              }
            }
          }),
      responses: { default: { description: 'The answer of the upstream, or an error of this program as on other routes', content: any } }
    }
  }
}

function witnessRoute(operation: Operation): PassingRoute {
  const line = { 'text/plain': { schema: { type: 'string' } } }
  return {
    path: '/witness/add-checkpoint',
    method: 'post',
    definition: {
      ...operation('witness.add_checkpoint', 'Cosigns a checkpoint of another log (c2sp.org/tlog-witness)', {
        200: { description: 'The cosignature line', content: line },
        409: { description: 'The size that was seen last', content: { 'text/x.tlog.size': { schema: { type: 'string' } } } }
      }),
      security: [],
      requestBody: { required: true, content: line }
    }
  }
}

/** Routes of the compliance server beside the operations. */
export const passingRoutes = (operation: Operation): readonly PassingRoute[] => [
  ...signals.map((signal) => otlpRoute(operation, signal)),
  ...['get', 'post', 'put', 'patch', 'delete'].map((method) => proxyRoute(operation, method)),
  witnessRoute(operation)
]
