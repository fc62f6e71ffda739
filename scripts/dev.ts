// SPDX-License-Identifier: Apache-2.0
// npm run dev: the window with hot reloading of the page and restarts of main, on the runtime that `npm start` finds.
import { join } from 'node:path'
import { fail, requireDependencies, root, run } from './project.ts'

requireDependencies()
const { forgetBuild } = await import('./build.ts')
const { findRuntime, runtimeEnvironment, runtimeSwitches } = await import('./runtime.ts')
const { ensureSystemPackages, windowPurposes } = await import('./system-packages.ts')

try {
  const runtime = await findRuntime()
  const missing = await ensureSystemPackages(windowPurposes(runtime), runtime.executable)
  if (missing.length > 0) fail('The window cannot open before that.')
  // It writes unminified files to the same folder.
  forgetBuild()
  const noSandbox = runtimeSwitches().includes('--no-sandbox') ? ['--noSandbox'] : []
  process.exitCode = await run(
    process.execPath,
    [join(root, 'node_modules', 'electron-vite', 'bin', 'electron-vite.js'), 'dev', '--watch', ...noSandbox, ...process.argv.slice(2)],
    { env: await runtimeEnvironment(runtime) }
  )
} catch (error) {
  fail(error instanceof Error ? error.message : String(error))
}
