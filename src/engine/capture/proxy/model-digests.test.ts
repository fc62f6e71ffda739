// SPDX-License-Identifier: Apache-2.0
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, expect, it } from 'vitest'
import type { Upstream } from '../../../shared/contract/proxy.ts'
import { ModelDigests } from './model-digests.ts'

let server: Server
let upstream: Upstream
let digest: string | null
let asked: number
beforeEach(async () => {
  digest = 'a'.repeat(64)
  asked = 0
  server = createServer((_request, response) => {
    asked++
    response.statusCode = digest === null ? 500 : 200
    response.end(JSON.stringify({ models: [{ name: 'm:latest', digest }] }))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  upstream = { name: 'local', url, kind: 'ollama', mode: 'fail-open', port: null, source: null }
})
afterEach(() => server.close())

it('is asked for calls that come together once, and for a later call again', async () => {
  const digests = new ModelDigests()
  const calls = Array.from({ length: 50 }, () => digests.ask(upstream))
  expect(new Set(await Promise.all(calls.map((of) => of('m'))))).toEqual(new Set(['a'.repeat(64)]))
  expect(asked).toBe(1)
  digest = 'b'.repeat(64)
  await sleep(1_100)
  expect(await digests.ask(upstream)('m:latest')).toBe('b'.repeat(64))
  // What a call asked at its beginning is what it was served by, whatever later calls hear.
  expect(await calls[0]?.('m')).toBe('a'.repeat(64))
  expect(await digests.ask(upstream)('other')).toBeUndefined()
})

it('is unknown when the server does not say, and known again a moment later', async () => {
  const digests = new ModelDigests()
  digest = null
  expect(await digests.ask(upstream)('m')).toBeUndefined()
  digest = 'c'.repeat(64)
  await sleep(1_100)
  expect(await digests.ask(upstream)('m')).toBe('c'.repeat(64))
  expect(await digests.ask({ ...upstream, kind: 'openai' })('m')).toBeUndefined()
})
