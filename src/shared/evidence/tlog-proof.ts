// SPDX-License-Identifier: Apache-2.0
// C2SP tlog-proof: one inclusion proof with its checkpoint in a text file.
import { fromBase64, toBase64 } from './bytes.ts'
import { EvidenceError } from './errors.ts'

const HEADER = 'c2sp.org/tlog-proof@v1'

export interface TlogProof {
  readonly index: number
  /** Hashes leaf to root. */
  readonly proof: readonly Uint8Array[]
  /** The signed note, verbatim. */
  readonly checkpoint: string
}

export const formatTlogProof = (value: TlogProof): string =>
  `${HEADER}\nindex ${value.index}\n${value.proof.map((hash) => `${toBase64(hash)}\n`).join('')}\n${value.checkpoint}`

const invalid = (message: string): EvidenceError => new EvidenceError('invalid_proof_file', message)

function hashes(lines: readonly string[]): Uint8Array[] {
  if (lines.length > 63) throw invalid('more hashes than any tree has levels')
  return lines.map((line) => {
    let hash: Uint8Array
    try {
      hash = fromBase64(line)
    } catch {
      throw invalid('not a hash')
    }
    if (hash.length !== 32) throw invalid('not a hash')
    return hash
  })
}

function whole(text: string): number {
  const value = Number(text)
  if (!/^(0|[1-9][0-9]{0,15})$/.test(text) || !Number.isSafeInteger(value)) throw invalid('not a whole number')
  return value
}

/**
 * Reads a proof; those of a bundle have no `extra` line, which C2SP lets other logs add for data of their own.
 * @throws EvidenceError invalid_proof_file
 */
export function parseTlogProof(text: string, from: 'bundle' | 'elsewhere' = 'bundle'): TlogProof {
  const split = text.indexOf('\n\n')
  const [header, ...rest] = text.slice(0, Math.max(0, split)).split('\n')
  const [index = '', ...lines] = from === 'elsewhere' && /^extra [A-Za-z0-9+/]*={0,2}$/.test(rest[0] ?? '') ? rest.slice(1) : rest
  if (header !== HEADER || !index.startsWith('index ')) throw invalid('not a tlog-proof file')
  return { index: whole(index.slice(6)), proof: hashes(lines), checkpoint: text.slice(split + 2) }
}

/** `old N`, then the hashes of a consistency proof, one a line. */
export const formatConsistency = (oldSize: number, proof: readonly Uint8Array[]): string =>
  `old ${oldSize}\n${proof.map((hash) => `${toBase64(hash)}\n`).join('')}`

/** @throws EvidenceError invalid_proof_file */
export function parseConsistency(text: string): { readonly oldSize: number; readonly proof: readonly Uint8Array[] } {
  const [first = '', ...lines] = text.endsWith('\n') ? text.slice(0, -1).split('\n') : ['']
  if (!first.startsWith('old ')) throw invalid('not a consistency file')
  return { oldSize: whole(first.slice(4)), proof: hashes(lines) }
}
