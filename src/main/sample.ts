// SPDX-License-Identifier: Apache-2.0
import { existsSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { EngineStart } from '../shared/contract/wire.ts'

/** The sample workspace beside the shell's own data. It is open for this run of the app at most: nothing of it is remembered. */
export class Sample {
  readonly path: string
  #open = false

  constructor(userData: string) {
    this.path = join(userData, 'sample-workspace')
  }

  get isOpen(): boolean {
    return this.#open
  }

  /** What the engine needs in addition to start on it. */
  get config(): Pick<EngineStart['config'], 'sample'> {
    if (!this.#open || existsSync(join(this.path, 'head'))) return {}
    // Made anew where an earlier attempt was cut off.
    this.remove()
    return { sample: { records: null, now: Date.now() } }
  }

  set(open: boolean): void {
    this.#open = open
  }

  remove(): void {
    rmSync(this.path, { recursive: true, force: true })
  }
}
