// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto'
import {
  chmodSync,
  closeSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync
} from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { build } from '../build.ts'
import { nativeBinding } from '../native.ts'
import { installedOnDemand } from '../on-demand.ts'
import { manifest, root, run, say } from '../project.ts'
import { findRuntime, nodeApiOf, type Runtime } from '../runtime.ts'
import { configuration, desktopExecutable, type Staged } from './configuration.ts'
import { problemsOfFolder, problemsOfFuses, problemsOfResources, problemsOfSources } from './contents.ts'
import { debianPackage } from './debian.ts'
import { type Identity, identityOf } from './identity.ts'
import { bundledSources, thirdPartyLicences } from './licences.ts'

export interface PackageOptions {
  /** Folder that receives the packages. */
  readonly output: string
  /** Only the unpacked app, which the packages are made from. */
  readonly unpackedOnly: boolean
}

const warning = (runtime: Runtime): string =>
  `\n*** FOR TESTS, NOT FOR RELEASE: this package runs on Electron ${runtime.version || 'of an unknown version'}, which is not the one that releases are built on.\n*** Its name and its version say so.\n\n`

/** The files that are made for the package, in a folder of their own. */
async function stage(runtime: Runtime, folder: string): Promise<Staged> {
  const prebuilds = join(folder, 'prebuilds')
  mkdirSync(prebuilds)
  const name = `${process.platform}-${process.arch}.node`
  const shipped = join(root, 'node_modules', 'better-sqlite3', 'prebuilds', name)
  // Under the name that the package looks for: no variable has to lead it there.
  copyFileSync(nodeApiOf(runtime) < 10 ? await nativeBinding() : shipped, join(prebuilds, name))
  chmodSync(join(prebuilds, name), 0o644)
  const licences = join(folder, 'licences.txt')
  say('collecting the licences of what was bundled')
  writeFileSync(licences, await thirdPartyLicences())
  return { prebuilds, licences }
}

async function runBuilder(runtime: Runtime, identity: Identity, staged: Staged, output: string, folder: string): Promise<void> {
  const tools = await installedOnDemand({ name: 'packaging', from: import.meta.dirname, npm: ['ci'] })
  const file = join(folder, 'electron-builder.json')
  writeFileSync(file, JSON.stringify(configuration(runtime, identity, staged, output), null, 2))
  const platform = ({ linux: '--linux', win32: '--win', darwin: '--mac' } as Readonly<Record<string, string>>)[process.platform]
  if (platform === undefined) throw new Error(`there is no package for ${process.platform}`)
  say('packing with electron-builder')
  const log = join(folder, 'electron-builder.log')
  const handle = openSync(log, 'w')
  const tool = join(tools, 'node_modules', 'electron-builder', 'cli.js')
  const args = [tool, platform, `--${process.arch}`, '--config', file, '--projectDir', root, '--publish', 'never']
  const status = await run(process.execPath, args, { stdio: ['ignore', handle, handle] })
  closeSync(handle)
  if (status !== 0) throw new Error(`electron-builder failed\n${readFileSync(log, 'utf8')}`)
  rmSync(join(output, 'builder-debug.yml'), { force: true })
}

/** Where electron-builder leaves the unpacked app, its resources and its executable. */
function places(
  output: string,
  identity: Identity
): { readonly unpacked: string; readonly resources: string; readonly executable: string } {
  const suffix = process.arch === 'x64' ? '' : `-${process.arch}`
  if (process.platform === 'darwin') {
    const app = join(output, `mac${suffix}`, `${identity.productName}.app`)
    return { unpacked: app, resources: join(app, 'Contents', 'Resources'), executable: app }
  }
  const unpacked = join(output, `${process.platform === 'win32' ? 'win' : 'linux'}${suffix}-unpacked`)
  const name = process.platform === 'win32' ? desktopExecutable.win32 : desktopExecutable.linux
  return { unpacked, resources: join(unpacked, 'resources'), executable: join(unpacked, name) }
}

async function check(runtime: Runtime, { unpacked, resources, executable }: ReturnType<typeof places>): Promise<void> {
  say('looking at what went in')
  const problems = [
    ...problemsOfSources(bundledSources()),
    ...problemsOfResources(resources),
    ...(process.platform === 'linux' ? problemsOfFolder(unpacked, runtime.dist) : []),
    ...(await problemsOfFuses(executable))
  ]
  if (problems.length > 0) throw new Error(`The package must not be used:\n${problems.join('\n')}`)
}

async function archive(unpacked: string, identity: Identity, output: string): Promise<string> {
  const name = `${manifest.name}-${identity.version}-linux-${process.arch}`
  const path = join(output, `${name}.tar.gz`)
  // One folder with the name of the package, whatever the unpacked one is called.
  const args = [
    '--sort=name',
    '--owner=0',
    '--group=0',
    '--numeric-owner',
    `--transform=s,^\\.,${name},S`,
    '-czf',
    path,
    '-C',
    unpacked,
    '.'
  ]
  if ((await run('tar', args)) !== 0) throw new Error('tar did not make the archive')
  return path
}

async function linuxPackages(unpacked: string, identity: Identity, output: string): Promise<void> {
  say('making the archive (tar.gz)')
  const files = [await archive(unpacked, identity, output)]
  if (existsSync('/usr/bin/dpkg-deb')) {
    say('making the package for Debian and Ubuntu')
    files.push(await debianPackage(unpacked, identity, process.arch, output))
  } else say('no package for Debian: dpkg-deb is not here')
  const sums = files.map((file) => `${createHash('sha256').update(readFileSync(file)).digest('hex')}  ${basename(file)}\n`)
  writeFileSync(join(output, 'SHA256SUMS'), sums.join(''))
}

/** Builds the app and packs it for this platform. @returns the folder of the unpacked app */
export async function packageApp({ output, unpackedOnly }: PackageOptions): Promise<string> {
  const runtime = await findRuntime()
  const identity = identityOf(runtime)
  if (identity.test) process.stderr.write(warning(runtime))
  await build()
  mkdirSync(output, { recursive: true })
  const folder = mkdtempSync(join(tmpdir(), 'affidavit-dist-'))
  try {
    await runBuilder(runtime, identity, await stage(runtime, folder), output, folder)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
  const made = places(output, identity)
  await check(runtime, made)
  if (process.platform === 'linux' && !unpackedOnly) await linuxPackages(made.unpacked, identity, output)
  say(`${identity.productName} ${identity.version} for ${process.platform} ${process.arch}, in ${output}:`)
  for (const entry of readdirSync(output, { withFileTypes: true })) {
    if (entry.isFile()) process.stdout.write(`${entry.name}  ${(statSync(join(output, entry.name)).size / 1e6).toFixed(1)} MB\n`)
  }
  process.stdout.write(`${basename(made.unpacked)}/  the app, unpacked\n`)
  if (identity.test) process.stderr.write(warning(runtime))
  return made.unpacked
}
