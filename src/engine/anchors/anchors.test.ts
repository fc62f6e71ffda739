// SPDX-License-Identifier: Apache-2.0
import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { rawRecord, type TestEngine, testEngine } from '../test/test-engine.ts'
import { type AuthorityFiles, makeAuthority, serveAuthority, type TestAuthority } from './test-authority.ts'

// Whole engines, on a machine that may do other work.
vi.setConfig({ testTimeout: 120_000, hookTimeout: 60_000 })

let files: AuthorityFiles
let other: AuthorityFiles
let authority: TestAuthority
let test: TestEngine
let pem: string
beforeAll(() => {
  files = makeAuthority()
  other = makeAuthority('Another')
})
afterAll(() => {
  files.remove()
  other.remove()
})
beforeEach(async () => {
  authority = await serveAuthority(files)
  test = await testEngine()
  pem = join(test.root, 'ca.pem')
  writeFileSync(pem, authority.ca)
})
afterEach(async () => {
  await test.remove()
  await authority.close()
})

const configure = async (url = authority.url, every = 0) => {
  await test.call('settings.set', { tsa_url: url, tsa_every_minutes: every })
  await test.call('anchors.trust_authority', { path: pem })
}
const list = () => test.call('anchors.list', {})

describe('anchoring by an authority', () => {
  it('is off until an address and a certificate are given; each is recorded', async () => {
    expect((await list()).anchoring.state).toBe('off')
    expect(await test.codeOf('anchors.now', {})).toBe('bad_request')
    await test.call('settings.set', { tsa_url: authority.url })
    expect(await test.codeOf('anchors.now', {})).toBe('bad_request')
    expect(authority.asked()).toBe(0)
    const { certificates } = await test.call('anchors.trust_authority', { path: pem })
    expect(certificates[0]?.name).toBe('Test Authority Root')
    writeFileSync(pem, 'no certificate')
    expect(await test.codeOf('anchors.trust_authority', { path: pem })).toBe('not_this_format')
    expect(await test.codeOf('anchors.trust_authority', { path: join(test.root, 'nothing') })).toBe('file_unreadable')
    expect(await test.codeOf('settings.set', { tsa_url: 'ftp://x/' })).toBe('bad_request')
    expect(await test.codeOf('settings.set', { tsa_url: 'http://user:secret@x/' })).toBe('bad_request')
    expect(await test.codeOf('anchors.list', { limit: 0 })).toBe('bad_request')
  })

  it('keeps checkpoint and token, leaves a leaf, shows in status, survives a restart and a rebuild, and holds for openssl', async () => {
    await configure()
    const { anchored } = await test.call('anchors.now', {})
    expect(anchored).toHaveLength(1)
    expect(anchored[0]).toMatchObject({ kind: 'rfc3161', name: 'Test Authority', url: authority.url })
    const size = anchored[0]?.size ?? 0
    const folder = join(test.workspace, 'anchors')
    expect(
      execFileSync('openssl', ['ts', '-verify', '-data', `${size}.checkpoint`, '-in', `${size}.tsr`, '-CAfile', pem], {
        cwd: folder
      }).toString()
    ).toContain('OK')
    const status = await test.call('workspace.status', {})
    expect(status.anchor).toMatchObject({ kind: 'rfc3161', size })
    expect(status.anchoring.state).toBe('current')
    expect((await test.call('records.proof', { seq: 0 })).anchor).toEqual({
      state: 'pass',
      message: expect.stringMatching(
        new RegExp(`^Timestamp by Test Authority at 20[0-9-]{8} [0-9:]{8} UTC, over the first ${size} leaves, on record as leaf `)
      )
    })
    expect((await test.call('records.proof', { seq: size })).anchor.state).toBe('waiting')
    const before = (await list()).anchors
    await test.restart()
    expect((await list()).anchors).toEqual(before)
    expect((await list()).authority.certificates).toHaveLength(1)
    const { job_id } = await test.call('workspace.rebuild', {})
    await test.job(job_id)
    expect((await list()).anchors).toEqual(before)
  })

  it('proves nothing before the log under it was found intact, nor once it is damaged or is another history', async () => {
    await test.call('events.append', { events: [rawRecord(1), rawRecord(2)] })
    await configure()
    const [anchor] = (await test.call('anchors.now', {})).anchored
    const size = anchor?.size ?? 0
    const panel = async () => {
      const { statements } = await test.call('compliance.report', {})
      return {
        proves: statements.filter((one) => one.group === 'proves').map((one) => one.text),
        edits: statements.find((one) => one.group === 'word' && one.text.includes('which an anchor covers'))?.detail
      }
    }
    const verify = async () => test.job((await test.call('verify.workspace', {})).job_id)
    expect(await panel()).toEqual({ proves: [], edits: 'the whole workspace was never verified' })
    await verify()
    expect((await panel()).proves[0]).toBe(`No record up to leaf ${size - 1} was changed, removed or put in later`)
    expect((await panel()).edits).toBeUndefined()

    const seq = (await test.call('records.query', { limit: 1 })).records[0]?.seq ?? 0
    const change = (file: string, sql: string, ...values: readonly (string | number)[]) => {
      const db = new Database(join(test.workspace, file))
      for (const name of db.prepare<[], string>("SELECT name FROM sqlite_schema WHERE type = 'trigger'").pluck().all())
        db.exec(`DROP TRIGGER ${name}`)
      db.prepare(sql).run(...values)
      db.close()
    }
    change('catalog.db', 'UPDATE anchor SET root = ?', Buffer.alloc(32).toString('base64'))
    expect(await panel()).toEqual({ proves: [], edits: expect.stringContaining('It is over another root than that of the leaves on disk') })
    change('catalog.db', 'UPDATE anchor SET root = ?', anchor?.root ?? '')
    expect((await panel()).proves).not.toEqual([])
    change('ledger.db', 'UPDATE payload SET ct = zeroblob(length(ct)) WHERE seq = ?', seq)
    await verify()
    expect(await panel()).toEqual({ proves: [], edits: expect.stringMatching(/^the last verification, .*, found 1 fault$/) })
  })

  it('asks by itself when there are new leaves, at most as often as set', async () => {
    await configure(authority.url, 1)
    await expect.poll(async () => (await list()).anchors.length, { timeout: 20_000, interval: 200 }).toBe(1)
    expect(authority.asked()).toBe(1)
    // It was asked; what it said is kept a moment later.
    await expect.poll(async () => Date.parse((await list()).anchoring.next ?? '')).toBeGreaterThan(Date.now() + 30_000)
  })

  it('asks at its time when the clock was set back since the last anchor', async () => {
    await test.remove()
    const clock = { back: 0, on: 0 }
    test = await testEngine({ clock: { now: () => Date.now() - clock.back, monotonic: () => performance.now() + clock.on } })
    pem = join(test.root, 'ca.pem')
    writeFileSync(pem, authority.ca)
    await configure(authority.url, 5)
    await test.call('anchors.now', {})
    await test.call('events.append', { events: [rawRecord(1), rawRecord(2), rawRecord(3)] })
    clock.back = 86_400_000
    clock.on = 5 * 60_000
    await expect.poll(async () => (await list()).anchors.length, { timeout: 20_000, interval: 200 }).toBe(2)
  })

  it('waits while it cannot be reached, says since when, and goes on', async () => {
    await configure('http://127.0.0.1:9/tsr')
    expect(await test.codeOf('anchors.now', {})).toBe('unreachable')
    const { anchoring } = await list()
    expect(anchoring.state).toBe('waiting')
    expect(Math.abs(Date.parse(anchoring.waiting_since ?? '') - Date.now())).toBeLessThan(30_000)
    expect(anchoring.message).toMatch(/ECONNREFUSED/)
    await test.call('settings.set', { tsa_url: authority.url })
    await test.call('anchors.now', {})
    expect((await list()).anchoring).toMatchObject({ state: 'current', waiting_since: null, message: null })
  })
})

