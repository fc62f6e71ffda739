// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto'
import { createReadStream, existsSync, readFileSync, statSync } from 'node:fs'
import { basename, join } from 'node:path'
import { AffidavitError } from '../shared/contract/errors.ts'
import type { BundleKey, VerifyReport } from '../shared/contract/exports.ts'
import { isBundle } from '../shared/evidence/bundle-layout.ts'
import { utf8Decode } from '../shared/evidence/bytes.ts'
import { EvidenceError } from '../shared/evidence/errors.ts'
import { parseVkey } from '../shared/evidence/note.ts'
import { verifyBundle } from '../shared/evidence/verify-bundle.ts'
import type { BundleFiles, Trust } from '../shared/evidence/verify-steps.ts'
import { ageLock, withPlain } from './age-file.ts'
import { KeyMemory } from './confirmed-keys.ts'
import { countedFiles } from './counted-files.ts'
import { nodeCrypto } from './crypto.ts'
import { openFolderFiles } from './folder-files.ts'
import { HeadMemory } from './head-memory.ts'
import { openZipFiles } from './zip-files.ts'

export interface VerifyFileOptions {
  /** Folder with log.vkey and allowed_signers that were confirmed outside the bundle. */
  readonly trust?: string
  /** Folder in which heads that were seen, and keys that were confirmed, are remembered; absent: nothing is held against them and nothing is kept. */
  readonly memory?: string
  /** What opens it where it is encrypted. */
  readonly key?: BundleKey
  /** State folder, in which the plain form of an encrypted bundle lies while it is verified; absent: encrypted ones are refused. */
  readonly state?: string
  readonly cancelled?: () => boolean
  /** Told of bytes, over all steps; of the bytes decrypted before, where it is encrypted. */
  readonly onProgress?: (done: number, total: number) => void
}

/** @throws AffidavitError file_unreadable: a folder without either file, or one that cannot be read */
function readTrust(folder: string): Trust {
  const read = (name: string): string | undefined => {
    const path = join(folder, name)
    if (!existsSync(path)) return undefined
    try {
      return readFileSync(path, 'utf8')
    } catch {
      throw new AffidavitError('file_unreadable', `the confirmed keys cannot be read: ${name}`)
    }
  }
  const trust = {
    logVkey: read('log.vkey'),
    allowedSigners: read('allowed_signers'),
    tsaCa: read('tsa-ca.pem'),
    witnessVkeys: read('witness.vkey')
  }
  if (trust.logVkey === undefined || trust.allowedSigners === undefined) {
    throw new AffidavitError('file_unreadable', 'the folder of confirmed keys needs log.vkey and allowed_signers')
  }
  return trust
}

/** Keys that were confirmed here for the log that a bundle names. */
async function confirmedTrust(folder: string, files: BundleFiles): Promise<Trust | undefined> {
  try {
    const vkey = parseVkey(nodeCrypto.sha256, utf8Decode(await files.read('trust/log.vkey')))
    return new KeyMemory(folder).trustOf(vkey.name)
  } catch (error) {
    if (error instanceof AffidavitError && error.code === 'file_unreadable') throw error
    return undefined
  }
}

/** A zipped bag of another program is no bundle with files missing. @throws AffidavitError not_this_format */
function refuseForeignBag(names: readonly string[]): void {
  if (!names.some((name) => /^([^/]+\/)?bagit\.txt$/.test(name)) || isBundle((name) => names.includes(name))) return
  throw new AffidavitError('not_this_format', 'this is a zipped BagIt bag of another program: unpack it, and choose its folder')
}

function asRefusal(error: unknown): never {
  if (!(error instanceof EvidenceError)) throw error
  throw new AffidavitError(error.code === 'confirmed_unreadable' ? 'file_unreadable' : 'not_this_format', error.message)
}

async function sha256Of(path: string): Promise<string> {
  const hash = createHash('sha256')
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) hash.update(chunk as Buffer)
  return hash.digest('hex')
}

