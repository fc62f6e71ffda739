// SPDX-License-Identifier: Apache-2.0
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Decrypter, generateIdentity, identityToRecipient } from 'age-encryption'
import Database from 'better-sqlite3'
import { parquetReadObjects } from 'hyparquet'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { verifyBundleFile } from '../../node/verify-file.ts'
import { AffidavitError } from '../../shared/contract/errors.ts'
import { rawRecord, type TestEngine, testEngine } from '../test/test-engine.ts'
import type { PrintRequest } from './printer.ts'

let engine: TestEngine
let printed: PrintRequest[] = []
let broken = false
let hanging = false
/** Done while the report is printed. */
let meanwhile = async (): Promise<void> => {}
const hostile = '</title><script>alert(1)</script>'

beforeAll(async () => {
  engine = await testEngine({
    print: async (request) => {
      if (hanging) return new Promise(() => {})
      if (broken) throw new AffidavitError('internal', 'the page that prints has ended')
      printed.push(request)
      await meanwhile()
      return Buffer.from(`%PDF-1.7 ${printed.length}`)
    }
  })
  await engine.call('events.append', {
    events: [rawRecord(1, { prompt: '=HYPERLINK("x")' }), rawRecord(2, { source: '@sum', response: hostile }), rawRecord(3)]
  })
})
afterAll(() => engine.remove())

const at = (name: string) => join(engine.root, name)
const sha = (content: Uint8Array | string) => createHash('sha256').update(content).digest('hex')

async function write(name: string, more: object = {}) {
  const input = { query: '', recipient: `${hostile}\u202e`, purpose: '=1+1', out: at(name), replace: true, ...more }
  const { job_id } = await engine.call('export.start', input)
  const job = await engine.job(job_id)
  return { job, result: job.state === 'done' ? await engine.call('export.result', { job_id }) : null }
}

const entry = (name: string, path: string): Buffer => execFileSync('unzip', ['-p', at(name), path], { maxBuffer: 1e8 })

