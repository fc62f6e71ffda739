// SPDX-License-Identifier: Apache-2.0
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { costOfCall } from './cost.ts'
import { costOf, fits, plainPrice, priceOf, type Usage } from './price.ts'

const usage = (more: Partial<Usage> = {}): Usage => ({
  input: 1000,
  output: 500,
  cache_read: null,
  cache_write: null,
  reasoning: null,
  ...more
})

describe('a pattern', () => {
  it.each([
    ['gpt-4', 'gpt-4', true],
    ['gpt-4', 'GPT-4', true],
    ['gpt-4', 'gpt-4o', false],
    ['gpt-4*', 'gpt-4o', true],
    ['gpt-4*', 'gpt-4', true],
    ['*', '', true],
    ['*-mini', 'gpt-4o-mini', true],
    ['*-mini', 'gpt-4o-mini-2', false],
    ['a*b*c', 'a1b2b3c', true],
    ['a*b*c', 'a1c2b', false],
    ['ft:*:acme:*', 'ft:gpt-4o:acme:x', true],
    ['a.c', 'abc', false]
  ])('%s and %s: %s', (pattern, name, expected) => expect(fits(pattern, name)).toBe(expected))

  it('agrees with a regular expression', () => {
    const letters = fc.string({ unit: fc.constantFrom('a', 'b', '*'), maxLength: 8 })
    const name = fc.string({ unit: fc.constantFrom('a', 'b'), maxLength: 10 })
    fc.assert(
      fc.property(letters, name, (pattern, text) => {
        expect(fits(pattern, text)).toBe(new RegExp(`^${pattern.replace(/\*+/g, '.*')}$`).test(text))
      })
    )
  })

  it('is matched in bounded time', () => {
    const began = performance.now()
    expect(fits(`${'a*'.repeat(60)}b`, 'a'.repeat(20_000))).toBe(false)
    expect(performance.now() - began).toBeLessThan(500)
  })
})

describe('the price that holds', () => {
  const entry = (model: string, valid_from: string, provider: string | null = null) => ({
    model,
    provider,
    valid_from,
    prices: { input: '1', output: '2' }
  })
  const table = [
    entry('*', '2020-01-01'),
    entry('gpt-4*', '2024-01-01'),
    entry('gpt-4*', '2025-01-01'),
    entry('gpt-4o*', '2024-01-01'),
    entry('gpt-4*', '2024-01-01', 'azure.ai.openai'),
    entry('gpt-4', '2024-06-01')
  ]
  it.each([
    ['openai', 'gpt-4', '2024-05-31', table[1]],
    ['openai', 'gpt-4', '2024-06-01', table[5]],
    ['openai', 'gpt-4-0613', '2024-12-31', table[1]],
    ['openai', 'gpt-4-0613', '2025-01-01', table[2]],
    ['openai', 'gpt-4o-mini', '2026-01-01', table[3]],
    ['Azure.AI.OpenAI', 'gpt-4o-mini', '2026-01-01', table[4]],
    ['x', 'y', '2019-12-31', undefined]
  ])('for %s %s on %s', (provider, model, day, expected) => {
    expect(priceOf(table, provider, model, day)).toBe(expected)
    expect(priceOf(table.toReversed(), provider, model, day)).toBe(expected)
  })
})

describe('a cost', () => {
  it.each([
    [usage(), { input: '2.5', output: '10' }, '0.0075'],
    [usage({ cache_read: 400, cache_write: 100 }), { input: '3', output: '0', cache_read: '0.3', cache_write: '3.75' }, '0.001995'],
    [usage({ cache_read: 400 }), { input: '3', output: '0' }, '0.003'],
    [usage({ reasoning: 200 }), { input: '0', output: '10', reasoning: '4' }, '0.0038'],
    // A server that counts reasoning beside the answer: nothing of the answer is left to count twice.
    [usage({ output: 100, reasoning: 200 }), { input: '0', output: '10' }, '0.002'],
    [usage({ input: 1, output: 0 }), { input: '0.000001', output: '1' }, '0.000000000001'],
    [usage({ input: Number.MAX_SAFE_INTEGER, output: 0 }), { input: '999999.999999', output: '1' }, '9007199254731983.800745259009'],
    [usage({ output: null }), { input: '0.1', output: '0' }, '0.0001'],
    [usage({ output: null }), { input: '0.1', output: '0.1' }, null],
    [usage({ input: null }), { input: '0.1', output: '0.1' }, null]
  ])('of %j at %j is %s', (counts, prices, expected) => expect(costOf(counts, prices)).toBe(expected))

  it.each([
    ['007.500', '7.5'],
    ['10', '10'],
    ['0.000001', '0.000001'],
    ['0.0', '0']
  ])('%s is the price %s', (given, expected) => expect(plainPrice(given)).toBe(expected))
})

