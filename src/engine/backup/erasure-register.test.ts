// SPDX-License-Identifier: Apache-2.0
import { appendFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type ErasureEntry, erasuresAfter, registerErasure, reviseErasure } from './erasure-register.ts'

let state: string
beforeEach(() => {
  state = mkdtempSync(join(tmpdir(), 'affidavit-register-'))
})
afterEach(() => rmSync(state, { recursive: true, force: true }))

const origin = 'affidavit.invalid/0123456789abcdef'
const entry = (n: number, runs = 1): ErasureEntry => ({
  v: 1,
  origin,
  case: `case-${n}`,
  intent: n,
  ranges: Array.from({ length: runs }, (_, i) => [10 * i, 10 * i + 3] as const)
})

describe('the register of erasures', () => {
  it('keeps every one of those that begin together, whole, and each once', async () => {
    const all = Array.from({ length: 12 }, (_, n) => entry(n, n % 3 === 0 ? 20_000 : 3))
    await Promise.all([...all, ...all].map((one) => registerErasure(state, one)))
    expect(erasuresAfter(state, origin, 0)).toEqual(all)
    expect(erasuresAfter(state, origin, 7).map((one) => one.intent)).toEqual([7, 8, 9, 10, 11])
    expect(readdirSync(state)).toEqual(['erasures.jsonl'])
  })

  it('keeps what several engines add at the same time', async () => {
    const ENGINES = 3
    const EACH = 15
    // A thread loads the module anew, as another process does.
    const source = `
      import { workerData, parentPort } from 'node:worker_threads'
      import { registerErasure } from ${JSON.stringify(import.meta.resolve('./erasure-register.ts'))}
      const { state, origin, engine, each } = workerData
      for (let n = 0; n < each; n++)
        await registerErasure(state, { v: 1, origin, case: engine + '-' + n, intent: engine * each + n, ranges: [[0, 3]] })
      parentPort.postMessage('done')
    `
    const ends = Array.from({ length: ENGINES }, (_, engine) => {
      const workerData = { state, origin, engine, each: EACH }
      const worker = new Worker(new URL(`data:text/javascript,${encodeURIComponent(source)}`), { workerData })
      return new Promise((resolve, reject) => {
        worker.once('message', resolve)
        worker.once('error', reject)
      })
    })
    await Promise.all(ends)
    const intents = erasuresAfter(state, origin, 0).map((one) => one.intent)
    expect(intents.sort((a, b) => a - b)).toEqual(Array.from({ length: ENGINES * EACH }, (_, n) => n))
    expect(readdirSync(state)).toEqual(['erasures.jsonl'])
  })

  it('takes back what was refused, or leaves of it what was done, and nothing of others', async () => {
    for (const n of [1, 2, 3]) await registerErasure(state, entry(n))
    await reviseErasure(state, { origin, case: 'case-2', ranges: [] })
    await reviseErasure(state, { origin, case: 'case-3', ranges: [[4, 5]] })
    await reviseErasure(state, { origin: 'affidavit.invalid/another', case: 'case-1', ranges: [] })
    expect(erasuresAfter(state, origin, 0)).toEqual([entry(1), { ...entry(3), ranges: [[4, 5]] }])
    writeFileSync(join(state, 'erasures.jsonl'), 'nonsense\n')
    await expect(reviseErasure(state, { origin, case: 'case-1', ranges: [] })).rejects.toMatchObject({ code: 'workspace_damaged' })
  })

  it('drops a torn last line, which was never acknowledged, and refuses any other damage', async () => {
    await registerErasure(state, entry(1))
    appendFileSync(join(state, 'erasures.jsonl'), '{"v":1,"orig')
    expect(erasuresAfter(state, origin, 0)).toEqual([entry(1)])
    await registerErasure(state, entry(2))
    expect(erasuresAfter(state, origin, 0)).toEqual([entry(1), entry(2)])
    writeFileSync(join(state, 'erasures.jsonl'), `{"v":1}\n${JSON.stringify(entry(2))}\n`)
    expect(() => erasuresAfter(state, origin, 0)).toThrow('line 1 of the register')
    await expect(registerErasure(state, entry(3))).rejects.toMatchObject({ code: 'workspace_damaged' })
    // One that failed keeps no other from being written.
    rmSync(join(state, 'erasures.jsonl'))
    await registerErasure(state, entry(3))
    expect(erasuresAfter(state, origin, 0)).toEqual([entry(3)])
  })

  it('is not stopped by a line of another log, nor by one that names nothing, and keeps both as they are', async () => {
    const others = [
      '{"v":1,"origin":"affidavit.invalid/another","case":"a","intent":null,"ranges":[]}',
      '{"v":1,"origin":"affidavit.invalid/another","case":"b","int'
    ]
    const empty = JSON.stringify({ ...entry(1), intent: null, ranges: [] })
    const more = JSON.stringify({ ...entry(2), of_another_version: { origin: 'x' } })
    writeFileSync(join(state, 'erasures.jsonl'), `${[...others, empty, more].join('\n')}\n`)
    await registerErasure(state, entry(3))
    await reviseErasure(state, { origin, case: 'case-2', ranges: [[4, 5]] })
    expect(erasuresAfter(state, origin, 0)).toMatchObject([{ intent: 2, of_another_version: { origin: 'x' } }, { intent: 3 }])
    await reviseErasure(state, { origin, case: 'case-2', ranges: [] })
    const lines = readFileSync(join(state, 'erasures.jsonl'), 'utf8').split('\n')
    expect(lines).toEqual([...others, empty, JSON.stringify(entry(3)), ''])
    // One of its own that names something is damage, and so is one of which nobody knows whose it is.
    for (const line of [JSON.stringify({ ...entry(4), intent: null }), others[0]?.slice(0, 8)]) {
      writeFileSync(join(state, 'erasures.jsonl'), `${line}\n`)
      expect(() => erasuresAfter(state, origin, 0)).toThrow('line 1 of the register')
    }
  })

  it('takes nothing in that it could not read again', async () => {
    await expect(registerErasure(state, { ...entry(1), intent: Number.POSITIVE_INFINITY })).rejects.toMatchObject({ code: 'internal' })
    expect(readdirSync(state)).toEqual([])
  })
})
