// SPDX-License-Identifier: Apache-2.0
// Bodies that wait for a permit, with and without memory for them.
import { createServer, request, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { Agents } from './agents.ts'
import { blind } from './following.ts'
import { passOn } from './pass-on.ts'
import { CopyBudget } from './slabs.ts'

let upstream: Server
let front: Server
let agents: Agents
let budget: CopyBudget
let permits: number
let grant: boolean
const listen = async (server: Server): Promise<string> => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}
let url: string
beforeEach(async () => {
  permits = 0
  grant = true
  agents = new Agents()
  upstream = createServer((asked, response) => asked.pipe(response))
  const to = new URL(await listen(upstream))
  front = createServer((asked, response) =>
    passOn({
      request: asked,
      response,
      agents,
      url: to,
      target: '/',
      headers: ['host', to.host, 'transfer-encoding', 'chunked'],
      watcher: blind,
      cutOff: () => false,
      idleMs: 60_000,
      permit: async () => {
        permits++
        await sleep(50)
        if (!grant) response.writeHead(503).end()
        return grant
      },
      holdBytes: 4 * 1024 * 1024,
      budget,
      onUnreachable: () => response.writeHead(502).end()
    })
  )
  url = await listen(front)
})
afterEach(() => {
  agents.close()
  for (const server of [front, upstream]) {
    server.closeAllConnections()
    server.close()
  }
})

/** Sends a body in small pieces. */
const send = (body: Buffer, step: number): Promise<{ readonly status: number | undefined; readonly body: Buffer }> =>
  new Promise((resolve, reject) => {
    const call = request(url, { method: 'POST' }, async (response) => {
      const pieces: Buffer[] = []
      for await (const piece of response) pieces.push(piece as Buffer)
      resolve({ status: response.statusCode, body: Buffer.concat(pieces) })
    })
    call.on('error', reject)
    for (let at = 0; at < body.length; at += step) call.write(body.subarray(at, at + step))
    call.end()
  })

it.each([
  ['with memory', 10_000_000],
  ['with memory for its beginning', 20_000],
  ['without any', 0]
])('passes a held body on as it came, %s', async (_, bytes) => {
  budget = new CopyBudget(bytes)
  const body = Buffer.from(Uint8Array.from({ length: 300_000 }, (_value, i) => (i * 7) % 251))
  const answer = await send(body, 1_000)
  expect([answer.status, permits]).toEqual([200, 1])
  expect(answer.body.equals(body)).toBe(true)
  // All of the memory was given back.
  expect(budget.take(bytes)).toBe(true)
})

it('gives the memory of a body back that was not let through', async () => {
  budget = new CopyBudget(1_000_000)
  grant = false
  expect((await send(Buffer.alloc(100_000), 1_000)).status).toBe(503)
  expect(budget.take(1_000_000)).toBe(true)
})
