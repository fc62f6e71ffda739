// SPDX-License-Identifier: Apache-2.0
// The ways to tamper with a bundle of more than a thousand leaves: tiles instead of single proofs, lists instead of payload files.
import { leafHash } from '../../shared/evidence/merkle.ts'
import { sha256 } from '../crypto.ts'
import type { Bag } from './corpus-edit.ts'
import { type CorpusKeys, resealedWay, type Way } from './corpus-way.ts'

/** Records of the large bundle: a tree of several whole tiles and a partial one, and of a second level. */
export const LARGE = 1_110

const LEAVES = 'data/leaves.jsonl'
const LIST = 'data/payloads/00000.jsonl'
const ABOVE = 'data/tile/1/000.p/4'
const WIDTH = 256
const HASH = 32

const unseen = 'no fault found, 2 steps not checked'

const fileOf = (bag: Bag, name: string): Buffer => {
  const bytes = bag.get(name)
  if (!bytes) throw new Error(`there is no ${name}`)
  return Buffer.from(bytes)
}

/** Changes one bit of a hash in a tile. */
const flipHash = (name: string, at: number) => (bag: Bag) => {
  const bytes = fileOf(bag, name)
  bytes.writeUInt8(bytes.readUInt8(at * HASH) ^ 1, at * HASH)
  bag.set(name, bytes)
}

function rename(bag: Bag, from: string, to: string, change: (bytes: Buffer) => Buffer = (bytes) => bytes): void {
  const bytes = change(fileOf(bag, from))
  bag.delete(from)
  bag.set(to, bytes)
}

/** Another latency in one leaf, as a canonical leaf, and the hash of it in its place in the tile. */
const changedLeaf = (seq: number, inTile: boolean) => (bag: Bag) => {
  const lines = fileOf(bag, LEAVES).toString('utf8').split('\n')
  const at = lines.findIndex((line) => line.includes(`"seq":${seq},`))
  const line = (lines[at] ?? '').replace(/"latency_us":\d+/, '"latency_us":1')
  if (line === lines[at]) throw new Error('nothing was changed')
  lines[at] = line
  bag.set(LEAVES, Buffer.from(lines.join('\n')))
  if (!inTile) return
  const tile = `data/tile/0/00${Math.floor(seq / WIDTH)}`
  const bytes = fileOf(bag, tile)
  bytes.set(leafHash(sha256, Buffer.from(line)), (seq % WIDTH) * HASH)
  bag.set(tile, bytes)
}

/** Changes the content of one part in the list. */
const changedContent =
  (seq: number, change: (line: string) => string | undefined, part: 'request' | 'response' = 'response') =>
  (bag: Bag) => {
    const lines = fileOf(bag, LIST).toString('utf8').split('\n')
    const at = lines.findIndex((line) => line.includes(`"part":"${part}"`) && line.endsWith(`"seq":${seq}}`))
    const next = change(lines[at] ?? '')
    if (at < 0 || next === lines[at]) throw new Error('nothing was changed')
    lines.splice(at, 1, ...(next === undefined ? [] : [next]))
    bag.set(LIST, Buffer.from(lines.join('\n')))
  }

const otherWords = (line: string): string =>
  line.replace(/"plaintext":"[^"]*"/, `"plaintext":"${Buffer.from('other words').toString('base64')}"`)

/**
 * All of them sealed again with the real key, so that nothing but tiles, leaves and contents can tell. `shellVerdict`: what verify.sh says where
 * the fault is outside of its sample, the tiles 0, 2 and 4 of the leaves.
 */
