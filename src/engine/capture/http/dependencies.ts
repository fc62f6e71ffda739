// SPDX-License-Identifier: Apache-2.0
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { DriftAlert } from '../../../shared/contract/drift.ts'
import type { Reply } from '../../../shared/contract/errors.ts'
import type { Upstream } from '../../../shared/contract/proxy.ts'
import type { RecordRow } from '../../../shared/contract/record.ts'
import type { WorkspaceStatus } from '../../../shared/contract/workspace.ts'
import type { clientScopes } from '../../../shared/evidence/leaf-data.ts'
import type { WitnessAnswer } from '../../anchors/witness.ts'
import type { Caller } from '../../handlers.ts'
import type { Actor } from '../../ledger/draft.ts'
import type { DraftedEvent, IncomingEvent, LineResult } from '../ingest.ts'
import type { Large } from '../large/tasks.ts'
import type { ProxyCaller } from '../proxy/recording-proxy.ts'

/** An alert as it stands after the leaf `seq` changed it. */
export interface AlertChange {
  readonly seq: number
  readonly alert: DriftAlert
}

/** What the servers write to: fields first, as pino does. Never given prompt or response text, a header value or a path. */
export interface HttpLog {
  info(fields: object, message?: string): void
  warn(fields: object, message?: string): void
  error(fields: object, message?: string): void
}

/** Calls below `/proxy/<upstream>/`. */
export interface ProxyRoute {
  find(name: string): Upstream | undefined
  handle(request: IncomingMessage, response: ServerResponse, upstream: Upstream, rest: string, caller: ProxyCaller): void
}

/** Everything the HTTP servers need of the engine. */
export interface HttpDependencies {
  /** One operation of the contract; never rejects. */
  call(op: string, input: unknown, caller: Caller): Promise<Reply<unknown>>
  /** Used as a wake-up only: what a stream sends is read with `recordsAfter` and `alertsAfter`. */
  subscribe(topic: string, input: unknown, push: (event: unknown) => void): () => void
  readonly ingest: {
    /** Resolves once the batch (at most 500) is on disk, one result for each event in the same order. */
    append(
      batch: readonly (IncomingEvent | DraftedEvent)[],
      origin: { readonly channel: 'http' | 'otlp'; readonly actor: Actor }
    ): Promise<readonly LineResult[]>
    /** Reads large bodies beside the writer. Absent: all are read on the spot. */
    readonly large?: Large | undefined
  }
  /** A client began to follow the records: a read that is recorded. */
  streamOpened(actor: Actor): Promise<unknown>
  /** Ended records with a larger `seq`, in `seq` order. */
  recordsAfter(seq: number, limit: number): Promise<readonly RecordRow[]>
  /** Changes of alerts with a larger `seq`, in `seq` order. */
  alertsAfter(seq: number, limit: number): Promise<readonly AlertChange[]>
  /** The recording proxy; it answers every target below `/proxy/`. */
  readonly proxy?: ProxyRoute | undefined
  /** Answers a request to cosign a checkpoint of another log; null while this workspace is no witness. */
  witness(body: Uint8Array): Promise<WitnessAnswer | null>
  status(): WorkspaceStatus
  readonly log: HttpLog
}

/** A client that identifies itself by a bearer token. */
export interface HttpToken {
  readonly id: string
  /** Stands for the client in leaves and as its source when an event names none; letters, digits and `._:/-`. */
  readonly name: string
  /** SHA-256 of the token, lower-case hexadecimal: the token itself is not kept. */
  readonly sha256: string
  readonly scopes: readonly HttpScope[]
}

/** Told of every request that comes with a client's token, as it is taken. */
export type OnToken = (token: HttpToken, response: ServerResponse) => void

export type HttpScope = (typeof clientScopes)[number]
