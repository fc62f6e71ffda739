// SPDX-License-Identifier: Apache-2.0
// What electron-builder is told, for every platform. Windows and macOS: not run.
import { join } from 'node:path'
import { manifest, root } from '../project.ts'
import type { Runtime } from '../runtime.ts'
import type { Identity } from './identity.ts'

/** Names of the runtime's executable; on Linux `affidavit` is the command line beside it. */
export const desktopExecutable = { linux: 'affidavit-desktop', win32: 'Affidavit.exe' } as const

/**
 * What the runtime of a package cannot be made to do. `runAsNode` stays off although there is a command line: with it, any program of the
 * user could run code of its own under the app's name, and with it its keys in a key chain.
 */
export const fuses = {
  runAsNode: false,
  enableCookieEncryption: true,
  enableNodeOptionsEnvironmentVariable: false,
  enableNodeCliInspectArguments: false,
  // Looked at by the runtime on macOS and Windows only.
  enableEmbeddedAsarIntegrityValidation: process.platform !== 'linux',
  onlyLoadAppFromAsar: true,
  loadBrowserProcessSpecificV8Snapshot: false,
  grantFileProtocolExtraPrivileges: false
} as const

const build = (...names: string[]): string => join(root, 'build', ...names)

export interface Staged {
  /** Folder with the one native binding the package needs, under the name better-sqlite3 looks for. */
  readonly prebuilds: string
  /** File with the licences of everything that was bundled. */
  readonly licences: string
}

/** The configuration of electron-builder 26 (electron.build/configuration). */
export const configuration = (runtime: Runtime, identity: Identity, staged: Staged, output: string) => ({
  appId: identity.appId,
  productName: identity.productName,
  copyright: 'Copyright The Affidavit authors, Apache-2.0',
  electronVersion: runtime.version,
  electronDist: runtime.dist,
  npmRebuild: false,
  electronFuses: fuses,
  electronLanguages: ['en-US'],
  directories: { output, buildResources: build() },
  extraMetadata: {
    productName: identity.productName,
    version: identity.version,
    desktopName: 'affidavit.desktop',
    bin: null,
    engines: null,
    allowScripts: null
  },
  files: [
    'package.json',
    'out/main/*.{js,html}',
    'out/preload/*.cjs',
    'out/renderer/**/*',
    '!**/*.map',
    '!node_modules/better-sqlite3/{deps,src,prebuilds}{,/**/*}',
    '!node_modules/better-sqlite3/{binding.gyp,README.md}',
    '!node_modules/node-addon-api{,/**/*}',
    { from: staged.prebuilds, to: 'node_modules/better-sqlite3/prebuilds' }
  ],
  asarUnpack: ['**/*.node'],
  extraResources: [
    { from: join(root, 'LICENSE'), to: 'LICENSE.txt' },
    { from: staged.licences, to: 'THIRD-PARTY-LICENSES.txt' }
  ],
  afterPack: join(root, 'scripts', 'packaging', 'after-pack.cjs'),
  fileAssociations: [
    // A double extension cannot be associated on Windows and macOS; on Linux the MIME database does both (build/linux/affidavit.xml).
    {
      ext: 'affidavit',
      name: 'Affidavit bundle',
      description: 'Affidavit bundle',
      mimeType: 'application/vnd.affidavit.bundle+zip',
      role: 'Viewer'
    }
  ],
  artifactName: `${manifest.name}-\${version}-\${os}-\${arch}.\${ext}`,
  publish: null,
  linux: {
    target: ['dir'],
    executableName: desktopExecutable.linux,
    icon: build('icons'),
    category: 'Office',
    extraFiles: [{ from: build('linux', 'affidavit'), to: 'affidavit' }]
  },
  win: {
    target: ['nsis'],
    executableName: 'Affidavit',
    icon: build('icons', '1024x1024.png'),
    extraResources: [{ from: build('win', 'affidavit.cmd'), to: 'bin/affidavit.cmd' }]
  },
  // For the user who installs it: no administrator is asked for, and a removal leaves the workspaces where they are.
  nsis: { oneClick: true, perMachine: false, deleteAppDataOnUninstall: false, shortcutName: identity.productName },
  mac: {
    target: ['dmg', 'zip'],
    icon: build('icons', '1024x1024.png'),
    category: 'public.app-category.business',
    hardenedRuntime: true,
    gatekeeperAssess: false,
    entitlements: build('mac', 'entitlements.plist'),
    entitlementsInherit: build('mac', 'entitlements.plist'),
    extraResources: [{ from: build('mac', 'affidavit'), to: 'bin/affidavit' }]
  }
})
