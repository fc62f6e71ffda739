// SPDX-License-Identifier: Apache-2.0
// The layout of an export bundle: a BagIt bag (RFC 8493) whose tag manifest is signed. See docs/evidence-format.md.
import { z } from 'zod'
import { partName } from './leaf.ts'

/** Leaves up to which each has a proof file and payload files of its own; beyond it tiles and payload lists. */
export const SINGLE_LEAVES = 1_000
/** Records in one payload list. */
export const LIST_LINES = 10_000
/** Most entries of a bundle. */
export const MOST_ENTRIES = 20_000
/** Most bytes of `data/case.json` and of the other files that are read whole as text. */
export const MOST_TEXT_BYTES = 64 * 1024 ** 2

export const BAGIT = 'BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n'
export const MANIFEST = 'manifest-sha256.txt'
export const TAG_MANIFEST = 'tagmanifest-sha256.txt'
export const SIGNATURE = 'tagmanifest-sha256.txt.sig'
export const CASE = 'data/case.json'
export const LEAVES = 'data/leaves.jsonl'

/** Files that every bundle has. */
export const required = [
  'bagit.txt',
  'bag-info.txt',
  MANIFEST,
  TAG_MANIFEST,
  SIGNATURE,
  'README-VERIFY.txt',
  'verify.sh',
  'verify.cmd',
  'trust/log.vkey',
  'trust/log.pub.pem',
  'trust/allowed_signers',
  'proof/checkpoint',
  LEAVES,
  CASE,
  'data/records.csv',
  'data/audit-trail.csv',
  'data/alerts.jsonl',
  'data/report.html'
] as const

/** What every bag may have, and what another program may well name so. */
const OF_ANY_BAG: ReadonlySet<string> = new Set(['bagit.txt', 'bag-info.txt', MANIFEST, TAG_MANIFEST])
const OURS = required.filter((name) => !OF_ANY_BAG.has(name) && !name.startsWith('data/'))

/** Whether this is a bundle, however much of it is missing, and no bag of another program. @param has whether there is a file of that name */
export const isBundle = (has: (name: string) => boolean): boolean => OURS.some(has)

/** Files that a bundle may have besides. */
const optional: readonly RegExp[] = [
  /^verify\.html$/,
  /^trust\/tsa-ca\.pem$/,
  /^proof\/(checkpoint\.tsr|previous-checkpoint|consistency\.txt|anchored-checkpoint|anchored-consistency\.txt|keys\.jsonl)$/,
  /^data\/proofs\/(0|[1-9]\d{0,15})\.tlog-proof$/,
  /^data\/tile\/[0-9]{1,2}\/(x\d{3}\/)*\d{3}(\.p\/\d{1,3})?$/,
  /^data\/payload\/(0|[1-9]\d{0,15})\.(event|request|response|error|body|attachment\.\d{1,4}|scope\.\d{1,9})(\.opening)?$/,
  /^data\/payloads\/\d{5}\.jsonl$/,
  /^data\/(report\.pdf|records\.parquet)$/,
  /^data\/completeness\.json$/
]

/** The names of the layout as extended regular expressions (POSIX) over the whole name, for tools that have no others. */
export const layoutPatterns: readonly string[] = [
  ...required.map((name) => name.replaceAll('.', '[.]')),
  ...optional.map((pattern) => pattern.source.slice(1, -1).replaceAll('\\d', '[0-9]').replaceAll('\\/', '/').replaceAll('\\.', '[.]'))
]

/** Whether the layout has a place for this name. */
export const isLayoutName = (name: string): boolean =>
  (required as readonly string[]).includes(name) || optional.some((pattern) => pattern.test(name))

const count = z.int().min(0)

/** data/case.json: who asked for what, what is in, and what is withheld and why. */
export const caseSchema = z.strictObject({
  v: z.literal(1),
  origin: z.string().min(1).max(200),
  written: z.iso.datetime(),
  app: z.string().max(32),
  recipient: z.string().max(200),
  purpose: z.string().max(500),
  requested_by: z.string().max(128),
  query: z.string().max(8192),
  /** Every leaf from the first to the last is here; contents that were not asked for are withheld. Absent: no such claim is made. */
  range: z.strictObject({ first: count, last: count }).optional(),
  /** Leaves of the tree that the proofs lead to. */
  tree_size: count,
  records_in_scope: count,
  records: count,
  leaves: count,
  first_seq: count.nullable(),
  last_seq: count.nullable(),
  /** A part of one leaf; with `last`, of every leaf of the bundle from `seq` to `last` that has such a part. */
  withheld: z.array(z.strictObject({ seq: count, last: count.optional(), part: partName, reason: z.string().min(1).max(200) })),
  sample: z.boolean()
})
export type BundleCase = z.infer<typeof caseSchema>

/** One line of data/payloads/NNNNN.jsonl; opening and plaintext in base64, which decoding checks. */
export const payloadLine = z.strictObject({ seq: count, part: z.string().max(32), opening: z.string(), plaintext: z.string() })

/** Path of a hash tile (C2SP tlog-tiles): level, index in groups of three digits, and `.p/W` for one of less than 256 hashes. */
export function tilePath(level: number, index: number, width: number): string {
  let path = String(index % 1000).padStart(3, '0')
  for (let rest = Math.floor(index / 1000); rest > 0; rest = Math.floor(rest / 1000))
    path = `x${String(rest % 1000).padStart(3, '0')}/${path}`
  return `data/tile/${level}/${path}${width === 256 ? '' : `.p/${width}`}`
}

export const proofPath = (seq: number): string => `data/proofs/${seq}.tlog-proof`
export const payloadPath = (seq: number, part: string): string => `data/payload/${seq}.${part}`
export const payloadListPath = (index: number): string => `data/payloads/${String(index).padStart(5, '0')}.jsonl`

/** One line of a manifest: hash, two spaces, name. */
export const manifestLine = (sha256Hex: string, name: string): string => `${sha256Hex}  ${name}\n`
