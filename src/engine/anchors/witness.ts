// SPDX-License-Identifier: Apache-2.0
// This workspace as a witness for other logs (c2sp.org/tlog-witness).
import { existsSync, readFileSync } from 'node:fs'
import { z } from 'zod'
import { writeFileDurably } from '../../node/durable-file.ts'
import { equalBytes, fromBase64, toBase64, utf8Decode } from '../../shared/evidence/bytes.ts'
import { cosign, parseAddCheckpoint } from '../../shared/evidence/cosignature.ts'
import { emptyRoot, verifyConsistency } from '../../shared/evidence/merkle.ts'
import { parseCheckpoint, parseVkey, verifyCheckpoint } from '../../shared/evidence/note.ts'
import { type Ed25519Key, ed25519Verify, sha256 } from '../crypto.ts'

/** Largest request: 63 hashes and a checkpoint with a few signatures. */
export const MOST_REQUEST_BYTES = 16 * 1024

const stateSchema = z.record(
  z.string(),
  z.strictObject({ size: z.int().min(0), root: z.base64(), time: z.iso.datetime(), refused: z.string().nullable() })
)
/** The largest tree cosigned per origin, and the last refusal in words. */
export type WitnessState = z.infer<typeof stateSchema>

export interface WitnessAnswer {
  readonly status: 200 | 400 | 403 | 404 | 409 | 422
  readonly contentType: string
  readonly body: string
}

const text = (status: WitnessAnswer['status'], body = ''): WitnessAnswer => ({ status, contentType: 'text/plain; charset=utf-8', body })
const ROLLED = 'a smaller tree than was seen before'

/**
 * Cosigns checkpoints of the logs it was told of. A tree is remembered on disk before it is cosigned, so that after any crash it never
 * cosigns a smaller or another one.
 */
export class Witness {
  readonly #file: string
  readonly #name: string
  readonly #key: Ed25519Key
  readonly #vkeys: readonly string[]
  #state: WitnessState

  constructor(file: string, name: string, key: Ed25519Key, vkeys: readonly string[]) {
    this.#file = file
    this.#name = name
    this.#key = key
    this.#vkeys = vkeys
    this.#state = readWitnessState(file)
  }

  /** Answers one request, synchronously: two requests never see the same state. */
  answer(body: Uint8Array): WitnessAnswer {
    let request: ReturnType<typeof parseAddCheckpoint>
    let note: ReturnType<typeof parseCheckpoint>
    try {
      request = parseAddCheckpoint(utf8Decode(body))
      note = parseCheckpoint(request.note)
    } catch {
      return text(400, 'not a request to add a checkpoint\n')
    }
    const { origin, size, root } = note
    const keys = this.#vkeys.filter((vkey) => parseVkey(sha256, vkey).name === origin)
    if (keys.length === 0) return text(404, 'this log is not known here\n')
    if (!keys.some((vkey) => verifyCheckpoint(sha256, ed25519Verify, request.note, vkey)))
      return text(403, 'not signed by a known key of this log\n')
    if (request.oldSize > size) return text(400, 'the old size is larger than the checkpoint\n')
    const known = this.#state[origin]
    const knownSize = known?.size ?? 0
    if (request.oldSize !== knownSize) {
      if (size < knownSize) this.#refuse(origin, `${ROLLED} (${size} of ${knownSize} leaves)`)
      return { status: 409, contentType: 'text/x.tlog.size', body: `${knownSize}\n` }
    }
    const knownRoot = known ? fromBase64(known.root) : emptyRoot(sha256)
    if (size === knownSize && !equalBytes(root, knownRoot)) {
      this.#refuse(origin, `another tree of the same ${size} leaves`)
      return { status: 409, contentType: 'text/x.tlog.size', body: `${knownSize}\n` }
    }
    try {
      if (knownSize === 0) {
        if (request.proof.length > 0) throw new Error('a proof from nothing is empty')
      } else verifyConsistency(sha256, { oldSize: knownSize, newSize: size, oldRoot: knownRoot, newRoot: root, proof: request.proof })
    } catch {
      this.#refuse(origin, `a tree of ${size} leaves that does not extend the ${knownSize} seen before`)
      return text(422, 'the proof does not hold\n')
    }
    const now = new Date()
    this.#keep({ ...this.#state, [origin]: { size, root: toBase64(root), time: now.toISOString(), refused: known?.refused ?? null } })
    const line = cosign(sha256, { name: this.#name, ...this.#key }, note.body, Math.floor(now.getTime() / 1000))
    return text(200, line)
  }

  #refuse(origin: string, why: string): void {
    const known = this.#state[origin]
    if (known) this.#keep({ ...this.#state, [origin]: { ...known, refused: `${new Date().toISOString()}: ${why}` } })
  }

  #keep(next: WitnessState): void {
    writeFileDurably(this.#file, `${JSON.stringify(next, null, 1)}\n`)
    this.#state = next
  }
}

/** What a witness has seen. A damaged file is an error: a witness that forgot would cosign a fork. */
export function readWitnessState(file: string): WitnessState {
  if (!existsSync(file)) return {}
  return stateSchema.parse(JSON.parse(readFileSync(file, 'utf8')))
}
