// SPDX-License-Identifier: Apache-2.0
// A BagIt bag (RFC 8493) in a folder, without anything of ours in it.
import { createHash } from 'node:crypto'
import { createReadStream, lstatSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { AffidavitError } from '../shared/contract/errors.ts'
import { utf8Decode } from '../shared/evidence/bytes.ts'
import { type ForeignReport, NOT_CHECKED } from '../shared/evidence/foreign.ts'

const MOST_FILES = 20_000
const MOST_TAG_BYTES = 16 * 1024 * 1024
const ALGORITHMS: ReadonlySet<string> = new Set(['md5', 'sha1', 'sha256', 'sha384', 'sha512'])
const STRONG: ReadonlySet<string> = new Set(['sha256', 'sha384', 'sha512'])

type Fault = ForeignReport['faults'][number]

/** Every regular file below a folder by its path with slashes, with its size; links and devices are faults and are not followed. */
function listFiles(folder: string, faults: Fault[]): Map<string, number> {
  const found = new Map<string, number>()
  const walk = (at: string): void => {
    for (const name of readdirSync(join(folder, at)).sort()) {
      const path = at === '' ? name : `${at}/${name}`
      const stat = lstatSync(join(folder, path))
      if (stat.isDirectory()) walk(path)
      else if (stat.isFile()) found.set(path, stat.size)
      else faults.push({ code: 'not_a_file', message: 'a link or a device is not followed', subject: path })
      if (found.size > MOST_FILES) throw new AffidavitError('not_this_format', `a bag of more than ${MOST_FILES} files is not read`)
    }
  }
  walk('')
  return found
}

async function digest(algorithm: string, path: string): Promise<string> {
  const hash = createHash(algorithm)
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) hash.update(chunk as Buffer)
  return hash.digest('hex')
}

/** Only these three are escaped (RFC 8493 2.1.3). */
const decodeName = (name: string): string =>
  name.replace(/%(0A|0D|25)/gi, (code) => String.fromCharCode(Number.parseInt(code.slice(1), 16)))

/**
 * Checks a bag: its declaration, every file against every manifest, nothing missing and nothing extra, the Oxum.
 * @throws AffidavitError not_this_format: a folder without `bagit.txt`, or with more than 20,000 files
 */
export async function verifyBag(folder: string): Promise<ForeignReport> {
  const faults: Fault[] = []
  const fault = (code: string, message: string, subject?: string): void => {
    faults.push({ code, message, ...(subject === undefined ? {} : { subject }) })
  }
  const files = listFiles(folder, faults)
  if (!files.has('bagit.txt')) throw new AffidavitError('not_this_format', 'a folder without bagit.txt is no bag')
  const tag = (name: string): string => {
    if ((files.get(name) ?? 0) > MOST_TAG_BYTES) {
      fault('too_large', 'a tag file larger than is read', name)
      return ''
    }
    try {
      return utf8Decode(readFileSync(join(folder, name)))
    } catch {
      fault('invalid_utf8', 'not UTF-8', name)
      return ''
    }
  }
  const declaration = /^BagIt-Version: (\d+)\.(\d+)\r?\n?\r?Tag-File-Character-Encoding: (\S+)\s*$/.exec(tag('bagit.txt'))
  const complete = declaration?.[1] === '1'
  if (!declaration) fault('invalid_declaration', 'bagit.txt does not declare a version and an encoding', 'bagit.txt')
  else if (declaration[3]?.toUpperCase() !== 'UTF-8') fault('encoding_unsupported', 'only UTF-8 tag files are read', 'bagit.txt')

  const payload = [...files.keys()].filter((name) => name.startsWith('data/'))
  const listed = new Set<string>()
  const used = new Set<string>()
  const unknown: string[] = []
  for (const manifest of [...files.keys()].filter((name) => /^(tag)?manifest-[^/]+\.txt$/.test(name))) {
    const isTag = manifest.startsWith('tag')
    const algorithm = manifest.replace(/^(tag)?manifest-(.*)\.txt$/, '$2')
    if (!ALGORITHMS.has(algorithm)) {
      unknown.push(manifest)
      continue
    }
    if (!isTag) used.add(algorithm)
    const seen = new Set<string>()
    for (const line of tag(manifest).split(/\r\n|\n|\r/)) {
      if (line === '') continue
      const [, expected = '', written = ''] = /^([0-9a-fA-F]+)[ \t]+\*?(.+)$/.exec(line) ?? []
      const name = decodeName(written).replace(/^\.\//, '')
      if (expected === '' || isTag === name.startsWith('data/'))
        fault('invalid_manifest', 'a line that names no file of its kind', manifest)
      else if (seen.has(name)) fault('duplicate_name', 'named twice in one manifest', name)
      else if (!files.has(name)) fault('missing', `named in ${manifest} and not there`, name)
      else if ((await digest(algorithm, join(folder, name))) !== expected.toLowerCase())
        fault('digest_mismatch', `is not what ${manifest} says`, name)
      seen.add(name)
      if (!isTag) listed.add(name)
    }
    if (!isTag && complete) for (const name of payload) if (!seen.has(name)) fault('extra_file', `is not in ${manifest}`, name)
  }
  if (used.size === 0 && unknown.length > 0) {
    const unsupported = { code: 'not_supported', message: 'no manifest with a digest that is read here', subject: unknown[0] ?? '' }
    return { kind: 'bag', verdict: 'not_checked', proven: [], not_proven: [NOT_CHECKED], faults: [unsupported] }
  }
  if (used.size === 0) fault('no_manifest', 'no manifest with a known digest')
  if (!complete) for (const name of payload) if (!listed.has(name)) fault('extra_file', 'is in no manifest', name)

  const [, bytes, count] = /^Payload-Oxum: *(\d+)\.(\d+)\s*$/m.exec(files.has('bag-info.txt') ? tag('bag-info.txt') : '') ?? []
  const total = payload.reduce((sum, name) => sum + (files.get(name) ?? 0), 0)
  if (bytes !== undefined && (Number(bytes) !== total || Number(count) !== payload.length))
    fault('oxum_mismatch', 'the sizes are not those of Payload-Oxum', 'bag-info.txt')

  if (faults.length > 0)
    return { kind: 'bag', verdict: 'does_not_hold', proven: [], not_proven: ['Nothing: one fault refuses the whole.'], faults }
  const weak = [...used].every((one) => !STRONG.has(one))
  return {
    kind: 'bag',
    verdict: 'no_fault',
    proven: [`The bag's ${payload.length} files match its manifests (${[...used].join(', ')}), and there are no others.`],
    not_proven: [
      'No signature, no log: who made it and when is not shown.',
      ...(weak ? ['MD5 and SHA-1 show damage; a file made on purpose to have the same digest would pass.'] : []),
      ...(unknown.length > 0 ? [`Not checked, unknown digest: ${unknown.length} manifests.`] : [])
    ],
    faults
  }
}
