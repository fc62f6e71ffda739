// SPDX-License-Identifier: Apache-2.0
// Asking witnesses to cosign a checkpoint (c2sp.org/tlog-witness).
import { createHash } from 'node:crypto'
import { AffidavitError } from '../../shared/contract/errors.ts'
import { fromBase64, toBase64 } from '../../shared/evidence/bytes.ts'
import { cosignatureOf, formatAddCheckpoint, parseWitnessVkey, withCosignature } from '../../shared/evidence/cosignature.ts'
import { parseCheckpoint } from '../../shared/evidence/note.ts'
import { signedPart } from '../../shared/evidence/timestamp.ts'
import { ed25519Verify, sha256, sha256Hex } from '../crypto.ts'
import { bodyPart } from '../ledger/body-part.ts'
import type { LeafDraft } from '../ledger/draft.ts'
import type { CheckpointRow } from '../ledger/store.ts'
import { type Answer, ask } from './ask.ts'

/** A witness that is asked, with the key that its answers must hold under. */
export interface WitnessPeer {
  readonly url: string
  readonly vkey: string
}

export interface CosignRequest {
  readonly row: CheckpointRow
  readonly peer: WitnessPeer
  /** Size of the tree that this witness cosigned last, as far as is known here. */
  readonly lastSize: number
  /** Consistency proof between two sizes of this log, base64. */
  readonly proof: (from: number, to: number) => Promise<readonly string[]>
  readonly signal?: AbortSignal
}

export interface Cosigned {
  /** The note with the cosignature on it. */
  readonly note: string
  readonly draft: LeafDraft
}

const MOST_BYTES = 16 * 1024
const WITHIN_MS = 20_000
const SYSTEM = { ref: 'engine', kind: 'system' } as const

/**
 * Asks one witness. A witness that has seen another size says which; the proof is then made from there, once.
 * @throws AffidavitError unreachable; not_trusted: an answer that does not hold; conflict: the witness has seen another or a larger history
 */
export async function askWitness(request: CosignRequest): Promise<Cosigned> {
  const { row, peer } = request
  const key = parseWitnessVkey(sha256, peer.vkey)
  const { size, root } = parseCheckpoint(row.note)
  const note = signedPart(row.note)
  const send = async (oldSize: number): Promise<Answer> => {
    const proof = oldSize === 0 || oldSize === size ? [] : (await request.proof(oldSize, size)).map(fromBase64)
    return ask({
      url: new URL('add-checkpoint', peer.url.endsWith('/') ? peer.url : `${peer.url}/`).href,
      body: Buffer.from(formatAddCheckpoint({ oldSize, proof, note }), 'utf8'),
      contentType: 'text/plain; charset=utf-8',
      mostBytes: MOST_BYTES,
      withinMs: WITHIN_MS,
      ...(request.signal ? { signal: request.signal } : {})
    })
  }
  let answer = await send(Math.min(request.lastSize, size))
  if (answer.status === 409) {
    const seen = /^(0|[1-9][0-9]{0,15})\n$/.exec(answer.body.toString('latin1'))?.[1]
    if (seen === undefined) throw new AffidavitError('not_trusted', 'the witness refused without saying what it has seen')
    if (Number(seen) > size)
      throw new AffidavitError(
        'conflict',
        `the witness has seen ${seen} leaves of this log, here are ${size}: this copy was rolled back, or another one goes on elsewhere`
      )
    answer = await send(Number(seen))
  }
  if (answer.status === 409 || answer.status === 422)
    throw new AffidavitError('conflict', 'the witness has seen another history of this log: it did not cosign')
  if (answer.status === 404 || answer.status === 403)
    throw new AffidavitError('not_trusted', 'the witness does not know this log or its key: give it the verifier key of the log')
  if (answer.status !== 200) throw new AffidavitError('unreachable', `the witness answered with status ${answer.status}`)
  return kept(request, key, note, root, answer.body.toString('utf8'))
}

function kept(
  { row, peer }: CosignRequest,
  key: ReturnType<typeof parseWitnessVkey>,
  note: string,
  root: Uint8Array,
  lines: string
): Cosigned {
  let found: ReturnType<typeof cosignatureOf>
  try {
    found = cosignatureOf(ed25519Verify, note + lines, key)
  } catch {
    throw new AffidavitError('not_trusted', 'the answer of the witness is no cosignature')
  }
  if (found.state !== 'holds') throw new AffidavitError('not_trusted', 'the answer holds no cosignature by the key of this witness')
  const { part, sha256: body } = bodyPart({ note, line: found.line, url: peer.url, vkey: peer.vkey, name: key.name })
  return {
    note: withCosignature(row.note, found.line),
    draft: {
      type: 'anchor.added',
      actor: SYSTEM,
      data: {
        kind: 'witness',
        size: row.size,
        root: toBase64(root),
        checkpoint_sha256: createHash('sha256').update(note).digest('hex'),
        said_us: Date.parse(found.time) * 1000,
        authority: sha256Hex(key.publicKey),
        body_sha256: body
      },
      parts: [part]
    }
  }
}
