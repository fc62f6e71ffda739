// SPDX-License-Identifier: Apache-2.0
import type { z } from 'zod'
import type { LeafType } from '../evidence/leaf-types.ts'

/** One operation of the contract. IPC, HTTP and command line are derived from this. */
export interface Operation<I extends z.ZodType = z.ZodType, O extends z.ZodType = z.ZodType> {
  /** One sentence; becomes the summary in the OpenAPI document. */
  readonly summary: string
  readonly input: I
  readonly output: O
  /** `write` is refused while the workspace is read-only. */
  readonly access: 'read' | 'write'
  /** The leaves its use leaves behind, if any. */
  readonly leaves: readonly LeafType[]
}

/** Declares an operation; keeps the exact schema types. */
export const operation = <I extends z.ZodType, O extends z.ZodType>(definition: Operation<I, O>): Operation<I, O> => definition
