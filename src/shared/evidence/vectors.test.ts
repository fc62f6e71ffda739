// SPDX-License-Identifier: Apache-2.0
// Published vectors first: RFC 8785, the C2SP and transparency-dev Merkle proofs, and the worked example of the evidence format.

import { execFileSync } from 'node:child_process'
import { createHash, createPrivateKey, createPublicKey, sign } from 'node:crypto'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { fromBase64, fromHex, toBase64, toHex, utf8 } from './bytes.ts'
import { commitment } from './commitment.ts'
import { EvidenceError } from './errors.ts'
import { type JsonValue, jcs } from './jcs.ts'
import {
  CompactRange,
  consistencyProof,
  type GetNode,
  inclusionProof,
  leafHash,
  nodePosition,
  rootOf,
  verifyConsistency,
  verifyInclusion
} from './merkle.ts'
import { formatCheckpointBody, formatVkey, parseCheckpoint, publicKeyPem, signCheckpoint, verifyCheckpoint } from './note.ts'
import { verifySubtreeConsistency, verifySubtreeInclusion } from './subtree.ts'
import { formatTlogProof, parseConsistency, parseTlogProof } from './tlog-proof.ts'

const sha256 = (data: Uint8Array): Uint8Array => new Uint8Array(createHash('sha256').update(data).digest())
const data = join(import.meta.dirname, '../../../../shared/data')
const here = existsSync(data)
if (!here) console.log('shared/data is not here: published vectors are left out, generated cases stand in')

/** None where the vectors are not: a suite that is left out is read all the same. */
const filesUnder = (folder: string): string[] =>
  (here ? readdirSync(folder, { recursive: true, withFileTypes: true }) : [])
    .filter((entry) => entry.isFile() && entry.name.endsWith('.json'))
    .map((entry) => join(entry.parentPath, entry.name))

interface Vector {
  readonly leafIdx?: number
  readonly treeSize?: number
  readonly size1?: number
  readonly size2?: number
  readonly start?: number
  readonly end?: number
  readonly size?: number
  readonly root?: string
  readonly root1?: string
  readonly root2?: string
  readonly leafHash?: string
  readonly proof: readonly string[] | null
  readonly wantErr: boolean
}

const bytes = (text: string | undefined): Uint8Array => Buffer.from(text ?? '', 'base64')

/** Whether the verifier refuses a vector; only its own errors count as refusals. */
function refuses(run: () => void): boolean {
  try {
    run()
    return false
  } catch (error) {
    if (error instanceof EvidenceError) return true
    throw error
  }
}

function check(kind: string, v: Vector): boolean {
  const proof = (v.proof ?? []).map(bytes)
  switch (kind) {
    case 'inclusion':
      return refuses(() =>
        verifyInclusion(sha256, { index: v.leafIdx ?? -1, size: v.treeSize ?? -1, leafHash: bytes(v.leafHash), proof, root: bytes(v.root) })
      )
    case 'consistency':
      return refuses(() =>
        verifyConsistency(sha256, {
          oldSize: v.size1 ?? -1,
          newSize: v.size2 ?? -1,
          oldRoot: bytes(v.root1),
          newRoot: bytes(v.root2),
          proof
        })
      )
    case 'subtreeinclusion':
      return refuses(() =>
        verifySubtreeInclusion(sha256, {
          index: v.leafIdx ?? -1,
          start: v.start ?? -1,
          end: v.end ?? -1,
          leafHash: bytes(v.leafHash),
          proof,
          root: bytes(v.root)
        })
      )
    default:
      return refuses(() =>
        verifySubtreeConsistency(sha256, {
          start: v.start ?? -1,
          end: v.end ?? -1,
          size: v.size ?? -1,
          subtreeRoot: bytes(v.root1),
          root: bytes(v.root2),
          proof
        })
      )
  }
}

describe.runIf(here)('published Merkle vectors', () => {
  const all = ['inclusion', 'consistency', 'subtreeinclusion', 'subtreeconsistency'].map(
    (kind) => [kind, filesUnder(join(data, 'merkle-vectors/testdata', kind))] as const
  )
  it('are 518', () => {
    expect(all.reduce((sum, [, files]) => sum + files.length, 0)).toBe(518)
  })
  it.each(all)('%s proofs are accepted and refused as published', (kind, files) => {
    const wrong = files.filter((file) => {
      const vector = JSON.parse(readFileSync(file, 'utf8')) as Vector
      return check(kind, vector) !== vector.wantErr
    })
    expect(wrong).toEqual([])
  })
})

