// SPDX-License-Identifier: Apache-2.0
import type { ErrorCode, Failure } from '../../../shared/contract/errors.ts'

/** The HTTP status of each error code: the one table of it. */
export function statusOf(code: ErrorCode): number {
  switch (code) {
    case 'bad_request':
    case 'malformed_json':
    case 'invalid_filter':
    case 'invalid_cursor':
      return 400
    case 'unauthorized':
      return 401
    case 'forbidden_host':
    case 'forbidden_origin':
    case 'forbidden':
      return 403
    case 'not_found':
    case 'unknown_operation':
      return 404
    case 'conflict':
    case 'id_conflict':
    case 'file_exists':
    case 'not_collecting':
    case 'cancelled':
    case 'second_person_needed':
    case 'on_hold':
      return 409
    case 'handle_expired':
    case 'payload_missing':
    case 'erased':
      return 410
    case 'too_large':
      return 413
    case 'unsupported_media_type':
      return 415
    case 'no_good_record':
    case 'not_this_format':
    case 'file_unreadable':
    case 'nothing_selected':
    case 'key_needed':
    case 'wrong_key':
      return 422
    case 'rate_limited':
      return 429
    case 'internal':
    case 'not_confirmed':
      return 500
    case 'unreachable':
    case 'not_trusted':
      return 502
    case 'read_only':
    case 'workspace_locked':
    case 'workspace_damaged':
    case 'not_writable':
    case 'keys_unavailable':
    case 'too_many':
    case 'busy':
    case 'engine_unavailable':
      return 503
    case 'disk_full':
      return 507
    default:
      return unknownCode(code)
  }
}

function unknownCode(_code: never): number {
  return 500
}

/** Seconds after which a client may try again, for the codes where trying again helps. */
export function retryAfterOf(code: ErrorCode): number | null {
  switch (code) {
    case 'rate_limited':
    case 'busy':
      return 1
    case 'too_many':
    case 'engine_unavailable':
      return 5
    default:
      return null
  }
}

/** Body of every error answer: `{error: {code, message, details?}}`. */
export const errorBody = (error: Failure): string => JSON.stringify({ error })

/** What the HTTP side itself refuses. Fixed sentences: nothing of a request is ever repeated in an answer. */
export const refusals = {
  host: { code: 'forbidden_host', message: 'The Host header is not one this server answers to.' },
  origin: { code: 'forbidden_origin', message: 'Requests from this web origin are not accepted.' },
  mediaType: {
    code: 'unsupported_media_type',
    message: 'POST bodies are application/json or application/x-ndjson, in UTF-8 and without a content encoding.'
  },
  notNdjson: { code: 'unsupported_media_type', message: 'This route takes application/json only.' },
  rate: { code: 'rate_limited', message: 'Too many requests from this client.' },
  token: { code: 'unauthorized', message: 'A valid bearer token with the scope for this route is needed.' },
  tooLarge: { code: 'too_large', message: 'The body is larger than 10 MiB. Larger amounts are sent as NDJSON.' },
  operationTooLarge: { code: 'too_large', message: 'The body is larger than 256 KiB, more than this route can need.' },
  tooManyItems: { code: 'too_large', message: 'An array holds at most 100,000 events. Larger amounts are sent as NDJSON.' },
  slowBody: { code: 'bad_request', message: 'The body did not arrive in time.' },
  otlpTooLarge: { code: 'too_large', message: 'The body is larger than 20 MiB, or becomes so when it is unpacked.' },
  otlpType: { code: 'unsupported_media_type', message: 'OTLP bodies are application/x-protobuf or application/json, plain or gzip.' },
  undecodable: { code: 'bad_request', message: 'The body is not an OTLP export request.' },
  busy: { code: 'busy', message: 'Too many exports are waiting for their commit.' },
  malformed: { code: 'malformed_json', message: 'The body is not valid JSON in UTF-8.' },
  notAnObject: { code: 'bad_request', message: 'The body is not a JSON object.' },
  unknownField: { code: 'bad_request', message: 'The body has a field that this route does not know.' },
  noRoute: { code: 'not_found', message: 'There is no such route on this server.' },
  upstream: { code: 'not_found', message: 'There is no upstream of this name.' },
  malformedRequest: { code: 'bad_request', message: 'The request is not valid HTTP.' },
  slowHead: { code: 'bad_request', message: 'The head of the request did not arrive in time.' },
  largeHead: { code: 'too_large', message: 'The head of the request is too large.' },
  source: { code: 'bad_request', message: 'The x-affidavit-source header is 1 to 128 printable ASCII characters.' },
  streams: { code: 'too_many', message: 'All stream places are taken.' },
  eventId: { code: 'invalid_cursor', message: 'The last event id is not the number of an event this ledger has reached.' },
  noGoodRecord: { code: 'no_good_record', message: 'No record of this request could be taken.' },
  internal: { code: 'internal', message: 'The request failed inside the engine; its log names the reason.' }
} as const satisfies Record<string, Failure>
