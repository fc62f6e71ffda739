// SPDX-License-Identifier: Apache-2.0
// Bodies of exports with bytes changed, cut, doubled or moved: each is read or refused as undecodable, in bounded time.
import { gzipSync } from 'node:zlib'
import { expect, it } from 'vitest'
import { callLogOf, callOf, eventOfCall, originOf } from '../../../shared/event/otlp/map.ts'
import { OtlpError, type Signal } from '../../../shared/event/otlp/message.ts'
import { defaultLimits } from '../http/limits.ts'
import { type OtlpForm, openBody } from './read-body.ts'

const RUNS = Number(process.env.AFFIDAVIT_OTLP_MUTATIONS ?? 2_000)
const MOST = 1024 * 1024

/** Mulberry32: the same bodies in every run. */
function random(seed: number): () => number {
  let a = seed
  return () => {
    a = (a + 0x6d2b79f5) | 0
    let t = Math.imul(a ^ (a >>> 15), 1 | a)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296
  }
}

const field = (number: number, bytes: Buffer): Buffer => {
  const length = bytes.length < 128 ? [bytes.length] : [(bytes.length & 127) | 128, bytes.length >> 7]
  return Buffer.concat([Buffer.from([number * 8 + 2, ...length]), bytes])
}
const text = (number: number, value: string): Buffer => field(number, Buffer.from(value))
const pair = (key: string, value: string): Buffer => Buffer.concat([text(1, key), field(2, text(1, value))])
const time = Buffer.from([0x39, 0, 0x80, 0x1c, 0x94, 0xcf, 0x8c, 0x97, 0x17, 0x41, 0, 0x80, 0x1c, 0x95, 0xcf, 0x8c, 0x97, 0x17])
const names = ['gen_ai.system', 'gen_ai.request.model', 'langfuse.observation.input', 'llm.model_name', 'gen_ai.input.messages']
const attributes = (number: number): Buffer =>
  Buffer.concat(names.map((name) => field(number, pair(name, name.endsWith('messages') ? '[{"role":"user","content":"x"}]' : 'x'))))
const resource = field(1, field(1, pair('service.name', 'web')))
const protoTraces = field(
  1,
  Buffer.concat([
    resource,
    field(2, field(2, Buffer.concat([field(1, Buffer.alloc(16, 7)), field(2, Buffer.alloc(8, 7)), time, attributes(9)])))
  ])
)
const protoLogs = field(
  1,
  Buffer.concat([
    resource,
    field(
      2,
      field(
        2,
        Buffer.concat([
          field(5, text(1, 'x')),
          attributes(6),
          field(9, Buffer.alloc(16, 7)),
          field(10, Buffer.alloc(8, 7)),
          text(12, 'gen_ai.choice')
        ])
      )
    )
  ])
)
const list = names.map((key) => ({ key, value: { stringValue: 'x' } }))
const ids = { traceId: '07'.repeat(16), spanId: '07'.repeat(8) }
const jsonTraces = Buffer.from(
  JSON.stringify({
    resourceSpans: [
      { resource: { attributes: list }, scopeSpans: [{ spans: [{ ...ids, startTimeUnixNano: '1700000000000000000', attributes: list }] }] }
    ]
  })
)
const jsonLogs = Buffer.from(
  JSON.stringify({
    resourceLogs: [{ scopeLogs: [{ logRecords: [{ ...ids, eventName: 'gen_ai.choice', body: { stringValue: 'x' }, attributes: list }] }] }]
  })
)
const seeds: readonly (readonly [Signal, OtlpForm, boolean, Buffer])[] = [
  ['traces', 'protobuf', false, protoTraces],
  ['logs', 'protobuf', false, protoLogs],
  ['traces', 'json', false, jsonTraces],
  ['logs', 'json', false, jsonLogs],
  ['traces', 'protobuf', true, gzipSync(protoTraces)]
]

