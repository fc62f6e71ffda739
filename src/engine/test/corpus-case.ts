// SPDX-License-Identifier: Apache-2.0

/** One bundle of the corpus and what every verifier has to say of it. */
export interface CorpusCase {
  readonly name: string
  /** File in the folder of the corpus. */
  readonly file: string
  /** Whether the keys of the folder `trust` are given. */
  readonly trusted: boolean
  /** `refused`: the file is no bundle, no step is run. */
  readonly verdict: 'valid' | 'consistent, signer not confirmed' | 'invalid' | 'refused'
  /** A step that fails, and its reason; null when all hold. */
  readonly step: number | null
  readonly code: string | null
  /** Folder with the files as `unzip` would leave them, for the shell; null where there is none to speak of. */
  readonly folder: string | null
  /** The step that fails for the shell, where it sees the fault in another one. */
  readonly shellStep: number | null
}
