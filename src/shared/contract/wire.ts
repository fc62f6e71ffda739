// SPDX-License-Identifier: Apache-2.0
import type { Reply } from './errors.ts'

/** Page, command line → engine. Main only forwards these. */
export type ToEngine =
  | { readonly kind: 'call'; readonly id: string; readonly op: string; readonly input: unknown }
  | { readonly kind: 'cancel'; readonly id: string }
  | { readonly kind: 'subscribe'; readonly id: string; readonly topic: string; readonly input: unknown }
  | { readonly kind: 'unsubscribe'; readonly id: string }

/** Engine → page, command line. */
export type FromEngine =
  | { readonly kind: 'reply'; readonly id: string; readonly reply: Reply<unknown> }
  | { readonly kind: 'event'; readonly id: string; readonly event: unknown }

/** How the engine is told where to work: the first message under Electron and from the command line. */
export interface EngineStart {
  readonly kind: 'start'
  readonly config: {
    readonly workspace: string
    /** Folder outside the workspace for heads.json and key files. */
    readonly state: string
    /** null: no servers (command line work). Port 0 asks the system for a free one. */
    readonly compliance: { readonly host: string; readonly port: number } | null
    readonly drift: { readonly host: string; readonly port: number } | null
    readonly appVersion: string
    /** `safe-storage`: keys are wrapped by main over this port; otherwise the engine uses the passphrase file or a key file. */
    readonly keyProtection: 'safe-storage' | 'file'
    readonly passphraseFile?: string
    /** Typed by a person; counts before the file. Never logged. */
    readonly passphrase?: string
    /** A person goes on without the passphrase: read-only, contents closed. */
    readonly withoutKeys?: boolean
    /** Whoever started the engine answers {@link PrintRequest}. */
    readonly prints?: boolean
    readonly allowedHosts?: readonly string[]
    /** First restores this backup to `workspace`, which must be a new folder. `acceptLoss`: a person knows that newer leaves are gone. */
    readonly restore?: { readonly from: string; readonly acceptLoss: boolean }
    /** First makes `workspace`, which must be a new folder, a sample. `records`: null for the usual one. `now`: where its week ends, milliseconds since 1970. */
    readonly sample?: { readonly records: number | null; readonly now: number }
  }
}

/** Key wrapping between engine and main: plaintext never leaves these two processes. */
export type KeyRequest =
  | { readonly kind: 'keys.wrap'; readonly id: string; readonly plaintext: string }
  | { readonly kind: 'keys.unwrap'; readonly id: string; readonly wrapped: string }
export type KeyReply = { readonly kind: 'keys.reply'; readonly id: string; readonly ok: boolean; readonly value: string }

/** Engine → main: the keys were protected in another way, and an engine that is started again needs this; null: no passphrase. Never logged. */
export interface PassphraseChanged {
  readonly kind: 'keys.passphrase'
  readonly passphrase: string | null
}

/** Engine → main or command line: a page to print as PDF. */
export interface PrintRequest {
  readonly kind: 'print'
  readonly id: string
  readonly html: string
  readonly footer: string
}
/** `pdf` is null when it could not be printed; `message` then says why. */
export interface PrintReply {
  readonly kind: 'print.reply'
  readonly id: string
  readonly pdf: Uint8Array | null
  readonly message: string
}

/** Main or command line → engine: commit what is waiting, sign, close and exit. */
export interface EngineStop {
  readonly kind: 'stop'
}

/** Engine → main or command line: it serves (or cannot, with a code). */
export type EngineState =
  | { readonly kind: 'ready' }
  | {
      readonly kind: 'failed'
      readonly code: string
      readonly message: string
      /** What a person could give to make it start. */
      readonly asks?: 'passphrase' | 'another_passphrase'
    }
