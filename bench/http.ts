// SPDX-License-Identifier: Apache-2.0
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { BenchRow } from './row.ts'

const CONNECTIONS = 32

interface LoadResult {
  readonly perSecond: number
  readonly total: number
  readonly p50: number
  readonly p99: number
  readonly failed: number
}

/**
 * Single-event POSTs over 32 connections for 10 s: the engine, and beside it in the same run a bare server that only parses. The load
 * comes from a process of its own on the same machine, so both figures share its processors with it. Throws when a request failed.
 * @param engineUrl base URL of a running engine's compliance server; its workspace gets the records
 */
export async function benchSinglePost(engineUrl: string, seconds = 10): Promise<BenchRow[]> {
  const bare = start('http-bare.ts', [])
  try {
    const bareUrl = await firstLine(bare)
    // Both warm up first; the yardstick runs right beside what it measures.
    for (const url of [bareUrl, engineUrl]) await load(url, 2)
    const yardstick = await load(bareUrl, seconds)
    const engine = await load(engineUrl, seconds)
    const share = `${Math.round((100 * engine.perSecond) / yardstick.perSecond)} % of the bare server`
    const name = `single POST, ${CONNECTIONS} connections`
    return [
      { name: `${name}, engine`, value: Math.round(engine.perSecond), unit: 'requests/s', target: 5_000, note: share },
      { name: `${name}, engine, median answer`, value: engine.p50, unit: 'ms' },
      { name: `${name}, engine, 99th percentile`, value: engine.p99, unit: 'ms' },
      { name: `${name}, bare server that only parses`, value: Math.round(yardstick.perSecond), unit: 'requests/s' }
    ]
  } finally {
    bare.disconnect()
  }
}

async function load(url: string, seconds: number): Promise<LoadResult> {
  const result = JSON.parse(await firstLine(start('http-load.ts', [url, String(CONNECTIONS), String(seconds)]))) as LoadResult
  if (result.failed > 0 || result.total === 0) throw new Error(`${result.failed} of ${result.total} requests failed`)
  return result
}

function start(file: string, args: readonly string[]): ChildProcess {
  return fork(fileURLToPath(new URL(file, import.meta.url)), [...args], { stdio: ['ignore', 'pipe', 'inherit', 'ipc'] })
}

async function firstLine(child: ChildProcess): Promise<string> {
  let text = ''
  for await (const chunk of child.stdout ?? []) {
    text += String(chunk)
    const end = text.indexOf('\n')
    if (end >= 0) return text.slice(0, end)
  }
  if (child.exitCode === null) await once(child, 'exit')
  throw new Error(`the process ended with code ${child.exitCode} and without a result`)
}
