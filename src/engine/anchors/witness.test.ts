// SPDX-License-Identifier: Apache-2.0
import { execFileSync } from 'node:child_process'
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { cosign, formatAddCheckpoint, formatWitnessVkey } from '../../shared/evidence/cosignature.ts'
import { CompactRange, consistencyProof, leafHash, rootOf } from '../../shared/evidence/merkle.ts'
import { formatCheckpointBody, formatVkey, originOf, signCheckpoint } from '../../shared/evidence/note.ts'
import { ed25519FromSeed, sha256 } from '../crypto.ts'
import { rawRecord, type TestEngine, testEngine } from '../test/test-engine.ts'
import { Witness } from './witness.ts'

// Whole engines, on a machine that may do other work.
vi.setConfig({ testTimeout: 120_000, hookTimeout: 60_000 })

const post = async (engine: TestEngine, n: number) => {
  const answer = await fetch(`${engine.engine.status().endpoints.compliance.url}/api/compliance/events`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify([rawRecord(n)])
  })
  expect(answer.status).toBe(200)
}

describe('one engine witnessing another', () => {
  let log: TestEngine
  let witness: TestEngine
  let copies: string
  let vkey: string
  let url: string
  beforeAll(async () => {
    copies = mkdtempSync(join(tmpdir(), 'affidavit-fork-'))
    log = await testEngine({ servers: true })
    witness = await testEngine({ servers: true })
    url = `${witness.engine.status().endpoints.compliance.url}/witness`
    await post(log, 1)
  }, 60_000)
  afterAll(async () => {
    await log.remove()
    await witness.remove()
    rmSync(copies, { recursive: true, force: true })
  }, 60_000)
  const add = (body: string) => fetch(`${url}/add-checkpoint`, { method: 'POST', body })

  it('is off until it is set, and knows only the logs it was told of', async () => {
    expect((await add('old 0\n\nx')).status).toBe(404)
    expect(await witness.codeOf('witness.configure', { serve: true, logs: ['nonsense'] })).toBe('bad_request')
    expect(await log.codeOf('witness.configure', { peers: [{ url: 'ftp://x', vkey: 'x' }] })).toBe('bad_request')
    const logVkey = (await log.call('keys.report', {})).keys.find((key) => key.use === 'log')?.public_key ?? ''
    const report = await witness.call('witness.configure', { serve: true })
    vkey = report.key?.vkey ?? ''
    await log.call('witness.configure', { peers: [{ url, vkey }] })
    expect(await log.codeOf('anchors.now', {})).toBe('not_trusted')
    expect((await add('nonsense')).status).toBe(400)
    expect((await add('x'.repeat(20_000))).status).toBe(413)
    await witness.call('witness.configure', { logs: [logVkey] })
    const state = (await witness.call('keys.report', {})).history.filter((event) => event.use === 'witness')
    expect(state).toHaveLength(1)
  }, 60_000)

  it('cosigns what extends what it saw; the anchor is kept and shown', async () => {
    const { anchored } = await log.call('anchors.now', {})
    expect(anchored).toMatchObject([{ kind: 'witness' }])
    for (const n of [2, 3, 4, 5]) await post(log, n)
    const again = await log.call('anchors.now', {})
    expect(again.anchored[0]?.size).toBeGreaterThan(anchored[0]?.size ?? 0)
    expect((await log.call('records.proof', { seq: 0 })).anchor).toMatchObject({
      state: 'pass',
      message: expect.stringMatching(`^Cosignature by .* over the first ${anchored[0]?.size} leaves`)
    })
    expect((await log.call('workspace.status', {})).anchor).toMatchObject({ kind: 'witness', size: again.anchored[0]?.size })
    expect((await witness.call('witness.report', {})).logs[0]).toMatchObject({ size: again.anchored[0]?.size, refused: null })
  }, 60_000)

  it('the cosignature travels in a bundle and counts for who knows the witness', async () => {
    await post(log, 6)
    const out = join(log.root, 'cosigned.affidavit.zip')
    const { job_id } = await log.call('export.start', { recipient: 'Examiner', purpose: 'Test', out })
    expect((await log.job(job_id)).error).toBeNull()
    const folder = join(log.root, 'cosigned')
    execFileSync('unzip', ['-q', out, '-d', folder])
    const trust = join(log.root, 'trust')
    cpSync(join(folder, 'trust'), trust, { recursive: true })
    writeFileSync(join(trust, 'witness.vkey'), `${vkey}\n`)
    const verify = await log.call('verify.file', { path: out, trust })
    await log.job(verify.job_id)
    const report = await log.call('verify.report', { job_id: verify.job_id })
    expect(report.verdict).toBe('valid')
    expect(report.steps[2]?.summary).toContain('cosigned by affidavit.invalid/witness/')
    expect(report.rests_on.join(' ')).toContain('A witness confirmed outside the bundle')
    const shell = execFileSync('sh', ['verify.sh', trust], { cwd: folder, encoding: 'utf8' })
    expect(shell).toContain('cosigned by affidavit.invalid/witness/')
    expect(shell).toMatch(/\nvalid\n$/)
  }, 60_000)

  it('refuses a copy that went another way, and one that was rolled back, and remembers across a restart', async () => {
    await log.restart(() => {
      for (const name of ['fork', 'back']) {
        cpSync(log.workspace, join(copies, name, 'workspace'), { recursive: true })
        cpSync(log.state, join(copies, name, 'state'), { recursive: true })
      }
    })
    await post(log, 10)
    await post(log, 11)
    await log.call('anchors.now', {})
    await witness.restart()
    url = `${witness.engine.status().endpoints.compliance.url}/witness`

    const fork = await testEngine({ servers: true, root: join(copies, 'fork') })
    await fork.call('witness.configure', { peers: [{ url, vkey }] })
    for (let n = 100; n < 112; n++) await post(fork, n)
    expect(await fork.codeOf('anchors.now', {})).toBe('conflict')
    expect((await fork.call('anchors.list', {})).anchoring.message).toMatch(/another history/)
    await fork.engine.stop('quit')

    const back = await testEngine({ servers: true, root: join(copies, 'back') })
    await log.call('witness.configure', { peers: [{ url, vkey }] })
    for (let n = 20; n < 60; n++) await post(log, n)
    await log.call('anchors.now', {})
    await back.call('witness.configure', { peers: [{ url, vkey }] })
    expect(await back.codeOf('anchors.now', {})).toBe('conflict')
    expect((await back.call('anchors.list', {})).anchoring.message).toMatch(/rolled back/)
    await back.engine.stop('quit')
    expect((await witness.call('witness.report', {})).logs[0]?.refused).toMatch(/does not extend|smaller tree/)
  }, 120_000)
})

