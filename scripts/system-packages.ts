// SPDX-License-Identifier: Apache-2.0
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { nativeBindingPath, nodeHeaders } from './native.ts'
import { run, say } from './project.ts'
import type { Runtime } from './runtime.ts'

/** What a command needs of the system: shared libraries of the window, an X server, a compiler, the stock verifiers, fonts for screenshots, readers of PDF. */
export type Purpose = 'window' | 'virtual-display' | 'compiler' | 'verifiers' | 'fonts' | 'pdf-tools'

/** What opening a window with `runtime` needs: the compiler only while the stand-in's binding is not built. */
export function windowPurposes(runtime: Runtime): readonly Purpose[] {
  return runtime.origin === 'stand-in' && !existsSync(nativeBindingPath()) ? ['window', 'compiler'] : ['window']
}

interface Missing {
  readonly purpose: Purpose
  /** What is not there, for people. */
  readonly what: string
  /** Debian's packages that bring it; several names where releases differ, the first that exists is taken. */
  readonly packages: readonly (readonly string[])[]
}

function onPath(command: string): boolean {
  return (process.env.PATH ?? '').split(delimiter).some((folder) => folder !== '' && existsSync(join(folder, command)))
}

const commands: Readonly<Partial<Record<Purpose, readonly (readonly [command: string, packages: string])[]>>> = {
  'virtual-display': [
    ['xvfb-run', 'xvfb'],
    ['xauth', 'xauth']
  ],
  compiler: [
    ['g++', 'g++'],
    ['make', 'make'],
    ['python3', 'python3']
  ],
  verifiers: [
    ['openssl', 'openssl'],
    ['ssh-keygen', 'openssh-client']
  ],
  'pdf-tools': [['pdftotext', 'poppler-utils']]
}

/** Libraries Electron links against; newer Debian and Ubuntu renamed some packages for 64-bit time. */
export const windowPackages: readonly (readonly string[])[] = [
  ['libgtk-3-0t64', 'libgtk-3-0'],
  ['libnss3'],
  ['libasound2t64', 'libasound2'],
  ['libgbm1']
]

function missingLibraries(executable: string): readonly string[] {
  const asked = spawnSync('ldd', [executable], { encoding: 'utf8' })
  return asked.stdout
    ? asked.stdout
        .split('\n')
        .filter((line) => line.includes('not found'))
        .map((line) => line.trim().split(' ')[0] ?? '')
    : []
}

function missingFonts(): readonly string[] {
  const asked = spawnSync('fc-list', [':', 'family'], { encoding: 'utf8' })
  const families = asked.stdout ?? ''
  const missing: string[] = []
  if (!/Noto Color Emoji/.test(families)) missing.push('fonts-noto-color-emoji')
  if (!/Noto Sans CJK/.test(families)) missing.push('fonts-noto-cjk')
  return missing
}

/** What is missing of `purposes` on this machine. `executable` is the Electron whose libraries are looked up. Only Linux is looked at. */
export function missing(purposes: readonly Purpose[], executable: string | null): readonly Missing[] {
  if (process.platform !== 'linux') return []
  const found: Missing[] = []
  for (const purpose of purposes) {
    for (const [command, name] of commands[purpose] ?? []) {
      if (!onPath(command)) found.push({ purpose, what: command, packages: [[name]] })
    }
    if (purpose === 'compiler' && nodeHeaders() === null) found.push({ purpose, what: 'headers of Node', packages: [['libnode-dev']] })
    if (purpose === 'window' && executable !== null) {
      const libraries = missingLibraries(executable)
      if (libraries.length > 0) found.push({ purpose, what: libraries.join(', '), packages: windowPackages })
    }
    if (purpose === 'fonts') {
      for (const name of missingFonts()) found.push({ purpose, what: name, packages: [[name]] })
    }
  }
  return found
}

function isDebian(): boolean {
  if (!existsSync('/etc/os-release') || !onPath('apt-get')) return false
  return /^ID(_LIKE)?=.*(debian|ubuntu)/m.test(readFileSync('/etc/os-release', 'utf8'))
}

function existsInArchive(name: string): boolean {
  return spawnSync('apt-cache', ['show', '--no-all-versions', name], { stdio: 'ignore' }).status === 0
}

function packageNames(lack: readonly Missing[]): readonly string[] {
  const names = lack
    .flatMap((item) => item.packages)
    .map((choice) => (choice.length === 1 ? choice[0] : choice.find(existsInArchive)) ?? choice.at(-1) ?? '')
  return [...new Set(names)]
}

const quietApt = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }

/**
 * Sees to it that what `purposes` need is there. As root on Debian or Ubuntu it installs the packages and says so; otherwise it prints the
 * line that does. Returns what is still missing.
 */
export async function ensureSystemPackages(purposes: readonly Purpose[], executable: string | null): Promise<readonly Missing[]> {
  const lack = missing(purposes, executable)
  if (lack.length === 0) return []
  say(`this system lacks: ${lack.map((item) => item.what).join(', ')}`)
  if (!isDebian()) {
    say(`install what brings them (on Debian: ${lack.flatMap((item) => item.packages.map((choice) => choice.at(-1))).join(' ')})`)
    return lack
  }
  if (process.getuid?.() !== 0) {
    say(`install it with: sudo apt-get install --no-install-recommends ${packageNames(lack).join(' ')}`)
    return lack
  }
  await run('apt-get', ['update', '-qq'], { env: quietApt, stdio: ['ignore', 'ignore', 'inherit'] })
  const names = packageNames(lack)
  say(`installing with apt-get: ${names.join(' ')}`)
  const status = await run('apt-get', ['install', '-y', '-qq', '--no-install-recommends', ...names], {
    env: quietApt,
    stdio: ['ignore', 'ignore', 'inherit']
  })
  if (status !== 0) say('apt-get did not succeed')
  return missing(purposes, executable)
}
