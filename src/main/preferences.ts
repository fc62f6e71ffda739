// SPDX-License-Identifier: Apache-2.0
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { z } from 'zod'
import { themeChoice } from '../shared/contract/shell.ts'

const coordinate = z.int().min(-100_000).max(100_000)

const schema = z.object({
  theme: themeChoice.catch('system'),
  workspace: z.string().min(1).nullable().catch(null),
  window: z.object({ x: coordinate, y: coordinate, width: coordinate, height: coordinate, maximized: z.boolean() }).nullable().catch(null)
})
/** What the shell remembers between starts. Nothing of a workspace's content. */
export type Preferences = z.output<typeof schema>

/** Reads the file; whatever is absent or damaged takes its default, since the shell must start in any case. */
export function readPreferences(path: string): Preferences {
  let content: unknown = {}
  try {
    content = JSON.parse(readFileSync(path, 'utf8'))
  } catch {
    // First start, or an unreadable file: defaults.
  }
  const parsed = schema.safeParse(content)
  return parsed.success ? parsed.data : { theme: 'system', workspace: null, window: null }
}

export function writePreferences(path: string, preferences: Preferences): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
  const next = `${path}.${process.pid}.tmp`
  writeFileSync(next, `${JSON.stringify(preferences, null, 2)}\n`, { mode: 0o600 })
  renameSync(next, path)
}
