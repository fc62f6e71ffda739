// SPDX-License-Identifier: Apache-2.0
import type { EngineStart } from '../shared/contract/wire.ts'

/**
 * The passphrase of the keys as a person typed it, for as long as the app runs: an engine that is started again after a fault needs it again, and
 * recording goes on. It goes to the engine over its port and nowhere else: to no argument, no variable, no file, no log.
 */
export class Unlock {
  /** null: a person chose to go on without the keys. */
  #given: string | null | undefined

  give(passphrase: string | null): void {
    this.#given = passphrase
  }

  /** The keys are protected in another way from now on. */
  changed(passphrase: string | null): void {
    this.#given = passphrase ?? undefined
  }

  /** Asks again at the next start: it was refused, another workspace is opened, or a person starts the engine anew. */
  forget(): void {
    this.#given = undefined
  }

  /** Forgets the choice to go without the keys, so that a start by hand asks for them again. */
  askAgain(): void {
    if (this.#given === null) this.#given = undefined
  }

  get config(): Pick<EngineStart['config'], 'passphrase' | 'withoutKeys'> {
    if (this.#given === undefined) return {}
    return this.#given === null ? { withoutKeys: true } : { passphrase: this.#given }
  }
}
