// SPDX-License-Identifier: Apache-2.0
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { _electron } from '@playwright/test'
import { temporaryFolder } from './harness.ts'

/** The same runtime as a bare browser without any confinement of ours. Who starts it closes it. */
export async function bareBrowser(url: string, switches: readonly string[] = []) {
  const folder = join(temporaryFolder(), 'browser')
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'package.json'), '{"name":"foreign","main":"main.cjs"}')
  writeFileSync(
    join(folder, 'main.cjs'),
    `const { app, BrowserWindow } = require('electron')
app.whenReady().then(() => new BrowserWindow({ webPreferences: { sandbox: true } }).loadURL(${JSON.stringify(url)}))`
  )
  const app = await _electron.launch({
    executablePath: process.env.ELECTRON_EXEC_PATH ?? '',
    args: [...(process.getuid?.() === 0 ? ['--no-sandbox'] : []), ...switches, `--user-data-dir=${join(folder, 'data')}`, folder],
    cwd: folder,
    chromiumSandbox: process.getuid?.() !== 0
  })
  return { app, page: await app.firstWindow() }
}
