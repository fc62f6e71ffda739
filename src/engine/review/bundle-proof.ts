// SPDX-License-Identifier: Apache-2.0
import { openZipFiles } from '../../node/zip-files.ts'
import { proofPath } from '../../shared/evidence/bundle-layout.ts'
import { utf8Decode } from '../../shared/evidence/bytes.ts'
import { inclusionProof } from '../../shared/evidence/merkle.ts'
import { parseCheckpoint } from '../../shared/evidence/note.ts'
import { parseTlogProof } from '../../shared/evidence/tlog-proof.ts'
import { TileReader } from '../../shared/evidence/verify-tiles.ts'
import { sha256 } from '../crypto.ts'

/**
 * The inclusion proof of a leaf as a bundle brings it, leaf to root: a file of its own, or from the tiles.
 * @throws when it brings none
 */
export async function bundleProof(path: string, seq: number): Promise<readonly Uint8Array[]> {
  const files = await openZipFiles(path)
  try {
    if (files.names().includes(proofPath(seq))) return parseTlogProof(utf8Decode(await files.read(proofPath(seq)))).proof
    const { size } = parseCheckpoint(utf8Decode(await files.read('proof/checkpoint')))
    const tiles = await TileReader.load(sha256, size, files)
    return inclusionProof(sha256, size, seq, tiles.node)
  } finally {
    await files.close()
  }
}
