// SPDX-License-Identifier: Apache-2.0
import type { Anchor } from '../../shared/contract/anchors.ts'
import type { RecordProof } from '../../shared/contract/record.ts'
import { fromBase64, toBase64 } from '../../shared/evidence/bytes.ts'
import { cosignatureOf, parseWitnessVkey, withCosignature } from '../../shared/evidence/cosignature.ts'
import { rootAt } from '../../shared/evidence/merkle.ts'
import { parseCheckpoint } from '../../shared/evidence/note.ts'
import { timestampedBytes, verifyTimestamp } from '../../shared/evidence/timestamp.ts'
import { bodyOf } from '../catalog/project-event.ts'
import { ed25519Verify, sha256 } from '../crypto.ts'
import { nodeReader } from '../ledger/store.ts'
import type { ReaderContext } from '../threads/reader-context.ts'
import { anchorOver } from './listings.ts'

type OutsideAnchor = RecordProof['anchor']

const NONE: OutsideAnchor = {
  state: 'waiting',
  message: 'No outside anchor covers this leaf yet: until there is one, the proof rests on the key of this machine.'
}

/** The anchor over the smallest tree that holds a leaf, checked now. */
export async function outsideAnchor(context: ReaderContext, seq: number): Promise<OutsideAnchor> {
  const anchor = anchorOver(context.catalog, seq)
  return anchor ? checkAnchor(context, anchor) : NONE
}

/**
 * Checks an anchor offline, now: its token or cosignature is over the kept checkpoint, and the root of that checkpoint is the root of the leaves on
 * disk. `not_available`: what was kept of it cannot be opened, so nothing can be said.
 */
export async function checkAnchor(context: ReaderContext, anchor: Anchor): Promise<OutsideAnchor> {
  const what = `${anchor.kind === 'rfc3161' ? 'Timestamp' : 'Cosignature'} by ${anchor.name || 'no name'}`
  const over = `over the first ${anchor.size.toLocaleString('en-US')} leaves, on record as leaf ${anchor.seq.toLocaleString('en-US')}`
  const body = bodyOf(context.payloads, anchor.seq)
  if (typeof body.note !== 'string')
    return { state: 'not_available', message: `${what} ${over}. What was kept of it cannot be opened here, so it was not checked.` }
  const time = await checkedTime(anchor, body, body.note)
  if (time === null) return { state: 'fail', message: `${what} ${over}. It does not hold for the checkpoint that is kept with it.` }
  if (!sameRoot(context, anchor, body.note))
    return { state: 'fail', message: `${what} ${over}. It is over another root than that of the leaves on disk.` }
  const said = `${time.slice(0, 10)} ${time.slice(11, 19)} UTC`
  return {
    state: 'pass',
    message: `${what} at ${said}, ${over}. Whether its certificate or key is the right one is for the reader to confirm.`
  }
}

/** When it was given, as it says itself; null when it does not hold. */
async function checkedTime(anchor: Anchor, body: Readonly<Record<string, unknown>>, note: string): Promise<string | null> {
  const { response, trusted, line, vkey } = body
  try {
    if (anchor.kind === 'rfc3161') {
      if (typeof response !== 'string' || typeof trusted !== 'string') return null
      return (await verifyTimestamp(sha256, { response: fromBase64(response), message: timestampedBytes(note), trusted })).time
    }
    if (typeof line !== 'string' || typeof vkey !== 'string') return null
    const found = cosignatureOf(ed25519Verify, withCosignature(note, line), parseWitnessVkey(sha256, vkey))
    return found.state === 'holds' ? found.time : null
  } catch {
    return null
  }
}

function sameRoot({ ledger }: ReaderContext, anchor: Anchor, note: string): boolean {
  try {
    const { size, root } = parseCheckpoint(note)
    const here = toBase64(rootAt(sha256, size, nodeReader(ledger)))
    return size === anchor.size && toBase64(root) === here && anchor.root === here
  } catch {
    // A note that is none, or leaves that are not there.
    return false
  }
}
