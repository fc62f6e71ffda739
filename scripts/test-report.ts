// SPDX-License-Identifier: Apache-2.0
import { existsSync, readFileSync } from 'node:fs'

export interface Counts {
  readonly passed: number
  readonly failed: number
  readonly skipped: number
}

export const none: Counts = { passed: 0, failed: 0, skipped: 0 }

export const add = (a: Counts, b: Counts): Counts => ({
  passed: a.passed + b.passed,
  failed: a.failed + b.failed,
  skipped: a.skipped + b.skipped
})

/** The line every run ends with. */
export const summary = (counts: Counts): string =>
  `${counts.passed} passed, ${counts.failed} failed${counts.skipped > 0 ? `, ${counts.skipped} skipped` : ''}`

const number = (value: unknown): number => (typeof value === 'number' && Number.isFinite(value) ? value : 0)

function readReport(path: string): Record<string, unknown> | null {
  if (!existsSync(path)) return null
  try {
    const content: unknown = JSON.parse(readFileSync(path, 'utf8'))
    return typeof content === 'object' && content !== null ? (content as Record<string, unknown>) : null
  } catch {
    return null
  }
}

/** A runner that failed without a failed test (a file that does not load, a crash, no report) counts as one failure. */
const atLeastOne = (counts: Counts, status: number): Counts => (status !== 0 && counts.failed === 0 ? { ...counts, failed: 1 } : counts)

/** Counts of Vitest's JSON report. */
export function vitestCounts(path: string, status: number): Counts {
  const report = readReport(path)
  const counts = {
    passed: number(report?.numPassedTests),
    failed: number(report?.numFailedTests),
    skipped: number(report?.numPendingTests) + number(report?.numTodoTests)
  }
  return atLeastOne(counts, report === null ? 1 : status)
}

/** Counts of Playwright's JSON report; a flaky test is a failed one. */
export function playwrightCounts(path: string, status: number): Counts {
  const report = readReport(path)
  const stats = (report?.stats ?? {}) as Record<string, unknown>
  const counts = { passed: number(stats.expected), failed: number(stats.unexpected) + number(stats.flaky), skipped: number(stats.skipped) }
  return atLeastOne(counts, report === null ? 1 : status)
}
