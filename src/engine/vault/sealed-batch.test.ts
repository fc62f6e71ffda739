// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { RandomPool } from '../crypto.ts'
import { openPayload } from './payload.ts'
import type { PlainPart } from './seal-content.ts'
import { packPlain, sealBatch, unpackSealed } from './sealed-batch.ts'

const part = fc.record({
  name: fc.constantFrom('event', 'request', 'response', 'error', 'attachment/7'),
  data: fc.uint8Array({ maxLength: 400 })
})
const contents = fc.array(fc.array(part, { maxLength: 4 }), { maxLength: 12 })

/** EVIDENCE, Parts: SHA-256(opening ‖ "affidavit/v1/" part ‖ 0x00 ‖ plaintext). */
const commitment = (opening: Uint8Array, { name, data }: PlainPart): string =>
  createHash('sha256').update(opening).update(`affidavit/v1/${name}\0`).update(data).digest('base64')

describe('a batch that is sealed elsewhere', () => {
  it('comes back with each content in its place: commitments, keys, payloads and their digests', () => {
    fc.assert(
      fc.property(contents, (plain) => {
        // As through a message: the buffers are copied, and those that were sent are gone.
        const sent = structuredClone(packPlain(plain))
        const sealed = unpackSealed(structuredClone(sealBatch(sent, new RandomPool())), plain)
        expect(sealed).toHaveLength(plain.length)
        for (const [i, content] of sealed.entries()) {
          const parts = plain[i] ?? []
          expect(content.parts.map(({ name, data }) => ({ name, data }))).toEqual(parts)
          expect(content.commitments).toEqual(parts.map((one, j) => commitment(content.parts[j]?.opening ?? new Uint8Array(), one)))
          expect(content.key).toHaveLength(32)
          if (parts.length === 0) expect([content.ct, content.ctSha256]).toEqual([undefined, undefined])
          else {
            expect(content.ctSha256).toBe(
              createHash('sha256')
                .update(content.ct ?? '')
                .digest('base64')
            )
            const opened = openPayload(content.key, content.ct ?? new Uint8Array())
            expect(opened.map(({ name, data }) => ({ name, data: new Uint8Array(data) }))).toEqual(parts)
            expect(opened.map((one) => Buffer.from(one.opening))).toEqual(content.parts.map((one) => Buffer.from(one.opening)))
          }
        }
        const keys = sealed.map((content) => content.key.toString('hex'))
        expect(new Set(keys).size).toBe(keys.length)
      })
    )
  })
})
