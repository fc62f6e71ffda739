// SPDX-License-Identifier: Apache-2.0
// A bundle that was unpacked: the same refusals as for the names of its zip, and nothing is followed that leads out of the folder.
import { createHash } from 'node:crypto'
import { createReadStream, lstatSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { AffidavitError } from '../shared/contract/errors.ts'
import { MOST_ENTRIES } from '../shared/evidence/bundle-layout.ts'
import { concatBytes } from '../shared/evidence/bytes.ts'
import type { BundleFiles } from '../shared/evidence/verify-steps.ts'
import { linesOf, MOST_READ } from '../shared/evidence/zip-bundle.ts'
import { NameCheck, refusal } from '../shared/evidence/zip-directory.ts'

/** Every file below a folder by its name with slashes, with its size. @throws EvidenceError not_this_format */
function filesBelow(folder: string): Map<string, number> {
  const found = new Map<string, number>()
  const names = new NameCheck()
  const walk = (at: string): void => {
    for (const one of readdirSync(join(folder, at))) {
      const name = at === '' ? one : `${at}/${one}`
      const stat = lstatSync(join(folder, name))
      if (stat.isDirectory()) {
        walk(name)
        continue
      }
      if (!stat.isFile()) throw refusal('the folder holds something that is no plain file')
      names.add(name)
      found.set(name, stat.size)
      if (found.size > MOST_ENTRIES) throw refusal(`the folder holds more than ${MOST_ENTRIES} files`)
    }
  }
  walk('')
  return new Map([...found].sort(([a], [b]) => (a < b ? -1 : 1)))
}

/**
 * The files of an unpacked bundle, opened for reading by name.
 * @throws EvidenceError not_this_format: a link, a device, a name that could leave the folder; AffidavitError file_unreadable
 */
export function openFolderFiles(folder: string): BundleFiles {
  let sizes: ReadonlyMap<string, number>
  try {
    sizes = filesBelow(folder)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).syscall === undefined) throw error
    throw new AffidavitError('file_unreadable', 'the folder cannot be read')
  }
  const sizeOf = (name: string): number => {
    const size = sizes.get(name)
    if (size === undefined) throw refusal('a file of the layout is missing')
    return size
  }
  /** As many bytes as were there when the folder was read. */
  const content = async function* (name: string): AsyncGenerator<Uint8Array> {
    let size = 0
    for await (const chunk of createReadStream(join(folder, name), { highWaterMark: 256 * 1024 })) {
      size += (chunk as Buffer).length
      yield chunk as Buffer
    }
    if (size !== sizeOf(name)) throw refusal('the folder was changed while it was read')
  }
  return {
    names: () => [...sizes.keys()],
    size: sizeOf,
    async read(name) {
      if (sizeOf(name) > MOST_READ) throw refusal('a file of the folder is too large')
      const chunks: Uint8Array[] = []
      for await (const chunk of content(name)) chunks.push(chunk)
      return concatBytes(...chunks)
    },
    async hash(name) {
      const hash = createHash('sha256')
      try {
        for await (const chunk of content(name)) hash.update(chunk)
      } catch {
        return 'unreadable'
      }
      return hash.digest('hex')
    },
    lines: (name) => linesOf(content(name))
  }
}
