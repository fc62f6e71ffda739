// SPDX-License-Identifier: Apache-2.0
import { join } from 'node:path'
import { build } from './build.ts'
import { root, run } from './project.ts'
import { findRuntime, runtimeEnvironment } from './runtime.ts'
import { ensureSystemPackages, windowPurposes } from './system-packages.ts'

export type EndToEnd = { readonly ran: true; readonly status: number } | { readonly ran: false; readonly reason: string }

/** Runs the tests that drive the real app, in a virtual display on Linux. `reportFile` receives Playwright's JSON report. */
export async function endToEnd(args: readonly string[], reportFile: string | null): Promise<EndToEnd> {
  await build()
  let runtime: Awaited<ReturnType<typeof findRuntime>>
  try {
    runtime = await findRuntime()
  } catch (error) {
    return { ran: false, reason: error instanceof Error ? error.message : String(error) }
  }
  const linux = process.platform === 'linux'
  const missing = await ensureSystemPackages([...windowPurposes(runtime), 'virtual-display', 'fonts', 'pdf-tools'], runtime.executable)
  // Without the fonts only pictures differ; without the tools the words of a PDF are not read.
  const needed = missing.filter((item) => item.purpose !== 'fonts' && item.purpose !== 'pdf-tools')
  if (needed.length > 0) return { ran: false, reason: `this system lacks ${needed.map((item) => item.what).join(', ')}` }
  const env = {
    ...(await runtimeEnvironment(runtime)),
    ...(reportFile === null ? {} : { PLAYWRIGHT_JSON_OUTPUT_FILE: reportFile })
  }
  const playwright = [process.execPath, join(root, 'node_modules', '@playwright', 'test', 'cli.js'), 'test', ...args]
  const [command, ...rest] = linux ? ['xvfb-run', '-a', '-s', '-screen 0 1920x1200x24', ...playwright] : playwright
  return { ran: true, status: await run(command ?? '', rest, { env }) }
}
