// SPDX-License-Identifier: Apache-2.0
import { closeSync, openSync, readFileSync, readSync, statSync } from 'node:fs'
import { nodeCrypto } from '../node/crypto.ts'
import { verifyBag } from '../node/verify-bag.ts'
import { AffidavitError } from '../shared/contract/errors.ts'
import { utf8Decode } from '../shared/evidence/bytes.ts'
import {
  type ForeignReport,
  recogniseForeign,
  verifyForeignCheckpoint,
  verifyForeignConsistency,
  verifyForeignInclusion,
  verifyForeignTimestamp
} from '../shared/evidence/foreign.ts'
import { EXIT, print } from './output.ts'

export interface ForeignOptions {
  readonly of?: string
  readonly logKey?: string
  readonly ca?: string
  readonly old?: string
  readonly new?: string
  readonly requireTrust: boolean
  readonly json?: boolean
}

const MOST_BYTES = 1024 * 1024
const MOST_STAMPED_BYTES = 1024 * 1024 * 1024

function read(path: string | undefined, option: string, most = MOST_BYTES): Uint8Array {
  if (path === undefined) throw new AffidavitError('bad_request', `this evidence is checked with ${option}`)
  try {
    if (statSync(path).size <= most) return readFileSync(path)
  } catch {
    throw new AffidavitError('file_unreadable', `the file of ${option} cannot be read`)
  }
  throw new AffidavitError('file_unreadable', `the file of ${option} is too large`)
}

const text = (path: string | undefined, option: string): string => {
  try {
    return utf8Decode(read(path, option))
  } catch (error) {
    if (error instanceof AffidavitError) throw error
    throw new AffidavitError('file_unreadable', `the file of ${option} is not text`)
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

async function check(file: string, options: ForeignOptions): Promise<ForeignReport | undefined> {
  const stat = statSync(file, { throwIfNoEntry: false })
  if (stat?.isDirectory()) return verifyBag(file)
  if (!stat?.isFile() || stat.size > MOST_BYTES || startsAsZip(file)) return undefined
  const bytes = read(file, 'FILE')
  const vkey = options.logKey === undefined ? undefined : text(options.logKey, '--log-key')
  const kind = recogniseForeign(bytes)
  switch (kind) {
    case undefined:
      return undefined
    case 'checkpoint':
      return verifyForeignCheckpoint(nodeCrypto, utf8Decode(bytes), vkey)
    case 'inclusion_proof':
      return verifyForeignInclusion(nodeCrypto, utf8Decode(bytes), read(options.of, '--of'), vkey)
    case 'consistency_proof': {
      const notes = { old: text(options.old, '--old'), later: text(options.new, '--new') }
      return verifyForeignConsistency(nodeCrypto, utf8Decode(bytes), notes, vkey)
    }
    case 'timestamp': {
      const message = read(options.of, '--of', MOST_STAMPED_BYTES)
      return verifyForeignTimestamp(nodeCrypto, { response: bytes, message, ca: text(options.ca, '--ca') })
    }
  }
}

const verdicts = { holds: 'holds', no_fault: 'no fault found, signer not confirmed', does_not_hold: 'does not hold' } as const

/** Checks evidence of other programs and says what it shows. Undefined: the file is none of it, and is tried as a bundle. */
export async function verifyForeign(file: string, options: ForeignOptions): Promise<number | undefined> {
  const report = await check(file, options)
  if (!report) return undefined
  if (options.json) print(JSON.stringify(report))
  else {
    for (const line of report.proven) print(`shown      ${line}`)
    for (const line of report.not_proven) print(`not shown  ${line}`)
    for (const one of report.faults.slice(0, 20))
      print(`   ${one.code}${one.subject === undefined ? '' : ` ${one.subject}`}: ${one.message}`)
    if (report.faults.length > 20) print(`   and ${report.faults.length - 20} more`)
    print(`${report.kind.replace('_', ' ')}: ${verdicts[report.verdict]}`)
  }
  return report.verdict === 'holds' || (report.verdict === 'no_fault' && !options.requireTrust) ? EXIT.done : EXIT.negative
}
