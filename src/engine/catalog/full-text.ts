// SPDX-License-Identifier: Apache-2.0
import type { WritableDb } from '../sqlite/open.ts'

/** The texts of a record in the full text. */
export interface RecordTexts {
  readonly request: string
  readonly response: string
}

/**
 * Characters of scripts that set no spaces between words (Han, kana, Thai, Lao, Khmer, Myanmar) or join particles to them (Hangul): FTS5's
 * `unicode61` would take a whole sentence for one word. Plain ranges instead of `\p{Script}`: a text must leave in the pieces it came in,
 * also under a runtime with newer Unicode tables.
 */
const LETTER_BY_LETTER =
  /[\u0e00-\u0eff\u1000-\u109f\u1100-\u11ff\u1780-\u17ff\u3005-\u3007\u3040-\u30ff\u3130-\u318f\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\ua960-\ua97f\ua9e0-\ua9ff\uaa60-\uaa7f\uac00-\ud7ff\uf900-\ufaff\uff66-\uffdc]|[\ud82c\ud840-\ud8bf][\udc00-\udfff]/g

const apart = (text: string): string => text.replace(LETTER_BY_LETTER, ' $& ')

/**
 * The question for FTS5 whether a text holds these words one after another, letters of scripts without spaces counting as words: one quoted
 * string, so that no character of it is an operator.
 * @param text needs a word in the sense of `hasWord`, otherwise FTS5 refuses the question
 */
export const phraseOf = (text: string): string => `"${apart(text).replaceAll('"', '""').replaceAll('\u0000', ' ')}"`

/** The full text of records, which holds words and no texts (ADR 2, 8). */
export class FullText {
  readonly #add
  readonly #remove
  readonly #has

  constructor(db: WritableDb) {
    this.#add = db.prepare('INSERT INTO record_text (rowid, request, response) VALUES (?, ?, ?)')
    this.#remove = db.prepare("INSERT INTO record_text (record_text, rowid, request, response) VALUES ('delete', ?, ?, ?)")
    this.#has = db.prepare<[number], number>('SELECT 1 FROM record_text_docsize WHERE id = ?').pluck()
  }

  has(rid: number): boolean {
    return this.#has.get(rid) !== undefined
  }

  /** A record without a text has no row. */
  add(rid: number, { request, response }: RecordTexts): void {
    if (request !== '' || response !== '') this.#add.run(rid, apart(request), apart(response))
  }

  /** Takes the words of a record out. @param texts as they were added: a contentless table has to be told them */
  remove(rid: number, { request, response }: RecordTexts): void {
    this.#remove.run(rid, apart(request), apart(response))
  }
}
