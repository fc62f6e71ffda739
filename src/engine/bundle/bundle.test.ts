// SPDX-License-Identifier: Apache-2.0
import { execFileSync, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ZipFile } from 'yazl'
import { nodeCrypto } from '../../node/crypto.ts'
import { verifyBundleFile } from '../../node/verify-file.ts'
import type { VerifyReport } from '../../shared/contract/exports.ts'
import { BUNDLE_NAMESPACE, parseSshsig, verifySshsig } from '../../shared/evidence/sshsig.ts'
import { ed25519FromSeed, sha512 } from '../crypto.ts'
import { rawRecord, type TestEngine, testEngine } from '../test/test-engine.ts'

let engine: TestEngine
let bundle: string
let unpacked: string
let big: string

async function exportTo(
  out: string,
  query: string,
  more: { readonly withhold?: ('request' | 'response')[]; readonly at?: number } = {}
): Promise<number> {
  const { job_id } = await engine.call('export.start', { query, recipient: 'Examiner', purpose: '=cmd()', out, replace: true, ...more })
  const job = await engine.job(job_id)
  expect(job.error).toBeNull()
  return (await engine.call('export.result', { job_id })).size
}

function unpack(zip: string, folder: string): void {
  mkdirSync(folder, { recursive: true })
  execFileSync('unzip', ['-q', zip, '-d', folder])
}

const filesUnder = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => !entry.isDirectory())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)))
    .sort()

/** Packs files as they are, in any order and with any names. */
async function pack(entries: readonly (readonly [string, Uint8Array])[], out: string, compress = true): Promise<void> {
  const zip = new ZipFile()
  for (const [name, content] of entries) zip.addBuffer(Buffer.from(content), name, { compress })
  zip.end()
  const chunks: Buffer[] = []
  for await (const chunk of zip.outputStream) chunks.push(chunk as Buffer)
  writeFileSync(out, Buffer.concat(chunks))
}

const entriesOf = (folder: string): [string, Uint8Array][] => filesUnder(folder).map((name) => [name, readFileSync(join(folder, name))])

let made = 0
/** Verifies a bundle whose files were changed; the folder is kept for other verifiers. */
async function tampered(change: (folder: string) => unknown): Promise<{ readonly report: VerifyReport; readonly folder: string }> {
  const folder = join(engine.root, `tampered-${++made}`)
  cpSync(unpacked, folder, { recursive: true })
  change(folder)
  const out = `${folder}.zip`
  await pack(entriesOf(folder), out)
  return { report: await verifyBundleFile(out), folder }
}

const codes = (report: VerifyReport): string[] => report.steps.flatMap((step) => step.reasons.map((reason) => reason.code))
const shell = (folder: string, ...args: string[]) => {
  const run = spawnSync('sh', ['verify.sh', ...args], { cwd: folder, encoding: 'utf8' })
  return { status: run.status, verdict: run.stdout.trim().split('\n').at(-1) ?? '', output: run.stdout + run.stderr }
}
const edit = (folder: string, name: string, change: (text: string) => string) =>
  writeFileSync(join(folder, name), change(readFileSync(join(folder, name), 'utf8')))
const hex = (content: Uint8Array) => createHash('sha256').update(content).digest('hex')

/** Makes the manifests fit what is in the folder, as somebody would who cannot sign. */
function relist(folder: string): void {
  const names = filesUnder(folder).filter((name) => !name.startsWith('tagmanifest-') && name !== 'manifest-sha256.txt')
  const line = (name: string) => `${hex(readFileSync(join(folder, name)))}  ${name}\n`
  writeFileSync(
    join(folder, 'manifest-sha256.txt'),
    names
      .filter((name) => name.startsWith('data/'))
      .map(line)
      .join('')
  )
  writeFileSync(
    join(folder, 'tagmanifest-sha256.txt'),
    [...names.filter((name) => !name.startsWith('data/')), 'manifest-sha256.txt'].sort().map(line).join('')
  )
}

