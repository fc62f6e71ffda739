// SPDX-License-Identifier: Apache-2.0
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { WritableDb } from '../sqlite/open.ts'
import { ingestRecords } from '../test/ingest-records.ts'
import { rawRecord, type TestEngine, testEngine } from '../test/test-engine.ts'
import { FullText, phraseOf } from './full-text.ts'
import { recordsSchema } from './schema/records.ts'

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 })

const texts = {
  chinese: '客户有权要求删除其个人数据，办公室在东京。',
  japanese: 'お客様はデータの削除を求めることができます。',
  rare: '𠮷野家で食べた',
  thai: 'ลูกค้ามีสิทธิขอให้ลบข้อมูลส่วนบุคคล',
  korean: '고객은 개인정보의 삭제를 요청할 수 있다.',
  mixed: 'Ask the 東京office about GPT模型 v2',
  // As composed letters, and as letters with their marks.
  marks: 'cafe\u0301 दिन ดี မိုး',
  latin: 'The café keeps “records” for six years'
}
const names = Object.keys(texts) as (keyof typeof texts)[]

/** What is asked for, and which texts hold it. */
const asked: readonly (readonly [string, readonly (keyof typeof texts)[]])[] = [
  ['删除', ['chinese']],
  ['東京', ['mixed']],
  ['东京', ['chinese']],
  ['京东', []],
  ['データ', ['japanese']],
  ['タデ', []],
  ['削除', ['japanese']],
  ['𠮷野', ['rare']],
  ['ข้อมูล', ['thai']],
  ['고객', ['korean']],
  ['개인정보', ['korean']],
  ['보정', []],
  ['office', ['mixed']],
  ['東京 office', ['mixed']],
  ['GPT模型', ['mixed']],
  ['cafe', ['marks', 'latin']],
  ['café', ['marks', 'latin']],
  ['दिन', ['marks']],
  ['दान', []],
  ['ดี', ['marks']],
  ['ดุ', []],
  ['မိုး', ['marks']],
  ['မီး', []],
  ['caf', []],
  ['record', []],
  ['records', ['latin']]
]

describe('the full text', () => {
  let db: WritableDb
  let fullText: FullText
  beforeEach(() => {
    db = new Database(':memory:') as unknown as WritableDb
    db.exec(recordsSchema)
    fullText = new FullText(db)
    for (const [i, name] of names.entries()) fullText.add(i, { request: texts[name], response: '' })
  })
  afterEach(() => db.close())

  it.each(asked)('finds %s', (word, holders) => {
    const found = db.prepare<[string], number>('SELECT rowid FROM record_text WHERE record_text MATCH ? ORDER BY rowid').pluck()
    expect(found.all(phraseOf(word)).map((i) => names[i])).toEqual(holders)
  })

  it('holds no word of a text that was taken out', () => {
    for (const [i, name] of names.entries()) fullText.remove(i, { request: texts[name], response: '' })
    db.exec("CREATE VIRTUAL TABLE temp.left USING fts5vocab (main, record_text, 'row')")
    expect(db.prepare('SELECT term FROM temp.left').pluck().all()).toEqual([])
    expect(names.some((_, i) => fullText.has(i))).toBe(false)
    db.exec("INSERT INTO record_text (record_text) VALUES ('integrity-check')")
  })
})

describe('an engine', () => {
  let engine: TestEngine
  beforeEach(async () => {
    engine = await testEngine({ servers: true })
  })
  afterEach(() => engine.remove())

  it('finds words in texts without spaces, also after a rebuild', async () => {
    const seqs = await ingestRecords(
      engine,
      names.map((name, i) => rawRecord(i, { prompt: texts[name] }))
    )
    const found = async (text: string): Promise<unknown[]> =>
      (await engine.call('records.query', { text })).records
        .map((record) => record.seq)
        .sort((a, b) => a - b)
        .map((seq) => names[seqs.indexOf(seq)])
    for (const [word, holders] of asked) expect([word, await found(word)]).toEqual([word, holders])
    await engine.restart(() => {
      const catalog = new Database(join(engine.workspace, 'catalog.db'))
      catalog.pragma('user_version = 24')
      catalog.close()
    })
    for (const [word, holders] of asked) expect([word, await found(word)]).toEqual([word, holders])
  })
})
