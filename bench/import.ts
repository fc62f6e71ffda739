// SPDX-License-Identifier: Apache-2.0
// Rows of files, mapped to events beside the bare reading of the same bytes, and an import until all is sealed and on disk.
import { createReadStream, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { parquetReadObjects } from 'hyparquet'
import { parquetWriteBuffer } from 'hyparquet-writer'
import Papa from 'papaparse'
import { previewImport } from '../src/engine/capture/imports/preview-import.ts'
import { profileNamed } from '../src/engine/capture/imports/profiles.ts'
import { readImport } from '../src/engine/capture/imports/read-import.ts'
import { mappedProfile } from '../src/shared/event/profiles/mapped.ts'
import { benchEngine } from './engine.ts'
import { benchRecord } from './records.ts'
import type { BenchRow } from './row.ts'

const ROWS = Number(process.env.BENCH_IMPORT_ROWS ?? 100_000)
const TARGET_PARSED = 50_000
const TARGET_SEALED = 10_000

type Row = Readonly<Record<string, string | number>>

const cell = (value: string | number): string => (typeof value === 'number' ? String(value) : `"${value.replaceAll('"', '""')}"`)

/** Rows a second of a run, and a second of processor time with all threads; the best of three: other work on the machine only slows it. */
async function rate(rows: number, run: () => Promise<number>): Promise<{ readonly wall: number; readonly cpu: number }> {
  let wall = 0
  let cpu = 0
  for (let i = 0; i < 3; i++) {
    const started = performance.now()
    const before = process.cpuUsage()
    const seen = await run()
    const { user, system } = process.cpuUsage(before)
    if (seen !== rows) throw new Error(`expected ${rows} rows, found ${seen}`)
    wall = Math.max(wall, (1000 * rows) / (performance.now() - started))
    cpu = Math.max(cpu, (1e6 * rows) / (user + system))
  }
  return { wall, cpu }
}

async function bareLines(path: string): Promise<number> {
  let seen = 0
  for await (const line of createInterface({ input: createReadStream(path) })) if (JSON.parse(line) !== null) seen++
  return seen
}

const bareCsv = (path: string): Promise<number> =>
  new Promise((resolve, reject) => {
    let seen = 0
    Papa.parse(createReadStream(path), { header: true, step: () => void seen++, complete: () => resolve(seen), error: reject })
  })

/** What the ledger itself takes on this machine, now. */
async function postedRate(url: string, path: string): Promise<number> {
  const body = readFileSync(path)
  const started = performance.now()
  const answer = await fetch(`${url}/api/compliance/events`, { method: 'POST', headers: { 'content-type': 'application/x-ndjson' }, body })
  const { accepted } = (await answer.json()) as { accepted: number }
  if (accepted !== ROWS) throw new Error(`only ${accepted} rows were taken over HTTP`)
  return (1000 * ROWS) / (performance.now() - started)
}

/** @throws when a row is lost or refused */
export async function benchImport(): Promise<BenchRow[]> {
  const root = mkdtempSync(join(tmpdir(), 'affidavit-bench-import-'))
  const { engine, url, close } = await benchEngine()
  try {
    const rows = Array.from({ length: ROWS }, (_, i) => JSON.parse(benchRecord(i)) as Row)
    const names = Object.keys(rows[0] ?? {})
    const file = (name: string, content: string | Uint8Array) => {
      writeFileSync(join(root, name), content)
      return join(root, name)
    }
    const jsonl = file('a.jsonl', `${rows.map((row) => JSON.stringify(row)).join('\n')}\n`)
    const json = file('a.json', JSON.stringify({ data: rows }))
    const csv = file('a.csv', `${names.join(',')}\n${rows.map((row) => names.map((name) => cell(row[name] ?? '')).join(',')).join('\n')}\n`)
    const columnData = names.map((name) => ({ name, data: rows.map((row) => row[name]) }))
    const bytes = Buffer.from(parquetWriteBuffer({ columnData }) as ArrayBuffer)
    const parquet = file('a.parquet', bytes)

    const context = { zone: 'UTC', source: undefined }
    const affidavit = profileNamed('affidavit-jsonl')
    const guess = (await previewImport(csv, { ...context, profile: 'mapped' })).mapping?.used
    if (!affidavit || !guess) throw new Error('no profile')
    const read = async (path: string, profile: typeof affidavit | ReturnType<typeof mappedProfile>) => {
      let seen = 0
      for await (const line of readImport(path, profile, context)) if (line.ok) seen++
      return seen
    }
    const byColumns = mappedProfile(guess)
    const figures: BenchRow[] = []
    const add = async (name: string, run: () => Promise<number>, bare: { name: string; run: () => Promise<number> }) => {
      const { wall: value, cpu } = await rate(ROWS, run)
      const { wall: limit } = await rate(ROWS, bare.run)
      figures.push({
        name: `import, ${name}, parsed and mapped`,
        value: Math.round(value),
        unit: 'rows/s',
        target: TARGET_PARSED,
        holds: value >= TARGET_PARSED,
        limit: { name: bare.name, value: Math.round(limit) },
        ratio: value / limit,
        note: `${Math.round(cpu).toLocaleString('en-US')} a second of processor time`
      })
    }
    const lines = { name: 'readline and JSON.parse', run: () => bareLines(jsonl) }
    await add('JSON lines', () => read(jsonl, affidavit), lines)
    await add('one JSON text', () => read(json, affidavit), lines)
    await add('CSV by columns', () => read(csv, byColumns), { name: 'Papa Parse', run: () => bareCsv(csv) })
    await add('Parquet by columns', () => read(parquet, mappedProfile({ ...guess, form: 'parquet' })), {
      name: 'hyparquet, whole file at once',
      run: async () =>
        (await parquetReadObjects({ file: bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length) as ArrayBuffer })).length
    })

    const posted = await postedRate(url, jsonl)
    for (const [name, input] of [
      ['JSON lines', { path: jsonl, profile: 'affidavit-jsonl' }],
      ['CSV by columns', { path: csv, profile: 'mapped', mapping: guess }]
    ] as const) {
      const started = performance.now()
      const { job_id } = await engine.call('import.start', input)
      while ((await engine.call('jobs.get', { id: job_id })).state === 'running') await new Promise((resolve) => setTimeout(resolve, 20))
      const value = (1000 * ROWS) / (performance.now() - started)
      const { accepted } = await engine.call('import.result', { job_id })
      if (accepted !== ROWS) throw new Error(`only ${accepted} rows were taken`)
      figures.push({
        name: `import, ${name}, sealed and on disk`,
        value: Math.round(value),
        unit: 'rows/s',
        target: TARGET_SEALED,
        holds: value >= TARGET_SEALED,
        limit: { name: 'the same rows over HTTP as NDJSON', value: Math.round(posted) },
        ratio: value / posted
      })
    }
    return figures
  } finally {
    await close()
    rmSync(root, { recursive: true, force: true })
  }
}
