// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest'
import { LEFT_OUT, withoutCredentials } from './credentials.ts'

const SECRET = 'sk-1234'

describe('credentials among attributes', () => {
  it.each<readonly [object, object, readonly string[]]>([
    [{ 'http.request.header.authorization': [`Bearer ${SECRET}`], kept: 1 }, { kept: 1 }, ['http.request.header.authorization']],
    [{ 'http.request.header.x-api-key': SECRET, Cookie: SECRET }, {}, ['http.request.header.x-api-key', 'Cookie']],
    [
      { client: { apiKey: SECRET, url: 'u', retry: [{ password: SECRET, n: 1 }] } },
      { client: { url: 'u', retry: [{ n: 1 }] } },
      ['client.apiKey', 'client.retry.password']
    ],
    [
      { 'llm.invocation_parameters': `{"api_key":"${SECRET}","top_p":1}` },
      { 'llm.invocation_parameters': '{"top_p":1}' },
      ['llm.invocation_parameters.api_key']
    ],
    // As OpenLLMetry writes it.
    [{ 'llm.headers': `{'Authorization': 'Bearer ${SECRET}'}`, 'llm.user': 'u' }, { 'llm.user': 'u' }, ['llm.headers']],
    [
      { 'span.events': [{ name: 'request', attributes: { access_token: SECRET } }] },
      { 'span.events': [{ name: 'request', attributes: {} }] },
      ['span.events.attributes.access_token']
    ]
  ])('are left out, and their names said: %j', (given, kept, left) => {
    const out = withoutCredentials(given as Record<string, unknown>)
    expect({ ...out }).toEqual({ ...kept, [LEFT_OUT]: left })
    expect(JSON.stringify(out)).not.toContain(SECRET)
  })

  it('are none where only the words are like them, and then the attributes are the very same', () => {
    const given = {
      tokens: 3,
      'gen_ai.usage.input_tokens': 4,
      text: 'the password is in the letter',
      list: [1, '{"a":"secret"}'],
      headers: 'none'
    }
    expect(withoutCredentials(given)).toBe(given)
  })

  it('are found in JSON within JSON, and not looked for without an end', () => {
    const nested = JSON.stringify({ body: JSON.stringify({ headers: { authorization: SECRET }, n: 1 }) })
    expect(withoutCredentials({ input: nested }).input).toBe(JSON.stringify({ body: '{"headers":{},"n":1}' }))
    const deep = `${'['.repeat(20_000)}{"secret":"${SECRET}"}${']'.repeat(20_000)}`
    expect(JSON.stringify(withoutCredentials({ deep, n: 1 }))).not.toContain(SECRET)
  })

  it('do not make a long list, and no name of an object is special', () => {
    const many = Object.fromEntries(Array.from({ length: 100 }, (_, i) => [`api_key ${i} ${'x'.repeat(300)}`, SECRET]))
    const out = withoutCredentials(
      JSON.parse(`{"__proto__":{"secret":"${SECRET}"},${JSON.stringify(many).slice(1)}`) as Record<string, unknown>
    )
    expect((out[LEFT_OUT] as string[]).length).toBe(32)
    expect(JSON.stringify(out)).not.toContain(SECRET)
    expect((out[LEFT_OUT] as string[]).every((name) => name.length <= 256)).toBe(true)
  })
})
