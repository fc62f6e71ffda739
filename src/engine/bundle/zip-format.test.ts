// SPDX-License-Identifier: Apache-2.0
// What is written is what every reader takes, also beyond 4 GiB; whoever takes one entry after the other reads nothing else.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, it } from 'vitest'
import { openZipFiles } from '../../node/zip-files.ts'
import { ZipBundle } from '../../shared/evidence/zip-bundle.ts'
import { zipWays } from '../test/corpus-zip.ts'
import { BagWriter } from './bag-writer.ts'
import { dataDescriptor, directory, entryLength, localHeader, type ZipEntry } from './zip-format.ts'

const folder = mkdtempSync(join(tmpdir(), 'affidavit-zip-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

async function checked(content: Buffer): Promise<string> {
  const path = join(folder, 'one.zip')
  writeFileSync(path, content)
  try {
    const files = await openZipFiles(path)
    try {
      await files.checkEntries()
      const hashes = await Promise.all(files.names().map((name) => files.hash(name)))
      return hashes.includes('unreadable') ? 'unreadable' : 'holds'
    } finally {
      await files.close()
    }
  } catch (error) {
    return (error as { readonly code: string }).code
  }
}

it('every way to hide something beside the entries is found, and what was written is not', async () => {
  const path = join(folder, 'written.zip')
  const bag = new BagWriter(path, join(folder, 'journal'))
  bag.add('bagit.txt', 'BagIt-Version: 1.0\n')
  await bag.stream('data/leaves.jsonl', () => [Buffer.from('{}\n'.repeat(1000))])
  bag.add('data/report.html', '<h1>report</h1>\n')
  bag.end()
  const zip = readFileSync(path)
  expect(await checked(zip)).toBe('holds')
  for (const { name, content, step } of zipWays(zip))
    expect([name, await checked(content)]).toEqual([name, step ? 'unreadable' : 'not_this_format'])
})

it('an archive of more than 4 GiB holds, and not with a byte more in it', async () => {
  const five = 5 * 1024 ** 3
  const first: ZipEntry = { name: 'data/leaves.jsonl', crc: 1, size: five + 1, packed: five, offset: 0, streamed: true }
  const second: ZipEntry = { name: 'data/report.html', crc: 2, size: 7, packed: 9, offset: entryLength(first), streamed: false }
  const last: ZipEntry = { name: 'verify.sh', crc: 3, size: 7, packed: 9, offset: second.offset + entryLength(second), streamed: true }
  const entries = [first, second, last]
  const open = async (gap: number) => {
    const placed = entries.map((one) => (one === last ? { ...one, offset: one.offset + gap } : one))
    const start = last.offset + gap + entryLength(last)
    const pieces = placed.flatMap((one) => [
      { at: one.offset, bytes: localHeader(one) },
      { at: one.offset + entryLength(one) - dataDescriptor(one).length, bytes: dataDescriptor(one) }
    ])
    const end = Buffer.concat([...directory(placed, start)])
    const size = start + end.length
    const read = async (from: number, length: number): Promise<Uint8Array> => {
      const out = Buffer.alloc(Math.min(length, size - from))
      for (const { at, bytes } of [...pieces, { at: start, bytes: end }])
        if (at + bytes.length > from && at < from + out.length)
          bytes.copy(out, Math.max(0, at - from), Math.max(0, from - at), Math.min(bytes.length, from + out.length - at))
      return out
    }
    const none = { inflate: () => expect.unreachable(), crc32: () => 0, sha256: () => expect.unreachable() }
    await (await ZipBundle.open({ size, read }, none)).checkEntries()
  }
  await open(0)
  await expect(open(1)).rejects.toMatchObject({ code: 'not_this_format' })
})
