// SPDX-License-Identifier: Apache-2.0
import type { BundleVerdict } from '../shared/evidence/verify-bundle.ts'
import type { Trust } from '../shared/evidence/verify-steps.ts'

/** What the page asks of its worker. */
export interface Work {
  readonly bundle: Blob
  readonly trust: Trust | undefined
}

/** What can be shown of a verdict. */
export type PageVerdict = Omit<BundleVerdict, 'seen' | 'memory'> & { readonly sha256: string }

/** What the worker answers: progress, then one of the other two. */
export type Answer =
  | { readonly is: 'progress'; readonly done: number; readonly total: number }
  | { readonly is: 'verdict'; readonly verdict: PageVerdict }
  /** The file is no bundle, or one of the shapes that are refused. */
  | { readonly is: 'refused'; readonly message: string }