describe('the cost of a call', () => {
  const table = [{ model: '*', provider: null, valid_from: '2020-01-01', prices: { input: '1', output: '1' } }]
  const call = { provider: 'openai', model: 'm', served: null, input_tokens: 1, output_tokens: 1, day: '2026-01-01', event: {} }
  it.each([
    [{ 'gen_ai.usage.cost': 0.25 }, '0.25'],
    [{ 'llm.cost.total': '0.5' }, '0.5'],
    [{ 'langfuse.observation.cost_details': '{"input":1,"total":0.75}' }, '0.75'],
    [{ cost_usd: 1e-7 }, '0.0000001'],
    [{ cost_usd: 0 }, '0']
  ])('is what the record brings: %j', (attributes, usd) =>
    expect(costOfCall(table, { ...call, event: { attributes } })).toMatchObject({ origin: 'record', usd })
  )
  it.each([{ cost_usd: -1 }, { cost_usd: 'much' }, { cost_usd: null }, { cost_usd: 1e300 }, { 'langfuse.observation.cost_details': '{' }])(
    'is that of the table where the record brings none: %j',
    (attributes) => expect(costOfCall(table, { ...call, event: { attributes } })).toMatchObject({ origin: 'price', usd: '0.000002' })
  )
  const zero = { origin: 'local', usd: '0' }
  it.each([
    ['openai', '127.0.0.1'],
    ['openai', '192.168.1.20'],
    ['anthropic', 'gpu.local'],
    ['ollama', '::1'],
    ['ollama', undefined],
    ['llama.cpp', undefined]
  ])('is nothing for %s at %s while no price is set', (provider, server_address) => {
    const own = { ...call, provider, event: server_address === undefined ? {} : { server_address } }
    expect(costOfCall([], own)).toEqual(zero)
    expect(costOfCall(table, own)).toMatchObject({ origin: 'price' })
  })
  it.each([
    ['ollama', { server_address: 'ollama.example.com' }],
    ['ollama', { server_address: '127.0.0.1', remote_model: 'm' }],
    ['ollama', { remote_host: 'https://h' }],
    ['openai', { server_address: 'api.openai.com' }],
    ['openai', {}]
  ])('is unknown for %s with %j: it may have run anywhere', (provider, event) =>
    expect(costOfCall([], { ...call, provider, event })).toMatchObject({ reason: 'no_price' })
  )
  it('on a server of one’s own is not by the prices of whose API it speaks', () => {
    const theirs = [{ model: '*', provider: 'openai', valid_from: '2020-01-01', prices: { input: '1', output: '1' } }]
    expect(costOfCall(theirs, { ...call, event: { server_address: '127.0.0.1' } })).toEqual(zero)
    expect(costOfCall(theirs, { ...call, event: { server_address: 'api.openai.com' } })).toMatchObject({ origin: 'price' })
    const ours = [{ model: '*', provider: 'ollama', valid_from: '2020-01-01', prices: { input: '1', output: '1' } }]
    expect(costOfCall(ours, { ...call, provider: 'ollama', event: { server_address: '10.0.0.5' } })).toMatchObject({ origin: 'price' })
  })
  it('is unknown where something it needs is', () => {
    expect(costOfCall([], call)).toEqual({ origin: 'unknown', usd: null, reason: 'no_price' })
    expect(costOfCall(table, { ...call, output_tokens: null })).toMatchObject({ reason: 'tokens_unknown' })
    expect(costOfCall(table, { ...call, event: null })).toMatchObject({ reason: 'content_gone' })
  })
  it('goes by the model that served, and by the one asked for where that has no price', () => {
    const two = [
      { model: 'asked', provider: null, valid_from: '2020-01-01', prices: { input: '5', output: '5' } },
      { model: 'served', provider: null, valid_from: '2020-01-01', prices: { input: '1', output: '1' } }
    ]
    expect(costOfCall(two, { ...call, model: 'asked', served: 'served' })).toMatchObject({ price: two[1] })
    expect(costOfCall(two, { ...call, model: 'asked', served: 'asked-0613' })).toMatchObject({ price: two[0] })
  })
})
