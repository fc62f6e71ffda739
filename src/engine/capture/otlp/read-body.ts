// SPDX-License-Identifier: Apache-2.0
import type { IncomingHttpHeaders } from 'node:http'
import { createGunzip } from 'node:zlib'
import type { Failure } from '../../../shared/contract/errors.ts'
import { jsonEncoding } from '../../../shared/event/otlp/json.ts'
import { type Encoding, type Group, OtlpError, type Signal } from '../../../shared/event/otlp/message.ts'
import { protobufEncoding } from '../../../shared/event/otlp/protobuf.ts'
import { MALFORMED, parseJson } from '../http/body.ts'
import { refusals } from '../http/errors.ts'
import type { HttpLimits } from '../http/limits.ts'
import { TimeSlice } from '../time-slice.ts'
import { jsonGroups, jsonItems } from './json-groups.ts'

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
  readonly form: OtlpForm
  /** Bytes of the body, unpacked. */
  readonly size: number
}

const UNPACK_BYTES = 256 * 1024

/** Unpacks gzip. @param room takes memory for each piece; false when there is none */
function unpack(body: Buffer, most: number, room: (bytes: number) => boolean): Promise<Buffer | Failure> {
  return new Promise((resolve) => {
    const unpacking = createGunzip({ chunkSize: UNPACK_BYTES })
    const chunks: Buffer[] = []
    let size = 0
    const finish = (outcome: Buffer | Failure): void => {
      unpacking.removeAllListeners('data')
      unpacking.destroy()
      resolve(outcome)
    }
    unpacking.on('data', (chunk: Buffer) => {
      size += chunk.length
      if (size > most) finish(refusals.otlpTooLarge)
      else if (!room(chunk.length)) finish(refusals.busy)
      else chunks.push(chunk)
    })
    unpacking.on('end', () => finish(Buffer.concat(chunks, size)))
    unpacking.on('error', () => finish(refusals.undecodable))
    unpacking.end(body)
  })
}

/**
 * Unpacks a body up to the limit and reads what is around its spans or log records. Never rejects.
 * @param room takes memory for what is unpacked; false when there is none
 */
export async function openBody(
  body: Buffer,
  type: OtlpType,
  signal: Signal,
  { otlpBytes, largeBytes, sliceMs }: Pick<HttpLimits, 'otlpBytes' | 'largeBytes' | 'sliceMs'>,
  room: (bytes: number) => boolean
): Promise<OtlpBody | Failure> {
  const bytes = type.gzip ? await unpack(body, otlpBytes, room) : body
  if ('code' in bytes) return bytes
  try {
    if (type.form === 'protobuf')
      return { groups: protobufEncoding.groups(bytes, signal), encoding: protobufEncoding, form: type.form, size: bytes.length }
    if (bytes.length >= largeBytes)
      return { groups: await jsonGroups(bytes, signal, new TimeSlice(sliceMs)), encoding: jsonItems, form: type.form, size: bytes.length }
    const value = parseJson(bytes)
    return value === MALFORMED
      ? refusals.undecodable
      : { groups: jsonEncoding.groups(value, signal), encoding: jsonEncoding, form: type.form, size: bytes.length }
  } catch (error) {
    if (error instanceof OtlpError) return refusals.undecodable
    throw error
  }
}
