// SPDX-License-Identifier: Apache-2.0
// What is looked for after an erasure: pieces of the erased texts in the forms in which a file could hold them. In memory only, never written.
import type { CanonicalEvent } from '../../../shared/event/canonical-event.ts'
import { messagesText } from '../../../shared/event/canonical-event.ts'
import { type CorrectionBody, personalIn } from '../../../shared/event/correction.ts'
import { builtInDetectors, detect } from '../../../shared/privacy/detect.ts'
import type { ReaderContext } from '../../threads/reader-context.ts'

/** Shorter pieces are words that other texts hold too. */
export const SHORTEST = 8
/** Of a longer text that many bytes are looked for, at its beginning, its end, and once in every {@link STRIDE} between. */
export const WINDOW = 24
export const STRIDE = 256
const MOST = 120_000

/** Pieces of a text: all of it when short, else windows from its beginning to its end. */
function* pieces(text: string): Generator<Buffer> {
  const bytes = Buffer.from(text, 'utf8')
  if (bytes.length < SHORTEST) return
  if (bytes.length <= WINDOW) return yield bytes
  for (let at = 0; at + WINDOW < bytes.length; at += STRIDE) yield bytes.subarray(at, at + WINDOW)
  yield bytes.subarray(bytes.length - WINDOW)
}

/** The forms of a piece: as it is, as a JSON string has it, in UTF-16, and in base64 at each of the three alignments. */
function* forms(piece: Buffer): Generator<Buffer> {
  yield piece
  const text = piece.toString('utf8')
  const json = Buffer.from(JSON.stringify(text).slice(1, -1), 'utf8')
  if (!json.equals(piece) && !text.includes('\ufffd')) yield json
  if (!text.includes('\ufffd')) yield Buffer.from(text, 'utf16le')
  for (let shift = 0; shift < 3; shift++) {
    const whole = Math.floor((piece.length - shift) / 3) * 3
    const encoded = Buffer.from(piece.subarray(shift, shift + whole).toString('base64'), 'latin1')
    if (encoded.length >= SHORTEST) yield encoded
  }
}

/** What names a person in an event. */
function* named({ user_id, conversation_id, attributes }: Partial<CanonicalEvent>): Generator<string> {
  if (user_id !== undefined) yield user_id
  if (conversation_id !== undefined) yield conversation_id
  for (const value of Object.values(attributes ?? {})) yield typeof value === 'string' ? value : JSON.stringify(value)
}

/** Names and texts in a part of a record, or in a correction of one, whose reason stays: it is in the words of a member of staff. */
function contentOf(part: string, text: string): { readonly event: Partial<CanonicalEvent>; readonly texts: readonly string[] } {
  if (part === 'event') return { event: JSON.parse(text) as Partial<CanonicalEvent>, texts: [] }
  if (part === 'request' || part === 'response')
    return { event: {}, texts: [messagesText((JSON.parse(text) as { messages: Parameters<typeof messagesText>[0] }).messages)] }
  if (part === 'body') return personalIn((JSON.parse(text) as CorrectionBody).changes)
  return { event: {}, texts: [text] }
}

/** Identifiers: what names a person, and whatever a detector finds in the texts. */
function* identifiersIn(part: string, text: string): Generator<string> {
  const { event, texts } = contentOf(part, text)
  yield* named(event)
  if (part !== 'error') for (const all of texts) for (const one of detect(all, builtInDetectors)) yield all.slice(one.start, one.end)
}

export interface Needles {
  readonly needles: readonly Uint8Array[]
  /** Leaves whose content could still be read, or that have none. */
  readonly readable: number
  /** Pieces beyond the most that are looked for. */
  readonly left: number
}

/** Pieces to look for once the content of these leaves is erased: the identifiers of all of them before the texts of any. */
export function needlesOf({ payloads }: ReaderContext, seqs: readonly number[]): Needles {
  const found = new Map<string, Buffer>()
  let left = 0
  const gather = (textsIn: (part: string, text: string) => Iterable<string>): number => {
    let readable = 0
    for (const seq of seqs) {
      const payload = payloads.open(seq)
      if (payload.state === 'present' || payload.state === 'none') readable++
      for (const { name, data } of payload.state === 'present' ? payload.parts : [])
        for (const text of textsIn(name, Buffer.from(data).toString('utf8')))
          for (const piece of pieces(text)) {
            if (found.size >= MOST && !found.has(piece.toString('latin1'))) left++
            else for (const form of forms(piece)) found.set(form.toString('latin1'), form)
          }
    }
    return readable
  }
  gather(identifiersIn)
  const readable = gather((part, text) => contentOf(part, text).texts)
  return { needles: [...found.values()], readable, left }
}
