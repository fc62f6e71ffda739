// SPDX-License-Identifier: Apache-2.0
// npm run e2e [-- FILE…]: builds and drives the real app.
import { fail, requireDependencies } from './project.ts'

requireDependencies()
const { endToEnd } = await import('./end-to-end.ts')

try {
  const result = await endToEnd(process.argv.slice(2), null)
  if (!result.ran) fail(`The end-to-end tests did not run: ${result.reason}`)
  process.exitCode = result.status
} catch (error) {
  fail(error instanceof Error ? error.message : String(error))
}
