// SPDX-License-Identifier: Apache-2.0
import { existsSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { AffidavitError } from '../shared/contract/errors.ts'
import type { EngineProcess } from './engine-process.ts'

export interface EnginesOptions {
  readonly own: EngineProcess
  /** A process for the folder of a review, not started yet. */
  readonly forReview: (folder: string) => EngineProcess
  /** Folder in which engines make reviews. */
  readonly reviews: string
  /** Runs a change of the engine that the windows speak with. */
  readonly turn: (change: () => void) => void
}

/**
 * The engine of the workspace, and beside it, while a bundle is looked through, that of the review: recording goes on meanwhile. The windows
 * speak with one of the two.
 */
export class Engines {
  readonly #options: EnginesOptions
  #review: { readonly engine: EngineProcess; readonly folder: string } | null = null

  constructor(options: EnginesOptions) {
    this.#options = options
    // What an earlier run left: nothing of a review is kept.
    rmSync(options.reviews, { recursive: true, force: true })
  }

  get shown(): EngineProcess {
    return this.#review?.engine ?? this.#options.own
  }

  /** Opens what the engine made ready. @throws AffidavitError not_found */
  async openReview(id: string): Promise<void> {
    const folder = join(this.#options.reviews, id)
    if (!existsSync(join(folder, 'review.json')))
      throw new AffidavitError('not_found', 'this review is not here any more: open the bundle again')
    await this.leaveReview()
    const engine = this.#options.forReview(folder)
    this.#options.turn(() => {
      this.#review = { engine, folder }
    })
    engine.start()
  }

  /** Goes back to the workspace and removes the review. */
  async leaveReview(): Promise<void> {
    const open = this.#review
    if (open === null) return
    this.#options.turn(() => {
      this.#review = null
    })
    await open.engine.stop()
    rmSync(open.folder, { recursive: true, force: true })
  }

  async stop(): Promise<void> {
    await Promise.all([this.leaveReview(), this.#options.own.stop()])
  }
}
