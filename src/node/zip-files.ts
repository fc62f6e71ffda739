// SPDX-License-Identifier: Apache-2.0
// A bundle's zip on disk. What is refused, and why, is in src/shared/evidence/zip-directory.ts.
import { createHash } from 'node:crypto'
import { type FileHandle, open } from 'node:fs/promises'
import { Readable } from 'node:stream'
import { crc32, createInflateRaw, inflateRawSync } from 'node:zlib'
import { AffidavitError } from '../shared/contract/errors.ts'
import { EvidenceError } from '../shared/evidence/errors.ts'
import type { BundleFiles } from '../shared/evidence/verify-steps.ts'
import { ZipBundle, type ZipRuntime } from '../shared/evidence/zip-bundle.ts'
import type { ZipSource } from '../shared/evidence/zip-directory.ts'

/** Up to here a file is unpacked at once: a stream for each of thousands of small files costs more than the rest of the work. */
const AT_ONCE = 1024 * 1024

const runtime: ZipRuntime = {
  async *inflate(packed, sizes) {
    if (sizes.size > AT_ONCE || sizes.packed > AT_ONCE) {
      yield* inflateStream(packed, sizes.packed)
      return
    }
    const parts: Uint8Array[] = []
    for await (const part of packed) parts.push(part)
    const { buffer, engine } = inflateRawSync(Buffer.concat(parts), { maxOutputLength: sizes.size + 1, info: true }) as unknown as {
      readonly buffer: Buffer
      readonly engine: { readonly bytesWritten: number }
    }
    if (engine.bytesWritten !== sizes.packed) throw new Error('bytes after the end')
    if (buffer.length > 0) yield buffer
  },
  crc32: (bytes, before) => crc32(bytes, before),
  sha256() {
    const hash = createHash('sha256')
    return { update: (bytes) => hash.update(bytes), hex: () => hash.digest('hex') }
  }
}

async function* inflateStream(packed: AsyncIterable<Uint8Array>, length: number): AsyncGenerator<Uint8Array> {
  const inflate = createInflateRaw({ chunkSize: 256 * 1024 })
  const input = Readable.from(packed, { objectMode: false })
  input.on('error', (error) => inflate.destroy(error))
  input.pipe(inflate)
  try {
    for await (const chunk of inflate) yield chunk as Buffer
    if (inflate.bytesWritten !== length) throw new Error('bytes after the end')
  } finally {
    input.destroy()
    inflate.destroy()
  }
}

function sourceOf(file: FileHandle, size: number): ZipSource {
  return {
    size,
    async read(from, length) {
      const { bytesRead, buffer } = await file.read(Buffer.allocUnsafe(length), 0, length, from)
      return buffer.subarray(0, bytesRead)
    }
  }
}

/** The files of a zip, opened for reading by name. */
export interface OpenZip extends BundleFiles {
  /** Checks that nothing lies in the archive but its files. @throws EvidenceError not_this_format */
  checkEntries(): Promise<void>
  close(): Promise<void>
}

/**
 * Reads and checks the directory of an archive.
 * @throws AffidavitError not_this_format: no zip, truncated, or one of the refused shapes; file_unreadable
 */
export async function openZipFiles(path: string): Promise<OpenZip> {
  let file: FileHandle
  try {
    file = await open(path, 'r')
  } catch {
    throw new AffidavitError('file_unreadable', 'the file cannot be read')
  }
  try {
    const bundle = await ZipBundle.open(sourceOf(file, (await file.stat()).size), runtime)
    return {
      checkEntries: () => bundle.checkEntries(),
      names: () => bundle.names(),
      size: (name) => bundle.size(name),
      read: (name) => bundle.read(name),
      hash: (name) => bundle.hash(name),
      lines: (name) => bundle.lines(name),
      close: () => file.close()
    }
  } catch (error) {
    await file.close()
    if (error instanceof EvidenceError) throw new AffidavitError('not_this_format', error.message)
    throw new AffidavitError('file_unreadable', 'the file cannot be read')
  }
}
