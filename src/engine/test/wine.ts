// SPDX-License-Identifier: Apache-2.0
// A Windows of its own for a test: Wine's cmd in a throw-away prefix, with programs that stand in for those of Windows that Wine has not.
import { execFileSync, spawnSync } from 'node:child_process'
import { closeSync, copyFileSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'

/** In 8.0 of Debian 12, `||` of cmd always goes on to what follows, and no script gets past its first one. */
const OLDEST = 10
const COMPILER = 'x86_64-w64-mingw32-gcc'
const sources = join(import.meta.dirname, 'windows')

const versionOf = (command: string) => spawnSync(command, ['--version'], { encoding: 'utf8' })

/** What is missing here to run cmd; null where nothing is. */
export function missingForWine(): string | null {
  const version = /^wine-(\d+)/m.exec(versionOf('wine').stdout ?? '')?.[1]
  if (version === undefined) return 'wine is not installed'
  if (Number(version) < OLDEST) return `wine ${version} is older than ${OLDEST}`
  if (versionOf('wineserver').error) return 'wineserver is not installed'
  return versionOf(COMPILER).error ? `${COMPILER} is not installed` : null
}

/** Programs of Windows, by their place in System32, and their sources. */
const standIns = { 'certutil.exe': 'certutil.c', 'findstr.exe': 'findstr.c', 'OpenSSH/ssh-keygen.exe': 'ssh-keygen.c' } as const
export type StandIn = keyof typeof standIns

export interface Said {
  readonly status: number | null
  readonly lines: readonly string[]
  readonly errors: string
}

export interface Wine {
  /** Runs a command line of cmd in a folder. */
  readonly cmd: (folder: string, line: string) => Said
  /** Puts a program into System32 in place of another, or takes one away. */
  readonly replace: (name: StandIn, source: string | null) => void
  readonly restore: (name: StandIn) => void
  /** Makes a folder the root of a drive. */
  readonly drive: (letter: string, folder: string) => void
  readonly remove: () => void
}

export function startWine(): Wine {
  const root = mkdtempSync(join(tmpdir(), 'affidavit-wine-'))
  const prefix = join(root, 'prefix')
  const system = join(prefix, 'drive_c', 'windows', 'system32')
  const { DISPLAY: _, WAYLAND_DISPLAY: __, ...inherited } = process.env
  const env = {
    ...inherited,
    WINEPREFIX: prefix,
    WINEDEBUG: '-all',
    WINEDLLOVERRIDES: 'mscoree,mshtml=;certutil.exe,findstr.exe=n',
    XDG_RUNTIME_DIR: root
  }
  const [output, errors] = [join(root, 'output'), join(root, 'errors')]
  /** Into files, because services that Wine starts hold a pipe open for as long as they live. */
  const wine = (args: readonly string[], cwd = root): Said => {
    const streams = [openSync(output, 'w'), openSync(errors, 'w')]
    const { status, error } = spawnSync('wine', args, { cwd, env, stdio: ['ignore', ...streams], timeout: 300_000 })
    for (const one of streams) closeSync(one)
    if (error) throw error
    const lines = readFileSync(output, 'utf8').split(/\r?\n/)
    return { status, lines: lines.filter((one) => one !== ''), errors: readFileSync(errors, 'utf8') }
  }
  const build = (source: string, to: string): void => {
    execFileSync(COMPILER, ['-O1', '-Wall', '-Wextra', '-Werror', '-o', to, source, '-lbcrypt'])
  }
  const built = (name: StandIn): string => join(root, name.replace('/', '-'))
  const put = (name: StandIn, program: string): void => {
    // What Wine has there is a link to, or a copy of, a file of all prefixes.
    rmSync(join(system, name), { force: true })
    copyFileSync(program, join(system, name))
  }
  // Kept from one command to the next; otherwise most of the time goes into its starts.
  spawnSync('wineserver', ['-p'], { env, stdio: 'ignore' })
  wine(['wineboot', '-i'])
  // Console programs need no display, and start sooner without looking for one.
  wine(['reg', 'add', 'HKCU\\Software\\Wine\\Drivers', '/v', 'Graphics', '/d', 'null', '/f'])
  mkdirSync(join(system, 'OpenSSH'), { recursive: true })
  for (const name of Object.keys(standIns) as StandIn[]) {
    build(join(sources, standIns[name]), built(name))
    put(name, built(name))
  }
  return {
    cmd: (folder, line) => wine(['cmd', '/c', line], folder),
    replace: (name, source) => {
      if (source === null) return rmSync(join(system, name))
      const other = join(root, `other-${dirname(name)}.exe`)
      build(join(sources, source), other)
      put(name, other)
    },
    restore: (name) => put(name, built(name)),
    drive: (letter, folder) => symlinkSync(folder, join(prefix, 'dosdevices', `${letter}:`)),
    remove: () => {
      spawnSync('wineserver', ['-k'], { env, stdio: 'ignore' })
      rmSync(root, { recursive: true, force: true, maxRetries: 5 })
    }
  }
}
