// SPDX-License-Identifier: Apache-2.0
// A search of the files that finds traces, or cannot be made, and what becomes of the erasure then.
import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { type ErasureCase, erase, erasureCase, erasureOutcome, tracesIn, verifiedNow } from '../../test/erasure-case.ts'
import { type TestEngine, testEngine } from '../../test/test-engine.ts'

// Whole engines with people.
vi.setConfig({ testTimeout: 90_000, hookTimeout: 60_000 })

let engine: TestEngine
beforeEach(async () => {
  // Tried again when the test says so.
  engine = await testEngine({ servers: true, disposal: { retryMs: 600_000 } })
})
afterEach(() => engine.remove())

const copy = () => join(engine.workspace, 'copy.json')
const goOn = () => engine.engine.erasures.goOn()
const attempts = async () => (await engine.call('jobs.list', {})).jobs.filter((one) => one.kind === 'erasure').length
const left = { state: 'failed', error: { code: 'conflict', message: expect.stringContaining('still in 1 file: copy.json (workspace).') } }

async function certificateOf(
  { asker }: ErasureCase,
  id: string
): Promise<{ readonly scan: { readonly needles: number }; readonly words: string }> {
  const { json } = await asker.call('erasure.certificate', { id })
  const { scan, scan_words } = JSON.parse(json)
  return { scan, words: scan_words.join(' ') }
}

/** An erasure whose search finds a text of a record in a file that somebody put into the workspace. */
async function leavingTraces(): Promise<{ readonly given: ErasureCase; readonly id: string }> {
  const given = await erasureCase(engine)
  writeFileSync(copy(), 'The marmalade-octopus of number 3 replies.')
  const id = await erase(given)
  expect(await engine.ended('erasure')).toMatchObject(left)
  return { given, id }
}

describe('an erasure whose search finds traces', () => {
  it('is not done before they are gone, and looks for the same texts each time', async () => {
    const { given, id } = await leavingTraces()
    const registered = async () => (await given.asker.call('requests.list', {})).requests[0]
    expect((await registered())?.erasures).toMatchObject([{ id, done_seq: null, traces: expect.any(Number) }])
    // As long as the file is as it was there is nothing to search.
    await goOn()
    expect([await attempts(), engine.engine.erasures.stopped]).toEqual([1, true])
    writeFileSync(copy(), 'Moved on by a line:\nThe marmalade-octopus of number 3 replies.')
    await goOn()
    expect(await engine.ended('erasure')).toMatchObject(left)
    expect(await attempts()).toBe(2)
    rmSync(copy())
    await goOn()
    expect(await erasureOutcome(engine, given)).toMatchObject({ id, done_seq: expect.any(Number), searched: expect.any(Number) })
    expect(tracesIn(engine)).toEqual([])
    const steps = (await registered())?.steps
    expect(steps?.map((step) => step.type)).toEqual(['request.received', 'erasure.intent', 'erasure.searched', 'erasure.done'])
    expect(steps?.[2]?.note).toBe('copy.json (workspace)')
    const { scan, words } = await certificateOf(given, id)
    expect(scan.needles).toBeGreaterThan(20)
    expect(words).toContain(': no trace.')
    expect(words).toMatch(/An earlier search, on record as leaf \d+, had found \d+ traces? in 1 file: copy\.json \(workspace\)/)
    expect(await verifiedNow(engine)).toMatchObject({ verdict: 'intact', faults: [] })
  })

  it('is not done at the next start either while the file is as it was, and then says that the search could not be repeated', async () => {
    const { given, id } = await leavingTraces()
    await engine.restart()
    expect(await engine.ended('erasure')).toMatchObject(left)
    await goOn()
    expect(await given.asker.codeOf('erasure.certificate', { id })).toBe('not_found')
    rmSync(copy())
    await goOn()
    expect(await erasureOutcome(engine, given)).toMatchObject({ id, done_seq: expect.any(Number), searched: 0, traces: expect.any(Number) })
    const { words } = await certificateOf(given, id)
    expect(words).toMatch(/^Not possible: the process ended .* had found \d+ traces? in 1 file: copy\.json \(workspace\)/)
    expect(words).toContain('It could not be repeated for all of these texts. No longer there: copy.json (workspace).')
  })

  it('says that a file was written since, and that nobody knows what is left in it', async () => {
    const { given, id } = await leavingTraces()
    await engine.restart(() => writeFileSync(copy(), 'something else, or not'))
    expect(await erasureOutcome(engine, given)).toMatchObject({ id, done_seq: expect.any(Number) })
    const { words } = await certificateOf(given, id)
    expect(words).toContain('Written since, and whether traces are left in it is not known: copy.json (workspace).')
    expect(words).not.toContain('no trace')
  })
})

describe.runIf(process.platform === 'linux')('an erasure whose search cannot be made', () => {
  it('keeps what it looks for until it can', async () => {
    const given = await erasureCase(engine)
    // Two folders of which one in the other is a path too long for the system to open.
    const deep = (name: string): string => join(engine.state, ...Array<string>(9).fill(name.repeat(250)))
    const [outer, inner] = [deep('o'), deep('i')]
    const [apart, within] = [join(engine.state, 'i'.repeat(250)), join(outer, 'i')]
    for (const folder of [outer, inner]) mkdirSync(folder, { recursive: true })
    renameSync(apart, within)
    const id = await erase(given)
    expect(await engine.ended('erasure')).toMatchObject({
      error: { code: 'file_unreadable', message: expect.stringContaining('not done') }
    })
    await goOn()
    expect(await engine.ended('erasure')).toMatchObject({ error: { code: 'file_unreadable' } })
    renameSync(within, apart)
    await goOn()
    expect(await erasureOutcome(engine, given)).toMatchObject({ id, done_seq: expect.any(Number) })
    expect((await certificateOf(given, id)).scan.needles).toBeGreaterThan(20)
  })
})
