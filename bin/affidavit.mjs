#!/usr/bin/env node
// SPDX-License-Identifier: Apache-2.0
// Starts the command line: the built one, or its sources in a checkout. Plain JavaScript, so that an old Node can still say what it lacks.
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { constants } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const built = join(root, 'out', 'main', 'cli.js')
const entry = existsSync(built) ? built : join(root, 'src', 'cli', 'index.ts')

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
// 22.18 is the first release that runs TypeScript sources and brings Node-API 10, which the shipped SQLite binding needs.
const newEnough = major > 22 || (major === 22 && minor >= 18)
const bundled = join(root, 'node_modules', 'node', 'bin', process.platform === 'win32' ? 'node.exe' : 'node')

if (!existsSync(join(root, 'node_modules', 'better-sqlite3'))) {
  process.stderr.write('affidavit: the dependencies are not installed: run `npm ci` first\n')
  process.exit(2)
} else if (newEnough) {
  process.argv[1] = entry
  await import(pathToFileURL(entry).href)
} else if (existsSync(bundled)) {
  const child = spawn(bundled, [fileURLToPath(import.meta.url), ...process.argv.slice(2)], { stdio: 'inherit' })
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal))
  child.once('exit', (code, signal) => process.exit(code ?? 128 + constants.signals[signal ?? 'SIGTERM']))
} else {
  process.stderr.write(
    `affidavit: Node 22.18 or newer is needed, this is ${process.versions.node}: run \`npm ci\`, which brings one along\n`
  )
  process.exit(2)
}