beforeAll(async () => {
  engine = await testEngine()
  await engine.call('events.append', { events: Array.from({ length: 30 }, (_, n) => rawRecord(n)) })
  await engine.call('events.append', {
    events: [
      rawRecord(100, { model: 'other', prompt: '=HYPERLINK("x")', error_message: 'upstream said no', status: 'error', source: '@sum' })
    ]
  })
  // An earlier checkpoint, which the bundle then brings with its consistency proof.
  await engine.call('records.proof', { seq: 3 })
  await engine.call('events.append', { events: [rawRecord(101)] })
  bundle = join(engine.root, 'a.affidavit.zip')
  await exportTo(bundle, 'model:gpt-4 seq:0..5')
  unpacked = join(engine.root, 'a')
  unpack(bundle, unpacked)
  big = join(engine.root, 'big.affidavit.zip')
  for (let from = 1000; from < 3000; from += 1000)
    await engine.call('events.append', { events: Array.from({ length: 1000 }, (_, n) => rawRecord(from + n)) })
  await exportTo(big, '')
}, 60_000)
afterAll(() => engine.remove())

describe('a bundle', () => {
  it('verifies, and is valid with confirmed keys', async () => {
    const report = await verifyBundleFile(bundle)
    expect(report.verdict).toBe('consistent, signer not confirmed')
    expect(report.steps.map((step) => step.state)).toEqual(['pass', 'pass', 'pass', 'absent', 'pass', 'pass'])
    expect(report.bundle).toMatchObject({ records: 5, recipient: 'Examiner', withheld: 0, sample: false })
    const trusted = await verifyBundleFile(bundle, { trust: join(unpacked, 'trust') })
    expect(trusted.verdict).toBe('valid')
  })

  it('verifies with tiles beyond a thousand leaves', async () => {
    const report = await verifyBundleFile(big)
    expect(report.kind).toBe('consistent')
    expect(report.bundle.records).toBe(2032)
    const folder = join(engine.root, 'big')
    unpack(big, folder)
    expect(existsSync(join(folder, 'data/proofs'))).toBe(false)
    expect(shell(folder)).toMatchObject({ status: 0, verdict: 'no fault found, 2 steps not checked' })
  })

  it('is the same, byte for byte, for the same selection and tree size', async () => {
    const again = join(engine.root, 'again.zip')
    const first = join(engine.root, 'first.zip')
    const size = await exportTo(first, 'model:gpt-4 seq:0..5')
    await engine.call('events.append', { events: [rawRecord(9999)] })
    await exportTo(again, 'model:gpt-4 seq:0..5', { at: size })
    expect(hex(readFileSync(again))).toBe(hex(readFileSync(first)))
  })

  it('names what is withheld, and holds nothing of it', async () => {
    const out = join(engine.root, 'withheld.zip')
    await exportTo(out, 'seq:0..5', { withhold: ['request'] })
    const report = await verifyBundleFile(out)
    expect(report.kind).toBe('consistent')
    expect(report.bundle.withheld).toBe(5)
    const folder = join(engine.root, 'withheld')
    unpack(out, folder)
    expect(filesUnder(folder).some((name) => name.includes('.request'))).toBe(false)
    for (const name of filesUnder(folder)) expect(readFileSync(join(folder, name), 'latin1'), name).not.toContain('What is the answer')
    expect(shell(folder)).toMatchObject({ status: 0, verdict: 'consistent, signer not confirmed' })
  })

  it('leaves a leaf, and refuses what it cannot do', async () => {
    const { exports } = await engine.call('export.list', {})
    expect(exports.at(-1)).toMatchObject({
      recipient: 'Examiner',
      purpose: '=cmd()',
      records: 5,
      bundle_sha256: hex(readFileSync(bundle))
    })
    const start = { query: 'model:none', recipient: 'r', purpose: 'p', out: join(engine.root, 'none.zip') }
    const { job_id } = await engine.call('export.start', start)
    expect((await engine.job(job_id)).error?.code).toBe('nothing_selected')
    const { job_id: there } = await engine.call('export.start', { ...start, query: '', out: bundle })
    expect((await engine.job(there)).error?.code).toBe('file_exists')
    expect(await engine.codeOf('export.result', { job_id: there })).toBe('file_exists')
    const { job_id: beyond } = await engine.call('export.start', { ...start, query: '', at: 1e9 })
    expect((await engine.job(beyond)).error).toMatchObject({
      code: 'bad_request',
      message: expect.stringMatching(/^at: the tree has \d+ leaves/)
    })
    expect(await engine.codeOf('export.preview', { at: 1e9 })).toBe('bad_request')
    const { job_id: nowhere } = await engine.call('export.start', { ...start, query: '', out: join(engine.root, 'no', 'such', 'x.zip') })
    expect((await engine.job(nowhere)).error).toEqual({
      code: 'file_unreadable',
      message: 'the file cannot be written: its folder is not there: choose another folder'
    })
    expect(await engine.codeOf('export.start', { ...start, recipient: '' })).toBe('bad_request')
    expect(await engine.codeOf('export.preview', { query: 'latency:fast' })).toBe('invalid_filter')
    expect(readdirSync(engine.root).filter((name) => name.endsWith('.part'))).toEqual([])
  })

  it('takes the sting out of formulas in tables', () => {
    const folder = join(engine.root, 'all')
    unpack(big, folder)
    const csv = readFileSync(join(folder, 'data/records.csv'), 'utf8')
    expect(csv).toContain("'@sum")
    expect(csv).toContain(`"'=HYPERLINK(""x"")"`)
    expect(readFileSync(join(folder, 'data/report.html'), 'utf8')).not.toMatch(/<script|src=|href=/i)
  })
})

