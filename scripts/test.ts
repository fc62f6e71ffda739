// SPDX-License-Identifier: Apache-2.0
// npm test: types, lint, layers, unused code, unit tests, build, and the tests that drive the real app. Ends with one line of counts.
import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { requireDependencies, root, run, say } from './project.ts'

requireDependencies()
const { endToEnd } = await import('./end-to-end.ts')
const { ensureSystemPackages } = await import('./system-packages.ts')
const { add, none, playwrightCounts, summary, vitestCounts } = await import('./test-report.ts')

const results = join(root, 'test-results')
const unitReport = join(results, 'vitest.json')
const windowReport = join(results, 'playwright.json')
mkdirSync(results, { recursive: true })
for (const path of [unitReport, windowReport]) rmSync(path, { force: true })

const modules = join(root, 'node_modules')
const checks = [
  ['types', [join(modules, 'typescript', 'bin', 'tsc'), '-b']],
  ['lint', [join(modules, '@biomejs', 'biome', 'bin', 'biome'), 'ci', ...(process.stdout.isTTY ? [] : ['--colors=off']), '.']],
  ['layers', [join(import.meta.dirname, 'layers.ts')]],
  ['unused code', [join(modules, 'knip', 'bin', 'knip.js')]]
] as const

let counts = none
const problems: string[] = []
const leftOut: string[] = []

for (const [name, args] of checks) {
  say(name)
  if ((await run(process.execPath, args)) === 0) continue
  problems.push(`${name}: failed`)
  counts = add(counts, { ...none, failed: 1 })
}

const verifiers = await ensureSystemPackages(['verifiers'], null)
if (verifiers.length > 0) leftOut.push(`tests that need ${verifiers.map((item) => item.what).join(', ')}`)

say('unit tests')
const unitStatus = await run(process.execPath, [
  join(modules, 'vitest', 'vitest.mjs'),
  'run',
  '--reporter=default',
  '--reporter=json',
  `--outputFile.json=${unitReport}`,
  ...process.argv.slice(2)
])
if (unitStatus !== 0) problems.push('unit tests: failed')
counts = add(counts, vitestCounts(unitReport, unitStatus))

say('end-to-end tests')
try {
  const window = await endToEnd([], windowReport)
  if (window.ran) {
    if (window.status !== 0) problems.push('end-to-end tests: failed')
    counts = add(counts, playwrightCounts(windowReport, window.status))
  } else leftOut.push(`ALL END-TO-END TESTS: ${window.reason}`)
} catch (error) {
  problems.push(`end-to-end tests: ${error instanceof Error ? error.message : String(error)}`)
  counts = add(counts, { ...none, failed: 1 })
}

for (const line of leftOut) process.stdout.write(`\n*** LEFT OUT: ${line}\n`)
for (const line of problems) process.stdout.write(`\n*** ${line}\n`)
process.stdout.write(`\n${summary(counts)}\n`)
process.exitCode = counts.failed > 0 || problems.length > 0 ? 1 : 0
