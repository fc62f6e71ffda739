// SPDX-License-Identifier: Apache-2.0
// Packed as default_app.asar of the stand-in runtime, which has lost Electron's own: starts the app folder named on the command line.
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { app } from 'electron'

// Electron shows a modal box for an uncaught exception, which hangs a run that nobody watches.
process.on('uncaughtException', (error) => {
  console.error(error)
  app.exit(70)
})

const require = createRequire(import.meta.url)
for (let i = 1; i < process.argv.length - 1; i++) {
  if (process.argv[i] !== '-r' && process.argv[i] !== '--require') continue
  const [, module] = process.argv.splice(i, 2)
  i--
  require(module)
}

const folder = resolve(process.argv.slice(1).find((argument) => !argument.startsWith('-')) ?? '.')
const manifest = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
app.setAppPath(folder)
app.setName(manifest.productName ?? manifest.name)
app.setVersion(manifest.version ?? '0.0.0')
if (!app.commandLine.hasSwitch('user-data-dir')) app.setPath('userData', join(app.getPath('appData'), app.name))
await import(pathToFileURL(join(folder, manifest.main ?? 'index.js')).href)
