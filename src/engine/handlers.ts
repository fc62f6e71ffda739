// SPDX-License-Identifier: Apache-2.0
import type { OperationName, OperationOutput, ParsedInput } from '../shared/contract/contract.ts'
import type { Actor } from './ledger/draft.ts'

/** Who calls, and how: every handler gets one. `signal` is aborted when the caller cancels or goes away. */
export interface Caller {
  readonly actor: Actor
  readonly via: 'ipc' | 'http' | 'cli'
  readonly signal?: AbortSignal
}

/** Handlers for some operations, typed by the contract. They throw AffidavitError. */
export type Handlers<N extends OperationName> = {
  readonly [K in N]: (input: ParsedInput<K>, caller: Caller) => Promise<OperationOutput<K>>
}
