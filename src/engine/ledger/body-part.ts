// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto'
import { type JsonValue, jcs } from '../../shared/evidence/jcs.ts'
import type { DraftPart } from './draft.ts'

/** RFC 8785 bytes of the body of a non-LLM leaf, and their SHA-256 in hex. @throws EvidenceError not_canonicalizable */
export function bodyPart(body: object): { readonly part: DraftPart; readonly sha256: string } {
  return textPart(jcs(body as unknown as JsonValue))
}

/** The same of a body whose RFC 8785 text is at hand. */
export function textPart(text: string): { readonly part: DraftPart; readonly sha256: string } {
  const data = Buffer.from(text, 'utf8')
  return { part: { name: 'body', media: 'application/json', data }, sha256: createHash('sha256').update(data).digest('hex') }
}