export function tileWays(keys: CorpusKeys, large: Bag): readonly Way[] {
  const partial = [...large.keys()].find((name) => /^data\/tile\/0\/.*\.p\//.test(name)) ?? ''
  // The sample of contents begins with the first leaf.
  const first = Number(/"seq":(\d+),/.exec(fileOf(large, LEAVES).toString('utf8'))?.[1])
  const way = resealedWay(keys, (name) => `beyond a thousand leaves: ${name}`, 'large')
  const notSampled = { shellVerdict: unseen } as const
  return [
    {
      name: 'beyond a thousand leaves: one bit of a tile',
      from: 'large',
      change: flipHash('data/tile/0/001', 3),
      step: 2,
      code: 'file_changed'
    },
    way('a hash in a tile, sealed with the real key', flipHash('data/tile/0/002', 100), 'tile_changed'),
    way('a hash in a tile outside of the sample', flipHash('data/tile/0/001', 100), 'tile_changed', notSampled),
    way('a hash in the partial tile', flipHash(partial, 1), 'tile_root'),
    way('a hash in the tile above', flipHash(ABOVE, 1), 'tile_root'),
    way(
      'two tiles swapped',
      (bag) => {
        const [a, b] = [fileOf(bag, 'data/tile/0/001'), fileOf(bag, 'data/tile/0/002')]
        bag.set('data/tile/0/001', b)
        bag.set('data/tile/0/002', a)
      },
      'tile_changed'
    ),
    way('the partial tile cut', (bag) => bag.set(partial, fileOf(bag, partial).subarray(0, -HASH)), 'tile_missing'),
    way('the partial tile cut within a hash', (bag) => bag.set(partial, fileOf(bag, partial).subarray(0, -1)), 'tile_missing'),
    way(
      'a hash more in the partial tile',
      (bag) => bag.set(partial, Buffer.concat([fileOf(bag, partial), Buffer.alloc(HASH)])),
      'tile_missing'
    ),
    way(
      'a width that is not that of the tree',
      (bag) => rename(bag, partial, `${partial.slice(0, -1)}${(Number(partial.at(-1)) + 1) % 10}`),
      'tile_missing'
    ),
    way('a partial tile named whole', (bag) => rename(bag, partial, partial.replace(/\.p\/.*/, '')), 'tile_missing'),
    way(
      'a whole tile named partial',
      (bag) => rename(bag, 'data/tile/0/002', 'data/tile/0/002.p/255', (bytes) => bytes.subarray(0, -HASH)),
      'tile_missing'
    ),
    way('a tile less', (bag) => bag.delete('data/tile/0/001'), 'tile_missing'),
    way('the tile above less', (bag) => bag.delete(ABOVE), 'tile_missing'),
    way(
      'all tiles less',
      (bag) => [...bag.keys()].filter((name) => name.startsWith('data/tile/')).map((name) => bag.delete(name)),
      'proof_missing',
      { shellCode: 'layout' }
    ),
    way('a tile more, beyond the tree', (bag) => bag.set('data/tile/0/009', Buffer.alloc(WIDTH * HASH, 1)), 'stray_tile'),
    way('a tile more, of a place that another has', (bag) => bag.set('data/tile/0/001.p/9', Buffer.alloc(9 * HASH, 1)), 'stray_tile'),
    way('a tile more, of a level that the tree has not', (bag) => bag.set('data/tile/2/000.p/1', Buffer.alloc(HASH, 1)), 'stray_tile'),
    way('a leaf', changedLeaf(600, false), 'leaf_not_in_tree'),
    way('a leaf outside of the sample', changedLeaf(400, false), 'leaf_not_in_tree', notSampled),
    way('a leaf and its hash in the tile', changedLeaf(600, true), 'tile_changed'),
    way('a leaf and its hash in a tile outside of the sample', changedLeaf(400, true), 'tile_changed', notSampled),
    way(
      'a leaf less',
      (bag) =>
        bag.set(
          LEAVES,
          Buffer.from(
            fileOf(bag, LEAVES)
              .toString('utf8')
              .replace(/^.*"seq":400,.*\n/m, '')
          )
        ),
      'case_count'
    ),
    way('a content', changedContent(first, otherWords), 'payload_changed', { step: 6 }),
    way(
      'a letter of a long content',
      changedContent(
        first,
        (line) => line.replace(/("plaintext":".{2})(.)/, (_, before, char) => `${before}${char === 'A' ? 'B' : 'A'}`),
        'request'
      ),
      'payload_changed',
      { step: 6 }
    ),
    way('a content outside of the sample', changedContent(400, otherWords), 'payload_changed', { step: 6, ...notSampled }),
    way(
      'a content less',
      changedContent(first, () => undefined),
      'part_missing',
      { step: 6 }
    ),
    way(
      'a content twice',
      changedContent(first, (line) => `${line}\n${line}`),
      'stray_payload',
      { step: 6 }
    ),
    way(
      'an opening of another length',
      changedContent(first, (line) => line.replace(/"opening":"[^"]*"/, `"opening":"${Buffer.alloc(33).toString('base64')}"`)),
      'opening_length',
      { step: 6 }
    )
  ]
}
