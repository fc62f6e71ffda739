// SPDX-License-Identifier: Apache-2.0
// The command line has no window: it starts the desktop runtime once for each page to print.
import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { AffidavitError } from '../shared/contract/errors.ts'
import type { CliEnvironment } from './config.ts'

const root = join(import.meta.dirname, '..', '..')
const LONGEST_MS = 180_000

const binary = { win32: 'electron.exe', darwin: 'Electron.app/Contents/MacOS/Electron' } as Readonly<
  Partial<Record<NodeJS.Platform, string>>
>

const onPath = (command: string, path: string): boolean =>
  path.split(delimiter).some((folder) => folder !== '' && existsSync(join(folder, command)))

/** The command that starts the runtime. @throws AffidavitError engine_unavailable when there is none, or no display for it */
export function printCommand({ electron, display, path }: CliEnvironment['printing']): readonly string[] {
  // In a package, the runtime that runs this is the one that prints.
  const packaged = root.endsWith('.asar')
  const candidates = [
    packaged ? process.execPath : electron,
    join(root, 'node_modules', 'electron', 'dist', binary[process.platform] ?? 'electron')
  ]
  const found = candidates.find((candidate) => candidate !== undefined && existsSync(candidate))
  if (found === undefined || !existsSync(join(root, 'out', 'main', 'index.js')))
    throw new AffidavitError(
      'engine_unavailable',
      'a PDF needs the desktop runtime, which is not here: leave --pdf out, name it in ELECTRON_OVERRIDE_DIST_PATH, or export from the app'
    )
  const command = [found, ...(process.getuid?.() === 0 ? ['--no-sandbox'] : []), ...(packaged ? [] : [root])]
  if (process.platform !== 'linux' || display) return command
  if (!onPath('xvfb-run', path))
    throw new AffidavitError('engine_unavailable', 'a PDF needs a display, and there is none: install xvfb or leave --pdf out')
  return ['xvfb-run', '-a', ...command]
}

/** Prints a page through a runtime of its own. @throws AffidavitError internal when it gave no PDF */
export async function printWith(command: readonly string[], page: { readonly html: string; readonly footer: string }): Promise<Uint8Array> {
  const folder = mkdtempSync(join(tmpdir(), 'affidavit-print-'))
  try {
    const from = join(folder, 'page.json')
    const to = join(folder, 'page.pdf')
    writeFileSync(from, JSON.stringify(page), { mode: 0o600 })
    const [file = '', ...rest] = command
    const args = [...rest, `--print-page=${from}`, `--print-to=${to}`, `--user-data-dir=${join(folder, 'data')}`]
    const code = await new Promise<number | null>((resolve) => {
      const child = spawn(file, args, { stdio: 'ignore', timeout: LONGEST_MS })
      child.once('error', () => resolve(null))
      child.once('exit', resolve)
    })
    if (code !== 0 || !existsSync(to)) throw new AffidavitError('internal', 'the desktop runtime gave no PDF')
    return readFileSync(to)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
