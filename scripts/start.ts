// SPDX-License-Identifier: Apache-2.0
// npm start: builds if needed, finds a runtime and opens the window; without a display it serves both ports without one.
import { homedir } from 'node:os'
import { join } from 'node:path'
import { fail, manifest, requireDependencies, root, run, say } from './project.ts'

requireDependencies()
const { build } = await import('./build.ts')

const hasDisplay = process.platform !== 'linux' || Boolean(process.env.DISPLAY || process.env.WAYLAND_DISPLAY)

/** The workspace the window would open: named by the environment, remembered, or the default. */
async function workspace(): Promise<string> {
  const { mainConfig } = await import('../src/main/config.ts')
  const { readPreferences } = await import('../src/main/preferences.ts')
  const appData = process.env.XDG_CONFIG_HOME || join(homedir(), '.config')
  const userData = join(appData, manifest.productName)
  const config = mainConfig({ userData, appData, home: homedir() }, false)
  return config.workspace ?? readPreferences(join(userData, 'shell.json')).workspace ?? config.defaultWorkspace
}

async function serve(): Promise<number> {
  const folder = await workspace()
  say('there is no display (neither DISPLAY nor WAYLAND_DISPLAY is set): the engine serves without a window')
  say(`workspace ${folder}; end with Ctrl C`)
  return run(process.execPath, [join(root, 'bin', 'affidavit.mjs'), 'serve', '--workspace', folder, ...process.argv.slice(2)])
}

async function openWindow(): Promise<number> {
  const { findRuntime, runtimeEnvironment, runtimeSwitches } = await import('./runtime.ts')
  const { ensureSystemPackages, windowPurposes } = await import('./system-packages.ts')
  const runtime = await findRuntime()
  const missing = await ensureSystemPackages(windowPurposes(runtime), runtime.executable)
  if (missing.length > 0) return fail('The window cannot open before that. `npx affidavit serve --workspace DIR` needs none of it.')
  if (runtime.origin === 'stand-in') say(`running on the stand-in runtime, Electron ${runtime.version}: for trying out, not for production`)
  const env = await runtimeEnvironment(runtime)
  return run(runtime.executable, [...runtimeSwitches(), root, ...process.argv.slice(2)], { env })
}

try {
  await build()
  process.exitCode = await (hasDisplay ? openWindow() : serve())
} catch (error) {
  fail(error instanceof Error ? error.message : String(error))
}