describe('the checkpoint as a page', () => {
  it('holds the note in words and as a code, without scripts, and is not written over a file', async () => {
    const out = join(test.root, 'page.html')
    const { html, size } = await test.call('anchors.page', { out })
    expect(readFileSync(out, 'utf8')).toBe(html)
    const [saved] = (await test.call('activity.list', { kind: 'export' })).entries
    expect(saved).toMatchObject({ actor: 'local', what: 'saved the page of a checkpoint', data: { bytes: Buffer.byteLength(html) } })
    expect(html).toContain('<svg role="img"')
    expect(html).not.toContain('<script')
    const note = readFileSync(join(test.workspace, 'anchors', 'checkpoint'), 'utf8')
    expect(html.replaceAll('&#43;', '+')).toContain(note.split('\n')[2] ?? '-')
    expect(Number(note.split('\n')[1])).toBe(size)
    expect(await test.codeOf('anchors.page', { out })).toBe('file_exists')
    expect(await test.codeOf('anchors.page', { out: '' })).toBe('bad_request')
    expect(await test.codeOf('anchors.page', { out: join(test.root, 'no', 'such') })).toBe('file_unreadable')
  })
})

describe('a hostile authority', () => {
  const ways: Record<string, [Parameters<TestAuthority['behave']>[0], string]> = {
    'another signer': [(query, response) => void response.end(other.answer(query)), 'not_trusted'],
    'an old answer': [
      (() => {
        let first: Buffer | undefined
        return (query: Buffer, response: { end(data: Buffer): unknown }) => {
          const swapped = Buffer.from(query)
          // The nonce stands near the end of the request: certReq and the last of its bytes.
          swapped[swapped.length - 4] = (swapped[swapped.length - 4] ?? 0) ^ 1
          first ??= files.answer(swapped)
          response.end(first)
        }
      })(),
      'not_trusted'
    ],
    'half an answer': [(query, response) => void response.end(files.answer(query).subarray(0, 900)), 'not_trusted'],
    'a refusal': [(_, response) => void response.end(Buffer.from('30053003020102', 'hex')), 'not_trusted'],
    'a page': [(_, response) => void response.end('<html></html>'), 'not_trusted'],
    'an error': [(_, response) => void response.writeHead(500).end(), 'unreachable'],
    'a redirect': [(_, response) => void response.writeHead(302, { location: 'http://127.0.0.1:1/' }).end(), 'unreachable'],
    'a flood': [
      (_, response) => {
        response.on('error', () => {})
        const more = () => {
          while (!response.destroyed && response.write(Buffer.alloc(65_536)));
          if (!response.destroyed) response.once('drain', more)
        }
        more()
      },
      'unreachable'
    ],
    'an answer cut off': [
      (_, response) => {
        response.writeHead(200, { 'content-length': 5000 }).write('x')
        setTimeout(() => response.destroy(), 50)
      },
      'unreachable'
    ]
  }
  it('is not believed in any of these ways and nothing is kept', async () => {
    await configure()
    for (const [name, [how, code]] of Object.entries(ways)) {
      authority.behave(how)
      expect(await test.codeOf('anchors.now', {}), name).toBe(code)
    }
    expect((await list()).anchors).toEqual([])
    expect(readdirSync(join(test.workspace, 'anchors')).filter((name) => name.endsWith('.tsr'))).toEqual([])
    authority.behave(undefined)
    expect((await test.call('anchors.now', {})).anchored).toHaveLength(1)
  })
})

