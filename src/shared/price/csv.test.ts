// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest'
import { readPriceList } from './csv.ts'

describe('a price list', () => {
  it('is read with its columns in any order, quotes and both line ends', () => {
    const text =
      '\ufeffprovider,Model,input,output,valid_from,cache_read,note\r\nopenai,"gpt-4, ""x""",30,60,2025-01-01,,first\r\n\n,claude-*,3,15,2025-01-01,0.3\n'
    expect(readPriceList(text)).toEqual({
      prices: [
        { provider: 'openai', model: 'gpt-4, "x"', valid_from: '2025-01-01', prices: { input: '30', output: '60' } },
        { provider: null, model: 'claude-*', valid_from: '2025-01-01', prices: { input: '3', output: '15', cache_read: '0.3' } }
      ],
      problems: []
    })
  })

  it('names the lines that are no price, without their values', () => {
    const text = [
      'model,provider,valid_from,input,output',
      'secret,,2025-13-01,1,1',
      'secret,,2025-01-01,$1,1',
      'secret,,2025-01-01,1,',
      ',,2025-01-01,1,1',
      'secret,a b,2025-01-01,1,1',
      'm,,2025-01-01,1,1',
      'M,,2025-01-01,2,2',
      '"secret,,2025-01-01,1,1',
      'secret,,2025-01-01,1,1,2,3'
    ].join('\n')
    const { prices, problems } = readPriceList(text)
    expect(prices).toHaveLength(1)
    expect(problems.map(({ line, message }) => `${line} ${message.split(':')[0]}`)).toEqual([
      '2 valid_from',
      '3 input',
      '4 output',
      '5 model',
      '6 provider',
      '8 a line before has the same model, provider and day',
      '9 the fields of this line do not fit the head',
      '10 the fields of this line do not fit the head'
    ])
    expect(JSON.stringify(problems)).not.toContain('secret')
  })

  it.each(['', 'model,input,output\nm,1,1', '"model', '{"model":"m"}'])('needs its head: %j', (text) =>
    expect(readPriceList(text)).toMatchObject({ prices: [], problems: [{ line: 1 }] })
  )
})
