// SPDX-License-Identifier: Apache-2.0
import { closeSync, cpSync, existsSync, mkdirSync, mkdtempSync, openSync, readFileSync, realpathSync, renameSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { cacheFolder, withLock } from './cache.ts'
import { root, run, say, toolEnvironment } from './project.ts'

/** A folder with `include/node/node_api.h` and node-gyp's `common.gypi`, for instance that of the Node that is installed in the system. */
export function nodeHeaders(): string | null {
  const candidates = ['/usr', '/usr/local']
  for (const folder of (process.env.PATH ?? '').split(delimiter)) {
    const node = join(folder, 'node')
    if (folder !== '' && existsSync(node)) candidates.push(dirname(dirname(realpathSync(node))))
  }
  return (
    candidates.find(
      (folder) => existsSync(join(folder, 'include/node/node_api.h')) && existsSync(join(folder, 'include/node/common.gypi'))
    ) ?? null
  )
}

async function build(binding: string): Promise<void> {
  say('building the SQLite binding for the stand-in runtime, about a minute, once')
  const headers = nodeHeaders()
  const work = mkdtempSync(join(tmpdir(), 'affidavit-native-'))
  const logFile = join(cacheFolder(), 'native.log')
  const log = openSync(logFile, 'w')
  try {
    const copy = join(work, 'node_modules', 'better-sqlite3')
    cpSync(join(root, 'node_modules/better-sqlite3'), copy, { recursive: true })
    cpSync(join(root, 'node_modules/node-addon-api'), join(work, 'node_modules/node-addon-api'), { recursive: true })
    const status = await run(
      process.execPath,
      [
        join(root, 'node_modules/node-gyp/bin/node-gyp.js'),
        'rebuild',
        '--release',
        '--force_build=1',
        ...(headers === null ? [] : [`--nodedir=${headers}`])
      ],
      {
        cwd: copy,
        stdio: ['ignore', log, log],
        env: toolEnvironment({
          // The package pins Node-API 10; the stand-in has 9, where the no-GC finalizer opt-out keeps the signatures of older headers.
          CXXFLAGS: '-UNAPI_VERSION -DNAPI_EXPERIMENTAL -DNODE_API_EXPERIMENTAL_NOGC_ENV_OPT_OUT'
        })
      }
    )
    if (status !== 0)
      throw new Error(
        `the SQLite binding could not be built: g++, make, python3 and the headers of Node are needed; ${logFile} has the details`
      )
    mkdirSync(dirname(binding), { recursive: true })
    const next = `${binding}.${process.pid}`
    cpSync(join(copy, 'build/Release/better_sqlite3.node'), next)
    renameSync(next, binding)
  } finally {
    closeSync(log)
    rmSync(work, { recursive: true, force: true })
  }
}

/** Where the binding for Node-API 9 is or will be: in the user's cache, named by version and platform. */
export function nativeBindingPath(): string {
  const { version } = JSON.parse(readFileSync(join(root, 'node_modules/better-sqlite3/package.json'), 'utf8')) as { version: string }
  return join(cacheFolder(), 'native', `better-sqlite3-${version}-napi9-${process.platform}-${process.arch}.node`)
}

/**
 * Path of a better-sqlite3 built for Node-API 9 (Node 20, the stand-in), built once from a copy of the package: node_modules keeps its
 * shipped prebuild, which every newer Node uses and which under Node-API 9 ends the process without a word.
 */
export async function nativeBinding(): Promise<string> {
  const binding = nativeBindingPath()
  if (!existsSync(binding)) {
    await withLock('native', async () => {
      if (!existsSync(binding)) await build(binding)
    })
  }
  return binding
}
