// SPDX-License-Identifier: Apache-2.0

/** A head of a log that a reviewer has seen at a time. */
export interface SeenHead {
  readonly origin: string
  readonly size: number
  /** Base64. */
  readonly root: string
  /** When it was signed. */
  readonly signed: string
}

/** One bundle of the corpus and what every verifier has to say of it. */
export interface CorpusCase {
  readonly name: string
  /** File in the folder of the corpus. */
  readonly file: string
  /** Whether the keys of the folder `trust` are given. */
  readonly trusted: boolean
  /** Folder of confirmed keys that are given instead; null where there is none. */
  readonly confirmed: string | null
  /** `refused`: the file is no bundle, or the confirmed keys cannot be read; no step is run. */
  readonly verdict: 'valid' | 'consistent, signer not confirmed' | 'invalid' | 'refused'
  /** A step that fails, and its reason; null when all hold. */
  readonly step: number | null
  readonly code: string | null
  /** Folder with the files as `unzip` would leave them, for the shell; null where there is none to speak of. */
  readonly folder: string | null
  /** The step that fails for the shell, where it sees the fault in another one. */
  readonly shellStep: number | null
  /** The reason that the shell gives, where it has another. */
  readonly shellCode: string | null
  /** What the shell says instead: of more than a thousand leaves it checks the tree above them and a sample. Null: as the others. */
  readonly shellVerdict: 'no fault found, 2 steps not checked' | null
  /**
   * A head that was seen before, and what a verifier that remembers it says: the code of a fault in step 3, or null when it fits. The verdict
   * above is that of a verifier without a memory. Null where nothing was seen.
   */
  readonly remembered: { readonly head: SeenHead; readonly code: 'fork' | 'rollback' | null } | null
}
