// SPDX-License-Identifier: Apache-2.0
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { jsonEncoding } from '../../../shared/event/otlp/json.ts'
import { TimeSlice } from '../time-slice.ts'
import { cutElements } from './json-cut.ts'
import { jsonGroups, jsonItems } from './json-groups.ts'

function cut(text: string, path: string) {
  const cutting = cutElements(Buffer.from(text), path, 1_000)
  for (;;) {
    const next = cutting.next()
    if (next.done) return { around: next.value.around.toString(), elements: next.value.elements.map(String) }
  }
}

it('cuts the elements of lists out of a text, and of no others', () => {
  expect(cut('{"a":[1, {"b":[2]} ,"],"],"c":[],"d":{"e":[3]}}', '{[')).toEqual({
    around: '{"a":[0,1,2],"c":[],"d":{"e":[3]}}',
    elements: ['1', ' {"b":[2]} ', '"],"']
  })
  expect(cut('{"r":{"x":[{"y":[9]}]},"s":[{"t":[1,2]},{"t":[3]}]}', '{[{[')).toEqual({
    around: '{"r":{"x":[{"y":[9]}]},"s":[{"t":[0,1]},{"t":[2]}]}',
    elements: ['1', '2', '3']
  })
  const quoted = '\\\\\\" and \\" '.repeat(20)
  expect(cut(`{"a":["${quoted}","${'x'.repeat(50)}\\\\"]}`, '{[').elements).toEqual([`"${quoted}"`, `"${'x'.repeat(50)}\\\\"`])
})

const attributes = fc.array(fc.record({ key: fc.string(), value: fc.record({ stringValue: fc.string() }) }), { maxLength: 3 })
const span = fc.record({ name: fc.string({ maxLength: 60 }), attributes })
const body = fc.record({
  resourceSpans: fc.array(
    fc.record({ resource: fc.record({ attributes }), scopeSpans: fc.array(fc.record({ scope: fc.anything(), spans: fc.array(span) })) }),
    { maxLength: 4 }
  ),
  more: fc.anything()
})

it('a body in pieces has the same items as in one', async () => {
  await fc.assert(
    fc.asyncProperty(body, fc.integer({ min: 0, max: 2 }), async (value, indent) => {
      const text = JSON.stringify(value, null, indent)
      const expected = jsonEncoding
        .groups(JSON.parse(text), 'traces')
        .map(({ resource, items }) => ({ resource, items: items.map((item) => jsonEncoding.span(item)) }))
      const groups = await jsonGroups(Buffer.from(text), 'traces', new TimeSlice(8))
      expect(groups.map(({ resource, items }) => ({ resource, items: items.map((item) => jsonItems.span(item)) }))).toEqual(expected)
    })
  )
})

it.each([
  '',
  '{',
  '[]',
  '{"resourceSpans":[{"scopeSpans":[{"spans":[{},]}]}]}',
  '{"resourceSpans":[{]}',
  '{"resourceSpans":[7]}',
  '{"resourceSpans":{}}'
])('what is no export is refused: %j', async (text) => {
  const read = async () => {
    const groups = await jsonGroups(Buffer.from(text), 'traces', new TimeSlice(8))
    for (const { items } of groups) for (const item of items) jsonItems.span(item)
  }
  await expect(read()).rejects.toThrow()
})
