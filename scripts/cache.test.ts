// SPDX-License-Identifier: Apache-2.0
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { cacheFolder, withLock } from './cache.ts'

let folder = ''
const before = process.env.XDG_CACHE_HOME
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'affidavit-cache-'))
  process.env.XDG_CACHE_HOME = folder
})
afterEach(() => {
  if (before === undefined) delete process.env.XDG_CACHE_HOME
  else process.env.XDG_CACHE_HOME = before
  rmSync(folder, { recursive: true, force: true })
})

describe('withLock', () => {
  it('lets one at a time work, and releases after an error', async () => {
    let inside = 0
    let most = 0
    const work = async () => {
      inside += 1
      most = Math.max(most, inside)
      await wait(20)
      inside -= 1
    }
    await expect(withLock('x', () => Promise.reject(new Error('failed')))).rejects.toThrow('failed')
    await Promise.all([withLock('x', work), withLock('x', work), withLock('x', work)])
    expect(most).toBe(1)
    expect(existsSync(join(cacheFolder(), 'x.lock'))).toBe(false)
  })
  it('takes over the lock of a process that is gone', async () => {
    // Above the largest process id Linux gives.
    writeFileSync(join(cacheFolder(), 'x.lock'), '99999999')
    expect(await withLock('x', async () => 'done')).toBe('done')
  })
})
