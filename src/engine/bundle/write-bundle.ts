// SPDX-License-Identifier: Apache-2.0
// Writes a bundle under a name that says that it is partial, then gives it its own. Runs on a reader thread.

import { createHash } from 'node:crypto'
import { closeSync, createReadStream, existsSync, fsyncSync, mkdirSync, openSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { MessagePort } from 'node:worker_threads'
import { syncFolder } from '../../node/durable-file.ts'
import { isRefusedWrite, notWritten } from '../../node/not-written.ts'
import { AffidavitError } from '../../shared/contract/errors.ts'
import { TAG_MANIFEST } from '../../shared/evidence/bundle-layout.ts'
import type { ReaderContext, ReaderControl } from '../threads/reader-context.ts'
import { BagWriter } from './bag-writer.ts'
import { changedMeanwhile } from './bundle-content.ts'
import { fillBag } from './bundle-files.ts'
import { type AgeTarget, encryptFile } from './encrypt.ts'
import { forget, note, readJournal, type WrittenBundle } from './export-journal.ts'
import { restrictedSince, type Selection } from './selection.ts'

export interface WriteBundleInput {
  readonly selection: Selection
  readonly out: string
  /** Where the bundle stands until it is finished. */
  readonly partial: string
  /** Where the file stands that gets the name of the target: the same one, or its encrypted form. */
  readonly beside: string
  /** Journal of what of it is finished. */
  readonly journal: string
  readonly replace: boolean
  readonly query: string
  readonly recipient: string
  readonly purpose: string
  readonly requestedBy: string
  readonly withhold: readonly string[]
  readonly withholdReason: string
  /** Parts of records with personal data stay closed too. */
  readonly withholdPersonal: boolean
  /** Answers with the printed report; null: the bundle has none. */
  readonly printer: MessagePort | null
  readonly encrypt: AgeTarget | null
  readonly parquet: boolean
  readonly origin: string
  readonly logVkey: string
  readonly logPem: string
  readonly allowedSigners: string
  readonly exportSeed: Uint8Array
  readonly appVersion: string
  readonly sample: boolean
}

/**
 * Writes the bundle and gives it its name when it is on disk. Whatever ends this before leaves the partial file and its journal: the same
 * input carries on from there, and gives the bytes that one run would have given.
 * @throws AffidavitError file_exists, file_unreadable, disk_full, cancelled, payload_missing; conflict: content went, or was restricted, meanwhile
 */
export async function writeBundle(context: ReaderContext, input: WriteBundleInput, control: ReaderControl): Promise<WrittenBundle> {
  let bag: BagWriter | undefined
  try {
    const before = readJournal(input.journal).written
    if (existsSync(input.out)) {
      // Finished and named, and the end of the program came before the record of it.
      if (before && (await digestOf(input.out)) === (before.encryptedSha256 ?? before.sha256)) return before
      if (!input.replace)
        throw new AffidavitError('file_exists', 'the file exists already: choose another name or say that it may be replaced')
    }
    mkdirSync(dirname(input.journal), { recursive: true, mode: 0o700 })
    bag = new BagWriter(input.partial, input.journal)
    const figures = await fillBag(context, input, control, bag)
    const { bytes, sha256 } = bag.end()
    // What an erasure took out of the workspace has to be written again.
    if (!existsSync(input.partial)) throw changedMeanwhile()
    const encrypted = input.encrypt === null ? null : await encryptFile(input.partial, input.beside, input.encrypt, control.cancelled)
    const written = {
      ...figures,
      bytes,
      sha256,
      tagManifestSha256: bag.hashOf(TAG_MANIFEST),
      encryptedSha256: encrypted?.sha256 ?? null
    }
    if (encrypted !== null) syncFile(input.beside)
    if (restrictedSince(context, input.selection)) throw changedMeanwhile()
    note(input.journal, { written })
    renameSync(input.beside, input.out)
    if (encrypted !== null) rmSync(input.partial, { force: true })
    syncFolder(dirname(input.out))
    return written
  } catch (error) {
    throw isRefusedWrite(error) ? notWritten(error) : error
  } finally {
    bag?.close()
  }
}

/** Removes what an export left that is not to be carried on with. @throws the error of the system when a file is there and stays */
export function removePartial({ partial, beside, journal }: Pick<WriteBundleInput, 'partial' | 'beside' | 'journal'>): void {
  rmSync(partial, { force: true })
  rmSync(beside, { force: true })
  forget(journal)
}

/**
 * Removes the unfinished files that lie in the workspace: they hold contents in clear, some of which are to go. Exports that are not ended by
 * this begin their file again.
 */
export function dropUnfinished(journals: string): void {
  if (!existsSync(journals)) return
  for (const name of readdirSync(journals)) if (name.endsWith('.partial')) rmSync(join(journals, name), { force: true })
}

async function digestOf(path: string): Promise<string> {
  const hash = createHash('sha256')
  for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer)
  return hash.digest('hex')
}

function syncFile(path: string): void {
  const fd = openSync(path, 'r+')
  try {
    fsyncSync(fd)
  } finally {
    closeSync(fd)
  }
}
