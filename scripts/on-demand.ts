// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto'
import { copyFileSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { cacheFolder, withLock } from './cache.ts'
import { run, say } from './project.ts'

export interface OnDemand {
  readonly name: string
  /** Folder with package.json, package-lock.json and .npmrc of its own. */
  readonly from: string
  /** Further files there that what is installed depends on. */
  readonly alsoDependsOn?: readonly string[]
  /** Arguments of npm. */
  readonly npm: readonly string[]
  /** What is done in the new folder after that. */
  readonly finish?: (folder: string) => void
}

/** Packages that few need, installed once per user outside of the project and its lock file. Returns their folder. */
export async function installedOnDemand({ name, from, alsoDependsOn = [], npm, finish }: OnDemand): Promise<string> {
  const digest = createHash('sha256')
  for (const file of ['package-lock.json', ...alsoDependsOn]) digest.update(readFileSync(join(from, file)))
  const folder = join(cacheFolder(), `${name}-${digest.digest('hex').slice(0, 16)}`)
  await withLock(name, async () => {
    if (existsSync(folder)) return
    say(`installing ${name} from the package registry, once`)
    const part = `${folder}.part`
    rmSync(part, { recursive: true, force: true })
    mkdirSync(part, { recursive: true })
    for (const file of ['package.json', 'package-lock.json', '.npmrc']) copyFileSync(join(from, file), join(part, file))
    const client = process.env.npm_execpath
    const args = [...npm, '--ignore-scripts', '--no-audit', '--no-fund', '--silent']
    const [command, ...rest] = client?.endsWith('.js') ? [process.execPath, client, ...args] : ['npm', ...args]
    const status = await run(command, rest, { cwd: part, stdio: ['ignore', 'ignore', 'inherit'] })
    if (status !== 0) throw new Error(`${name} could not be installed`)
    finish?.(part)
    renameSync(part, folder)
  })
  return folder
}