describe('an export', () => {
  it('gives the same bytes for the same selection and tree size, whatever is exported in between', async () => {
    const first = await write('a.zip', { parquet: true })
    const second = await write('b.zip', { parquet: true, at: first.result?.size })
    expect(second.result?.bundle_sha256).toBe(first.result?.bundle_sha256)
    expect(sha(readFileSync(at('b.zip')))).toBe(first.result?.bundle_sha256)
    const rows = await parquetReadObjects({ file: new Uint8Array(entry('a.zip', 'data/records.parquet')).buffer })
    expect(rows).toMatchObject([{ model: 'gpt-4', source: 'desk' }, { source: '@sum' }, {}])
    expect((await verifyBundleFile(at('a.zip'))).kind).toBe('consistent')
  })

  it('is about as large as its preview says, with files for each leaf and with lists', async () => {
    const other = await testEngine()
    try {
      for (const [from, to] of [
        [0, 20],
        [20, 1_200]
      ] as const) {
        const events = Array.from({ length: to - from }, (_, i) => rawRecord(from + i, { response: `Answer ${from + i}. `.repeat(30) }))
        await other.call('events.append', { events })
        const { estimated_bytes } = await other.call('export.preview', { query: '' })
        const out = join(other.root, `${to}.zip`)
        const { job_id } = await other.call('export.start', { query: '', recipient: 'r', purpose: 'p', out })
        expect((await other.job(job_id)).error).toBeNull()
        const ratio = estimated_bytes / statSync(out).size
        expect(ratio).toBeGreaterThan(0.7)
        expect(ratio).toBeLessThan(1.4)
      }
    } finally {
      await other.remove()
    }
  })

  it('of a tree that no checkpoint covers says so, and not that the filter finds nothing', async () => {
    const other = await testEngine()
    try {
      await other.call('events.append', { events: [rawRecord(1), rawRecord(2)] })
      const refused = async () => {
        const input = { query: '', at: 1, recipient: 'r', purpose: 'p', out: join(other.root, 'x.zip') }
        const { job_id } = await other.call('export.start', input)
        return (await other.job(job_id)).error
      }
      await other.call('export.preview', {})
      const code = 'nothing_selected'
      expect(await refused()).toEqual({ code, message: expect.stringMatching(/^at: the first checkpoint covers \d+ leaves/) })
      expect(await other.codeOf('export.preview', { at: 1 })).toBe(code)
      const ledger = new Database(join(other.workspace, 'ledger.db'))
      ledger.exec('DROP TRIGGER checkpoint_no_delete; DELETE FROM checkpoint')
      ledger.close()
      expect(await refused()).toEqual({ code, message: expect.stringContaining('there is no checkpoint yet') })
    } finally {
      await other.remove()
    }
  })

  it('takes nobody’s text for markup or for a formula', async () => {
    await write('c.zip')
    const report = entry('c.zip', 'data/report.html').toString()
    expect(report).not.toContain('<script')
    expect(report).toContain('&lt;script&gt;')
    expect(report).toContain('⟨U+202E⟩')
    const csv = entry('c.zip', 'data/records.csv').toString()
    expect(csv).toContain(`'@sum`)
    expect(csv).toContain(`"'=HYPERLINK(""x"")"`)
  })

  it('brings a printed report whose foot names the manifest without it', async () => {
    printed = []
    const { result } = await write('d.zip', { pdf: true })
    expect(entry('d.zip', 'data/report.pdf').toString()).toBe('%PDF-1.7 1')
    expect(printed[0]?.html).toBe(entry('d.zip', 'data/report.html').toString())
    const manifest = entry('d.zip', 'manifest-sha256.txt').toString()
    const without = manifest.split(/(?<=\n)/).filter((line) => !line.endsWith(' data/report.pdf\n'))
    expect(without).toHaveLength(manifest.split('\n').length - 2)
    expect(printed[0]?.footer).toContain(`manifest-sha256.txt without this file: sha256 ${sha(without.join(''))}`)
    expect((await verifyBundleFile(at('d.zip'))).kind).toBe('consistent')
    expect(result?.records).toBe(3)
  })

  it('writes nothing when the report cannot be printed', async () => {
    broken = true
    const { job } = await write('e.zip', { pdf: true })
    broken = false
    expect(job).toMatchObject({ state: 'failed', error: { message: 'the page that prints has ended' } })
    expect(readdirSync(engine.root).filter((name) => name.startsWith('e.zip'))).toEqual([])
  })

  it('is cancelled while it is being printed, and leaves nothing', async () => {
    hanging = true
    const { job_id } = await engine.call('export.start', { query: '', recipient: 'r', purpose: 'p', out: at('k.zip'), pdf: true })
    while ((await engine.call('jobs.get', { id: job_id })).total === null) await new Promise((resolve) => setTimeout(resolve, 10))
    await engine.call('jobs.cancel', { id: job_id })
    expect((await engine.job(job_id)).state).toBe('cancelled')
    hanging = false
    expect(readdirSync(engine.root).filter((name) => name.startsWith('k.zip'))).toEqual([])
    expect((await engine.call('export.list', {})).exports.every((row) => row.file !== 'k.zip')).toBe(true)
  })

  it('keeps no restriction waiting, and is written again without what was restricted meanwhile', async () => {
    const restrict = (on: boolean) => engine.call('restrict.set', { seqs: [3], on, reason: 'accuracy contested' })
    meanwhile = async () => {
      meanwhile = async () => {}
      await restrict(true)
      // Answered once the catalog shows it.
      await engine.call('records.statistics', {})
    }
    const { job, result } = await write('r.zip', { pdf: true })
    await restrict(false)
    expect([job.error, result?.records]).toEqual([null, 2])
    expect(execFileSync('unzip', ['-Z1', at('r.zip')], { encoding: 'utf8' })).not.toMatch(/payload\/0*3\./)
    expect((await verifyBundleFile(at('r.zip'))).kind).toBe('consistent')
  })

  it('says why parts are withheld, beside each of them', async () => {
    await write('f.zip', { withhold: ['response'], withhold_reason: 'privileged, flagged by counsel' })
    const described = JSON.parse(entry('f.zip', 'data/case.json').toString())
    expect(described.withheld).toEqual([{ seq: 1, last: 3, part: 'response', reason: 'privileged, flagged by counsel' }])
    expect(entry('f.zip', 'data/report.html').toString()).toContain('privileged, flagged by counsel')
    expect((await verifyBundleFile(at('f.zip'))).kind).toBe('consistent')
  })

  it('keeps parts with personal data closed, says of what kinds, and still verifies', async () => {
    const mine = { source: 'personal', prompt: 'My address is ann.lee@example.org', response: 'Noted.', user_id: 'ann.lee' }
    await engine.call('events.append', {
      events: [rawRecord(50, mine), rawRecord(51, { source: 'personal', response: 'Write to +44 20 7946 0958 or bob@example.org' })]
    })
    const { result } = await write('p.zip', { query: 'source:personal', withhold_personal: true, parquet: true })
    expect(result?.records).toBe(2)
    const described = JSON.parse(entry('p.zip', 'data/case.json').toString())
    const reasons = (described.withheld as { part: string; reason: string }[]).map(({ part, reason }) => `${part}: ${reason}`)
    expect(reasons).toEqual([
      expect.stringMatching(/^event: personal data: .*subject/),
      expect.stringMatching(/^request: personal data: /),
      expect.stringMatching(/^response: personal data: .*, /)
    ])
    const names = execFileSync('unzip', ['-Z1', at('p.zip')]).toString()
    expect(
      names
        .match(/payload\/\d+\.(request|response)$/gm)
        ?.map((name) => name.split('.')[1])
        .sort()
    ).toEqual(['request', 'response'])
    const out = join(engine.root, 'personal')
    execFileSync('unzip', ['-q', at('p.zip'), '-d', out])
    const found = execFileSync('sh', ['-c', `grep -rlE 'example[.]org|ann[.]lee|20 7946 0958' '${out}' || true`]).toString()
    expect(found).toBe('')
    expect(entry('p.zip', 'data/report.html').toString()).toContain('personal data:')
    expect((await verifyBundleFile(at('p.zip'))).kind).toBe('consistent')
    expect(await engine.codeOf('export.start', { recipient: 'r', purpose: 'p', out: at('q.zip'), withhold_personal: 'yes' })).toBe(
      'bad_request'
    )
  })

  it('tells no more of a call whose part event stays closed than its leaf does, in no table and in no report', async () => {
    const names = { model: 'Modell Grün der Frau Müller', source: 'Frau Müllers App' }
    await engine.call('events.append', {
      events: [
        rawRecord(20, names),
        rawRecord(21, { ...names, id: 'note-21', prompt: 'plain', user_id: 'anna@example.com' }),
        rawRecord(22)
      ]
    })
    const inLeaf = { model: 'other', source: 'other', response_chars: null }
    const rowsOf = async (name: string) => parquetReadObjects({ file: new Uint8Array(entry(name, 'data/records.parquet')).buffer })
    await write('closed.zip', { query: 'seq:4..9999', parquet: true, withhold: ['event', 'request', 'response', 'error'] })
    const closed = await rowsOf('closed.zip')
    expect(closed.slice(-3, -1)).toMatchObject([inLeaf, inLeaf])
    expect(closed.at(-1)).toMatchObject({ model: 'gpt-4', source: 'desk', response_chars: null, input_tokens: 10n })
    for (const file of ['data/records.csv', 'data/report.html']) expect(entry('closed.zip', file).toString()).not.toMatch(/Müller/)
    // Where only what is personal stays closed, the part of the first goes out, and so does what is read from it.
    await write('some.zip', { query: 'seq:4..9999', parquet: true, withhold_personal: true })
    expect((await rowsOf('some.zip')).slice(-3)).toMatchObject([names, inLeaf, { model: 'gpt-4' }])
    await write('open.zip', { query: 'seq:4..9999', parquet: true })
    expect((await rowsOf('open.zip')).filter(({ model }) => model === names.model)).toHaveLength(2)
  })

  it('is encrypted for an age recipient; both digests are on record, and only the recipient opens it', async () => {
    const identity = await generateIdentity()
    const recipient = await identityToRecipient(identity)
    const { result } = await write('g.zip.age', { encrypt: { recipient } })
    const sealed = readFileSync(at('g.zip.age'))
    expect(sealed.subarray(0, 22).toString()).toBe('age-encryption.org/v1\n')
    expect(result?.encrypted_sha256).toBe(sha(sealed))
    const decrypter = new Decrypter()
    decrypter.addIdentity(identity)
    const plain = await decrypter.decrypt(sealed)
    expect(sha(plain)).toBe(result?.bundle_sha256)
    writeFileSync(at('g.zip'), plain)
    expect((await verifyBundleFile(at('g.zip'))).kind).toBe('consistent')
    const other = new Decrypter()
    other.addIdentity(await generateIdentity())
    await expect(other.decrypt(sealed)).rejects.toThrow()
    const [row] = (await engine.call('export.list', {})).exports
    expect(row).toMatchObject({ encrypted_sha256: sha(sealed), bundle_sha256: sha(plain), purpose: '=1+1' })
    expect(row?.duration_ms).toBeGreaterThanOrEqual(0)
    expect(readdirSync(engine.root).filter((name) => /part/.test(name))).toEqual([])
  })

  it('is encrypted with a passphrase, which is nowhere on record', async () => {
    const passphrase = 'correct horse battery staple'
    const { result } = await write('h.zip.age', { encrypt: { passphrase } })
    const decrypter = new Decrypter()
    decrypter.addPassphrase(passphrase)
    expect(sha(await decrypter.decrypt(readFileSync(at('h.zip.age'))))).toBe(result?.bundle_sha256)
    expect(JSON.stringify(result)).not.toContain(passphrase)
  }, 60_000)

  it('refuses what it cannot do, before anything is written', async () => {
    const base = { query: '', recipient: 'r', purpose: 'p', out: at('x.zip') }
    expect(await engine.codeOf('export.start', { ...base, encrypt: { recipient: 'age1short' } })).toBe('bad_request')
    expect(await engine.codeOf('export.start', { ...base, encrypt: { recipient: `age1${'q'.repeat(58)}` } })).toBe('bad_request')
    expect(await engine.codeOf('export.start', { ...base, encrypt: { passphrase: 'short' } })).toBe('bad_request')
    expect(await engine.codeOf('export.start', { ...base, encrypt: { passphrase: 'x'.repeat(20), recipient: 'r' } })).toBe('bad_request')
    expect(await engine.codeOf('export.start', { ...base, withhold_reason: '' })).toBe('bad_request')
    expect(readdirSync(engine.root)).not.toContain('x.zip')
  })
})
