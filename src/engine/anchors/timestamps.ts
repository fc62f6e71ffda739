// SPDX-License-Identifier: Apache-2.0
import { createHash, randomBytes } from 'node:crypto'
import { AffidavitError } from '../../shared/contract/errors.ts'
import { toBase64 } from '../../shared/evidence/bytes.ts'
import { EvidenceError } from '../../shared/evidence/errors.ts'
import { parseCheckpoint } from '../../shared/evidence/note.ts'
import { MOST_TIMESTAMP_BYTES, signedPart, timestampedBytes, timestampRequest, verifyTimestamp } from '../../shared/evidence/timestamp.ts'
import { sha256 } from '../crypto.ts'
import { bodyPart } from '../ledger/body-part.ts'
import type { LeafDraft } from '../ledger/draft.ts'
import type { CheckpointRow } from '../ledger/store.ts'
import { ask } from './ask.ts'

/** An authority's answer that held, ready to be kept. */
export interface Stamped {
  readonly draft: LeafDraft
  readonly response: Uint8Array
  readonly note: string
  readonly size: number
  /** ISO 8601 UTC, as the authority says. */
  readonly time: string
}

const WITHIN_MS = 20_000
const SYSTEM = { ref: 'engine', kind: 'system' } as const

/**
 * Asks an authority for a timestamp over a checkpoint and checks the answer before anything is kept.
 * @throws AffidavitError unreachable: no answer; not_trusted: an answer that does not hold, with the reason
 */
export async function stampCheckpoint(row: CheckpointRow, url: string, trusted: string, signal?: AbortSignal): Promise<Stamped> {
  const message = timestampedBytes(row.note)
  const request = timestampRequest(sha256, message, randomBytes(16))
  const answer = await ask({
    url,
    body: request,
    contentType: 'application/timestamp-query',
    mostBytes: MOST_TIMESTAMP_BYTES,
    withinMs: WITHIN_MS,
    ...(signal ? { signal } : {})
  })
  if (answer.status !== 200) throw new AffidavitError('unreachable', `the authority answered with status ${answer.status}`)
  try {
    const found = await verifyTimestamp(sha256, { response: answer.body, message, trusted, request })
    const note = signedPart(row.note)
    const { part, sha256: body } = bodyPart({ note, response: answer.body.toString('base64'), trusted, url, name: found.name })
    return {
      response: answer.body,
      note,
      size: row.size,
      time: found.time,
      draft: {
        type: 'anchor.added',
        actor: SYSTEM,
        data: {
          kind: 'rfc3161',
          size: row.size,
          root: toBase64(parseCheckpoint(row.note).root),
          checkpoint_sha256: createHash('sha256').update(note).digest('hex'),
          said_us: Date.parse(found.time) * 1000,
          authority: found.authority,
          body_sha256: body
        },
        parts: [part]
      }
    }
  } catch (error) {
    if (!(error instanceof EvidenceError)) throw error
    throw new AffidavitError('not_trusted', `the answer of the authority was not taken: ${error.message}`, { reason: error.code })
  }
}
