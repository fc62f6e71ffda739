// SPDX-License-Identifier: Apache-2.0
// What the recording proxy costs: time to the first byte of an answer, straight and through it by turns, and recorded calls a second.
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { Agent, request } from 'node:http'
import { fileURLToPath } from 'node:url'
import { benchEngine } from './engine.ts'
import type { BenchRow } from './row.ts'

const CALLS = 2_000
const WARM = 300
const CONNECTIONS = 32
const LOAD_CALLS = 10_000

/** Milliseconds from the request to the first byte of the body. */
function firstByte(url: string, agent: Agent, body: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const started = performance.now()
    const call = request(`${url}/api/chat`, { method: 'POST', agent, headers: { 'content-length': body.length } }, (response) => {
      let at = 0
      response.on('data', () => {
        at ||= performance.now() - started
      })
      response.on('end', () => resolve(at))
      response.on('error', reject)
    })
    call.on('error', reject)
    call.end(body)
  })
}

const median = (values: number[]): number => values.sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN

/** The upstream runs in a process of its own, client and engine each in theirs. */
export async function benchProxy(): Promise<BenchRow[]> {
  const upstream = fork(fileURLToPath(new URL('proxy-upstream.ts', import.meta.url)), { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] })
  const [{ url }] = (await once(upstream, 'message')) as [{ url: string }]
  const { engine, url: base, close } = await benchEngine()
  const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS })
  try {
    await engine.call('upstreams.set', { name: 'bench', url, kind: 'ollama' })
    const proxied = `${base}/proxy/bench`
    const body = JSON.stringify({ model: 'bench', messages: [{ role: 'user', content: 'What is the answer to this question?' }] })
    const times: Record<'straight' | 'through', number[]> = { straight: [], through: [] }
    for (let i = 0; i < WARM + CALLS; i++) {
      const straight = await firstByte(url, agent, body)
      const through = await firstByte(proxied, agent, body)
      if (i < WARM) continue
      times.straight.push(straight)
      times.through.push(through)
    }
    const straight = median(times.straight)
    const added = median(times.through) - straight
    const before = (await engine.call('records.statistics', {})).count
    const started = performance.now()
    let left = LOAD_CALLS
    const worker = async (): Promise<void> => {
      while (left-- > 0) await firstByte(proxied, agent, body)
    }
    await Promise.all(Array.from({ length: CONNECTIONS }, worker))
    const passed = performance.now() - started
    let recorded = 0
    while (recorded < LOAD_CALLS) recorded = (await engine.call('records.statistics', {})).count - before
    const took = performance.now() - started
    return [
      {
        name: 'proxy, added time to the first byte, median',
        value: added,
        unit: 'ms',
        target: 1,
        expected: 'at most 1 ms',
        holds: added <= 1
      },
      { name: 'straight to the upstream, median', value: straight, unit: 'ms' },
      { name: `calls passed on, ${CONNECTIONS} connections`, value: Math.round((LOAD_CALLS * 1000) / passed), unit: 'calls/s' },
      {
        name: 'calls recorded and found by a query',
        value: Math.round((LOAD_CALLS * 1000) / took),
        unit: 'calls/s',
        target: 1_500,
        expected: 'at least 1,500',
        holds: (LOAD_CALLS * 1000) / took >= 1_500
      }
    ]
  } finally {
    agent.destroy()
    upstream.disconnect()
    await close()
  }
}
