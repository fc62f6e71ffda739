// SPDX-License-Identifier: Apache-2.0
// What the six steps of the bundle verifier share.
import { verifySteps } from '../contract/exports.ts'
import type { Sha256 } from './merkle.ts'
import type { Ed25519Verify } from './note.ts'

/** The files of a bundle, from wherever they come. */
export interface BundleFiles {
  names(): readonly string[]
  size(name: string): number
  read(name: string): Promise<Uint8Array>
  /** SHA-256 in hex, streamed; `unreadable` for what is damaged. */
  hash(name: string): Promise<string>
  /** Lines without their line feed, streamed; a last line without one is yielded too. */
  lines(name: string): AsyncIterable<Uint8Array>
}

export interface VerifyCrypto {
  readonly sha256: Sha256
  readonly sha512: (data: Uint8Array) => Uint8Array
  readonly ed25519Verify: Ed25519Verify
}

/** Keys that were confirmed outside the bundle, as texts of the files given with --trust. */
export interface Trust {
  /** They were confirmed at another bundle of this log: one that they did not sign may be older or newer, and is not confirmed. Otherwise it is refused. */
  readonly remembered?: boolean
  readonly logVkey?: string | undefined
  readonly allowedSigners?: string | undefined
  /** Certificates that a timestamp authority must lead to, PEM. */
  readonly tsaCa?: string | undefined
  /** Verifier keys of witnesses, one a line. */
  readonly witnessVkeys?: string | undefined
}

export interface Reason {
  readonly code: string
  readonly message: string
  readonly subject?: string
}

export type StepState = 'pass' | 'fail' | 'not_checked' | 'absent'

export interface Step {
  readonly number: number
  readonly title: string
  readonly state: StepState
  readonly summary: string
  readonly reasons: readonly Reason[]
}

/** Collects the faults of one step; beyond the cap they are only counted. */
export class StepReport {
  readonly #number: number
  readonly #reasons: Reason[] = []
  #more = 0

  constructor(number: number) {
    this.#number = number
  }

  get failed(): boolean {
    return this.#reasons.length > 0
  }

  fault(code: string, message: string, subject?: string): void {
    if (this.#reasons.length < 100) this.#reasons.push(subject === undefined ? { code, message } : { code, message, subject })
    else this.#more++
  }

  /** @param summary one line of what was found */
  done(summary: string, state: StepState = this.failed ? 'fail' : 'pass'): Step {
    const reasons = this.#more > 0 ? [...this.#reasons, { code: 'more', message: `${this.#more} more faults` }] : this.#reasons
    return { number: this.#number, title: verifySteps[this.#number - 1] ?? '', state, summary, reasons }
  }
}

/** Told how far the work is, in bytes read, and asked whether to stop. */
export interface VerifyProgress {
  progress?(done: number, total: number): void
  cancelled?(): boolean
}
