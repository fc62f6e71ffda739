// SPDX-License-Identifier: Apache-2.0
import { closeSync, fsyncSync, openSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { threadId } from 'node:worker_threads'

/** Puts what was written to a file by others on disk. */
export function syncFile(path: string): void {
  const fd = openSync(path, 'r+')
  try {
    fsyncSync(fd)
  } finally {
    closeSync(fd)
  }
}

/** Makes a rename or a new name durable. */
export function syncFolder(path: string): void {
  if (process.platform === 'win32') return
  const fd = openSync(path, 'r')
  try {
    fsyncSync(fd)
  } finally {
    closeSync(fd)
  }
}

/** Replaces a file so that a crash leaves either the old or the new content: temporary file, fsync, rename, fsync of the folder. */
export function writeFileDurably(path: string, content: string | Uint8Array, mode = 0o600): void {
  // Threads of one process may write the same file.
  const temporary = `${path}.${process.pid}.${threadId}.tmp`
  const fd = openSync(temporary, 'w', mode)
  try {
    try {
      // A single write may stop short, on a full disk without an error.
      writeFileSync(fd, content)
      fsyncSync(fd)
    } finally {
      closeSync(fd)
    }
    renameSync(temporary, path)
  } catch (error) {
    rmSync(temporary, { force: true })
    throw error
  }
  syncFolder(dirname(path))
}
