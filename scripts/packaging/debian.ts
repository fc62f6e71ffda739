// SPDX-License-Identifier: Apache-2.0
// A package for Debian and Ubuntu. dpkg-deb alone makes it; what there is for Electron apps knows no MIME types of its own.
import {
  chmodSync,
  copyFileSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { manifest, root, run } from '../project.ts'
import { windowPackages } from '../system-packages.ts'
import type { Identity } from './identity.ts'

const architectures: Readonly<Record<string, string>> = { x64: 'amd64', arm64: 'arm64' }

const kilobytes = (folder: string): number =>
  Math.ceil(
    readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .reduce((sum, entry) => sum + statSync(join(entry.parentPath, entry.name)).size, 0) / 1024
  )

const control = (identity: Identity, architecture: string, size: number): string =>
  [
    `Package: ${manifest.name}`,
    `Version: ${identity.debianVersion}`,
    `Architecture: ${architecture}`,
    'Maintainer: The Affidavit authors <noreply@affidavit.invalid>',
    'Section: admin',
    'Priority: optional',
    `Installed-Size: ${size}`,
    `Depends: libc6, ${windowPackages.map((choice) => choice.join(' | ')).join(', ')}`,
    'Recommends: desktop-file-utils, libnotify4, libsecret-1-0, shared-mime-info, xdg-utils',
    `Description: ${manifest.description}`,
    ' Records what models were asked and answered, keeps the record tamper-evident,',
    ' notices drift, and hands out signed bundles.',
    ...(identity.test ? [' .', ' This package is for tests, not for release: its runtime is out of support.'] : [])
  ].join('\n')

/** A folder with the mode that the files of a package have, whatever the umask. */
function folder(...parts: string[]): string {
  const path = join(...parts)
  mkdirSync(path, { recursive: true, mode: 0o755 })
  return path
}

function place(from: string, to: string): void {
  copyFileSync(from, to)
  chmodSync(to, 0o644)
}

function images(from: string, share: string, kind: string, name: string): void {
  for (const file of readdirSync(join(root, 'build', from))) {
    const size = file.replace('.png', '')
    place(join(root, 'build', from, file), join(folder(share, 'icons', 'hicolor', size, kind), `${name}.png`))
  }
}

/** Makes the package from the unpacked app and returns its path. */
export async function debianPackage(unpacked: string, identity: Identity, arch: string, output: string): Promise<string> {
  const architecture = architectures[arch]
  if (architecture === undefined) throw new Error(`Debian has no name for ${arch} here`)
  const tree = mkdtempSync(join(tmpdir(), 'affidavit-deb-'))
  try {
    chmodSync(tree, 0o755)
    const app = join(folder(tree, 'usr', 'lib'), manifest.name)
    cpSync(unpacked, app, { recursive: true, verbatimSymlinks: true })
    chmodSync(app, 0o755)
    // The way into the sandbox where the system gives no user namespaces to everybody.
    chmodSync(join(app, 'chrome-sandbox'), 0o4755)
    symlinkSync(`../lib/${manifest.name}/affidavit`, join(folder(tree, 'usr', 'bin'), 'affidavit'))
    const share = folder(tree, 'usr', 'share')
    const entry = readFileSync(join(root, 'build/linux/affidavit.desktop'), 'utf8')
    // X11 names the class of a window after the product.
    const named = entry.replaceAll(/^(Name|StartupWMClass)=.*$/gm, `$1=${identity.productName}`)
    writeFileSync(join(folder(share, 'applications'), 'affidavit.desktop'), named, { mode: 0o644 })
    place(join(root, 'build/linux/affidavit.xml'), join(folder(share, 'mime', 'packages'), 'affidavit.xml'))
    images('icons', share, 'apps', 'affidavit')
    images('bundle-icons', share, 'mimetypes', 'application-vnd.affidavit.bundle+zip')
    const doc = folder(share, 'doc', manifest.name)
    const licence = `Copyright The Affidavit authors. Apache-2.0: /usr/share/common-licenses/Apache-2.0\nWhat it contains beside: /usr/lib/${manifest.name}/resources/THIRD-PARTY-LICENSES.txt, and for the runtime\n/usr/lib/${manifest.name}/LICENSE.electron.txt and LICENSES.chromium.html\n`
    writeFileSync(join(doc, 'copyright'), licence, { mode: 0o644 })
    const debian = folder(tree, 'DEBIAN')
    writeFileSync(join(debian, 'control'), `${control(identity, architecture, kilobytes(join(tree, 'usr')))}\n`, { mode: 0o644 })
    const path = join(output, `${manifest.name}_${identity.debianVersion}_${architecture}.deb`)
    // Nothing is run at an installation: dpkg's triggers take the desktop file, the MIME type and the icons into their databases.
    const status = await run('dpkg-deb', ['--root-owner-group', '-Zxz', '-z1', '--build', tree, path], {
      stdio: ['ignore', 'ignore', 'inherit']
    })
    if (status !== 0) throw new Error('dpkg-deb did not make the package')
    return path
  } finally {
    rmSync(tree, { recursive: true, force: true })
  }
}
