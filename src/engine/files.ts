// SPDX-License-Identifier: Apache-2.0
import { open, rename, rm } from 'node:fs/promises'
import { dirname } from 'node:path'

/** Two writes of one file at a time must not share their temporary file. */
let asides = 0

/** {@link writeFileDurably} that holds no thread while the disk works. */
export async function writeFileDurablyAside(path: string, content: string, mode = 0o600): Promise<void> {
  const temporary = `${path}.${process.pid}.${++asides}.tmp`
  try {
    const file = await open(temporary, 'w', mode)
    try {
      await file.writeFile(content, 'utf8')
      await file.sync()
    } finally {
      await file.close()
    }
    await rename(temporary, path)
  } catch (error) {
    await rm(temporary, { force: true })
    throw error
  }
  if (process.platform === 'win32') return
  const folder = await open(dirname(path), 'r')
  try {
    await folder.sync()
  } finally {
    await folder.close()
  }
}
