// SPDX-License-Identifier: Apache-2.0
import type { IncomingHttpHeaders } from 'node:http'
import { promisify } from 'node:util'
import { gunzip } from 'node:zlib'
import type { Failure } from '../../../shared/contract/errors.ts'
import { jsonEncoding } from '../../../shared/event/otlp/json.ts'
import { type Encoding, type Group, OtlpError, type Signal } from '../../../shared/event/otlp/message.ts'
import { protobufEncoding } from '../../../shared/event/otlp/protobuf.ts'
import { MALFORMED, parseJson } from '../http/body.ts'
import { refusals } from '../http/errors.ts'

/** Form of a request and of its answer. */
export type OtlpForm = 'protobuf' | 'json'

export interface OtlpType {
  readonly form: OtlpForm
  readonly gzip: boolean
}

/** What the headers say of a body; null for a type or encoding that is not taken. Forms and text/plain are among that. */
export function otlpType(headers: IncomingHttpHeaders): OtlpType | null {
  const encoding = headers['content-encoding']?.trim().toLowerCase() ?? 'identity'
  if (encoding !== 'identity' && encoding !== 'gzip') return null
  const gzip = encoding === 'gzip'
  switch (headers['content-type']?.split(';')[0]?.trim().toLowerCase()) {
    case 'application/x-protobuf':
      return { form: 'protobuf', gzip }
    case 'application/json':
      return { form: 'json', gzip }
    default:
      return null
  }
}

/** The parts of a body and the way to read each. */
export interface OtlpBody {
  readonly groups: readonly Group[]
  readonly encoding: Pick<Encoding<never>, 'span' | 'log'>
}

const inflate = promisify(gunzip)

/** Unpacks a body up to `most` bytes and reads what is around its spans or log records. Never rejects. */
export async function openBody(body: Buffer, type: OtlpType, signal: Signal, most: number): Promise<OtlpBody | Failure> {
  let bytes = body
  if (type.gzip) {
    try {
      bytes = await inflate(body, { maxOutputLength: most })
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? error.code : undefined
      return code === 'ERR_BUFFER_TOO_LARGE' ? refusals.otlpTooLarge : refusals.undecodable
    }
  }
  try {
    if (type.form === 'protobuf') return { groups: protobufEncoding.groups(bytes, signal), encoding: protobufEncoding }
    const value = parseJson(bytes)
    return value === MALFORMED ? refusals.undecodable : { groups: jsonEncoding.groups(value, signal), encoding: jsonEncoding }
  } catch (error) {
    if (error instanceof OtlpError) return refusals.undecodable
    throw error
  }
}