describe('trees of every size', () => {
  const leaves = Array.from({ length: 70 }, (_, i) => leafHash(sha256, utf8(`leaf ${i}`)))
  // Complete subtrees, found the slow way.
  const getNode: GetNode = (level, index) => rootOf(sha256, leaves.slice(index * 2 ** level, (index + 1) * 2 ** level))
  it('prove every leaf and every earlier size', () => {
    for (let size = 1; size <= leaves.length; size++) {
      const root = rootOf(sha256, leaves.slice(0, size))
      for (let index = 0; index < size; index++) {
        verifyInclusion(sha256, {
          index,
          size,
          leafHash: leaves[index] ?? new Uint8Array(),
          proof: inclusionProof(sha256, size, index, getNode),
          root
        })
      }
      for (let oldSize = 1; oldSize <= size; oldSize++) {
        verifyConsistency(sha256, {
          oldSize,
          newSize: size,
          oldRoot: rootOf(sha256, leaves.slice(0, oldSize)),
          newRoot: root,
          proof: consistencyProof(sha256, oldSize, size, getNode)
        })
      }
    }
    expect(refuses(() => inclusionProof(sha256, 3, 3, getNode))).toBe(true)
  })
  it('close inner nodes in the order of nodePosition', () => {
    const range = CompactRange.from(sha256, 0, [])
    const closed: string[] = []
    for (const leaf of leaves) closed.push(...range.push(leaf).map(toHex))
    for (let level = 1; level < 7; level++) {
      for (let index = 0; (index + 1) * 2 ** level <= leaves.length; index++)
        expect(closed[nodePosition(level, index)]).toBe(toHex(getNode(level, index)))
    }
  })
})

describe('RFC 8785', () => {
  it.runIf(here).each(['arrays', 'french', 'structures', 'unicode', 'values', 'weird'])('%s', (name) => {
    const folder = join(data, 'jcs-vectors/testdata')
    const found = jcs(JSON.parse(readFileSync(join(folder, 'input', `${name}.json`), 'utf8')) as JsonValue)
    expect(found).toBe(readFileSync(join(folder, 'output', `${name}.json`), 'utf8').trimEnd())
    expect(Buffer.from(found).toString('hex')).toBe(
      readFileSync(join(folder, 'outhex', `${name}.txt`), 'utf8')
        .replace(/\s+/g, '')
        .toLowerCase()
    )
  })
  it('reads back to the same value, whatever the order of keys', () => {
    fc.assert(
      fc.property(fc.jsonValue({ stringUnit: 'grapheme' }), (value) => {
        const text = jcs(value as JsonValue)
        expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify(value)))
        expect(jcs(JSON.parse(text) as JsonValue)).toBe(text)
      })
    )
  })
  it('writes long tables of numbers as it writes each number', () => {
    const numbers = [0, -0, 1e21, 1e-7, 0.1 + 0.2, 5e-324, Number.MAX_SAFE_INTEGER, -17, 1 / 3]
    expect(jcs([...numbers, ...numbers])).toBe(`[${[...numbers, ...numbers].map((one) => jcs(one)).join(',')}]`)
    const odd = [...numbers, 'a', null, [1], { b: 1, a: -0 }]
    expect(jcs(odd)).toBe(`[${odd.map((one) => jcs(one)).join(',')}]`)
    for (const wrong of [Number.NaN, Number.NEGATIVE_INFINITY]) expect(refuses(() => jcs([...numbers, wrong]))).toBe(true)
  })
  it.each([Number.NaN, Number.POSITIVE_INFINITY, '\ud800', { '\udc00': 1 }, ['a\ud83d']])('refuses what has no canonical form', (value) => {
    expect(refuses(() => jcs(value as JsonValue))).toBe(true)
  })
})

describe('base64', () => {
  it.each(['QQ', 'QQ=', 'QR==', 'Q!==', 'QQ==\n', 'QQ-_', ' QQ=='])('refuses %j', (text) => {
    expect(refuses(() => fromBase64(text))).toBe(true)
  })
  it('round-trips', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 100 }), (value) => void expect(toHex(fromBase64(toBase64(value)))).toBe(toHex(value))))
  })
})

interface Example {
  readonly logKeySeedHex: string
  readonly vkey: string
  readonly publicKeyPem: string
  readonly records: readonly {
    readonly plaintext: string
    readonly part: string
    readonly openingHex: string
    readonly leaf: string
    readonly leafHashHex: string
  }[]
  readonly rootHex: string
  readonly consistency2to3: { readonly root2: string; readonly proof: readonly string[] }
  readonly checkpoint: string
  readonly tlogProofIndex1: string
}

