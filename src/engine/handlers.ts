// SPDX-License-Identifier: Apache-2.0
import type { OperationName, OperationOutput, ParsedInput } from '../shared/contract/contract.ts'
import type { Actor } from './ledger/draft.ts'
import type { PersonSession } from './people/person-session.ts'

/** Who calls, and how: every handler gets one. `signal` is aborted when the caller cancels or goes away. */
export interface Caller {
  readonly actor: Actor
  readonly via: 'ipc' | 'http' | 'cli'
  readonly signal?: AbortSignal
  /** The peer's own session, in the app and on the command line: what signing in changes. */
  readonly session?: PersonSession
  /** What a program authenticated for; only for clients over HTTP. */
  readonly scopes?: readonly ('ingest' | 'read' | 'write')[]
}

/** Handlers for some operations, typed by the contract. They throw AffidavitError. */
export type Handlers<N extends OperationName> = {
  readonly [K in N]: (input: ParsedInput<K>, caller: Caller) => Promise<OperationOutput<K>>
}