describe('stock tools', () => {
  it('accept the bundle', () => {
    expect(shell(unpacked).output).toMatch(/consistent, signer not confirmed\n$/)
    expect(shell(unpacked, join(unpacked, 'trust'))).toMatchObject({ status: 0, verdict: 'valid' })
    execFileSync('sha256sum', ['--check', '--strict', '--quiet', 'manifest-sha256.txt', 'tagmanifest-sha256.txt'], { cwd: unpacked })
  })

  it('make and read the same signatures', () => {
    const folder = join(engine.root, 'ssh')
    mkdirSync(folder)
    execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', 'key'], { cwd: folder })
    writeFileSync(join(folder, 'text'), 'some text')
    execFileSync('ssh-keygen', ['-q', '-Y', 'sign', '-f', 'key', '-n', BUNDLE_NAMESPACE, 'text'], { cwd: folder, stdio: 'ignore' })
    const sig = parseSshsig(readFileSync(join(folder, 'text.sig'), 'utf8'))
    expect(verifySshsig(sha512, nodeCrypto.ed25519Verify, sig, BUNDLE_NAMESPACE, Buffer.from('some text'))).toBe(true)
    expect(verifySshsig(sha512, nodeCrypto.ed25519Verify, sig, BUNDLE_NAMESPACE, Buffer.from('some texts'))).toBe(false)
    expect(verifySshsig(sha512, nodeCrypto.ed25519Verify, sig, 'another', Buffer.from('some text'))).toBe(false)
  })

  it('refuse it after one byte is changed', async () => {
    const { folder } = await tampered((at) =>
      edit(at, 'tagmanifest-sha256.txt', (text) => text.replace(/^./, (char) => (char === '0' ? '1' : '0')))
    )
    const origin = readFileSync(join(folder, 'proof/checkpoint'), 'utf8').split('\n')[0] ?? ''
    const verify = spawnSync(
      'ssh-keygen',
      ['-Y', 'verify', '-f', 'trust/allowed_signers', '-I', origin, '-n', BUNDLE_NAMESPACE, '-s', 'tagmanifest-sha256.txt.sig'],
      {
        cwd: folder,
        input: readFileSync(join(folder, 'tagmanifest-sha256.txt'))
      }
    )
    expect(verify.status).not.toBe(0)
    expect(spawnSync('sha256sum', ['--check', '--quiet', 'tagmanifest-sha256.txt'], { cwd: folder }).status).not.toBe(0)
    expect(shell(folder)).toMatchObject({ status: 1, verdict: 'invalid' })
  })
})