describe('the answers of a witness (c2sp.org/tlog-witness)', () => {
  const key = ed25519FromSeed(Buffer.alloc(32, 1))
  const origin = originOf(sha256, key.publicKey)
  const own = ed25519FromSeed(Buffer.alloc(32, 2))
  const folder = mkdtempSync(join(tmpdir(), 'affidavit-witness-'))
  const file = join(folder, 'witness.json')
  const made = () => new Witness(file, 'w', own, [formatVkey(sha256, origin, key.publicKey)])
  afterAll(() => rmSync(folder, { recursive: true, force: true }))
  const hashes = (count: number, salt = '') =>
    Array.from({ length: count }, (_, i) => leafHash(sha256, Buffer.from(`leaf ${i}${i > 5 ? salt : ''}`)))
  const note = (size: number, salt = '', signer = key, name = origin) =>
    signCheckpoint(sha256, formatCheckpointBody({ origin: name, size, root: rootOf(sha256, hashes(size, salt)) }), {
      origin: name,
      ...signer
    })
  const proofOf = (from: number, to: number, salt = '') => {
    const leaves = hashes(to, salt)
    return consistencyProof(sha256, from, to, (level, index) => {
      const range = CompactRange.from(sha256, 0, [])
      for (const leaf of leaves.slice(index * 2 ** level, (index + 1) * 2 ** level)) range.push(leaf)
      return level === 0 ? (leaves[index] ?? new Uint8Array()) : rootOf(sha256, leaves.slice(index * 2 ** level, (index + 1) * 2 ** level))
    })
  }
  const ask = (request: Parameters<typeof formatAddCheckpoint>[0], witness = made()) =>
    witness.answer(Buffer.from(formatAddCheckpoint(request)))

  it('follow the table of statuses', () => {
    const stranger = ed25519FromSeed(Buffer.alloc(32, 3))
    expect(ask({ oldSize: 0, proof: [], note: note(3, '', stranger, originOf(sha256, stranger.publicKey)) }).status).toBe(404)
    expect(ask({ oldSize: 0, proof: [], note: note(3, '', stranger) }).status).toBe(403)
    expect(ask({ oldSize: 4, proof: [], note: note(3) }).status).toBe(400)
    expect(ask({ oldSize: 0, proof: [Buffer.alloc(32)], note: note(3) }).status).toBe(422)
    const first = ask({ oldSize: 0, proof: [], note: note(8) })
    expect(first.status).toBe(200)
    expect(first.body).toBe(cosign(sha256, { name: 'w', ...own }, `${note(8).split('\n\n')[0]}\n`, cosignedAt(first.body)))
    // A witness started anew remembers.
    const second = ask({ oldSize: 0, proof: [], note: note(10) })
    expect(second).toEqual({ status: 409, contentType: 'text/x.tlog.size', body: '8\n' })
    expect(ask({ oldSize: 8, proof: proofOf(8, 10, ' other'), note: note(10, ' other') }).status).toBe(422)
    expect(ask({ oldSize: 8, proof: [], note: note(8, ' other') }).status).toBe(409)
    expect(ask({ oldSize: 8, proof: [], note: note(8) }).status).toBe(200)
    expect(ask({ oldSize: 8, proof: proofOf(8, 10), note: note(10) }).status).toBe(200)
    expect(ask({ oldSize: 8, proof: [], note: note(8) }).status).toBe(409)
    expect(ask({ oldSize: 10, proof: [], note: note(8) }).status).toBe(400)
    expect(formatWitnessVkey(sha256, 'w', own.publicKey)).toMatch(/^w\+[0-9a-f]{8}\+B/)
  })
  it('a witness whose memory is damaged does not start', () => {
    writeFileSync(file, '{"x":')
    expect(made).toThrow()
  })
})

const cosignedAt = (line: string): number => Number(Buffer.from(line.split(' ')[2] ?? '', 'base64').readBigUInt64BE(4))
