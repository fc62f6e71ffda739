// SPDX-License-Identifier: Apache-2.0
// Export and verification of a large bundle against their limits: 100,000 records written in 40 s and verified in 15 s, memory bounded.
// BENCH_BUNDLE_RECORDS=1000000 measures the memory at a million.
import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { testEngine } from '../src/engine/test/test-engine.ts'
import { benchRecord } from './records.ts'
import type { BenchRow } from './row.ts'

const RECORDS = Number(process.env.BENCH_BUNDLE_RECORDS ?? 100_000)
const BATCH = 2_000
const LIMIT_WRITE_S = 40 * (RECORDS / 100_000)
const LIMIT_VERIFY_S = 15 * (RECORDS / 100_000)
const LIMIT_MB = 400

const megabytes = (bytes: number): number => bytes / 1024 ** 2

function ownMemory(pid: number): number {
  try {
    const found = /RssAnon:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))
    return Number(found?.[1] ?? 0) * 1024
  } catch {
    // Ended, or no /proc.
    return 0
  }
}

/**
 * Most memory that a process has of its own, sampled; Linux only, 0 elsewhere. Pages of mapped database files are not counted: the system
 * takes those back as it needs.
 */
function watch(pid: number): () => number {
  let peak = 0
  const look = () => {
    peak = Math.max(peak, ownMemory(pid))
  }
  const timer = setInterval(look, 50)
  return () => {
    clearInterval(timer)
    return peak
  }
}

const figure = (name: string, value: number, unit: string, most?: number): BenchRow =>
  most === undefined
    ? { name, value, unit }
    : { name, value, unit, target: most, limit: { name: 'required at most', value: most }, ratio: value / most }

/** Writes and verifies a bundle of many records. */
export async function benchBundle(): Promise<BenchRow[]> {
  const rows: BenchRow[] = []
  const root = mkdtempSync(join(tmpdir(), 'affidavit-bench-bundle-'))
  const engine = await testEngine({ root })
  try {
    for (let from = 0; from < RECORDS; from += BATCH)
      await engine.call('events.append', {
        events: Array.from({ length: Math.min(BATCH, RECORDS - from) }, (_, i) => JSON.parse(benchRecord(from + i)))
      })
    await engine.call('export.preview', { query: 'seq:0..10' })
    global.gc?.()
    const before = megabytes(ownMemory(process.pid))
    const peak = watch(process.pid)
    const out = join(root, 'all.affidavit.zip')
    let started = performance.now()
    const { job_id } = await engine.call('export.start', { query: '', recipient: 'bench', purpose: 'bench', out })
    const job = await engine.job(job_id)
    if (job.state !== 'done') throw new Error(job.error?.message ?? job.state)
    const written = (performance.now() - started) / 1000
    rows.push(figure(`export of ${RECORDS} records`, written, 's', LIMIT_WRITE_S))
    const most = megabytes(peak())
    rows.push(figure('memory that the export took', most - before, 'MB', LIMIT_MB))
    rows.push(figure('memory of the whole engine then', most, 'MB'))
    rows.push(figure('size of the bundle', megabytes(statSync(out).size), 'MB'))

    started = performance.now()
    const child = spawn(process.execPath, [join(import.meta.dirname, '..', 'src', 'cli', 'index.ts'), 'verify', out], { stdio: 'ignore' })
    const peakOfVerify = watch(child.pid ?? 0)
    const code = await new Promise<number | null>((resolve) => child.once('exit', resolve))
    if (code !== 0) throw new Error(`verify ended with ${code}`)
    rows.push(figure(`verification of ${RECORDS} records`, (performance.now() - started) / 1000, 's', LIMIT_VERIFY_S))
    rows.push(figure('memory of the verifier', megabytes(peakOfVerify()), 'MB', LIMIT_MB))
  } finally {
    await engine.remove()
    rmSync(root, { recursive: true, force: true })
  }
  return rows
}