/**
 * Verifies a bundle, as a file or as the folder it was unpacked to. What is wrong inside a bundle is in the report, never thrown.
 * @throws AffidavitError file_unreadable, not_this_format (no bundle at all), key_needed, wrong_key, cancelled
 */
export async function verifyBundleFile(path: string, options: VerifyFileOptions = {}): Promise<VerifyReport> {
  const { state } = options
  if (state === undefined || statSync(path, { throwIfNoEntry: false })?.isDirectory() || (await ageLock(path)) === null)
    return verifyPlain(path, options)
  return withPlain(path, state, { ...options, key: options.key }, async (plain, sha256) => {
    const report = await verifyPlain(plain, options)
    return { ...report, file: { ...report.file, name: basename(path), encrypted_sha256: sha256 } }
  })
}

interface OpenBundle extends BundleFiles {
  /** Bytes of the file, or of all files of the folder. */
  readonly bytes: number
  /** Null for a folder. */
  sha256(): Promise<string | null>
  checkEntries(): Promise<void>
  close(): Promise<void>
}

/** @throws AffidavitError file_unreadable, not_this_format; EvidenceError not_this_format */
async function openBundle(path: string): Promise<OpenBundle> {
  const stat = statSync(path, { throwIfNoEntry: false })
  if (stat?.isDirectory()) {
    const files = openFolderFiles(path)
    const bytes = files.names().reduce((sum, name) => sum + files.size(name), 0)
    return { ...files, bytes, sha256: async () => null, checkEntries: async () => {}, close: async () => {} }
  }
  if (!stat?.isFile()) throw new AffidavitError('file_unreadable', 'the file cannot be read')
  return { ...(await openZipFiles(path)), bytes: stat.size, sha256: () => sha256Of(path) }
}

async function verifyPlain(path: string, options: VerifyFileOptions): Promise<VerifyReport> {
  const started = performance.now()
  const given = options.trust === undefined ? undefined : readTrust(options.trust)
  const memory = options.memory === undefined ? undefined : new HeadMemory(options.memory)
  const files = await openBundle(path).catch(asRefusal)
  try {
    refuseForeignBag(files.names())
    await files.checkEntries()
    const trust = given ?? (options.memory === undefined ? undefined : await confirmedTrust(options.memory, files))
    const control = { cancelled: () => options.cancelled?.() ?? false }
    const read = options.onProgress ? countedFiles(files, options.onProgress) : files
    const found = await verifyBundle(read, nodeCrypto, trust, control, memory && ((origin) => memory.known(origin)))
    if (options.cancelled?.()) throw new AffidavitError('cancelled', 'cancelled')
    if (memory && found.seen && found.kind !== 'invalid') {
      const { origin, size, root, revoked } = found.seen
      memory.remember(origin, { size, root, seen: new Date().toISOString(), signed: found.case?.written }, revoked)
    }
    const described = found.case
    return {
      verdict: found.verdict,
      kind: found.kind,
      file: { name: basename(path), bytes: files.bytes, sha256: await files.sha256(), encrypted_sha256: null },
      steps: found.steps.map((step) => ({ ...step, reasons: step.reasons.map((reason) => ({ ...reason })) })),
      bundle: {
        origin: found.origin,
        size: found.size,
        written: described?.written ?? null,
        recipient: described?.recipient ?? null,
        purpose: described?.purpose ?? null,
        query: described?.query ?? null,
        records: described?.records ?? null,
        in_scope: described?.records_in_scope ?? null,
        leaves: described?.leaves ?? null,
        range: described?.range ?? null,
        left_out: described && described.records_in_scope - described.records,
        withheld: found.withheld,
        erasures: found.erasures.map((one) => ({ ...one })),
        sample: found.sample,
        tag_manifest_sha256: found.tagManifestSha256,
        log_key: found.logKey,
        export_key: found.exportKey
      },
      memory: { ...found.memory, heads: [...found.memory.heads] },
      rests_on: [...found.restsOn],
      checked: new Date().toISOString(),
      seconds: (performance.now() - started) / 1000
    }
  } catch (error) {
    return asRefusal(error)
  } finally {
    await files.close()
  }
}
