// SPDX-License-Identifier: Apache-2.0
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { ingestRecords } from '../test/ingest-records.ts'
import { rawRecord, type TestEngine, testEngine } from '../test/test-engine.ts'

let engine: TestEngine
beforeEach(async () => {
  engine = await testEngine({ servers: true })
})
afterEach(() => engine.remove())

const KEY = `sk-proj-${'aB3dE5fG7h'.repeat(4)}`
const post = (records: readonly object[]) => ingestRecords(engine, records)

describe('masking in views', () => {
  it('masks before data leaves the engine, with one number for one value in the whole record', async () => {
    const [seq = 0] = await post([
      rawRecord(1, {
        user_id: 'ann@example.org',
        prompt: 'I am ann@example.org, card 4111 1111 1111 1111. Tell bob@example.org.',
        response: 'Dear ann@example.org, DE89 3704 0044 0532 0130 00 is noted.',
        attributes: { contact: { mail: 'bob@example.org' }, n: 3 }
      })
    ])
    const shown = await engine.call('records.get', { seq })
    expect(shown.input_messages[0]?.parts[0]?.content).toBe('I am ⟦e-mail 1⟧, card ⟦card 1⟧. Tell ⟦e-mail 2⟧.')
    expect(shown.output_messages[0]?.parts[0]?.content).toBe('Dear ⟦e-mail 1⟧, ⟦IBAN 1⟧ is noted.')
    expect(shown.event).toMatchObject({ user_id: '⟦subject 1⟧', attributes: { contact: { mail: '⟦e-mail 2⟧' }, n: 3 } })
    expect(shown.masked.kinds).toMatchObject({ card: 1, IBAN: 1, subject: 1 })
    expect(shown.row.preview).toBe('I am ⟦e-mail 1⟧, card ⟦card 1⟧. Tell ⟦e-mail 2⟧.')
    const { records } = await engine.call('records.query', { text: 'ann' })
    expect(records.map((row) => row.preview)).toEqual([shown.row.preview])
    expect(JSON.stringify([shown, records])).not.toContain('example.org')
  })

  it('unmasks one record for a reason that is on record', async () => {
    const [seq = 0] = await post([rawRecord(1, { prompt: 'Write to ann@example.org.' })])
    const clear = await engine.call('records.unmask', { seq, reason: 'Complaint 26-114' })
    expect(clear.input_messages[0]?.parts[0]?.content).toBe('Write to ann@example.org.')
    expect(clear.masked).toEqual({ total: 0, kinds: {} })
    const leaf = await engine.call('records.proof', { seq: clear.view_seq ?? 0 })
    expect(JSON.parse(leaf.leaf.json)).toMatchObject({ type: 'payload.unmasked', data: { seq } })
    expect(leaf.leaf.json).not.toContain('Complaint')
    expect((await engine.call('records.get', { seq })).masked.total).toBe(1)
    for (const input of [{ seq }, { seq, reason: ' a ' }, { seq, reason: 'x'.repeat(501) }, { seq: -1, reason: 'why' }])
      expect(await engine.codeOf('records.unmask', input)).toBe('bad_request')
    expect(await engine.codeOf('records.unmask', { seq: 9_999, reason: 'Complaint' })).toBe('not_found')
  })
})

describe('redaction before sealing', () => {
  it('never keeps a secret by default, says so in the record, and takes a re-delivery for a duplicate', async () => {
    const record = rawRecord(1, { prompt: `use ${KEY} and ${KEY}`, response: 'AKIAIOSFODNN7EXAMPLE', attributes: { [KEY]: 'name' } })
    const [seq = 0] = await post([record])
    const clear = await engine.call('records.unmask', { seq, reason: 'look at what is kept' })
    expect(clear.input_messages[0]?.parts[0]?.content).toBe('use ⟦redacted secret 1⟧ and ⟦redacted secret 1⟧')
    expect(clear.output_messages[0]?.parts[0]?.content).toBe('⟦redacted secret 2⟧')
    expect(clear.event).toMatchObject({
      content_state: 'redacted',
      redactions: { secret: 4 },
      attributes: { '⟦redacted secret 1⟧': 'name' }
    })
    expect(JSON.stringify(clear)).not.toContain(KEY)
    expect(await post([record])).toEqual([seq])
  })

  it('follows the settings, which are leaves and survive a restart', async () => {
    expect((await engine.call('privacy.get', {})).packs).toMatchObject({ email: 'mask', secret: 'redact' })
    await engine.call('privacy.set', {
      packs: { email: 'redact', secret: 'off', subject: 'redact' },
      patterns: [{ name: 'client', pattern: 'KD-\\d{6}', ignore_case: true }],
      subject_attributes: ['customer']
    })
    const [seq = 0] = await post([
      rawRecord(2, { user_id: 'u-7', prompt: `ann@example.org, ${KEY}, KD-123456`, attributes: { customer: 'C 9', other: 'C 9' } })
    ])
    const clear = await engine.call('records.unmask', { seq, reason: 'look at what is kept' })
    expect(clear.input_messages[0]?.parts[0]?.content).toBe(`⟦redacted e-mail 1⟧, ${KEY}, KD-123456`)
    expect(clear.event).toMatchObject({ user_id: '⟦redacted subject 1⟧', attributes: { customer: '⟦redacted subject 2⟧', other: 'C 9' } })
    const masked = await engine.call('records.get', { seq })
    expect(masked.input_messages[0]?.parts[0]?.content).toBe(`⟦redacted e-mail 1⟧, ${KEY}, ⟦client 1⟧`)
    const before = await engine.call('privacy.get', {})
    await engine.restart()
    expect(await engine.call('privacy.get', {})).toEqual(before)
    await engine.call('workspace.rebuild', {})
    await engine.restart()
    expect(await engine.call('privacy.get', {})).toEqual(before)
  })

  it('refuses patterns that cannot be bounded, and names what is wrong with them', async () => {
    const pattern = (text: string) => ({ name: 'mine', pattern: text, ignore_case: false })
    expect(await engine.codeOf('privacy.set', { patterns: [pattern('(?=a)b')] })).toBe('bad_request')
    expect(await engine.codeOf('privacy.set', { patterns: [pattern('a'), pattern('b')] })).toBe('bad_request')
    for (const bad of [
      { packs: { email: 'hide' } },
      { packs: { other: 'off' } },
      { patterns: [{ ...pattern('a'), name: ' x' }] },
      { more: 1 }
    ])
      expect(await engine.codeOf('privacy.set', bad)).toBe('bad_request')
    const tried = await engine.call('privacy.test', { text: 'KD-123456 at ann@example.org', patterns: [pattern('KD-\\d+'), pattern('(a')] })
    expect(tried).toMatchObject({
      masked: '⟦mine 1⟧ at ⟦e-mail 1⟧',
      found: [{ kind: 'mine', start: 0, end: 9 }, { kind: 'e-mail' }],
      refused: [{ index: 1 }]
    })
    expect(await engine.codeOf('privacy.test', { text: 'x'.repeat(20_001) })).toBe('bad_request')
    expect((await engine.call('privacy.get', {})).patterns).toEqual([])
  })
})
