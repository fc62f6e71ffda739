// SPDX-License-Identifier: Apache-2.0
import { execFileSync } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { appendFileSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { BagWriter } from './bag-writer.ts'
import { type Place, readJournal } from './export-journal.ts'
import { dataDescriptor, directory, localHeader } from './zip-format.ts'

const MEGABYTE = 1024 * 1024
let folder: string
const large = Array.from({ length: 4 }, () => randomBytes(1.25 * MEGABYTE))
let straight: Buffer
let digest: string
let made = 0

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'affidavit-bag-'))
  const { file, sha256 } = await write(files())
  straight = readFileSync(file)
  digest = sha256
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

interface Files {
  readonly file: string
  readonly journal: string
}
const files = (): Files => ({ file: join(folder, `${++made}.partial`), journal: join(folder, `journals-${made}`, 'x.jsonl') })

/** Small files among four large ones; fails in the one with the number `failAt`. @returns the digest, and which large files were asked for */
async function write({ file, journal }: Files, failAt?: number, second = 'two') {
  const bag = new BagWriter(file, journal)
  const asked: number[] = []
  try {
    bag.add('a/one.txt', 'one')
    bag.add('a/two.txt', second)
    for (const [at, bytes] of large.entries()) {
      const content = function* () {
        asked.push(at)
        yield bytes.subarray(0, MEGABYTE)
        if (at === failAt) throw new Error('the end of the program')
        yield bytes.subarray(MEGABYTE)
      }
      const place: Place = { leaf: at + 1, part: 2 }
      expect(
        await bag.stream(
          `b/${at}`,
          content,
          () => ({ done: at + 1, total: 4 }),
          () => place
        )
      ).toEqual(place)
      bag.add(`b/${at}.txt`, `after ${at}`)
    }
    return { ...bag.end(), asked, file }
  } finally {
    bag.close()
  }
}

async function interrupted(failAt = 2): Promise<Files> {
  const where = files()
  await expect(write(where, failAt)).rejects.toThrow('the end of the program')
  return where
}

const sha = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex')
const points = ({ journal }: Files): number[] => readJournal(journal).points.map((point) => point.done)

