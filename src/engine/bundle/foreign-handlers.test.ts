// SPDX-License-Identifier: Apache-2.0
// Evidence of other programs over the contract: what it is, what its check needs, and what goes on record. The checks themselves are
// tested where the command line takes them.
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type TestEngine, testEngine } from '../test/test-engine.ts'

// As the Tessera project publishes them for tests.
const KEY = 'example.com/log/testdata+33d7b496+AeHTu4Q3hEIMHNqc6fASMsq3rKNx280NI+oO5xCFkkSx'
const NOTE = `example.com/log/testdata
100270
GRV1O0dCqmjjPvYi7CtOT79zb/fPwLNsMFWsynwU8Ac=

— example.com/log/testdata M9e0lkcvy5bAe7rrC8tCyAP+my+CLzswA91zOpBNWVU7qCojkUOHnfdQzDImoYeYH8G8PJSwOqsx0RkSa261OmKVwwM=
`
let engine: TestEngine
const file = (name: string, text: string): string => {
  writeFileSync(join(engine.root, name), text)
  return join(engine.root, name)
}
beforeAll(async () => {
  engine = await testEngine()
})
afterAll(() => engine.remove())

describe('evidence of another program', () => {
  it('is recognised, verified with and without a confirmed key, and the verdict goes on record', async () => {
    const path = file('note', NOTE)
    expect(await engine.call('foreign.recognise', { path })).toEqual({ kind: 'checkpoint', needs: [] })
    expect(await engine.call('foreign.verify', { path })).toMatchObject({ kind: 'checkpoint', verdict: 'no_fault', faults: [] })
    expect(await engine.call('foreign.verify', { path, log_key: file('vkey', KEY) })).toMatchObject({ verdict: 'holds' })
    const changed = file('changed', NOTE.replace('100270', '100271'))
    expect(await engine.call('foreign.verify', { path: changed, log_key: file('vkey', KEY) })).toMatchObject({ verdict: 'does_not_hold' })
    const { verifications } = await engine.call('compliance.verifications', {})
    expect(verifications.filter((one) => one.scope === 'foreign').map((one) => one.verdict)).toEqual(['does_not_hold', 'holds', 'no_fault'])
  })

  it('that is none, lacks what its check needs, or cannot be read is refused by its code', async () => {
    const proof = file('consistency', `old 3\n${'A'.repeat(43)}=\n`)
    expect(await engine.call('foreign.recognise', { path: proof })).toEqual({ kind: 'consistency_proof', needs: ['old', 'new'] })
    expect(await engine.codeOf('foreign.verify', { path: proof })).toBe('bad_request')
    expect(await engine.codeOf('foreign.verify', { path: proof, old: join(engine.root, 'none'), new: proof })).toBe('file_unreadable')
    const text = file('text', 'hello')
    expect(await engine.call('foreign.recognise', { path: text })).toEqual({ kind: null, needs: [] })
    expect(await engine.codeOf('foreign.verify', { path: text })).toBe('not_this_format')
    expect(await engine.call('foreign.recognise', { path: join(engine.root, 'none') })).toEqual({ kind: null, needs: [] })
    mkdirSync(join(engine.root, 'empty'))
    expect(await engine.call('foreign.recognise', { path: join(engine.root, 'empty') })).toEqual({ kind: 'bag', needs: [] })
    expect(await engine.codeOf('foreign.verify', { path: join(engine.root, 'empty') })).toBe('not_this_format')
    expect(await engine.codeOf('foreign.verify', { path: 'a\u0000b' })).toBeDefined()
    expect(await engine.codeOf('foreign.verify', { path: '' })).toBe('bad_request')
  })
})
