// SPDX-License-Identifier: Apache-2.0
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { add, none, playwrightCounts, summary, vitestCounts } from './test-report.ts'

let folder = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'affidavit-report-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

function report(content: unknown): string {
  const path = join(folder, 'report.json')
  writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content))
  return path
}

describe('counts', () => {
  it('reads both reports', () => {
    expect(vitestCounts(report({ numPassedTests: 5, numFailedTests: 1, numPendingTests: 2, numTodoTests: 1 }), 1)).toEqual({
      passed: 5,
      failed: 1,
      skipped: 3
    })
    expect(playwrightCounts(report({ stats: { expected: 7, unexpected: 1, flaky: 1, skipped: 2 } }), 1)).toEqual({
      passed: 7,
      failed: 2,
      skipped: 2
    })
  })
  it('counts a runner that failed without a failed test, or left no report, as a failure', () => {
    expect(vitestCounts(report({ numPassedTests: 5, numFailedTests: 0 }), 1).failed).toBe(1)
    expect(vitestCounts(join(folder, 'none.json'), 0).failed).toBe(1)
    expect(playwrightCounts(report('{'), 0).failed).toBe(1)
    expect(playwrightCounts(report({ stats: { expected: 1, unexpected: 0 } }), 0).failed).toBe(0)
  })
  it('ends with one plain line', () => {
    expect(summary(add({ passed: 1, failed: 0, skipped: 0 }, { passed: 2, failed: 0, skipped: 0 }))).toBe('3 passed, 0 failed')
    expect(summary(add(none, { passed: 2, failed: 1, skipped: 4 }))).toBe('2 passed, 1 failed, 4 skipped')
  })
})
