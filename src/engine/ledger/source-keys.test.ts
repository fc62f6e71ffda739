// SPDX-License-Identifier: Apache-2.0
import { createHmac } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { migrate, openOfRecord, type WritableDb } from '../sqlite/open.ts'
import { ledgerMigrations } from './migrations.ts'
import { hmac16, SourceKeys } from './source-keys.ts'

const hex = (text: string): string => Buffer.from(text, 'latin1').toString('hex')

describe('hmac16', () => {
  it.each([
    // RFC 4231, test cases 1 to 4, 6 and 7: those whose data is text in one-byte characters below 0x80, and the two long keys.
    ['0b'.repeat(20), 'Hi There', 'b0344c61d8db38535ca8afceaf0bf12b'],
    [Buffer.from('Jefe').toString('hex'), 'what do ya want for nothing?', '5bdcc146bf60754e6a042426089575c7'],
    ['aa'.repeat(131), 'Test Using Larger Than Block-Size Key - Hash Key First', '60e431591ee0b67f0d8a26aacbf5b77f'],
    [
      'aa'.repeat(131),
      'This is a test using a larger than block-size key and a larger than block-size data. The key needs to be hashed before being used by the HMAC algorithm.',
      '9b09ffa71b942fcb27635fbcd5b0e944'
    ]
  ])('gives the vector of RFC 4231 for key %#', (key, text, want) => {
    expect(hex(hmac16(Buffer.from(key, 'hex'))(text))).toBe(want)
  })

  it('is the HMAC of node:crypto for any text, one after the other', () => {
    const key = Buffer.alloc(32, 7)
    const digest = hmac16(key)
    const want = (text: string) => createHmac('sha256', key).update(text, 'utf8').digest('hex').slice(0, 32)
    fc.assert(fc.property(fc.string({ unit: 'binary', maxLength: 400 }), (text) => hex(digest(text)) === want(text)))
    const long = 'ä\u{1f600}'.repeat(5_000)
    expect(hex(digest(long))).toBe(want(long))
    expect(hex(digest('short'))).toBe(want('short'))
  })
})

describe('SourceKeys', () => {
  let root: string
  let db: WritableDb
  const open = (): WritableDb => {
    const opened = openOfRecord(join(root, 'ledger.db'))
    migrate(opened, ledgerMigrations)
    return opened
  }
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'affidavit-source-keys-'))
    db = open()
  })
  afterEach(() => {
    db.close()
    rmSync(root, { recursive: true })
  })
  const secret = Buffer.alloc(32, 1)
  const add = (keys: SourceKeys, from: number, count: number): void => {
    db.transaction(() => {
      keys.write(Array.from({ length: count }, (_, i) => ({ id: keys.lookUp(`key ${from + i}`).id, seq: from + i })))
    })()
  }
  const rows = (table: 'dedup' | 'dedup_new'): number => db.prepare<[], number>(`SELECT count(*) FROM ${table}`).pluck().get() ?? 0
  /** Keys that are not found, or with another leaf. */
  const wrong = (keys: SourceKeys, size: number): number[] =>
    Array.from({ length: size }, (_, seq) => seq).filter((seq) => keys.lookUp(`key ${seq}`).seq !== seq)

  it('finds every key, in whatever table it stands, also after each new start', () => {
    let keys = new SourceKeys(db, secret)
    let size = 0
    // Five generations in groups of every size; a new start in the middle of a generation that is being moved.
    for (const group of [1, 499, 16_000, 40, 500, 30_000, 500, 7, 12_000, 500, 20_000]) {
      for (let left = group; left > 0; left -= 500) add(keys, size + group - left, Math.min(left, 500))
      size += group
      expect(wrong(keys, size)).toEqual([])
      keys = new SourceKeys(db, secret)
      expect(wrong(keys, size)).toEqual([])
    }
    expect(keys.lookUp('key never seen').seq).toBeUndefined()
    expect(rows('dedup') + rows('dedup_new')).toBeGreaterThanOrEqual(size)
    // What waits is bounded, and what was moved is gone from there.
    expect(rows('dedup_new')).toBeLessThan(2 * 16_384 + 500)
    expect(rows('dedup')).toBeGreaterThan(size - 3 * 16_384)
  })

  it('forgets a group that was rolled back', () => {
    const keys = new SourceKeys(db, secret)
    add(keys, 0, 10)
    expect(() =>
      db.transaction(() => {
        keys.write([{ id: keys.lookUp('lost').id, seq: 10 }])
        throw new Error('disk full')
      })()
    ).toThrow('disk full')
    keys.reload(db)
    expect(keys.lookUp('lost').seq).toBeUndefined()
    expect(wrong(keys, 10)).toEqual([])
  })

  it('moves a generation again from its beginning when some of it was moved before', () => {
    const keys = new SourceKeys(db, secret)
    for (let from = 0; from < 16_500; from += 500) add(keys, from, 500)
    expect(rows('dedup')).toBeGreaterThan(0)
    expect(rows('dedup_new')).toBeGreaterThan(16_384)
    const again = new SourceKeys(db, secret)
    for (let from = 17_000; from < 60_000; from += 500) add(again, from, 500)
    for (const seq of [0, 16_384, 16_499, 17_000, 59_999]) expect(again.lookUp(`key ${seq}`).seq).toBe(seq)
  })
})