describe('one changed byte in any file', () => {
  it('is refused', async () => {
    const entries = entriesOf(unpacked)
    const out = join(engine.root, 'one-byte.zip')
    for (const [name, content] of entries) {
      // An empty file gets a byte instead.
      const bytes = content.length === 0 ? Buffer.alloc(1) : Buffer.from(content)
      const at = Math.floor(bytes.length / 2)
      bytes.writeUInt8(bytes.readUInt8(at) ^ 1, at)
      await pack(
        entries.map((entry) => (entry[0] === name ? [name, bytes] : entry)),
        out,
        false
      )
      const report = await verifyBundleFile(out)
      expect(report.kind, name).toBe('invalid')
    }
  }, 60_000)
})

// The other ways to tamper are in the corpus, which goes through every verifier.
describe('confirmed keys that are others', () => {
  it('refuse a bundle', async () => {
    const other = join(engine.root, 'other-trust')
    cpSync(join(unpacked, 'trust'), other, { recursive: true })
    const key = ed25519FromSeed(Buffer.alloc(32, 9))
    writeFileSync(
      join(other, 'allowed_signers'),
      readFileSync(join(other, 'allowed_signers'), 'utf8').replace(
        /ssh-ed25519 .*/,
        `ssh-ed25519 ${Buffer.concat([Buffer.from([0, 0, 0, 11]), Buffer.from('ssh-ed25519'), Buffer.from([0, 0, 0, 32]), key.publicKey]).toString('base64')}`
      )
    )
    const report = await verifyBundleFile(bundle, { trust: other })
    expect(report.verdict).toBe('invalid')
    expect(codes(report)).toContain('signer_not_trusted')
    expect(shell(unpacked, other)).toMatchObject({ status: 1, verdict: 'invalid' })
  })
})

