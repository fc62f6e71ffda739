// SPDX-License-Identifier: Apache-2.0
// Evidence made by other programs, read from files: what it is, what else its check needs, and what it shows.
import { closeSync, existsSync, openSync, readFileSync, readSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { AffidavitError } from '../shared/contract/errors.ts'
import { isBundle } from '../shared/evidence/bundle-layout.ts'
import { utf8Decode } from '../shared/evidence/bytes.ts'
import {
  type ForeignKind,
  type ForeignReport,
  recogniseForeign,
  verifyForeignCheckpoint,
  verifyForeignConsistency,
  verifyForeignInclusion,
  verifyForeignTimestamp
} from '../shared/evidence/foreign.ts'
import { nodeCrypto } from './crypto.ts'
import { verifyBag } from './verify-bag.ts'

/** Paths of what a check needs besides the evidence itself. */
export interface ForeignFiles {
  /** What was proven to be in the log, or was stamped. */
  readonly of?: string | undefined
  /** The key of the log, a C2SP vkey; without it the signer stays unconfirmed. */
  readonly logKey?: string | undefined
  /** Certificate of the authority, PEM. */
  readonly ca?: string | undefined
  readonly old?: string | undefined
  readonly new?: string | undefined
}

const MOST_BYTES = 1024 * 1024
const MOST_STAMPED_BYTES = 1024 * 1024 * 1024

/** What else each kind is checked with; a log key is always optional. */
export const foreignNeeds: Readonly<Record<ForeignKind, readonly (keyof ForeignFiles)[]>> = {
  checkpoint: [],
  inclusion_proof: ['of'],
  consistency_proof: ['old', 'new'],
  timestamp: ['of', 'ca'],
  bag: []
}

type NameOf = (file: keyof ForeignFiles) => string

function read(path: string | undefined, name: string, most = MOST_BYTES): Uint8Array {
  if (path === undefined) throw new AffidavitError('bad_request', `this evidence is checked with ${name}`)
  try {
    if (statSync(path).size <= most) return readFileSync(path)
  } catch {
    throw new AffidavitError('file_unreadable', `the file of ${name} cannot be read`)
  }
  throw new AffidavitError('file_unreadable', `the file of ${name} is too large`)
}

function text(path: string | undefined, name: string): string {
  const bytes = read(path, name)
  try {
    return utf8Decode(bytes)
  } catch {
    throw new AffidavitError('file_unreadable', `the file of ${name} is not text`)
  }
}

/** A zip, that is a bundle, is seen by its first bytes and not read whole. */
function startsAsZip(file: string): boolean {
  const head = Buffer.alloc(2)
  const handle = openSync(file, 'r')
  try {
    readSync(handle, head, 0, 2, 0)
  } finally {
    closeSync(handle)
  }
  return head.toString('latin1') === 'PK'
}

/** Whether a folder is a bundle that was unpacked: its signature is checked like that of its zip. */
export const isUnpackedBundle = (folder: string): boolean => isBundle((name) => existsSync(join(folder, name)))

/** What a file or folder is; undefined when it is no evidence of another program. */
export function foreignKindOf(file: string): ForeignKind | undefined {
  const stat = statSync(file, { throwIfNoEntry: false })
  if (stat?.isDirectory()) return isUnpackedBundle(file) ? undefined : 'bag'
  if (!stat?.isFile() || stat.size > MOST_BYTES || startsAsZip(file)) return undefined
  return recogniseForeign(read(file, 'the evidence'))
}

/**
 * Checks evidence of other programs and says what it shows. Undefined: the file is none of it.
 * @param nameOf how the caller calls the other files, for messages
 * @throws AffidavitError bad_request: a file that the check needs is not named; file_unreadable, not_this_format
 */
export async function checkForeign(file: string, files: ForeignFiles, nameOf: NameOf): Promise<ForeignReport | undefined> {
  const kind = foreignKindOf(file)
  if (kind === undefined) return undefined
  if (kind === 'bag') return verifyBag(file)
  const bytes = read(file, 'the evidence')
  const vkey = files.logKey === undefined ? undefined : text(files.logKey, nameOf('logKey'))
  switch (kind) {
    case 'checkpoint':
      return verifyForeignCheckpoint(nodeCrypto, utf8Decode(bytes), vkey)
    case 'inclusion_proof':
      return verifyForeignInclusion(nodeCrypto, utf8Decode(bytes), read(files.of, nameOf('of')), vkey)
    case 'consistency_proof': {
      const notes = { old: text(files.old, nameOf('old')), later: text(files.new, nameOf('new')) }
      return verifyForeignConsistency(nodeCrypto, utf8Decode(bytes), notes, vkey)
    }
    case 'timestamp': {
      const message = read(files.of, nameOf('of'), MOST_STAMPED_BYTES)
      return verifyForeignTimestamp(nodeCrypto, { response: bytes, message, ca: text(files.ca, nameOf('ca')) })
    }
  }
}

export const foreignVerdicts: Readonly<Record<ForeignReport['verdict'], string>> = {
  holds: 'holds',
  no_fault: 'no fault found, signer not confirmed',
  does_not_hold: 'does not hold',
  not_checked: 'not checked'
}
