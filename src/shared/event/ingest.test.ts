// SPDX-License-Identifier: Apache-2.0
import { expect, it } from 'vitest'
import { normaliseIngest } from './ingest.ts'

const read = (messages: unknown) =>
  normaliseIngest({ model: 'm', messages }, { receivedUs: 1_800_000_000_000_000, channel: 'http', defaultSource: 'x' })
const messagesOf = (messages: unknown) => {
  const result = read(messages)
  return result.ok ? result.event.input_messages : result.code
}

it('the names of our own answers are understood where they can be, and else kept as they came', () => {
  const of = (body: object) => {
    const result = normaliseIngest({ model: 'm', ...body }, { receivedUs: 1_800_000_000_000_000, channel: 'http', defaultSource: 'x' })
    if (!result.ok) return result.code
    const { start_us, latency_us, attributes } = result.event
    return [start_us, latency_us, attributes === undefined ? undefined : { ...attributes }]
  }
  const at = '2026-03-01T09:00:00.5Z'
  const us = Date.parse('2026-03-01T09:00:00.500Z') * 1000
  expect(of({ timestamp: at, processing_time_ms: 12.5 })).toEqual([us, 12_500, undefined])
  expect(of({ timestamp: at, start_us: 1_700_000_000_000_005, processing_time_ms: 1, latency_ms: 2 })).toEqual([
    1_700_000_000_000_005,
    2_000,
    { timestamp: at, processing_time_ms: 1 }
  ])
  // In another form it would be taken for something beside the call, and the call for one of now.
  for (const timestamp of [
    '2026-03-01T09:00:00',
    '03/01/2026,T09:00:00Z',
    'yesterday',
    '2023-02-30T00:00:00Z',
    '2023-06-31T10:00:00+02:00'
  ])
    expect(of({ timestamp }), timestamp).toBe('bad_time')
  expect(of({ timestamp: 1_700_000_000 })).toBe('wrong_type')
  expect(of({ processing_time_ms: '9' })).toBe('wrong_type')
  expect(of({ processing_time_ms: -1 })).toBe('out_of_range')
  expect(of({ start_time: '2023-02-29T00:00:00Z' })).toBe('bad_time')
  // Seconds and milliseconds.
  for (const start_us of [1_700_000_000, 1_700_000_000_000]) expect(of({ start_us }), String(start_us)).toBe('bad_time')
  expect(of({ start_time: '2024-02-29T23:59:59.5Z' })).toEqual([Date.parse('2024-02-29T23:59:59.500Z') * 1000, undefined, undefined])
  expect(of({ timestamp: '2099-01-01T00:00:00Z' })).toBe('time_in_future')
})

it('messages keep calls of tools, what answers them, and names', () => {
  expect(
    messagesOf([
      { role: 'user', name: 'ann', content: 'Q' },
      { role: 'assistant', content: null, tool_calls: [{ id: 'c1', type: 'function', function: { name: 'add', arguments: '{"a":1}' } }] },
      { role: 'assistant', content: '', function_call: { name: 'old', arguments: 'no JSON' } },
      { role: 'tool', tool_call_id: 'c1', content: '2' },
      { role: 'user', parts: [{ type: 'text', content: 'P' }], content: 'not read' }
    ])
  ).toEqual([
    { role: 'user', name: 'ann', parts: [{ type: 'text', content: 'Q' }] },
    { role: 'assistant', parts: [{ type: 'tool_call', id: 'c1', name: 'add', arguments: { a: 1 } }] },
    {
      role: 'assistant',
      parts: [
        { type: 'text', content: '' },
        { type: 'tool_call', name: 'old', arguments: 'no JSON' }
      ]
    },
    { role: 'tool', tool_call_id: 'c1', parts: [{ type: 'text', content: '2' }] },
    { role: 'user', parts: [{ type: 'text', content: 'P' }], as_sent: { content: 'not read' } }
  ])
})

it('messages with content that is none, or too deep, are refused', () => {
  expect(messagesOf([{ role: 'user', content: 5 }])).toBe('wrong_type')
  expect(messagesOf([{ role: 'user', content: { text: 'Q' } }])).toBe('wrong_type')
  let deep: unknown = 'x'
  for (let i = 0; i < 40; i++) deep = [deep]
  expect(messagesOf([{ role: 'user', content: 'Q', more: deep }])).toBe('too_deep')
  expect(messagesOf([{ role: 'assistant', tool_calls: 'none' }])).toEqual([{ role: 'assistant', parts: [] }])
})

it('an error that is given or a status of 400 and above is an error, unless the status says otherwise', () => {
  const statusOf = (body: object) => {
    const result = normaliseIngest({ model: 'm', ...body }, { receivedUs: 1_800_000_000_000_000, channel: 'http', defaultSource: 'x' })
    return result.ok ? result.event.status : result.code
  }
  for (const body of [
    { http_status: 400 },
    { http_status: 500 },
    { http_status: 200, error: { message: 'x' } },
    { error: 'boom' },
    { error: true },
    { error_type: 'timeout' },
    { error_message: 'x' }
  ])
    expect(statusOf(body), JSON.stringify(body)).toBe('error')
  for (const body of [
    {},
    { http_status: 399 },
    { error: null },
    { error: false },
    { error: '' },
    { error: {} },
    { http_status: 500, status: 'success' }
  ])
    expect(statusOf(body), JSON.stringify(body)).toBe('success')
})

it('what contradicts is refused and named, what says the same is taken', () => {
  const of = (body: object) => {
    const result = normaliseIngest(body, { receivedUs: 1_800_000_000_000_000, channel: 'http', defaultSource: 'x' })
    return result.ok ? result.event : { code: result.code, message: result.message }
  }
  const at = '2026-03-01T09:00:00.123Z'
  const us = Date.parse(at) * 1000
  const text = (content: string) => [{ role: 'user', parts: [{ type: 'text', content }] }]
  for (const [body, one, other] of [
    [{ attributes: { x: 1 }, x: 2 }, 'a member of attributes', 'one beside it'],
    [{ model: 'a', request_model: 'b' }, 'request_model', 'model'],
    [{ start_us: 1_700_000_000_000_000, start_time: at }, 'start_us', 'start_time'],
    [{ latency_us: 7, latency_ms: 5 }, 'latency_us', 'latency_ms'],
    [{ ttft_us: 7, ttft_ms: 5 }, 'ttft_us', 'ttft_ms'],
    [{ prompt: 'p', input_messages: text('q') }, 'input_messages', 'prompt'],
    [{ prompt: 'p', messages: text('q') }, 'messages', 'prompt'],
    [{ response: 'p', output_messages: text('p') }, 'output_messages', 'response']
  ] as const)
    expect(of({ model: 'm', ...body })).toEqual({
      code: 'contradiction',
      message: `${one} and ${other}: expected one of them, or the same in both`
    })
  const same = of({
    model: 'm',
    request_model: 'm',
    attributes: { x: { a: 1, b: [2] }, y: null, z: 3 },
    x: { b: [2], a: 1 },
    y: 2,
    start_us: us + 456,
    start_time: at,
    latency_us: 812_345,
    latency_ms: 812,
    prompt: 'p',
    messages: [{ role: 'user', content: 'p' }],
    input_messages: text('p')
  })
  expect(same).toMatchObject({ request_model: 'm', start_us: us + 456, latency_us: 812_345, input_messages: text('p') })
  expect({ ...('attributes' in same ? same.attributes : {}) }).toEqual({ x: { a: 1, b: [2] }, y: 2, z: 3 })
})
