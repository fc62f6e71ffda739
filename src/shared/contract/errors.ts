// SPDX-License-Identifier: Apache-2.0
import { z } from 'zod'

/** The closed union of error codes. Stable: clients branch on them. A new failure gets a code here, never a free string. */
export const errorCodes = [
  'bad_request',
  'malformed_json',
  'unknown_operation',
  'not_found',
  'handle_expired',
  'cancelled',
  'conflict',
  'id_conflict',
  'invalid_filter',
  'invalid_cursor',
  'no_good_record',
  'not_this_format',
  'file_unreadable',
  'file_exists',
  'key_needed',
  'wrong_key',
  'unreachable',
  'not_trusted',
  'payload_missing',
  'read_only',
  'workspace_locked',
  'workspace_damaged',
  'not_writable',
  'keys_unavailable',
  'nothing_selected',
  'not_collecting',
  'too_large',
  'too_many',
  'forbidden_host',
  'forbidden_origin',
  'unauthorized',
  'forbidden',
  'second_person_needed',
  'on_hold',
  'erased',
  'unsupported_media_type',
  'rate_limited',
  'busy',
  'engine_unavailable',
  'disk_full',
  'not_confirmed',
  'internal'
] as const

export const errorCode = z.enum(errorCodes)
export type ErrorCode = z.infer<typeof errorCode>

/** What a failed call carries: a stable code, a sentence that says what happened and what to do, and machine details without any user content. */
export const failure = z.object({
  code: errorCode,
  message: z.string(),
  details: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])).optional()
})
export type Failure = z.infer<typeof failure>

/** Every reply over every transport. */
export type Reply<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly error: Failure }

/** Thrown by handlers and by the client; crosses the boundary as {@link Failure}. */
export class AffidavitError extends Error {
  readonly code: ErrorCode
  readonly details: Failure['details']
  constructor(code: ErrorCode, message: string, details?: Failure['details']) {
    super(message)
    this.name = 'AffidavitError'
    this.code = code
    this.details = details
  }
  /** The form that crosses the boundary. */
  toFailure(): Failure {
    return { code: this.code, message: this.message, ...(this.details ? { details: this.details } : {}) }
  }
}
