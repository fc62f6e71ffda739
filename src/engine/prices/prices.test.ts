// SPDX-License-Identifier: Apache-2.0
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { rawRecord, type TestEngine, testEngine } from '../test/test-engine.ts'

let t: TestEngine
const seqs: Record<string, number> = {}

const entry = (model: string, input: string, output: string, more: object = {}) => ({
  model,
  provider: null as string | null,
  valid_from: '2025-01-01',
  prices: { input, output },
  ...more
})
const costOf = async (name: string) => (await t.call('records.get', { seq: seqs[name] ?? -1 })).cost
const changes = async () => (await t.call('activity.list', { kind: 'setting' })).entries.filter((one) => one.type === 'price.set')

beforeAll(async () => {
  t = await testEngine()
  const records = {
    plain: rawRecord(0, { input_tokens: 1000, output_tokens: 100 }),
    cached: rawRecord(1, { model: 'claude-3', input_tokens: 1000, output_tokens: 0, cache_read_tokens: 900 }),
    brought: rawRecord(2, { cost_usd: 0.125 }),
    own: rawRecord(3, { provider: 'openai', model: 'llama3', server_address: '127.0.0.1', server_port: 1234 }),
    remote: rawRecord(4, { provider: 'ollama', model: 'llama3', remote_model: 'llama3', remote_host: 'https://ollama.com' }),
    uncounted: rawRecord(5, { input_tokens: undefined, output_tokens: undefined })
  }
  await t.call('events.append', { events: Object.values(records) })
  const rows = (await t.call('records.query', {})).records.toReversed()
  for (const [i, name] of Object.keys(records).entries()) seqs[name] = rows[i]?.seq ?? -1
}, 60_000)
afterAll(() => t.remove())

