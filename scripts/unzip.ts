// SPDX-License-Identifier: Apache-2.0
import { createWriteStream, mkdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import yauzl from 'yauzl'

/** Unpacks the entries of a zip for which `place` gives a path relative to `folder`; keeps permission bits. Reports bytes as they are written. */
export async function unzip(
  archive: string,
  folder: string,
  place: (entry: string) => string | null,
  progress: (done: number, total: number) => void
): Promise<void> {
  const zip = await yauzl.openPromise(archive, { lazyEntries: true, autoClose: false })
  try {
    const entries: { readonly entry: yauzl.Entry; readonly to: string }[] = []
    for await (const entry of zip.eachEntry()) {
      if (entry.fileName.endsWith('/')) continue
      const to = place(entry.fileName)
      if (to === null) continue
      if (to.split(/[/\\]/).includes('..')) throw new Error(`unexpected path in ${archive}`)
      entries.push({ entry, to })
    }
    const total = entries.reduce((sum, { entry }) => sum + entry.uncompressedSize, 0)
    let done = 0
    for (const { entry, to } of entries) {
      const path = join(folder, to)
      mkdirSync(dirname(path), { recursive: true })
      const mode = (entry.externalFileAttributes >>> 16) & 0o777 || 0o644
      await pipeline(await zip.openReadStreamPromise(entry), createWriteStream(path, { mode }))
      done += entry.uncompressedSize
      progress(done, total)
    }
  } finally {
    zip.close()
  }
}
