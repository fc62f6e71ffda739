// SPDX-License-Identifier: Apache-2.0
import { type JoinLimits, joinLimits } from '../otlp/join.ts'

/** Bounds of the HTTP side. Bytes, milliseconds and counts; every one can be set, tests shorten them. */
export interface HttpLimits {
  /** Largest body of a single JSON request (one object or an array). */
  readonly bodyBytes: number
  /** Largest input of an operation: it is parsed in one turn, and none can need half of it. */
  readonly operationBytes: number
  /** Largest body of an OTLP export, also once it is unpacked. */
  readonly otlpBytes: number
  /** Bytes of OTLP bodies that may be in work at once; an export beyond is told to come again. */
  readonly otlpBytesInWork: number
  /** Joining of spans with log records. */
  readonly otlpJoin: JoinLimits
  /** Elements of an array, at most: tiny ones would otherwise take far more memory than the body did. */
  readonly arrayItems: number
  /** Largest line of an NDJSON stream; the stream itself has no limit. */
  readonly lineBytes: number
  /** Lines handed to the ledger at once, at most. */
  readonly batchLines: number
  /** Bytes of source text after which a batch is handed over though it has fewer lines: its leaves are laid out in one turn. */
  readonly batchBytes: number
  /** Batches that may wait for their commit while the next is read. */
  readonly batchesInFlight: number
  /** Bytes of one record from which it is read beside the writer. */
  readonly largeBytes: number
  /** Nesting of the input of an operation, at most. */
  readonly depth: number
  /** Rejected lines that an answer lists; the rest is only counted. */
  readonly rejectedListed: number
  /** Parsing yields to the event loop after this long. */
  readonly sliceMs: number
  /** Head of a request, from the connection on. */
  readonly headersMs: number
  /** Whole body of a single JSON request. */
  readonly bodyMs: number
  /** Silence within an NDJSON stream, and a client that does not read its results. */
  readonly idleMs: number
  readonly keepAliveMs: number
  /** How often Node looks for connections past `headersMs`. */
  readonly checkMs: number
  /** Results of a streamed answer that may wait in memory for a client that is still sending. */
  readonly resultBytes: number
  readonly connections: number
  readonly sseClients: number
  /** Bytes waiting in the socket of a stream client past which it is dropped. */
  readonly sseBufferBytes: number
  /** A stream client that reads nothing for this long is dropped. */
  readonly sseStallMs: number
  readonly heartbeatMs: number
  /** What a browser waits before it connects again. */
  readonly retryMs: number
  /** Requests a second and client beyond loopback, and how many may come at once. */
  readonly rate: { readonly perSecond: number; readonly burst: number }
  /** Whether loopback clients are limited too. */
  readonly rateOnLoopback: boolean
  /** Time that running requests get when the servers close. */
  readonly closeMs: number
}

const MiB = 1024 * 1024

export const defaultLimits: HttpLimits = {
  bodyBytes: 10 * MiB,
  operationBytes: MiB / 4,
  otlpBytes: 20 * MiB,
  otlpBytesInWork: 64 * MiB,
  otlpJoin: joinLimits,
  arrayItems: 100_000,
  lineBytes: 10 * MiB,
  batchLines: 500,
  batchBytes: MiB / 2,
  batchesInFlight: 2,
  largeBytes: MiB / 8,
  depth: 64,
  rejectedListed: 1000,
  sliceMs: 8,
  headersMs: 10_000,
  bodyMs: 30_000,
  idleMs: 60_000,
  keepAliveMs: 65_000,
  checkMs: 2_000,
  resultBytes: 8 * MiB,
  connections: 2048,
  sseClients: 64,
  sseBufferBytes: MiB,
  sseStallMs: 30_000,
  heartbeatMs: 15_000,
  retryMs: 3_000,
  rate: { perSecond: 2_000, burst: 10_000 },
  rateOnLoopback: false,
  closeMs: 2_000
}
