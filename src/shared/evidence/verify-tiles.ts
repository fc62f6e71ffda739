// SPDX-License-Identifier: Apache-2.0
// Hash tiles of a bundle (C2SP tlog-tiles, height 8): enough of the tree to prove every exported leaf.
import { tilePath } from './bundle-layout.ts'
import { equalBytes } from './bytes.ts'
import { CompactRange, type GetNode, rootAt, type Sha256 } from './merkle.ts'
import type { BundleFiles } from './verify-steps.ts'

const HEIGHT = 8
const WIDTH = 2 ** HEIGHT

/** Hashes at a tile level in a tree of this size. */
export const tileHashes = (size: number, level: number): number => Math.floor(size / 2 ** (HEIGHT * level))

/** Tiles (level, index, width) that prove the given leaves against a tree of `size`, right edge included. */
export function neededTiles(
  size: number,
  seqs: Iterable<number>
): { readonly level: number; readonly index: number; readonly width: number }[] {
  const found = new Map<number, { level: number; index: number; width: number }>()
  const levels = Math.max(1, Math.ceil(Math.log2(Math.max(2, size)) / HEIGHT))
  const add = (level: number, position: number) => {
    const hashes = tileHashes(size, level)
    if (hashes === 0) return
    const index = Math.floor(Math.min(position, hashes - 1) / WIDTH)
    // A tree has at most seven levels of tiles: one number names a tile, and no text is made for each leaf.
    const key = index * 8 + level
    if (!found.has(key)) found.set(key, { level, index, width: Math.min(WIDTH, hashes - index * WIDTH) })
  }
  for (const seq of seqs) for (let level = 0; level < levels; level++) add(level, Math.floor(seq / 2 ** (HEIGHT * level)))
  for (let level = 0; level < levels; level++) add(level, Number.MAX_SAFE_INTEGER)
  return [...found.values()].sort((a, b) => a.level - b.level || a.index - b.index)
}

/** Reads tiles on demand, a few kept. */
export class TileReader {
  readonly #sha256: Sha256
  readonly #size: number
  readonly #tiles: ReadonlyMap<string, Uint8Array>

  private constructor(sha256: Sha256, size: number, tiles: ReadonlyMap<string, Uint8Array>) {
    this.#sha256 = sha256
    this.#size = size
    this.#tiles = tiles
  }

  /** Loads all tiles of a bundle: 8 kB each, 32 bytes a leaf in all. */
  static async load(sha256: Sha256, size: number, files: BundleFiles): Promise<TileReader> {
    const tiles = new Map<string, Uint8Array>()
    for (const name of files.names()) if (name.startsWith('data/tile/')) tiles.set(name, await files.read(name))
    return new TileReader(sha256, size, tiles)
  }

  /** Hash of a complete subtree from the tile that holds it or holds what is below it. */
  readonly node: GetNode = (level, index) => {
    const tileLevel = Math.floor(level / HEIGHT)
    const within = level - tileLevel * HEIGHT
    const first = index * 2 ** within
    const range = CompactRange.from(this.#sha256, 0, [])
    for (let i = first; i < first + 2 ** within; i++) range.push(this.#hash(tileLevel, i))
    return range.root()
  }

  /** Tiles that prove none of the given leaves: nothing says what they hold. */
  strays(seqs: Iterable<number>): string[] {
    const needed = new Set(neededTiles(this.#size, seqs).map(({ level, index, width }) => tilePath(level, index, width)))
    return [...this.#tiles.keys()].filter((name) => !needed.has(name))
  }

  root(): Uint8Array {
    return rootAt(this.#sha256, this.#size, this.node)
  }

  leaf(seq: number): Uint8Array {
    return this.#hash(0, seq)
  }

  /** Whether each tile's subtree root is the hash that the tile above says: with the root this ties every hash to the checkpoint. */
  consistent(): string | undefined {
    for (const name of this.#tiles.keys()) {
      const match = /^data\/tile\/(\d+)\/((?:x\d{3}\/)*\d{3})$/.exec(name)
      if (!match) continue
      const level = Number(match[1])
      const index = Number((match[2] ?? '').replaceAll(/[x/]/g, ''))
      if (tileHashes(this.#size, level + 1) <= index) continue
      const range = CompactRange.from(this.#sha256, 0, [])
      for (let i = 0; i < WIDTH; i++) range.push(this.#hash(level, index * WIDTH + i))
      let above: Uint8Array
      try {
        above = this.#hash(level + 1, index)
      } catch {
        return name
      }
      if (!equalBytes(range.root(), above)) return name
    }
    return undefined
  }

  #hash(level: number, index: number): Uint8Array {
    const tile = Math.floor(index / WIDTH)
    const width = Math.min(WIDTH, tileHashes(this.#size, level) - tile * WIDTH)
    const bytes = this.#tiles.get(tilePath(level, tile, width))
    const at = (index % WIDTH) * 32
    if (!bytes || bytes.length !== width * 32 || at + 32 > bytes.length) throw new Error(`no tile for ${level}/${index}`)
    return bytes.subarray(at, at + 32)
  }
}

/** Bytes of one tile, for the writer. */
export function tileBytes(level: number, index: number, width: number, getNode: GetNode): Uint8Array {
  const out = new Uint8Array(width * 32)
  for (let i = 0; i < width; i++) out.set(getNode(level * HEIGHT, index * WIDTH + i), i * 32)
  return out
}
