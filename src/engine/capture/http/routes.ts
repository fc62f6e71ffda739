// SPDX-License-Identifier: Apache-2.0
import type { OperationName, OperationOutput } from '../../../shared/contract/contract.ts'
import type { Failure } from '../../../shared/contract/errors.ts'
import type { WorkspaceStatus } from '../../../shared/contract/workspace.ts'
import type { HttpScope } from './dependencies.ts'
import { refusals } from './errors.ts'

export const serverNames = ['compliance', 'drift'] as const
export type ServerName = (typeof serverNames)[number]

/** The parts of a request that an input is made of. */
export interface RouteRequest {
  readonly params: Readonly<Record<string, string>>
  readonly query: Readonly<Record<string, unknown>>
  /** Parsed JSON body; undefined for GET. */
  readonly body: unknown
}

/** A route that stands for one operation of the contract. */
export interface Route<N extends OperationName = OperationName> {
  readonly method: 'GET' | 'POST'
  readonly path: string
  readonly server: ServerName
  readonly op: N
  readonly scope: HttpScope
  /** Members of the input that are path parameters; the others are the query (GET) or the body (POST). */
  readonly pathParameters: readonly string[]
  /** The input of the operation (the router parses it), or why there can be none. */
  fromRequest(request: RouteRequest): { readonly input: unknown } | Failure
  toResponse(output: OperationOutput<N>): unknown
}

const fromQuery = (request: RouteRequest): { readonly input: unknown } => ({ input: request.query })
const fromBody = (request: RouteRequest): { readonly input: unknown } | Failure =>
  isObject(request.body) ? { input: request.body } : refusals.notAnObject

/** Body and path parameters together; a body may not name a path parameter. */
function fromBodyAndPath(request: RouteRequest): { readonly input: unknown } | Failure {
  if (!isObject(request.body)) return refusals.notAnObject
  for (const name of Object.keys(request.params)) if (Object.hasOwn(request.body, name)) return refusals.unknownField
  return { input: { ...request.body, ...request.params } }
}

const same = <T>(output: T): T => output
const route = <N extends OperationName>(definition: Route<N>): Route => definition

/** Every route that is an operation. Ingest, streams, liveness and the OpenAPI document are beside it, see server.ts. */
export const routes: readonly Route[] = [
  route({
    method: 'POST',
    path: '/api/compliance/query',
    server: 'compliance',
    op: 'records.query',
    scope: 'read',
    pathParameters: [],
    fromRequest: fromBody,
    toResponse: same
  }),
  route({
    method: 'GET',
    path: '/api/compliance/statistics',
    server: 'compliance',
    op: 'records.statistics',
    scope: 'read',
    pathParameters: [],
    fromRequest: fromQuery,
    toResponse: same
  }),
  route({
    method: 'GET',
    path: '/api/drift/alerts',
    server: 'drift',
    op: 'drift.alerts',
    scope: 'read',
    pathParameters: [],
    fromRequest: fromQuery,
    toResponse: same
  }),
  route({
    method: 'GET',
    path: '/api/drift/statistics',
    server: 'drift',
    op: 'drift.statistics',
    scope: 'read',
    pathParameters: [],
    fromRequest: fromQuery,
    toResponse: same
  }),
  route({
    method: 'POST',
    path: '/api/drift/alerts/acknowledge',
    server: 'drift',
    op: 'drift.acknowledge_many',
    scope: 'write',
    pathParameters: [],
    fromRequest: fromBody,
    toResponse: same
  }),
  route({
    method: 'POST',
    path: '/api/drift/alerts/:id/snooze',
    server: 'drift',
    op: 'drift.snooze',
    scope: 'write',
    pathParameters: ['id'],
    fromRequest: fromBodyAndPath,
    toResponse: same
  }),
  route({
    method: 'POST',
    path: '/api/drift/alerts/:id/resolve',
    server: 'drift',
    op: 'drift.resolve',
    scope: 'write',
    pathParameters: ['id'],
    fromRequest: fromBodyAndPath,
    toResponse: same
  }),
  route({
    method: 'POST',
    path: '/api/drift/alerts/:id/acknowledge',
    server: 'drift',
    op: 'drift.acknowledge',
    scope: 'write',
    pathParameters: ['id'],
    fromRequest: fromBodyAndPath,
    toResponse: same
  })
]

/** Answer of `GET /health`. Says nothing of the machine or its folders. */
export function healthOf(status: WorkspaceStatus, server: ServerName): Readonly<Record<string, unknown>> {
  const { checkpoint } = status
  return {
    status: status.state === 'open' ? 'ok' : status.state,
    product: 'affidavit',
    version: status.version,
    server,
    instance_id: status.instance_id,
    origin: status.origin,
    sample: status.sample,
    started: status.started,
    ledger_size: status.ledger.size,
    records: status.ledger.records,
    last_checkpoint: checkpoint === null ? null : { size: checkpoint.size, time: checkpoint.time, root: checkpoint.root },
    last_anchor: status.anchor,
    anchoring: status.anchoring.state
  }
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
