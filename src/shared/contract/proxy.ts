// SPDX-License-Identifier: Apache-2.0
import { z } from 'zod'
import { operation } from './operation.ts'
import { endpoint } from './workspace.ts'

const count = z.int().min(0)

/** What the calls of an upstream are read as. `openai` is also vLLM, LM Studio and the server of llama.cpp. */
export const upstreamKinds = ['ollama', 'openai', 'anthropic'] as const

/**
 * What happens while the store cannot record: `fail-open` forwards and counts what was lost, `fail-closed` records each request before it is
 * forwarded and answers 503 when it cannot.
 */
export const upstreamModes = ['fail-open', 'fail-closed'] as const

/** Part of a path, so that a client is pointed at `/proxy/<name>`. */
export const upstreamName = z.string().regex(/^[a-z0-9][a-z0-9-]{0,31}$/)

/** A model server that calls are passed on to. Held in one leaf of 256 characters, so address and source are short. */
export const upstream = z.object({
  name: upstreamName,
  /** http or https, without name, password, query or fragment; a path in it comes before that of the call. */
  url: z.string().min(1).max(160),
  kind: z.enum(upstreamKinds),
  mode: z.enum(upstreamModes),
  /** A port of its own on the host of the compliance server, for clients that take a host and nothing more; null: by path only. */
  port: z.int().min(1).max(65_535).nullable(),
  /** The calling application where a call names none (`x-affidavit-source`); null: the client's name, else `unknown`. */
  source: z
    .string()
    .regex(/^[A-Za-z0-9._:/-]{1,64}$/)
    .nullable()
})
export type Upstream = z.infer<typeof upstream>

/** An upstream with where clients reach it now, and what passed since the start of the engine. */
export const upstreamState = upstream.extend({
  /** Base address on the compliance server; null while that server does not listen. */
  path_url: z.string().nullable(),
  /** The port of its own; null when it has none. `message`: who holds it and what to do. */
  own: endpoint.nullable(),
  calls: z.object({
    in_flight: count,
    recorded: count,
    /** Leaves that could not be recorded; they are also counted in `logging.failed`. */
    lost: count,
    /** POSTs that passed without a record: to no interface that is read, such as speech or pictures. What is known to ask no model is not in it. */
    unread: count,
    /** Bytes of records that wait in memory for the store. */
    waiting_bytes: count
  })
})
export type UpstreamState = z.infer<typeof upstreamState>

export const proxyOperations = {
  'upstreams.list': operation({
    summary: 'Upstreams of the recording proxy, where clients reach them, and what passed',
    input: z.strictObject({}),
    output: z.object({ upstreams: z.array(upstreamState) }),
    access: 'read',
    leaves: []
  }),
  'upstreams.set': operation({
    summary: 'Adds an upstream or changes the one of that name; takes effect at once, a port of its own included',
    input: z.strictObject({
      name: upstreamName,
      url: upstream.shape.url,
      kind: upstream.shape.kind,
      mode: upstream.shape.mode.default('fail-open'),
      port: upstream.shape.port.default(null),
      source: upstream.shape.source.default(null)
    }),
    output: z.object({ upstream: upstreamState }),
    access: 'write',
    leaves: ['setting.changed']
  }),
  'upstreams.remove': operation({
    summary: 'Removes an upstream; calls under way are finished and recorded',
    input: z.strictObject({ name: upstreamName }),
    output: z.object({ upstreams: z.array(upstreamState) }),
    access: 'write',
    leaves: ['setting.changed']
  }),
  'upstreams.test': operation({
    summary: 'Asks an upstream for its models or version once and tells how it went; nothing is recorded',
    input: z.strictObject({ name: upstreamName }),
    output: z.object({
      ok: z.boolean(),
      /** HTTP status of the answer; null when none came. 401 and 403 are an upstream that is there and wants a key. */
      status: count.nullable(),
      /** What failed, in words; null when it went well. */
      problem: z.string().nullable(),
      took_ms: z.number().min(0)
    }),
    access: 'write',
    leaves: []
  })
} as const
