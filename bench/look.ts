// SPDX-License-Identifier: Apache-2.0
// One look over 400 series against what is on record, and what it costs the thread that writes. The engine runs in a process of its own.
import { type ChildProcess, fork } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Ask, LookTimes } from './look-engine.ts'
import { benchRecord } from './records.ts'
import type { BenchRow } from './row.ts'

/** Records of history: a million with LOOK_RECORDS=1000000. */
const RECORDS = Number(process.env.LOOK_RECORDS ?? 300_000)
const SERIES = 400
const NEW_EACH = 60
const LOOKS = 5
/** Records of one request: few enough to be answered in time on a busy machine. */
const BATCH = 5_000

function ask<T>(child: ChildProcess, what: Ask): Promise<T> {
  return new Promise((resolve, reject) => {
    child.once('message', (reply: { readonly value?: T; readonly error?: string }) =>
      reply.error === undefined ? resolve(reply.value as T) : reject(new Error(reply.error))
    )
    child.send(what)
  })
}

/** One of many sources; in the last look a quarter of them is slow, so that alerts open. */
const line = (n: number): string => {
  const slow = n >= RECORDS + (LOOKS - 1) * SERIES * NEW_EACH && n % 4 === 0
  return JSON.stringify({
    ...(JSON.parse(benchRecord(n)) as object),
    model: 'gpt-4-0613',
    source: `app-${n % SERIES}`,
    ...(slow ? { latency_ms: 20_000 + (n % 500) } : {})
  })
}

async function fill(child: ChildProcess, url: string, from: number, to: number): Promise<void> {
  for (let at = from; at < to; at += BATCH) {
    const body = `${Array.from({ length: Math.min(BATCH, to - at) }, (_, i) => line(at + i)).join('\n')}\n`
    const reply = await fetch(`${url}/api/compliance/events`, { method: 'POST', headers: { 'content-type': 'application/x-ndjson' }, body })
    if (!reply.ok) throw new Error(`ingest answered ${reply.status}`)
  }
  await ask(child, { kind: 'settled' })
}

/** @throws when a look does not judge all series */
export async function benchLook(): Promise<BenchRow[]> {
  const root = mkdtempSync(join(tmpdir(), 'affidavit-look-'))
  const child = fork(fileURLToPath(new URL('./look-engine.ts', import.meta.url)), [], { execArgv: ['--expose-gc', ...process.execArgv] })
  try {
    const url = await ask<string>(child, { kind: 'start', root })
    const started = performance.now()
    await fill(child, url, 0, RECORDS)
    const filled = (performance.now() - started) / 1000
    await ask(child, { kind: 'settings' })
    const looks: LookTimes[] = []
    for (let i = 0; i < LOOKS; i++) {
      const next = RECORDS + i * SERIES * NEW_EACH
      await fill(child, url, next, next + SERIES * NEW_EACH)
      const look = await ask<LookTimes>(child, { kind: 'look' })
      if (look.series !== SERIES) throw new Error(`${look.series} series were judged`)
      looks.push(look)
    }
    const times = looks.map((one) => one.ms)
    const median = [...times].sort((a, b) => a - b)[Math.floor(LOOKS / 2)] ?? 0
    const longest = [...looks].sort((a, b) => b.turn - a.turn)[0]
    return [
      {
        name: `a look over ${SERIES} series at ${RECORDS} records, median of ${LOOKS}`,
        value: Number(median.toFixed(0)),
        unit: 'ms',
        target: 500,
        note: `from the call until its leaf is listed; ${looks[0]?.tests} tests, ${looks.reduce((sum, one) => sum + one.opened, 0)} alerts opened; ${times.map((one) => one.toFixed(0)).join(', ')} ms, on the processor ${looks.map((one) => one.cpu.toFixed(0)).join(', ')} ms; filled in ${filled.toFixed(0)} s`
      },
      {
        name: 'longest turn of the writer during these looks',
        value: Number((longest?.turn ?? 0).toFixed(1)),
        unit: 'ms',
        target: 50,
        note: `each: ${looks.map((one) => one.turn.toFixed(0)).join(', ')} ms, on the processor ${looks.map((one) => one.turnCpu.toFixed(0)).join(', ')} ms; longest collection of garbage ${Math.max(...looks.map((one) => one.collection)).toFixed(0)} ms`
      }
    ]
  } finally {
    await ask(child, { kind: 'stop' }).catch(() => {})
    child.kill()
    rmSync(root, { recursive: true, force: true })
  }
}
