// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { root, run, say } from './project.ts'

/** Everything the build is made of, apart from the installed packages, which the lock file stands for. */
const sources = ['src', 'resources', 'electron.vite.config.ts', 'package.json', 'package-lock.json']
const mark = join(root, 'out', '.made-from')

function files(path: string): readonly string[] {
  if (!existsSync(path)) return []
  if (!statSync(path).isDirectory()) return [path]
  return readdirSync(path, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !/\.test\.tsx?$/.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort()
}

/** Digest of the contents of all sources. */
function sourceDigest(): string {
  const hash = createHash('sha256')
  for (const path of sources.flatMap((name) => files(join(root, name)))) {
    const content = readFileSync(path)
    hash.update(`${relative(root, path)}\0${content.length}\0`).update(content)
  }
  return hash.digest('hex')
}

/** Makes the next start build again. */
export function forgetBuild(): void {
  rmSync(mark, { force: true })
}

/** Builds unless `out` was made from exactly these sources. */
export async function build(): Promise<void> {
  const digest = sourceDigest()
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
