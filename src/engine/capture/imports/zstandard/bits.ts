// SPDX-License-Identifier: Apache-2.0

/** What cannot be Zstandard. The message names the rule, never the data. */
export class ZstandardError extends Error {}

/** @throws ZstandardError */
export function refuse(message: string): never {
  throw new ZstandardError(message)
}

/** Position of the highest bit that is set; -1 for 0. */
export const highBit = (value: number): number => 31 - Math.clz32(value)

/** Bits of a stream that is read from its end: the last byte holds a mark above the first bit (RFC 8878, 4.1). */
export class BackwardBits {
  readonly #view: DataView
  /** Bits that are left; below 0 when more were asked for than there are. */
  left: number

  constructor(bytes: Uint8Array) {
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    const last = bytes.at(-1) ?? 0
    if (last === 0) refuse('a stream of bits without its mark')
    this.left = (bytes.length - 1) * 8 + highBit(last)
  }

  /** The next bits without taking them, at most 24; zeros follow the last one. */
  peek(count: number): number {
    const at = this.left - count
    if (at < 0) return at + count <= 0 ? 0 : (this.#at(0) & ((1 << (at + count)) - 1)) << -at
    return (this.#at(at >> 3) >>> (at & 7)) & ((1 << count) - 1)
  }

  read(count: number): number {
    const value = this.peek(count)
    this.left -= count
    return value
  }

  /** Four bytes, little end first; what lies past the end is 0. */
  #at(byte: number): number {
    if (byte + 4 <= this.#view.byteLength) return this.#view.getUint32(byte, true)
    let value = 0
    for (let i = this.#view.byteLength - 1; i >= byte; i--) value = value * 256 + this.#view.getUint8(i)
    return value
  }
}
