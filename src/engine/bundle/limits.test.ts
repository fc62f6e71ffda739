// SPDX-License-Identifier: Apache-2.0
import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { verifyBundleFile } from '../../node/verify-file.ts'
import { CASE, MOST_ENTRIES, MOST_TEXT_BYTES } from '../../shared/evidence/bundle-layout.ts'
import { type JsonValue, jcs } from '../../shared/evidence/jcs.ts'
import { openReadable } from '../sqlite/open.ts'
import { packBag } from '../test/corpus.ts'
import { rawRecord, type TestEngine, testEngine } from '../test/test-engine.ts'
import { checkEntries } from './limits.ts'

let engine: TestEngine
beforeAll(async () => {
  engine = await testEngine()
  await engine.call('events.append', { events: [rawRecord(0), rawRecord(1), rawRecord(2)] })
})
afterAll(() => engine.remove())

it('refuses what would have more files than a verifier takes, and says what to do', () => {
  const ledger = openReadable(join(engine.workspace, 'ledger.db'))
  try {
    // One leaf in each of twenty thousand tiles, and as many leaves in eighty.
    const apart = Array.from({ length: MOST_ENTRIES }, (_, n) => n * 256)
    const together = Array.from({ length: MOST_ENTRIES }, (_, n) => n)
    expect(() => checkEntries(ledger, 6_000_000, apart, [])).toThrow(
      /^this bundle would have about 20,\d{3} files, and no verifier takes more than 20,000: export fewer records at a time, or records that lie closer/
    )
    expect(() => checkEntries(ledger, 6_000_000, together, [])).not.toThrow()
    const few = [0, 1, 2, 3, 4].filter((seq) => ledger.prepare('SELECT 1 FROM leaf WHERE seq = ?').get(seq) !== undefined)
    expect(() => checkEntries(ledger, few.length, few, [])).not.toThrow()
    expect(() => checkEntries(ledger, few.length, few, [], 50)).toThrow(/export fewer records at a time$/)
  } finally {
    ledger.close()
  }
})

it('refuses a description of the case that is larger than any export writes, and reads none of it as JSON', async () => {
  const out = join(engine.root, 'small.zip')
  const { job_id } = await engine.call('export.start', { query: '', recipient: 'r', purpose: 'p', out })
  expect((await engine.job(job_id)).error).toBeNull()
  const folder = join(engine.root, 'small')
  execFileSync('unzip', ['-q', out, '-d', folder])
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => statSync(join(folder, name)).isFile())
  const files = new Map(names.sort().map((name) => [name, readFileSync(join(folder, name))]))
  const described = JSON.parse(files.get(CASE)?.toString('utf8') ?? '{}') as Record<string, JsonValue>
  const reasons = async (bytes: number) => {
    // The same with more that is withheld: a text that is at least as large as this.
    const entry = { part: 'response', reason: 'r'.repeat(100) }
    const withheld = Array.from({ length: Math.ceil(bytes / 130) }, (_, seq) => ({ ...entry, seq }))
    const path = join(engine.root, 'large.zip')
    writeFileSync(path, await packBag(files.set(CASE, Buffer.from(`${jcs({ ...described, withheld })}\n`))))
    const { kind, steps, bundle } = await verifyBundleFile(path)
    return [
      kind,
      bundle.recipient,
      ...steps.flatMap((step) =>
        step.reasons.filter(({ subject }) => subject === CASE).map(({ code, subject }) => `${step.number} ${code} ${subject}`)
      )
    ]
  }
  // Smaller than that it is read, and only the manifest no longer fits.
  expect(await reasons(100_000)).toEqual(['invalid', 'r', `2 file_changed ${CASE}`])
  expect(await reasons(MOST_TEXT_BYTES + 1)).toEqual(['invalid', null, `2 file_changed ${CASE}`, `5 case_unreadable ${CASE}`])
}, 30_000)