describe.runIf(here)('the worked example', () => {
  const example = here ? (JSON.parse(readFileSync(join(data, 'evidence-example.json'), 'utf8')) as Example) : (undefined as never)
  const origin = 'affidavit.example/ws-01'
  const key = () =>
    createPrivateKey({
      key: Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), fromHex(example.logKeySeedHex)]),
      format: 'der',
      type: 'pkcs8'
    })
  const publicKey = () => new Uint8Array(createPublicKey(key()).export({ format: 'der', type: 'spki' }).subarray(12))
  const hashes = () => example.records.map((record) => leafHash(sha256, utf8(record.leaf)))

  it('gives the same commitments, leaves and root', () => {
    for (const record of example.records) {
      const commit = toBase64(commitment(sha256, record.part, fromHex(record.openingHex), utf8(record.plaintext)))
      expect(record.leaf).toContain(commit)
      expect(jcs(JSON.parse(record.leaf) as JsonValue)).toBe(record.leaf)
      expect(toHex(leafHash(sha256, utf8(record.leaf)))).toBe(record.leafHashHex)
    }
    expect(toHex(rootOf(sha256, hashes()))).toBe(example.rootHex)
  })

  it('gives the same checkpoint, key and proofs, byte for byte', () => {
    const body = formatCheckpointBody({ origin, size: 3, root: fromHex(example.rootHex) })
    expect(signCheckpoint(sha256, body, { origin, publicKey: publicKey(), sign: (message) => sign(null, message, key()) })).toBe(
      example.checkpoint
    )
    expect(formatVkey(sha256, origin, publicKey())).toBe(example.vkey)
    expect(publicKeyPem(publicKey())).toBe(example.publicKeyPem)
    const getNode: GetNode = (level, index) => rootOf(sha256, hashes().slice(index * 2 ** level, (index + 1) * 2 ** level))
    const proof = inclusionProof(sha256, 3, 1, getNode)
    expect(formatTlogProof({ index: 1, proof, checkpoint: example.checkpoint })).toBe(example.tlogProofIndex1)
    expect(parseTlogProof(example.tlogProofIndex1)).toEqual({ index: 1, proof, checkpoint: example.checkpoint })
    expect(consistencyProof(sha256, 2, 3, getNode).map(toBase64)).toEqual(example.consistency2to3.proof)
    const { oldSize, proof: read } = parseConsistency(`old 2\n${example.consistency2to3.proof.join('\n')}\n`)
    verifyConsistency(sha256, {
      oldSize,
      newSize: 3,
      oldRoot: fromBase64(example.consistency2to3.root2),
      newRoot: fromHex(example.rootHex),
      proof: read
    })
  })

  it('has a checkpoint that stock openssl accepts, and refuses after one changed byte', () => {
    const verify = (publicKeyRaw: Uint8Array, message: Uint8Array, signature: Uint8Array) => {
      const folder = mkdtempSync(join(tmpdir(), 'affidavit-openssl-'))
      try {
        writeFileSync(join(folder, 'key.pem'), publicKeyPem(publicKeyRaw))
        writeFileSync(join(folder, 'body'), message)
        writeFileSync(join(folder, 'sig'), signature)
        execFileSync('openssl', ['pkeyutl', '-verify', '-pubin', '-inkey', 'key.pem', '-rawin', '-in', 'body', '-sigfile', 'sig'], {
          cwd: folder,
          stdio: 'ignore'
        })
        return true
      } catch {
        return false
      } finally {
        rmSync(folder, { recursive: true })
      }
    }
    expect(verifyCheckpoint(sha256, verify, example.checkpoint, example.vkey)).toBe(true)
    expect(verifyCheckpoint(sha256, verify, example.checkpoint.replace('\n3\n', '\n4\n'), example.vkey)).toBe(false)
  })
})

describe('signed notes', () => {
  const good = `a.example/x\n3\n${toBase64(new Uint8Array(32))}\n\n— a.example/x ${toBase64(new Uint8Array(68))}\n`
  it('are read strictly', () => {
    expect(parseCheckpoint(good)).toMatchObject({ origin: 'a.example/x', size: 3 })
    for (const bad of [
      good.trimEnd(),
      good.replace('\n3\n', '\n03\n'),
      good.replace('\n3\n', '\n-1\n'),
      good.replace('\n3\n', '\n3 \n'),
      good.replace('a.example/x\n', 'a b\n'),
      good.replace('\n\n', '\nmore\n\n'),
      good.replace('—', '-'),
      '',
      '\n\n',
      good.replaceAll('\n', '\r\n')
    ]) {
      expect(
        refuses(() => parseCheckpoint(bad)),
        JSON.stringify(bad)
      ).toBe(true)
    }
  })
  it('never fail in another way', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary', maxLength: 200 }), (text) => void refuses(() => parseCheckpoint(text))))
  })
})
