// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { manifest, root } from '../project.ts'
import type { Runtime } from '../runtime.ts'

/** What a package calls itself. */
export interface Identity {
  /** Made on a runtime that is not the one of the release: for tests only. */
  readonly test: boolean
  readonly productName: string
  readonly appId: string
  readonly version: string
  /** The same as Debian writes it: `~` sorts before the release. */
  readonly debianVersion: string
}

/** The Electron that releases are built on. */
const releaseElectron = (
  JSON.parse(readFileSync(join(root, 'node_modules', 'electron', 'package.json'), 'utf8')) as { readonly version: string }
).version

/** A package of another Electron than the one in package.json says so in its name, its id, its version and its folder of settings. */
export function identityOf(runtime: Pick<Runtime, 'origin' | 'version'>): Identity {
  if (runtime.origin !== 'stand-in' && runtime.version === releaseElectron)
    return {
      test: false,
      productName: manifest.productName,
      appId: 'org.affidavit.desktop',
      version: manifest.version,
      debianVersion: manifest.version
    }
  const mark = `test.electron${runtime.version.split('.')[0] || 'unknown'}`
  return {
    test: true,
    productName: `${manifest.productName} Test`,
    appId: 'org.affidavit.desktop.test',
    version: `${manifest.version}-${mark}`,
    debianVersion: `${manifest.version}~${mark}`
  }
}
