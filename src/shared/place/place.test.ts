// SPDX-License-Identifier: Apache-2.0
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isRemote, placeOf, placeOfAddress, places } from './place.ts'

describe('where a server is, by its address', () => {
  it.each([
    ['127.0.0.1', 'loopback'],
    ['127.8.9.10', 'loopback'],
    ['localhost', 'loopback'],
    ['LocalHost.', 'loopback'],
    ['ollama.localhost', 'loopback'],
    ['::1', 'loopback'],
    ['[::1]', 'loopback'],
    ['0:0:0:0:0:0:0:1', 'loopback'],
    ['::ffff:127.0.0.1', 'loopback'],
    ['0x7f.1', 'loopback'],
    ['2130706433', 'loopback'],
    ['0.0.0.0', 'loopback'],
    ['http://127.0.0.1:11434/v1', 'loopback'],
    ['127.0.0.1:8000', 'loopback'],
    ['10.1.2.3', 'private'],
    ['172.16.0.1', 'private'],
    ['172.31.255.255', 'private'],
    ['192.168.1.20', 'private'],
    ['169.254.1.1', 'private'],
    ['::ffff:10.0.0.1', 'private'],
    ['fd12:3456::1', 'private'],
    ['fe80::1%eth0', 'private'],
    ['gpu-box', 'private'],
    ['gpu.local', 'private'],
    ['host.docker.internal', 'private'],
    ['box.home.arpa', 'private'],
    ['172.32.0.1', 'elsewhere'],
    ['172.15.0.1', 'elsewhere'],
    ['11.0.0.1', 'elsewhere'],
    ['192.169.0.1', 'elsewhere'],
    ['128.0.0.1', 'elsewhere'],
    ['2606:4700::1', 'elsewhere'],
    ['::ffff:8.8.8.8', 'elsewhere'],
    ['api.openai.com', 'elsewhere'],
    ['https://api.openai.com/v1', 'elsewhere'],
    // Names that only look like those of this machine.
    ['127.0.0.1.example.com', 'elsewhere'],
    ['localhost.example.com', 'elsewhere'],
    ['10.0.0.1@example.com', 'elsewhere'],
    ['notlocalhost.com', 'elsewhere'],
    ['', 'unknown'],
    ['   ', 'unknown'],
    ['1:2:3', 'unknown'],
    ['a b', 'unknown'],
    ['999.1.1.1', 'unknown']
  ])('%s: %s', (address, place) => expect(placeOfAddress(address)).toBe(place))

  it('never throws', () => {
    fc.assert(fc.property(fc.string({ maxLength: 80, unit: 'binary' }), (text) => void expect(places).toContain(placeOfAddress(text))))
  })
})

describe('where a call was answered', () => {
  it('is what the model server says of it, else by its address, else unknown', () => {
    expect(placeOf({ server_address: '127.0.0.1', remote_model: 'big' })).toBe('passed_on')
    expect(placeOf({ server_address: '127.0.0.1', remote_host: 'https://ollama.com:443' })).toBe('passed_on')
    expect(placeOf({ server_address: '127.0.0.1' })).toBe('loopback')
    expect(placeOf({})).toBe('unknown')
    expect(places.map(isRemote)).toEqual([true, false, false, true, null])
  })
})