describe('a bag', () => {
  it('is a zip that stock tools read, of the digest it says', () => {
    expect(sha(straight)).toBe(digest)
    const file = join(folder, 'straight.zip')
    writeFileSync(file, straight)
    execFileSync('unzip', ['-tq', file])
    expect(execFileSync('unzip', ['-p', file, 'b/3'], { maxBuffer: 4 * MEGABYTE }).equals(large[3] as Buffer)).toBe(true)
    expect(execFileSync('unzip', ['-Z', '-T', file, 'a/one.txt'], { encoding: 'utf8' })).toContain('19800101.000000')
  })

  it('is carried on with: the same bytes, and what is finished is not asked for again', async () => {
    const where = await interrupted()
    expect(points(where)).toEqual([1, 2])
    const again = await write(where)
    expect(again.asked).toEqual([2, 3])
    expect(readFileSync(where.file).equals(straight)).toBe(true)
    expect(again.sha256).toBe(digest)
  })

  it('is the same after several ends, at the first and the last file too', async () => {
    const where = await interrupted(0)
    expect(points(where)).toEqual([])
    for (const failAt of [1, 1, 3]) await expect(write(where, failAt)).rejects.toThrow()
    const again = await write(where)
    expect(again.asked).toEqual([3])
    expect(sha(readFileSync(where.file))).toBe(digest)
  })

  it('does what no longer holds again: a changed byte, a cut, a lost file, a lost or torn journal', async () => {
    const flip = (at: number) => (where: Files) => {
      const bytes = readFileSync(where.file)
      bytes.writeUInt8(bytes.readUInt8(at) ^ 1, at)
      writeFileSync(where.file, bytes)
    }
    const cases: readonly (readonly [(where: Files) => void, readonly number[]])[] = [
      [flip(10), [0, 1, 2, 3]],
      [flip(MEGABYTE), [0, 1, 2, 3]],
      [flip(2 * MEGABYTE), [1, 2, 3]],
      [(where) => writeFileSync(where.file, readFileSync(where.file).subarray(0, 2 * MEGABYTE)), [1, 2, 3]],
      [(where) => appendFileSync(where.file, randomBytes(MEGABYTE)), [2, 3]],
      [(where) => rmSync(where.file), [0, 1, 2, 3]],
      [(where) => rmSync(where.journal), [0, 1, 2, 3]],
      [(where) => writeFileSync(where.journal, readFileSync(where.journal).subarray(0, -9)), [1, 2, 3]],
      [(where) => writeFileSync(where.journal, '{"entries":[]}\n'), [0, 1, 2, 3]],
      [(where) => appendFileSync(where.journal, 'no line of a journal\n'), [2, 3]]
    ]
    for (const [at, [change, asked]] of cases.entries()) {
      const where = await interrupted()
      change(where)
      const again = await write(where)
      expect([at, again.asked]).toEqual([at, asked])
      expect([at, sha(readFileSync(where.file))]).toEqual([at, digest])
    }
  })

  it('keeps nothing behind a file that would be another today', async () => {
    const where = await interrupted()
    const other = await write(where, undefined, 'TWO')
    expect(other.asked).toEqual([0, 1, 2, 3])
    const fresh = await write(files(), undefined, 'TWO')
    expect(sha(readFileSync(where.file))).toBe(fresh.sha256)
  })

  it('follows no link and writes into nothing but a file', () => {
    const { file, journal } = files()
    symlinkSync(join(folder, 'elsewhere'), file)
    expect(() => new BagWriter(file, journal)).toThrow(/ELOOP/)
    expect(() => new BagWriter(folder, journal)).toThrow(/EISDIR/)
    expect(() => statSync(join(folder, 'elsewhere'))).toThrow(/ENOENT/)
  })
})

describe('the zip format', () => {
  it('uses 64-bit forms where a size or an offset needs them, and nowhere else', () => {
    const entry = { name: 'x', crc: 1, size: 5, packed: 7, offset: 9, streamed: true }
    expect(localHeader(entry)).toHaveLength(31)
    expect(dataDescriptor(entry)).toHaveLength(16)
    expect(dataDescriptor({ ...entry, streamed: false })).toHaveLength(0)
    expect(Buffer.concat([...directory([entry], 100)])).toHaveLength(47 + 22)
    const far = { ...entry, size: 5 * 1024 ** 3, offset: 6 * 1024 ** 3 }
    expect(dataDescriptor(far)).toHaveLength(24)
    const end = Buffer.concat([...directory([far], 12 * 1024 ** 3)])
    expect(end).toHaveLength(47 + 28 + 56 + 20 + 22)
    expect(end.readBigUInt64LE(47 + 4)).toBe(BigInt(far.size))
    expect(end.readBigUInt64LE(47 + 20)).toBe(BigInt(far.offset))
    expect(end.readBigUInt64LE(47 + 28 + 48)).toBe(BigInt(12 * 1024 ** 3))
  })

  it('is what another zip reader takes for a zip, beyond 4 GiB too', () => {
    // A sparse file: only the central directory is read.
    const file = join(folder, 'far.zip')
    const entry = { name: 'x', crc: 0, size: 0, packed: 2, offset: 0, streamed: true }
    const far = { ...entry, name: 'y', offset: 5 * 1024 ** 3 }
    const start = far.offset + 1024
    writeFileSync(file, localHeader(entry))
    truncateSync(file, far.offset)
    appendFileSync(file, localHeader(far))
    truncateSync(file, start)
    appendFileSync(file, Buffer.concat([...directory([entry, far], start)]))
    expect(execFileSync('unzip', ['-Z', '-1', file], { encoding: 'utf8' })).toBe('x\ny\n')
    rmSync(file)
  })
})
