// SPDX-License-Identifier: Apache-2.0
import type { OpenPart } from './payload.ts'
import type { ContentSource, PayloadState } from './payload-reader.ts'

/** The content of some leaves in one buffer, which moves between threads without a copy. */
export interface HandedContent {
  readonly bytes: ArrayBuffer
  /** Per part: seq, place of its name in `names`, length of its data. */
  readonly index: Float64Array
  readonly names: readonly string[]
}

const OPENING_BYTES = 32
const FIELDS = 3

/** Packs what was just sealed. Leaves without content are left out. */
export function packContent(leaves: readonly { readonly seq: number; readonly parts: readonly OpenPart[] }[]): HandedContent {
  let size = 0
  let count = 0
  for (const { parts } of leaves) {
    count += parts.length
    for (const part of parts) size += OPENING_BYTES + part.data.length
  }
  const bytes = new Uint8Array(size)
  const index = new Float64Array(count * FIELDS)
  const names: string[] = []
  let at = 0
  let entry = 0
  for (const { seq, parts } of leaves) {
    for (const part of parts) {
      let name = names.indexOf(part.name)
      if (name < 0) name = names.push(part.name) - 1
      index[entry++] = seq
      index[entry++] = name
      index[entry++] = part.data.length
      bytes.set(part.opening, at)
      bytes.set(part.data, at + OPENING_BYTES)
      at += OPENING_BYTES + part.data.length
    }
  }
  return { bytes: bytes.buffer, index, names }
}

/**
 * Content as it was handed over by the writer, else as it is stored: decrypting it again would cost the projector a third of its time.
 */
export class ContentCache implements ContentSource {
  readonly #stored: ContentSource
  readonly #handed = new Map<number, OpenPart[]>()

  constructor(stored: ContentSource) {
    this.#stored = stored
  }

  add({ bytes, index, names }: HandedContent): void {
    let at = 0
    for (let entry = 0; entry < index.length; entry += FIELDS) {
      const seq = index[entry] ?? 0
      const length = index[entry + 2] ?? 0
      const part = {
        name: names[index[entry + 1] ?? 0] ?? '',
        opening: new Uint8Array(bytes, at, OPENING_BYTES),
        data: new Uint8Array(bytes, at + OPENING_BYTES, length)
      }
      at += OPENING_BYTES + length
      const parts = this.#handed.get(seq)
      if (parts) parts.push(part)
      else this.#handed.set(seq, [part])
    }
  }

  /** Forgets what was handed over below this seq; all of it for a replay, which reads what is stored now. */
  forget(below = Number.POSITIVE_INFINITY): void {
    for (const seq of this.#handed.keys()) {
      if (seq >= below) return
      this.#handed.delete(seq)
    }
  }

  open(seq: number): PayloadState {
    const parts = this.#handed.get(seq)
    return parts === undefined ? this.#stored.open(seq) : { state: 'present', parts }
  }
}