describe('the price table', () => {
  it('is empty at first; then only what a record brings and what ran here has a cost', async () => {
    expect(await t.call('prices.list', {})).toEqual({ prices: [] })
    expect(await costOf('plain')).toEqual({ origin: 'unknown', usd: null, reason: 'no_price' })
    expect(await costOf('brought')).toEqual({ origin: 'record', usd: '0.125', attribute: 'cost_usd' })
    expect(await costOf('own')).toEqual({ origin: 'local', usd: '0' })
    expect(await costOf('remote')).toMatchObject({ reason: 'no_price' })
  })

  it('gives each record its cost, and each change a leaf with who and why', async () => {
    const prices = [
      entry('gpt-4*', '30.0', '060'),
      entry('gpt-4', '2', '4', { valid_from: '2026-01-02' }),
      entry('claude-*', '3', '15', { provider: 'openai', prices: { input: '3', output: '15', cache_read: '0.3' } }),
      entry('llama3', '1', '1')
    ]
    const set = await t.call('prices.set', { prices, reason: 'the list of June' })
    expect(set.changed).toBe(4)
    expect(set.prices.map((one) => one.prices)).toContainEqual({ input: '30', output: '60' })
    expect(await costOf('plain')).toMatchObject({ origin: 'price', usd: '0.036', price: { model: 'gpt-4*', actor: 'local' } })
    expect(await costOf('cached')).toMatchObject({ origin: 'price', usd: '0.00057' })
    expect(await costOf('brought')).toMatchObject({ origin: 'record', usd: '0.125' })
    expect(await costOf('own')).toMatchObject({ origin: 'price', price: { model: 'llama3' } })
    expect(await costOf('remote')).toMatchObject({ origin: 'price' })
    expect(await costOf('uncounted')).toMatchObject({ reason: 'tokens_unknown' })
    const [newest] = await changes()
    expect(newest).toMatchObject({ actor: 'local', what: 'set the price of llama3 from 2025-01-01', detail: 'the list of June' })
    expect(await changes()).toHaveLength(4)
  })

  it('records nothing where nothing changes, and replaces what has the same key in other letters', async () => {
    const same = await t.call('prices.set', { prices: [entry('gpt-4*', '30', '60')], reason: 'once more' })
    expect(same.changed).toBe(0)
    const next = await t.call('prices.set', { prices: [entry('GPT-4*', '10', '10')], reason: 'cheaper' })
    expect(next.changed).toBe(1)
    expect(next.prices).toHaveLength(4)
    expect(await costOf('plain')).toMatchObject({ usd: '0.011' })
    expect(await changes()).toHaveLength(5)
  })

  it('loses an entry that is removed', async () => {
    const { prices } = await t.call('prices.remove', { model: 'llama3', provider: null, valid_from: '2025-01-01', reason: 'ours now' })
    expect(prices.map((one) => one.model)).toEqual(['claude-*', 'gpt-4', 'GPT-4*'])
    expect(await costOf('own')).toMatchObject({ origin: 'local' })
    expect(await costOf('remote')).toMatchObject({ reason: 'no_price' })
    expect((await changes())[0]).toMatchObject({ what: 'removed the price of llama3 from 2025-01-01', detail: 'ours now' })
  })

  it('is the same after the catalog is made anew', async () => {
    const before = [await t.call('prices.list', {}), await costOf('plain'), await costOf('cached')]
    const { job_id } = await t.call('workspace.rebuild', {})
    expect((await t.job(job_id)).state).toBe('done')
    expect([await t.call('prices.list', {}), await costOf('plain'), await costOf('cached')]).toEqual(before)
  })

  const good = entry('m', '1', '1')
  it.each([
    ['a negative price', { prices: [entry('m', '-1', '1')], reason: 'why' }],
    ['seven decimals', { prices: [entry('m', '0.0000001', '1')], reason: 'why' }],
    ['an exponent', { prices: [entry('m', '1e3', '1')], reason: 'why' }],
    ['a number', { prices: [{ ...good, prices: { input: 1, output: 1 } }], reason: 'why' }],
    ['no output', { prices: [{ ...good, prices: { input: '1' } }], reason: 'why' }],
    ['no such kind', { prices: [{ ...good, prices: { ...good.prices, image: '1' } }], reason: 'why' }],
    ['no such day', { prices: [entry('m', '1', '1', { valid_from: '2025-02-30' })], reason: 'why' }],
    ['an empty model', { prices: [entry('', '1', '1')], reason: 'why' }],
    ['a model in other letters', { prices: [entry('m\u0000', '1', '1')], reason: 'why' }],
    ['two of one key', { prices: [good, entry('M', '2', '2')], reason: 'why' }],
    ['no price', { prices: [], reason: 'why' }],
    ['too many at once', { prices: Array.from({ length: 501 }, (_, i) => entry(`m${i}`, '1', '1')), reason: 'why' }],
    ['no reason', { prices: [good], reason: ' ' }],
    ['half a character', { prices: [good], reason: 'why\ud800' }]
  ])('refuses %s', async (_, input) => {
    const before = await t.call('prices.list', {})
    expect(await t.codeOf('prices.set', input)).toBe('bad_request')
    expect(await t.call('prices.list', {})).toEqual(before)
  })

  it('refuses to remove what is not there, without a reason, or with more than a key', async () => {
    const key = { model: 'nobody', provider: null, valid_from: '2025-01-01' }
    expect(await t.codeOf('prices.remove', { ...key, reason: 'gone' })).toBe('not_found')
    expect(await t.codeOf('prices.remove', key)).toBe('bad_request')
    expect(await t.codeOf('prices.remove', { ...key, reason: 'gone', prices: {} })).toBe('bad_request')
    expect(await t.codeOf('prices.list', { model: 'x' })).toBe('bad_request')
  })

  it('is changed by administrators and seen by everybody', async () => {
    const auditor = await t.as('auditor')
    const change = { prices: [entry('m', '1', '1')], reason: 'a try' }
    expect(await auditor.codeOf('prices.list', {})).toBeUndefined()
    expect(await auditor.codeOf('prices.set', change)).toBe('forbidden')
    expect(await auditor.codeOf('prices.remove', { model: 'm', provider: null, valid_from: '2025-01-01', reason: 'a try' })).toBe(
      'forbidden'
    )
    expect(await (await t.as('administrator')).codeOf('prices.set', change)).toBeUndefined()
  })
})
