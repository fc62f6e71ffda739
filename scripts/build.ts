// SPDX-License-Identifier: Apache-2.0
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { root, run, say } from './project.ts'
import { digestOf } from './sources.ts'

/** Everything the build is made of, apart from the installed packages, which the lock file stands for. */
const sources = ['src', 'resources', 'electron.vite.config.ts', 'scripts/pages.ts', 'package.json', 'package-lock.json']
const mark = join(root, 'out', '.made-from')

/** Makes the next start build again. */
export function forgetBuild(): void {
  rmSync(mark, { force: true })
}

/** Builds unless `out` was made from exactly these sources. */
export async function build(): Promise<void> {
  const digest = digestOf(sources)
  if (existsSync(mark) && readFileSync(mark, 'utf8') === digest) return
  say('building')
  forgetBuild()
  const status = await run(process.execPath, [
    join(root, 'node_modules', 'electron-vite', 'bin', 'electron-vite.js'),
    'build',
    '--logLevel',
    'warn'
  ])
  if (status !== 0) throw new Error('the build failed')
  writeFileSync(mark, digest)
}
