// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import {
  cosign,
  cosignatureOf,
  formatAddCheckpoint,
  formatWitnessVkey,
  parseAddCheckpoint,
  parseWitnessVkey,
  withCosignature
} from '../../shared/evidence/cosignature.ts'
import { ed25519FromSeed, ed25519Verify } from '../crypto.ts'

const sha256 = (data: Uint8Array) => createHash('sha256').update(data).digest()
const key = ed25519FromSeed(Buffer.alloc(32, 7))
const name = 'witness.example.com/w1'
const vkey = formatWitnessVkey(sha256, name, key.publicKey)
const body = `example.com/behind-the-sofa\n20852163\n${Buffer.alloc(32, 3).toString('base64')}\n`
const note = `${body}\n— example.com/behind-the-sofa ${Buffer.alloc(68, 1).toString('base64')}\n`

describe('a cosignature', () => {
  it('is over header, time and body, under a key id of type 4 (c2sp.org/tlog-cosignature)', () => {
    const line = cosign(sha256, { name, ...key }, body, 1679315147)
    const blob = Buffer.from(line.split(' ')[2] ?? '', 'base64')
    expect(blob.length).toBe(76)
    expect(blob.subarray(0, 4)).toEqual(sha256(Buffer.concat([Buffer.from(`${name}\n`), Buffer.from([4]), key.publicKey])).subarray(0, 4))
    expect(blob.readBigUInt64BE(4)).toBe(1679315147n)
    expect(ed25519Verify(key.publicKey, Buffer.from(`cosignature/v1\ntime 1679315147\n${body}`), blob.subarray(12))).toBe(true)
    const found = cosignatureOf(ed25519Verify, note + line, parseWitnessVkey(sha256, vkey))
    expect(found).toEqual({ state: 'holds', time: '2023-03-20T12:25:47.000Z', line })
  })
  it('of another key is ignored, of another text or time does not hold', () => {
    const witness = parseWitnessVkey(sha256, vkey)
    expect(cosignatureOf(ed25519Verify, note, witness)).toEqual({ state: 'absent' })
    const other = cosign(sha256, { name, ...ed25519FromSeed(Buffer.alloc(32, 8)) }, body, 5)
    expect(cosignatureOf(ed25519Verify, note + other, witness)).toEqual({ state: 'absent' })
    const moved = cosign(sha256, { name, ...key }, body.replace('20852163', '20852164'), 5)
    expect(cosignatureOf(ed25519Verify, note + moved, witness)).toEqual({ state: 'invalid' })
  })
  it('replaces the earlier one of the same witness and leaves the others', () => {
    const first = cosign(sha256, { name, ...key }, body, 5)
    const second = cosign(sha256, { name, ...key }, body, 6)
    const other = cosign(sha256, { name: 'b', ...key }, body, 5)
    expect(withCosignature(withCosignature(withCosignature(note, first), other), second)).toBe(note + other + second)
  })
  it('keys of other types and forms are refused', () => {
    for (const bad of ['', 'x', `${vkey}x`, vkey.replace('+B', '+A'), `${name}+00000000+${Buffer.alloc(33, 4).toString('base64')}`])
      expect(() => parseWitnessVkey(sha256, bad)).toThrow()
  })
})

describe('a request to add a checkpoint', () => {
  it('reads what it writes, and nothing else', () => {
    const made = { oldSize: 20852014, proof: [Buffer.alloc(32, 1), Buffer.alloc(32, 2)], note }
    expect(parseAddCheckpoint(formatAddCheckpoint(made))).toEqual({ ...made, proof: made.proof.map((hash) => new Uint8Array(hash)) })
    for (const bad of [
      '',
      'old 1',
      'old 01\n\n',
      'old -1\n\n',
      'old x\n\n',
      `old 1\n${'A'.repeat(44)}\n\n`,
      `old 1\n${'AAAA\n'.repeat(64)}\n`
    ])
      expect(() => parseAddCheckpoint(bad), bad).toThrow()
  })
})
