// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import type { EventMessage } from './canonical-event.ts'
import { parametersIn, parametersText } from './parameters.ts'

const print = (text: string) => createHash('sha256').update(text).digest('base64url').slice(0, 16)
const said = (role: string, content: string): EventMessage => ({ role, parts: [{ type: 'text', content }] })
const textOf = (event: object, request?: Parameters<typeof parametersText>[1]) => parametersText(event, request, print)

describe('the parameters of a request, as the catalog holds them', () => {
  it('are numbers and switches in the order of their names', () => {
    expect(textOf({ top_p: 1, temperature: 0.7, stream: false, max_tokens: 256, seed: 42, input_tokens: 9 })).toBe(
      'max_tokens=256 seed=42 stream=false temperature=0.7 top_p=1'
    )
    expect(parametersIn('max_tokens=256 system=#a-_B')).toEqual([
      ['max_tokens', '256'],
      ['system', '#a-_B']
    ])
  })

  it('never hold a text, nor a number long enough to name somebody', () => {
    const stop = ['Human: Zenobia']
    const text = textOf(
      { stop, seed: 4111111111111111, attributes: { request: { response_format: { type: 'json' }, reasoning_effort: 'low' } } },
      { messages: [said('system', 'You serve Zenobia.'), said('user', 'hello')], tools: [{ type: 'function' }] }
    )
    expect(text).toBe(
      [
        `reasoning_effort=#${print('low')}`,
        `response_format=#${print('{"type":"json"}')}`,
        `seed=#${print('4111111111111111')}`,
        `stop=#${print(JSON.stringify(stop))}`,
        `system=#${print('You serve Zenobia.')}`,
        `tools=#${print('[{"type":"function"}]')}`
      ].join(' ')
    )
  })

  it('come from the body of a call, its options and the attributes of the conventions; nothing else does', () => {
    const attributes = {
      request: { presence_penalty: 0.5, n: 2, user: 'zenobia', metadata: { case: 7 }, options: { num_ctx: 4096, num_gpu: 1 } },
      'gen_ai.request.frequency_penalty': 0.25,
      'gen_ai.openai.request.service_tier': 'flex',
      logprobs: true,
      text: 'a text of the conversation',
      n: 9
    }
    expect(textOf({ attributes })).toBe(
      `frequency_penalty=0.25 logprobs=true n=2 num_ctx=4096 presence_penalty=0.5 service_tier=#${print('flex')}`
    )
  })

  it('do not depend on who asked, and change with every message of a system or developer', () => {
    const ask = (...messages: EventMessage[]) => textOf({}, { messages })
    expect(ask(said('system', 'Be brief.'), said('user', 'one'))).toBe(ask(said('system', 'Be brief.'), said('user', 'two')))
    expect(ask(said('system', 'Be brief.'), said('developer', 'Be kind.'))).not.toBe(ask(said('system', 'Be brief.')))
  })

  it('are none where nothing is on record, and whatever a stranger put there is no fault', () => {
    expect(textOf({})).toBeNull()
    expect(textOf({ stop: [], attributes: { request: null } }, { messages: [said('user', 'hello')], tools: [] })).toBeNull()
    const odd: unknown = { temperature: { a: 1 }, top_p: 'x y', attributes: [1], seed: Number.NaN }
    expect(textOf(odd as object)).toBe(`seed=NaN temperature=#${print('{"a":1}')} top_p=#${print('x y')}`)
  })
})
