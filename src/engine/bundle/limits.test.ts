// SPDX-License-Identifier: Apache-2.0
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { MOST_ENTRIES } from '../../shared/evidence/bundle-layout.ts'
import { openReadable } from '../sqlite/open.ts'
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
