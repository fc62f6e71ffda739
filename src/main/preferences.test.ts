// SPDX-License-Identifier: Apache-2.0
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { readPreferences, writePreferences } from './preferences.ts'

let folder = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'affidavit-preferences-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

describe('preferences', () => {
  it('come back as they were written, private to their owner', () => {
    const path = join(folder, 'deep', 'shell.json')
    const preferences = { theme: 'dark', workspace: '/w', window: { x: 1, y: 2, width: 1300, height: 900, maximized: true } } as const
    writePreferences(path, preferences)
    expect(readPreferences(path)).toEqual(preferences)
    if (process.platform !== 'win32') expect(statSync(path).mode & 0o777).toBe(0o600)
  })

  it('take their defaults where the file is absent, damaged or wrong in part', () => {
    const path = join(folder, 'shell.json')
    const defaults = { theme: 'system', workspace: null, window: null }
    expect(readPreferences(path)).toEqual(defaults)
    for (const content of ['', '{', 'null', '[]', '"x"', '{"theme":"pink","workspace":7,"window":{"x":"a"}}']) {
      writeFileSync(path, content)
      expect(readPreferences(path)).toEqual(defaults)
    }
    writeFileSync(path, '{"theme":"dark","window":{"x":1e99}}')
    expect(readPreferences(path)).toEqual({ ...defaults, theme: 'dark' })
  })
})
