// SPDX-License-Identifier: Apache-2.0
import { mkdirSync, mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { z } from 'zod'
import { MemoryFile } from './memory-file.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'affidavit-memory-'))
})
afterEach(() => rmSync(folder, { recursive: true }))
const memory = () => new MemoryFile({ folder, name: 'seen.json' }, z.array(z.string()), 'the memory')

it('keeps what several threads add at the same time, to one entry and to others, and leaves no other file', async () => {
  const THREADS = 4
  const EACH = 40
  const source = `
    import { workerData, parentPort } from 'node:worker_threads'
    import { z } from ${JSON.stringify(import.meta.resolve('zod'))}
    import { MemoryFile } from ${JSON.stringify(import.meta.resolve('./memory-file.ts'))}
    const { folder, thread, each } = workerData
    const memory = new MemoryFile({ folder, name: 'seen.json' }, z.array(z.string()), 'the memory')
    for (let n = 0; n < each; n++) {
      memory.change('shared', (before = []) => [...before, thread + '-' + n])
      memory.change('own ' + thread, (before = []) => [...before, String(n)])
    }
    parentPort.postMessage('done')
  `
  const ends = Array.from({ length: THREADS }, (_, thread) => {
    const worker = new Worker(new URL(`data:text/javascript,${encodeURIComponent(source)}`), { workerData: { folder, thread, each: EACH } })
    return new Promise((resolve, reject) => {
      worker.once('message', resolve)
      worker.once('error', reject)
    })
  })
  await Promise.all(ends)
  const all = memory().read()
  expect(all.shared).toHaveLength(THREADS * EACH)
  expect(new Set(all.shared).size).toBe(THREADS * EACH)
  for (let thread = 0; thread < THREADS; thread++) expect(all[`own ${thread}`]).toEqual(Array.from({ length: EACH }, (_, n) => String(n)))
  expect(readdirSync(folder)).toEqual(['seen.json'])
})

it('does not wait for a change whose program ended in the middle of it', () => {
  const lock = join(folder, 'seen.json.lock')
  writeFileSync(lock, '')
  utimesSync(lock, new Date(0), new Date(0))
  memory().change('a', () => ['x'])
  expect(memory().read()).toEqual({ a: ['x'] })
})

it('does not wait for a day when that one was left before the clock was set back', () => {
  const lock = join(folder, 'seen.json.lock')
  writeFileSync(lock, '')
  const tomorrow = new Date(Date.now() + 86_400_000)
  utimesSync(lock, tomorrow, tomorrow)
  memory().change('a', () => ['x'])
  expect(memory().read()).toEqual({ a: ['x'] })
}, 20_000)

it('refuses with a code what cannot be read or written, and loses nothing', () => {
  writeFileSync(join(folder, 'seen.json'), '{"a": ["x"')
  const code = (run: () => unknown) => {
    try {
      run()
    } catch (error) {
      return (error as { code?: string }).code
    }
    return undefined
  }
  expect(code(() => memory().read())).toBe('file_unreadable')
  expect(code(() => memory().change('b', () => ['y']))).toBe('file_unreadable')
  expect(readdirSync(folder)).toEqual(['seen.json'])
  rmSync(join(folder, 'seen.json'))
  // A folder where the new content would be written: no right of the system decides, so the test also holds for root.
  mkdirSync(join(folder, 'in-the-way'))
  writeFileSync(join(folder, 'in-the-way', 'file'), '')
  const blocked = new MemoryFile({ folder: join(folder, 'in-the-way', 'file'), name: 'seen.json' }, z.array(z.string()), 'the memory')
  expect(code(() => blocked.change('a', () => ['x']))).toBe('not_writable')
})
