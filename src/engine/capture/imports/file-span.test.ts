// SPDX-License-Identifier: Apache-2.0
// A file that grows or is rewritten while it is imported.
import { createHash } from 'node:crypto'
import { appendFileSync, closeSync, mkdtempSync, openSync, readFileSync, rmSync, truncateSync, writeFileSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parquetWriteBuffer } from 'hyparquet-writer'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { rawRecord, type TestEngine, testEngine } from '../../test/test-engine.ts'
import { FileSpan, hashFile } from './file-span.ts'
import { profileNamed } from './profiles.ts'
import { readImport } from './read-import.ts'

const folder = mkdtempSync(join(tmpdir(), 'affidavit-span-'))
afterAll(() => rmSync(folder, { recursive: true }))

const rows = (from: number, to: number): object[] => Array.from({ length: to - from }, (_, i) => rawRecord(from + i))
const lines = (all: readonly object[]): string => all.map((row) => `${JSON.stringify(row)}\n`).join('')
const csv = (n: number): string => Array.from({ length: n }, (_, i) => `gpt-4,q ${i},a ${i},1.5,"07/24/2023, 21:00:50",7\n`).join('')
const parquet = (n: number): Buffer =>
  Buffer.from(
    parquetWriteBuffer({
      columnData: [
        { name: 'model', data: Array.from({ length: n }, () => 'gpt-4'), type: 'STRING' },
        { name: 'prompt', data: Array.from({ length: n }, (_, i) => `q ${i}`), type: 'STRING' },
        { name: 'latency_ms', data: Array.from({ length: n }, () => 5), type: 'INT32' }
      ]
    })
  )

describe.each([
  ['JSON lines', 'affidavit-jsonl', lines(rows(0, 5)), lines(rows(5, 9))],
  ['JSON lines whose last line is not written yet', 'affidavit-jsonl', lines(rows(0, 5)).trimEnd(), `\n${lines(rows(5, 9))}`],
  ['one JSON text', 'affidavit-jsonl', `[${rows(0, 5).map((row) => JSON.stringify(row))}]\n \n`, '[{"model":"m","prompt":"late"}]'],
  ['CSV', 'llmdrift-csv', `model,query,answer,latency,timestamp,answer_token\n${csv(5)}`, csv(4)],
  ['Parquet', 'affidavit-jsonl', parquet(5), parquet(9)]
])('what is read of %s', (_, profile, before, after) => {
  const path = join(folder, 'file')
  const read = async (span: FileSpan): Promise<number> => {
    const known = profileNamed(profile)
    if (!known) throw new Error('no such profile')
    let good = 0
    for await (const line of readImport(path, known, { zone: 'UTC', source: undefined }, undefined, span)) if (line.ok) good++
    return good
  }

  it('is what the file was at first, however it grows, and hashes to the same', async () => {
    writeFileSync(path, before)
    const first = await hashFile(path)
    expect(first).toEqual({ sha256: createHash('sha256').update(before).digest('hex'), bytes: Buffer.byteLength(before) })
    appendFileSync(path, after)
    const span = new FileSpan(first.bytes)
    expect(await read(span)).toBe(5)
    expect(await span.sha256(path)).toBe(first.sha256)
  })

  it('hashes to something else when the file was changed or cut', async () => {
    writeFileSync(path, before)
    const { sha256, bytes } = await hashFile(path)
    const other = readFileSync(path)
    other[other.length - 1] = 0x20
    for (const change of [() => writeFileSync(path, other), () => truncateSync(path, bytes - 1)]) {
      change()
      const span = new FileSpan(bytes)
      await read(span).catch(() => 0)
      expect(await span.sha256(path)).not.toBe(sha256)
    }
  })
})

describe('an import', () => {
  let engine: TestEngine
  const path = join(folder, 'log.jsonl')
  beforeAll(async () => {
    engine = await testEngine()
  })
  afterAll(() => engine.remove())
  afterEach(() => rmSync(path))

  /** Imports a log; `meanwhile` happens when the first rows are on record. */
  async function importOf(from: number, meanwhile: () => void) {
    writeFileSync(path, lines(rows(from, from + 20_000)))
    const { job_id } = await engine.call('import.start', { path, profile: 'affidavit-jsonl' })
    await expect
      .poll(async () => (await engine.call('import.result', { job_id })).accepted, { interval: 5, timeout: 30_000 })
      .toBeGreaterThan(0)
    meanwhile()
    const job = await engine.job(job_id)
    const { entries } = await engine.call('activity.list', { limit: 20, kind: 'record' })
    return { job, result: await engine.call('import.result', { job_id }), done: entries.find(({ type }) => type === 'import.done')?.what }
  }

  it('of a log that is written to takes what was there when it began, and says how much came since', async () => {
    const late = lines(rows(90_000, 90_003))
    const { job, result, done } = await importOf(0, () => appendFileSync(path, late))
    expect(job).toMatchObject({ state: 'done', error: null })
    expect(result).toMatchObject({ accepted: 20_000, rejected: 0, added_bytes: late.length })
    expect(done).toBe('imported 20,000 records')
  })

  it('of a file that is rewritten says that it changed, and what is on record', async () => {
    const { job, result, done } = await importOf(100_000, () => {
      const file = openSync(path, 'r+')
      writeSync(file, 'answered', readFileSync(path).lastIndexOf('question'))
      closeSync(file)
    })
    expect(job).toMatchObject({ state: 'failed', error: { code: 'conflict' } })
    expect(job.error?.message).toContain(`${result.accepted} of its rows are on record`)
    const { handle } = await engine.call('records.open', { query: 'answered' })
    expect((await engine.call('records.page', { handle, offset: 0, limit: 1 })).rows).toHaveLength(1)
    expect(done).toContain('the file changed while it was read')
  })
})