describe('a bundle', () => {
  const exported = async (out: string, at?: number) => {
    const { job_id } = await test.call('export.start', {
      recipient: 'Examiner',
      purpose: 'Test',
      out,
      replace: true,
      ...(at === undefined ? {} : { at })
    })
    expect((await test.job(job_id)).error).toBeNull()
    return (await test.call('export.result', { job_id })).size
  }
  const verified = async (path: string, trust?: string) => {
    const { job_id } = await test.call('verify.file', { path, ...(trust === undefined ? {} : { trust }) })
    await test.job(job_id)
    return test.call('verify.report', { job_id })
  }
  const unpack = (zip: string, name: string) => {
    const folder = join(test.root, name)
    execFileSync('unzip', ['-q', '-o', zip, '-d', folder])
    return folder
  }
  const shell = (folder: string, ...args: string[]) => {
    try {
      return execFileSync('sh', ['verify.sh', ...args], { cwd: folder, encoding: 'utf8' })
    } catch (error) {
      return (error as { stdout: string }).stdout
    }
  }
  beforeEach(async () => {
    await test.remove()
    test = await testEngine({ servers: true })
    pem = join(test.root, 'ca.pem')
    writeFileSync(pem, authority.ca)
    await fetch(`${test.engine.status().endpoints.compliance.url}/api/compliance/events`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify([rawRecord(1), rawRecord(2)])
    })
  })

  it('carries the timestamp of its checkpoint; app and shell agree on it, with and without a confirmed authority', async () => {
    await configure()
    const out = join(test.root, 'one.affidavit.zip')
    await exported(out)
    const report = await verified(out)
    expect(report.steps[3]).toMatchObject({ state: 'pass', reasons: [] })
    expect(report.steps[3]?.summary).toContain('not confirmed outside the bundle')
    const folder = unpack(out, 'one')
    expect(existsSync(join(folder, 'trust/tsa-ca.pem'))).toBe(true)
    const trust = join(folder, 'trust')
    const confirmed = await verified(out, trust)
    expect(confirmed.verdict).toBe('valid')
    expect(confirmed.steps[3]?.summary).toContain('authority confirmed')
    expect(shell(folder)).toMatch(/4 {2}Timestamp: ok[\s\S]*consistent, signer not confirmed\n$/)
    expect(shell(folder, trust)).toMatch(/4 {2}Timestamp: ok[\s\S]*\nvalid\n$/)
    // Another authority is confirmed: both refuse.
    const wrong = join(test.root, 'wrong')
    execFileSync('cp', ['-r', trust, wrong])
    writeFileSync(join(wrong, 'tsa-ca.pem'), other.ca)
    const refused = await verified(out, wrong)
    expect(refused.verdict).toBe('invalid')
    expect(refused.steps[3]?.reasons.map((one) => one.code)).toEqual(['timestamp_not_trusted'])
    expect(shell(folder, wrong)).toMatch(/timestamp_not_trusted[\s\S]*\ninvalid\n$/)
    writeFileSync(join(folder, 'proof/checkpoint.tsr'), readFileSync(join(folder, 'proof/checkpoint.tsr')).subarray(1))
    expect(shell(folder)).toMatch(/4 {2}Timestamp: FAILED/)
  })

  it('of an earlier tree brings the anchored checkpoint that extends it', async () => {
    const plain = join(test.root, 'plain.affidavit.zip')
    const size = await exported(plain)
    expect((await verified(plain)).steps[3]?.state).toBe('absent')
    await configure()
    await test.call('anchors.now', {})
    const out = join(test.root, 'earlier.affidavit.zip')
    expect(await exported(out, size)).toBe(size)
    const report = await verified(out)
    expect(report.steps[3]).toMatchObject({ state: 'pass' })
    expect(report.steps[3]?.summary).toContain('extends')
    const folder = unpack(out, 'earlier')
    expect(shell(folder)).toMatch(/4 {2}Timestamp: ok .*later checkpoint that extends this one[\s\S]*\nconsistent, signer not confirmed\n$/)
    // The same selection, size and anchors: the same bytes.
    const again = join(test.root, 'again.affidavit.zip')
    await exported(again, size)
    expect(readFileSync(again).equals(readFileSync(out))).toBe(true)
  })
})
