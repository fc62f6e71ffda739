// SPDX-License-Identifier: Apache-2.0
import { existsSync, statSync } from 'node:fs'
import { isAbsolute, resolve } from 'node:path'

const BUNDLE = /\.affidavit(\.zip)?(\.age)?$/i

/** The bundle that a command line names: what the system passes when such a file is opened with the app; null when there is none. */
export function bundleIn(argv: readonly string[], cwd: string): string | null {
  for (const one of argv.slice(1)) {
    if (one.startsWith('-') || !BUNDLE.test(one) || one.includes('\0')) continue
    const path = isAbsolute(one) ? one : resolve(cwd, one)
    if (existsSync(path) && statSync(path).isFile()) return path
  }
  return null
}

/** A file that the system asked the app to open, until the page takes it. */
export class OpenedFiles {
  #waiting: string | null = null
  #changed: (() => void) | null = null

  /** Called at each file from now on. */
  onChange(changed: () => void): void {
    this.#changed = changed
  }

  offer(path: string | null): void {
    if (path === null) return
    this.#waiting = path
    this.#changed?.()
  }

  /** Gives it once. */
  take(): string | null {
    const path = this.#waiting
    this.#waiting = null
    return path
  }
}
