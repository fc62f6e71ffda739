// SPDX-License-Identifier: Apache-2.0
// What closes a bundle: manifests, proofs of the whole tree, keys, the verifiers, and the signature over all of it.
import { createHash } from 'node:crypto'
import { MANIFEST, manifestLine, SIGNATURE, TAG_MANIFEST } from '../../shared/evidence/bundle-layout.ts'
import { consistencyProof, type GetNode } from '../../shared/evidence/merkle.ts'
import { verifyCheckpoint } from '../../shared/evidence/note.ts'
import { BUNDLE_NAMESPACE, formatSshsig, sshsigSignedData } from '../../shared/evidence/sshsig.ts'
import { formatConsistency } from '../../shared/evidence/tlog-proof.ts'
import { timestampFor } from '../anchors/listings.ts'
import { ed25519FromSeed, ed25519Verify, sha256, sha512 } from '../crypto.ts'
import { lastCheckpoint } from '../ledger/store.ts'
import type { ReaderContext } from '../threads/reader-context.ts'
import type { BagWriter } from './bag-writer.ts'
import type { staticFiles } from './templates/static-files.ts'
import type { WriteBundleInput } from './write-bundle.ts'

interface SealNeeds {
  /** The checkpoint with its cosignatures. */
  readonly note: string
  /** Bytes of a leaf. */
  readonly leaf: (seq: number) => Buffer
  readonly getNode: GetNode
  readonly texts: ReturnType<typeof staticFiles>
  /** The offline page. */
  readonly page: string
}

/** Adds the manifest of the data and everything after it in the order of names. */
export function sealBag(context: ReaderContext, input: WriteBundleInput, bag: BagWriter, needs: SealNeeds): void {
  const { note, leaf, getNode, texts, page } = needs
  const { selection } = input
  const { checkpoint } = selection
  bag.add(
    MANIFEST,
    bag.entries((name) => name.startsWith('data/'))
  )
  const later = timestampFor(context, checkpoint.size)
  // After a change of the log key no leaf of this smaller tree leads to the key that signed the later one.
  const stamp = later && verifyCheckpoint(sha256, ed25519Verify, later.note, input.logVkey) ? later : null
  if (stamp && stamp.size > checkpoint.size) {
    bag.add('proof/anchored-checkpoint', stamp.note)
    bag.add(
      'proof/anchored-consistency.txt',
      formatConsistency(checkpoint.size, consistencyProof(sha256, checkpoint.size, stamp.size, getNode))
    )
  }
  bag.add('proof/checkpoint', note)
  if (stamp) bag.add('proof/checkpoint.tsr', Buffer.from(stamp.response, 'base64'))
  const previous = lastCheckpoint(context.ledger, checkpoint.size - 1)
  if (previous)
    bag.add('proof/consistency.txt', formatConsistency(previous.size, consistencyProof(sha256, previous.size, checkpoint.size, getNode)))
  if (selection.keys.length > 0) bag.add('proof/keys.jsonl', Buffer.concat(selection.keys.flatMap((seq) => [leaf(seq), Buffer.from('\n')])))
  if (previous) bag.add('proof/previous-checkpoint', previous.note)
  const last = {
    'trust/allowed_signers': input.allowedSigners,
    'trust/log.pub.pem': input.logPem,
    'trust/log.vkey': `${input.logVkey}\n`,
    ...(stamp ? { 'trust/tsa-ca.pem': stamp.trusted } : {}),
    'verify.cmd': texts.verifyCmd,
    'verify.html': page,
    'verify.sh': texts.verifySh
  }
  const lastEntries = Object.entries(last).map(([name, content]) =>
    manifestLine(createHash('sha256').update(content, 'utf8').digest('hex'), name)
  )
  const tags = Buffer.from([...bag.entries((name) => !name.startsWith('data/')).split(/(?<=\n)/), ...lastEntries].join(''), 'utf8')
  bag.add(TAG_MANIFEST, tags)
  const key = ed25519FromSeed(input.exportSeed)
  bag.add(SIGNATURE, formatSshsig(key.publicKey, BUNDLE_NAMESPACE, key.sign(sshsigSignedData(sha512, BUNDLE_NAMESPACE, tags))))
  for (const [name, content] of Object.entries(last)) bag.add(name, content)
}
