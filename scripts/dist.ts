// SPDX-License-Identifier: Apache-2.0
// npm run dist [-- --output FOLDER] [--unpacked]: builds the app and packs it for the platform this runs on.
import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { fail, requireDependencies, root } from './project.ts'

requireDependencies()
const { packageApp } = await import('./packaging/package.ts')

try {
  const { values } = parseArgs({ options: { output: { type: 'string', default: 'dist' }, unpacked: { type: 'boolean', default: false } } })
  await packageApp({ output: resolve(root, values.output), unpackedOnly: values.unpacked })
} catch (error) {
  fail(error instanceof Error ? error.message : String(error))
}