describe('hostile archives', () => {
  const code = async (path: string): Promise<string | undefined> => {
    try {
      await verifyBundleFile(path)
      return undefined
    } catch (error) {
      return (error as { readonly code: string }).code
    }
  }
  /** Renames an entry behind the library's back: both in the local header and in the directory. */
  const renamed = (path: string, from: string, to: string) => {
    const text = readFileSync(path, 'latin1').replaceAll(from, to)
    writeFileSync(path, text, 'latin1')
  }
  it.each([
    ['../up.txt', 'xx/up.txt'],
    ['/absolute', 'xabsolute'],
    ['a\\..\\..\\b', 'axxxxxxxb'],
    ['C:/windows', 'Cx/windows']
  ])('with the name %s are refused', async (name, harmless) => {
    const out = join(engine.root, 'slip.zip')
    await pack(
      [
        [harmless, Buffer.from('x')],
        ['bagit.txt', Buffer.from('x')]
      ],
      out
    )
    renamed(out, harmless, name)
    expect(await code(out)).toBe('not_this_format')
    expect(existsSync(join(engine.root, '..', 'up.txt'))).toBe(false)
  })
  it('that unpack to a flood, are cut short, encrypted, or no archive at all are refused', async () => {
    const out = join(engine.root, 'bomb.zip')
    await pack([['data/zeros', Buffer.alloc(64 * 1024 * 1024)]], out)
    expect(statSync(out).size).toBeLessThan(200_000)
    expect(await code(out)).toBe('not_this_format')
    writeFileSync(out, readFileSync(bundle).subarray(0, 5000))
    expect(await code(out)).toBe('not_this_format')
    writeFileSync(out, 'hello')
    expect(await code(out)).toBe('not_this_format')
    writeFileSync(out, '')
    expect(await code(out)).toBe('not_this_format')
    expect(await code(join(engine.root, 'nothing-here'))).toBe('file_unreadable')
    // A folder is read as an unpacked bundle, which this one is not.
    expect(await code(engine.root)).toBe('not_this_format')
  })
  it('with a link beside the files are refused by the shell', async () => {
    const { folder } = await tampered((at) => symlinkSync('/etc/hostname', join(at, 'data', 'link')))
    expect(shell(folder)).toMatchObject({ status: 1, verdict: 'invalid' })
  })
  it.each<readonly [string, (at: string) => unknown]>([
    ['a link to what has no end', (at) => [rmSync(join(at, 'bagit.txt')), symlinkSync('/dev/zero', join(at, 'bagit.txt'))]],
    ['a name of two lines', (at) => writeFileSync(join(at, 'data', 'a\nbagit.txt'), 'x')],
    ['a listed name outside of the folder', (at) => edit(at, 'manifest-sha256.txt', (text) => `${text}${'0'.repeat(64)}  /dev/zero\n`)],
    ['a listed name in another form', (at) => edit(at, 'manifest-sha256.txt', (text) => `${text}SHA256 (/dev/zero) = ${'0'.repeat(64)}\n`)],
    ['a command for a tree size', (at) => edit(at, 'proof/checkpoint', (text) => text.replace(/\n\d+\n/, '\na[$(>../ran)]\n'))],
    ['a last leaf without an end', (at) => [edit(at, 'data/leaves.jsonl', (text) => `${text}{"seq":99,}`), relist(at)]]
  ])('with %s are refused by the shell, which reads and runs nothing of them', (_, change) => {
    const folder = join(engine.root, `hostile-${++made}`)
    cpSync(unpacked, folder, { recursive: true })
    change(folder)
    // Both shells that a system has for `sh`.
    for (const program of ['sh', 'bash']) {
      const run = spawnSync(program, ['verify.sh'], { cwd: folder, encoding: 'utf8', timeout: 60_000 })
      expect([run.status, run.stdout.trim().split('\n').at(-1)], run.stdout + run.stderr).toEqual([1, 'invalid'])
    }
    expect(existsSync(join(engine.root, 'ran'))).toBe(false)
  })
})

describe('verify.sh', () => {
  it('hashes leaves and payloads of every size and content as they are', async () => {
    const odd = 'a*b\\c%s $(date) `date` ~ 漢字 \u0080\u0081\u0088 \u00ff'
    const events = [
      rawRecord(200, { model: odd, prompt: '', response: 'x'.repeat(70_000) }),
      ...Array.from({ length: 200 }, (_, n) => rawRecord(201 + n, { model: odd.slice(n % 9), prompt: 'y'.repeat(n), response: odd }))
    ]
    const first = (await engine.call('workspace.status', {})).ledger.size
    await engine.call('events.append', { events })
    const out = join(engine.root, 'odd.zip')
    await exportTo(out, `seq:${first}..`)
    const folder = join(engine.root, 'odd')
    unpack(out, folder)
    expect(shell(folder)).toMatchObject({ status: 0, verdict: 'consistent, signer not confirmed' })
    // One that is hashed by itself, and one of the second batch.
    for (const seq of [first, first + 190]) edit(folder, `data/payload/${seq}.response`, (text) => `${text} `)
    relist(folder)
    const { status, output } = shell(folder)
    expect(status).toBe(1)
    expect([...output.matchAll(/payload_changed: (\S+)/g)].map((match) => match[1])).toEqual(
      [first, first + 190].map((seq) => `data/payload/${seq}.response`)
    )
  })
})