const strange: readonly unknown[] = [
  null,
  true,
  -1,
  1e300,
  '',
  'x',
  '-9223372036854775809',
  '18446744073709551616',
  '[{"role":7,"parts":{}}]',
  '\ud800',
  [],
  [null],
  [[[]]],
  {},
  { stringValue: 7 },
  { intValue: 'x' },
  { doubleValue: 'NaN' },
  { bytesValue: '*' },
  { arrayValue: { values: [null] } },
  { kvlistValue: { values: [{ key: '__proto__', value: { stringValue: 'x' } }] } }
]

/** The same JSON with one value somewhere in it replaced: still JSON, so that what reads the fields sees it. */
function replaced(value: unknown, next: () => number): unknown {
  const one = () => strange[Math.floor(next() * strange.length)]
  if (typeof value !== 'object' || value === null || next() < 0.1) return one()
  const keys = Object.keys(value)
  const at = keys[Math.floor(next() * keys.length)]
  if (at === undefined) return one()
  const child = replaced((value as Record<string, unknown>)[at], next)
  return Array.isArray(value) ? value.with(Number(at), child) : { ...value, [at]: child }
}

/** The same length with some bytes overwritten: lengths and tags of protobuf mostly stay, values change. */
function overwritten(body: Buffer, next: () => number): Buffer {
  const out = Buffer.from(body)
  for (let i = Math.floor(next() * 3); i >= 0; i--) out[Math.floor(next() * out.length)] = Math.floor(next() * 256)
  return out
}

function mutate([, form, gzip, body]: (typeof seeds)[number], next: () => number): Buffer {
  if (!gzip && next() < 0.5)
    return form === 'json' ? Buffer.from(JSON.stringify(replaced(JSON.parse(body.toString()), next))) : overwritten(body, next)
  let out = Buffer.from(body)
  const changes = 1 + Math.floor(next() * 3)
  for (let i = 0; i < changes; i++) {
    const at = Math.floor(next() * out.length)
    const to = at + Math.floor(next() * (out.length - at))
    switch (Math.floor(next() * 4)) {
      case 0:
        out[at] = Math.floor(next() * 256)
        break
      case 1:
        out = out.subarray(0, at)
        break
      case 2:
        out = Buffer.concat([out.subarray(0, to), out.subarray(at)])
        break
      default:
        out = Buffer.concat([out.subarray(0, at), out.subarray(to)])
    }
  }
  return out
}

/** True when the body was read; every other outcome than an undecodable body fails the test. */
async function taken(signal: Signal, form: OtlpForm, gzip: boolean, bytes: Buffer): Promise<boolean> {
  const body = await openBody(bytes, { form, gzip }, signal, { ...defaultLimits, otlpBytes: MOST }, () => true)
  if ('code' in body) {
    expect(['bad_request', 'too_large']).toContain(body.code)
    return false
  }
  try {
    for (const group of body.groups) {
      const origin = originOf(group.resource)
      for (const item of group.items) {
        if (signal === 'logs') callLogOf(body.encoding.log(item), origin)
        else {
          const call = callOf(body.encoding.span(item), origin)
          if (typeof call === 'object') eventOfCall(call, 1_800_000_000_000_000, 'unknown')
        }
      }
    }
    return true
  } catch (error) {
    if (error instanceof OtlpError) return false
    throw error
  }
}

it(`${RUNS} mutated bodies: none but undecodable ones are refused, none takes long`, { timeout: 30_000 + RUNS }, async () => {
  for (const seed of seeds) expect(await taken(...seed)).toBe(true)
  const next = random(20260101)
  let refused = 0
  let slowest = 0
  for (let i = 0; i < RUNS; i++) {
    const seed = seeds[i % seeds.length]
    if (seed === undefined) continue
    const [signal, form, gzip] = seed
    const bytes = mutate(seed, next)
    const started = performance.now()
    if (!(await taken(signal, form, gzip, bytes))) refused++
    slowest = Math.max(slowest, performance.now() - started)
  }
  // Both ends are reached: what cannot be read, and what is read and mapped although its values are strange.
  expect(refused).toBeGreaterThan(RUNS / 10)
  expect(RUNS - refused).toBeGreaterThan(RUNS / 10)
  expect(slowest).toBeLessThan(2_000)
})
