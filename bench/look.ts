// SPDX-License-Identifier: Apache-2.0
// One look over 400 series against what is on record, and what it costs the thread that writes.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pino } from 'pino'
import { engineEnvironment } from '../src/engine/config.ts'
import { type Engine, startEngine } from '../src/engine/engine.ts'
import type { Caller } from '../src/engine/handlers.ts'
import type { OperationInput, OperationName, OperationOutput } from '../src/shared/contract/contract.ts'
import { benchRecord } from './records.ts'
import type { BenchRow } from './row.ts'

/** Records of history: a million with LOOK_RECORDS=1000000. */
const RECORDS = Number(process.env.LOOK_RECORDS ?? 300_000)
const SERIES = 400
const NEW_EACH = 60
const LOOKS = 5
const caller: Caller = { actor: { ref: 'local', kind: 'human' }, via: 'ipc' }

async function call<N extends OperationName>(engine: Engine, op: N, input: OperationInput<N>): Promise<OperationOutput<N>> {
  const reply = await engine.router.call(op, input, caller)
  if (!reply.ok) throw new Error(`${op}: ${reply.error.code}: ${reply.error.message}`)
  return reply.value as OperationOutput<N>
}

const line = (n: number): string =>
  JSON.stringify({ ...(JSON.parse(benchRecord(n)) as object), model: 'gpt-4-0613', source: `app-${n % SERIES}` })

async function fill(engine: Engine, from: number, to: number): Promise<void> {
  const url = `${engine.status().endpoints.compliance.url}/api/compliance/events`
  for (let at = from; at < to; at += 20_000) {
    const body = `${Array.from({ length: Math.min(20_000, to - at) }, (_, i) => line(at + i)).join('\n')}\n`
    const reply = await fetch(url, { method: 'POST', headers: { 'content-type': 'application/x-ndjson' }, body })
    if (!reply.ok) throw new Error(`ingest answered ${reply.status}`)
  }
  while (engine.status().projection.behind > 0) await new Promise((resolve) => setTimeout(resolve, 50))
}

/** @throws when a look does not judge all series */
export async function benchLook(): Promise<BenchRow[]> {
  const root = mkdtempSync(join(tmpdir(), 'affidavit-look-'))
  const binding = { host: '127.0.0.1', port: 0 }
  const engine = await startEngine(
    {
      workspace: join(root, 'workspace'),
      state: join(root, 'state'),
      compliance: binding,
      drift: binding,
      appVersion: '0.1.0',
      keyProtection: 'file'
    },
    engineEnvironment({}),
    { store: null, log: pino({ level: 'silent' }), passwordCost: 1024 }
  )
  try {
    const started = performance.now()
    await fill(engine, 0, RECORDS)
    const filled = (performance.now() - started) / 1000
    await call(engine, 'settings.set', { reference: 'rolling', look_every_minutes: 0 })
    const times: number[] = []
    let longest = 0
    let tests = 0
    for (let i = 0; i < LOOKS; i++) {
      const next = RECORDS + i * SERIES * NEW_EACH
      await fill(engine, next, next + SERIES * NEW_EACH)
      let turn = performance.now()
      const watch = setInterval(() => {
        longest = Math.max(longest, performance.now() - turn)
        turn = performance.now()
      }, 1)
      const began = performance.now()
      const look = await call(engine, 'drift.look', {})
      times.push(performance.now() - began)
      clearInterval(watch)
      if (look.series.length !== SERIES) throw new Error(`${look.series.length} series were judged`)
      tests = look.tests
    }
    const median = [...times].sort((a, b) => a - b)[Math.floor(LOOKS / 2)] ?? 0
    return [
      {
        name: `a look over ${SERIES} series at ${RECORDS} records, median of ${LOOKS}`,
        value: Number(median.toFixed(0)),
        unit: 'ms',
        target: 500,
        note: `from the call until its leaf is listed; ${tests} tests; ${times.map((one) => one.toFixed(0)).join(', ')} ms; filled in ${filled.toFixed(0)} s`
      },
      { name: 'longest turn of the writer during these looks', value: Number(longest.toFixed(1)), unit: 'ms', target: 50 }
    ]
  } finally {
    await engine.stop('quit')
    rmSync(root, { recursive: true, force: true })
  }
}
