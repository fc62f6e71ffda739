// SPDX-License-Identifier: Apache-2.0
import { closeSync, fdatasyncSync, openSync, readSync, writeSync } from 'node:fs'
import { dirname } from 'node:path'
import { syncFolder } from '../../node/durable-file.ts'
import { sha256 } from '../crypto.ts'

/** The high-water mark outside the database: only it can tell that a torn WAL opened cleanly with its tail gone. */
export interface Head {
  readonly size: number
  readonly root: Uint8Array
  /** One past the highest seq with a key. */
  readonly keysEnd: number
}

const SLOT = 512
const MAGIC = Buffer.from('AFFHEAD1', 'latin1')

interface Slot extends Head {
  readonly generation: bigint
}

// magic 8 · generation 8 · size 8 · keys_end 8 · root 32 · SHA-256 of the first 64 bytes 32 · zero to 512
function encode(slot: Slot): Buffer {
  const out = Buffer.alloc(SLOT)
  MAGIC.copy(out)
  out.writeBigUInt64BE(slot.generation, 8)
  out.writeBigUInt64BE(BigInt(slot.size), 16)
  out.writeBigUInt64BE(BigInt(slot.keysEnd), 24)
  out.set(slot.root, 32)
  out.set(sha256(out.subarray(0, 64)), 64)
  return out
}

function decode(bytes: Buffer): Slot | undefined {
  if (bytes.length !== SLOT || !bytes.subarray(0, 8).equals(MAGIC)) return undefined
  if (!bytes.subarray(64, 96).equals(sha256(bytes.subarray(0, 64)))) return undefined
  return {
    generation: bytes.readBigUInt64BE(8),
    size: Number(bytes.readBigUInt64BE(16)),
    keysEnd: Number(bytes.readBigUInt64BE(24)),
    root: new Uint8Array(bytes.subarray(32, 64))
  }
}

/** Two alternating slots: a torn write damages the older one only; the newest valid one counts. */
export class HeadFile {
  readonly #fd: number
  #generation: bigint
  #last: Head

  private constructor(fd: number, slot: Slot) {
    this.#fd = fd
    this.#generation = slot.generation
    this.#last = slot
  }

  /** Creates the file at size 0, durable with its folder, before the first append. */
  static create(path: string, emptyRoot: Uint8Array): HeadFile {
    const slot: Slot = { generation: 0n, size: 0, root: emptyRoot, keysEnd: 0 }
    const fd = openSync(path, 'wx+', 0o600)
    writeSync(fd, Buffer.concat([encode(slot), Buffer.alloc(SLOT)]), 0, SLOT * 2, 0)
    fdatasyncSync(fd)
    syncFolder(dirname(path))
    return new HeadFile(fd, slot)
  }

  /** Opens an existing file; undefined when neither slot is valid. */
  static open(path: string, mode: 'r+' | 'r' = 'r+'): HeadFile | undefined {
    const fd = openSync(path, mode)
    const bytes = Buffer.alloc(SLOT * 2)
    readSync(fd, bytes, 0, SLOT * 2, 0)
    const slots = [decode(bytes.subarray(0, SLOT)), decode(bytes.subarray(SLOT))].filter((slot) => slot !== undefined)
    const newest = slots.reduce<Slot | undefined>(
      (best, slot) => (best === undefined || slot.generation > best.generation ? slot : best),
      undefined
    )
    if (newest === undefined) {
      closeSync(fd)
      return undefined
    }
    return new HeadFile(fd, newest)
  }

  get current(): Head {
    return this.#last
  }

  /** Writes the other slot and syncs it: when this returns, the head is on disk. */
  write(head: Head): void {
    const generation = this.#generation + 1n
    writeSync(this.#fd, encode({ ...head, generation }), 0, SLOT, Number(generation % 2n) * SLOT)
    fdatasyncSync(this.#fd)
    this.#generation = generation
    this.#last = head
  }

  close(): void {
    closeSync(this.#fd)
  }
}
