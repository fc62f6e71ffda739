// SPDX-License-Identifier: Apache-2.0
import { closeSync, mkdirSync, openSync, readFileSync, rmSync, statSync, writeSync } from 'node:fs'
import { homedir } from 'node:os'
import { isAbsolute, join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { say } from './project.ts'

/** Folder that outlives one clone: runtime and native binding are fetched or built once per user. */
export function cacheFolder(): string {
  const named = process.env.XDG_CACHE_HOME
  const base =
    named !== undefined && isAbsolute(named)
      ? named
      : process.platform === 'win32'
        ? (process.env.LOCALAPPDATA ?? join(homedir(), 'AppData', 'Local'))
        : process.platform === 'darwin'
          ? join(homedir(), 'Library', 'Caches')
          : join(homedir(), '.cache')
  const folder = join(base, 'affidavit')
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  return folder
}

const STALE_MS = 20 * 60_000
const GIVE_UP_MS = 20 * 60_000

/** True when the lock's owner is gone, or so old that it must be. */
function isStale(lock: string): boolean {
  try {
    if (Date.now() - statSync(lock).mtimeMs > STALE_MS) return true
    const pid = Number(readFileSync(lock, 'utf8'))
    // An empty lock is one whose owner has created and not yet written it.
    if (!Number.isInteger(pid) || pid <= 0) return false
    process.kill(pid, 0)
    return false
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ESRCH'
  }
}

/** Runs `work` while no other process of this user does the work of the same name. */
export async function withLock<T>(name: string, work: () => Promise<T>): Promise<T> {
  const lock = join(cacheFolder(), `${name}.lock`)
  const started = Date.now()
  let told = false
  for (;;) {
    try {
      const fd = openSync(lock, 'wx', 0o600)
      writeSync(fd, String(process.pid))
      closeSync(fd)
      break
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    }
    if (isStale(lock)) {
      rmSync(lock, { force: true })
      continue
    }
    if (Date.now() - started > GIVE_UP_MS) throw new Error(`another process has been holding ${lock} for too long`)
    if (!told) say(`waiting for another process that prepares the ${name}`)
    told = true
    await wait(300)
  }
  const release = (): void => rmSync(lock, { force: true })
  process.once('exit', release)
  try {
    return await work()
  } finally {
    process.off('exit', release)
    release()
  }
}
