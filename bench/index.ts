// SPDX-License-Identifier: Apache-2.0
// npm run bench [-- NAME…]: prints each figure beside its target and, where there is one, its ratio to the limit of the same run.
import { spawnSync } from 'node:child_process'
import { engineProcessEnv } from '../src/node/engine-memory.ts'

import { benchBacktest } from './backtest.ts'
import { benchBundle } from './bundle.ts'
import { benchDriftCalibration } from './drift-calibration.ts'
import { benchDriftPower } from './drift-power.ts'
import { benchEngine } from './engine.ts'
import { benchErasure } from './erasure.ts'
import { benchSinglePost } from './http.ts'
import { benchImport } from './import.ts'
import { benchIngest } from './ingest.ts'
import { benchKs } from './ks.ts'
import { benchLook } from './look.ts'
import { benchOtlp } from './otlp.ts'
import { benchPage } from './page.ts'
import { benchProxy } from './proxy.ts'
import type { BenchRow } from './row.ts'
import { benchTree } from './tree.ts'

async function benchHttp(): Promise<BenchRow[]> {
  const { url, close } = await benchEngine()
  try {
    return await benchSinglePost(url)
  } finally {
    await close()
  }
}

const benches: Readonly<Record<string, () => Promise<BenchRow[]>>> = {
  ingest: benchIngest,
  import: benchImport,
  http: benchHttp,
  otlp: benchOtlp,
  page: benchPage,
  proxy: benchProxy,
  tree: benchTree,
  erasure: benchErasure,
  ks: benchKs,
  'drift-calibration': benchDriftCalibration,
  'drift-power': benchDriftPower,
  look: benchLook,
  backtest: benchBacktest,
  bundle: benchBundle
}
// Engines are measured with the allocator as they are started with; it reads its settings once, at the start of a process.
if (process.platform === 'linux' && process.env.MALLOC_ARENA_MAX === undefined) {
  const again = spawnSync(process.execPath, [...process.execArgv, ...process.argv.slice(1)], {
    stdio: 'inherit',
    env: engineProcessEnv(process.env)
  })
  process.exit(again.status ?? 1)
}
const wanted = process.argv.slice(2)
const number = (value: number): string => value.toLocaleString('en-US', { maximumFractionDigits: Math.abs(value) < 1 ? 4 : 2 })

for (const [name, run] of Object.entries(benches)) {
  if (wanted.length > 0 && !wanted.includes(name)) continue
  for (const row of await run()) {
    const parts = [`${row.name}: ${number(row.value)} ${row.unit}`]
    if (row.target !== undefined) parts.push(`target ${number(row.target)}`)
    if (row.expected !== undefined) parts.push(`expected ${row.expected}`)
    if (row.holds !== undefined) parts.push(row.holds ? 'holds' : 'DOES NOT HOLD')
    if (row.limit) parts.push(`limit ${number(row.limit.value)} (${row.limit.name}), ratio ${(row.ratio ?? 0).toFixed(2)}`)
    if (row.note !== undefined) parts.push(row.note)
    console.log(parts.join(' · '))
  }
}
