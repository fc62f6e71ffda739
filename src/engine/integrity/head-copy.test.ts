// SPDX-License-Identifier: Apache-2.0
// The head remembered outside of the workspace, disturbed while the engine runs.
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { ingestRecords } from '../test/ingest-records.ts'
import { rawRecord, type TestEngine, testEngine } from '../test/test-engine.ts'

let engine: TestEngine
let n = 0
beforeAll(async () => {
  engine = await testEngine({ servers: true })
})
afterAll(() => engine.remove())

const path = () => join(engine.state, 'heads.json')
const heads = () => JSON.parse(readFileSync(path(), 'utf8')) as Record<string, { size: number; root: string }>
const origin = () => engine.engine.status().origin
/** A record, and a checkpoint over it. */
async function sign(): Promise<void> {
  const [seq = 0] = await ingestRecords(engine, [rawRecord(n++)])
  await engine.call('records.proof', { seq })
}
const onRecord = async () =>
  (await engine.call('activity.list', { kind: 'system' })).entries.filter((one) => one.type === 'rollback.detected').map((one) => one.data)
const asideFiles = () => readdirSync(engine.state).filter((name) => name.startsWith('heads.json.') && !name.endsWith('.lock'))

describe('the head remembered on this machine', () => {
  it('is not disturbed by what the engine itself does, nor by other logs', async () => {
    await sign()
    writeFileSync(path(), JSON.stringify({ ...heads(), 'affidavit.invalid/another': { size: 3, root: 'AAAA' } }))
    await sign()
    expect(engine.engine.status().head).toMatchObject({ second_copy_note: null })
    expect([await onRecord(), asideFiles()]).toEqual([[], []])
  })

  const planted = (size: number) => JSON.stringify({ [origin()]: { size, root: Buffer.alloc(32).toString('base64') } })
  it.each([
    ['unreadable', () => writeFileSync(path(), 'not json'), 'head_copy_unreadable', 0, 'could not be read'],
    ['another', () => writeFileSync(path(), planted(7_000)), 'head_copy_changed', 7_000, 'named a head of 7000 leaves'],
    ['gone', () => rmSync(path()), 'head_copy_gone', 0, 'no longer named this log']
  ])('that is %s shows as such, is on record, and is kept and written anew', async (_, disturb, reason, found, words) => {
    const { size } = heads()[origin()] ?? { size: 0 }
    const before = asideFiles()
    disturb()
    const bytes = reason === 'head_copy_gone' ? null : readFileSync(path(), 'utf8')
    await sign()
    const { head } = engine.engine.status()
    expect(head).toMatchObject({ second_copy: 'disturbed', second_copy_note: expect.stringContaining(words) })
    // The leaf follows the checkpoint; nobody is answered for it.
    await vi.waitFor(async () => expect((await onRecord())[0]).toEqual({ reason, head_size: size, found_size: found }), 10_000)
    expect(heads()[origin()]?.size).toBeGreaterThan(size)
    const aside = asideFiles().filter((name) => !before.includes(name))
    expect(aside.map((name) => readFileSync(join(engine.state, name), 'utf8'))).toEqual(bytes === null ? [] : [bytes])
    if (aside[0]) expect(head.second_copy_note).toContain(aside[0])
    const { statements } = await engine.call('compliance.report', {})
    expect(JSON.stringify(statements)).toContain(words)
  })

  it('does not keep the workspace from opening', async () => {
    await engine.restart()
    expect(engine.engine.status()).toMatchObject({ problem: null, head: { second_copy_note: null } })
  })
})
