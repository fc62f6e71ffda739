// SPDX-License-Identifier: Apache-2.0
// Evidence of other programs, as the command line takes it.
import { execFileSync } from 'node:child_process'
import { createHash, generateKeyPairSync, sign } from 'node:crypto'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import { makeAuthority } from '../engine/anchors/test-authority.ts'
import { nodeCrypto } from '../node/crypto.ts'
import { toBase64, utf8 } from '../shared/evidence/bytes.ts'
import { leafHash, rootOf } from '../shared/evidence/merkle.ts'
import { formatVkey, signCheckpoint } from '../shared/evidence/note.ts'
import { timestampRequest } from '../shared/evidence/timestamp.ts'
import { type ForeignOptions, verifyForeign } from './verify-foreign.ts'

// Key and checkpoint as the Tessera project and users of it publish them for tests.
const KEY = 'example.com/log/testdata+33d7b496+AeHTu4Q3hEIMHNqc6fASMsq3rKNx280NI+oO5xCFkkSx'
const NOTE = `example.com/log/testdata
100270
GRV1O0dCqmjjPvYi7CtOT79zb/fPwLNsMFWsynwU8Ac=

— example.com/log/testdata M9e0lkcvy5bAe7rrC8tCyAP+my+CLzswA91zOpBNWVU7qCojkUOHnfdQzDImoYeYH8G8PJSwOqsx0RkSa261OmKVwwM=
`
const { sha256 } = nodeCrypto
let root: string
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'affidavit-foreign-'))
})
afterAll(() => rmSync(root, { recursive: true, force: true }))

function file(name: string, content: string | Uint8Array): string {
  mkdirSync(dirname(join(root, name)), { recursive: true })
  writeFileSync(join(root, name), content)
  return join(root, name)
}

async function verify(
  path: string,
  options: Partial<ForeignOptions> = {}
): Promise<{ readonly exit: number | undefined; readonly out: string }> {
  const lines: string[] = []
  const spy = vi.spyOn(process.stdout, 'write').mockImplementation((line) => lines.push(String(line)) > 0)
  try {
    const exit = await verifyForeign(path, { requireTrust: false, ...options })
    return { exit, out: lines.join('') }
  } finally {
    spy.mockRestore()
  }
}

it('a published checkpoint holds with its key, and is not confirmed without', async () => {
  const [note, logKey] = [file('note', NOTE), file('log.vkey', `${KEY}\n`)]
  expect(await verify(note, { logKey, requireTrust: true })).toMatchObject({ exit: 0, out: expect.stringContaining('checkpoint: holds') })
  const unknown = await verify(note)
  expect(unknown.exit).toBe(0)
  expect(unknown.out).toContain('not shown  No key was given')
  expect((await verify(note, { requireTrust: true })).exit).toBe(1)
  for (const changed of [NOTE.replace('100270', '100271'), NOTE.replace('GRV1', 'GRV2'), NOTE.replace('M9e0lkc', 'M9e0lkd')])
    expect(await verify(file('changed', changed), { logKey })).toMatchObject({ exit: 1, out: expect.stringContaining('invalid_note') })
})

it('a log whose origin has spaces, with an extension line: checkpoint, inclusion, consistency', async () => {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519')
  const raw = new Uint8Array(publicKey.export({ format: 'der', type: 'spki' }).subarray(12))
  const signer = { origin: 'other.example', publicKey: raw, sign: (message: Uint8Array) => sign(null, message, privateKey) }
  const leaves = ['one', 'two', 'three'].map((text) => leafHash(sha256, utf8(text)))
  const at = (size: number): string =>
    signCheckpoint(sha256, `a tree of another log\n${size}\n${toBase64(rootOf(sha256, leaves.slice(0, size)))}\nmore said\n`, signer)
  const logKey = file('other.vkey', formatVkey(sha256, signer.origin, raw))
  const [two, three] = [file('two', at(2)), file('three', at(3))]
  expect((await verify(three, { logKey })).out).toContain('signed a tree of 3 leaves')
  const [first, , last] = leaves.map(toBase64)
  const left = toBase64(rootOf(sha256, leaves.slice(0, 2)))
  const proof = file('proof', `c2sp.org/tlog-proof@v1\nindex 2\n${left}\n\n${at(3)}`)
  const of = file('leaf', 'three')
  expect(await verify(proof, { logKey, of })).toMatchObject({ exit: 0, out: expect.stringContaining('leaf 2 of a tree of 3 leaves') })
  expect(await verify(proof, { logKey, of: file('leaf2', 'four') })).toMatchObject({
    exit: 1,
    out: expect.stringContaining('root_mismatch')
  })
  await expect(verify(proof, { logKey })).rejects.toMatchObject({ code: 'bad_request' })
  const between = { logKey, old: two, new: three }
  expect(await verify(file('grown', `old 2\n${last}\n`), between)).toMatchObject({ exit: 0 })
  expect(await verify(file('forked', `old 2\n${first}\n`), between)).toMatchObject({
    exit: 1,
    out: expect.stringContaining('root_mismatch')
  })
  expect((await verify(file('start', `old 1\n${last}\n`), between)).out).toContain('invalid_proof_file')
})

it('a timestamp of a stock authority is over its file and no other', async () => {
  const authority = makeAuthority()
  try {
    const stamped = utf8('a letter')
    const token = file('letter.tsr', authority.answer(timestampRequest(sha256, stamped, new Uint8Array(8).fill(7))))
    const [of, ca] = [file('letter', stamped), file('ca.pem', authority.ca)]
    expect(await verify(token, { of, ca })).toMatchObject({ exit: 0, out: expect.stringContaining('saw the SHA-256 of the given file at') })
    const other = await verify(token, { of: file('letter2', 'another letter'), ca })
    expect(other).toMatchObject({ exit: 1, out: expect.stringContaining('timestamp_imprint') })
    await expect(verify(token, { of })).rejects.toMatchObject({ code: 'bad_request' })
  } finally {
    authority.remove()
  }
})

it('a timestamp over another digest, by itself, or without its certificate; what cannot be checked is no fault of it', async () => {
  const authority = makeAuthority()
  try {
    const at = (name: string): string => join(root, name)
    const [of, ca] = [file('doc', 'a letter'), file('root.pem', authority.ca)]
    const both = file('both.pem', authority.ca + authority.own)
    const answer = (name: string, ...how: string[]): string => {
      execFileSync('openssl', ['ts', '-query', '-data', of, '-out', at('query'), ...how], { stdio: 'pipe' })
      return file(name, authority.answer(readFileSync(at('query'))))
    }
    const long = answer('long.tsr', '-sha512', '-cert')
    expect(await verify(long, { of, ca })).toMatchObject({ exit: 0, out: expect.stringContaining('saw the SHA-512 of the given file at') })
    expect((await verify(long, { of: file('doc2', 'another'), ca })).out).toContain('timestamp_imprint')
    execFileSync('openssl', ['ts', '-reply', '-in', long, '-token_out', '-out', at('bare.tst')], { stdio: 'pipe' })
    expect(await verify(at('bare.tst'), { of, ca })).toMatchObject({ exit: 0, out: expect.stringContaining('timestamp: holds') })
    const without = answer('without.tsr', '-sha256')
    expect(await verify(without, { of, ca: both })).toMatchObject({ exit: 0, out: expect.stringContaining('timestamp: holds') })
    const notChecked = { exit: 2, out: expect.stringMatching(/not_supported[\s\S]*timestamp: not checked/) }
    expect(await verify(without, { of, ca })).toMatchObject(notChecked)
    expect(await verify(long, { of, ca: file('no.pem', 'no certificate') })).toMatchObject({
      exit: 2,
      out: expect.stringContaining('timestamp: not checked')
    })
  } finally {
    authority.remove()
  }
})

it('a proof with a line for more, and a key that is none', async () => {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519')
  const raw = new Uint8Array(publicKey.export({ format: 'der', type: 'spki' }).subarray(12))
  const signer = { origin: 'more.example', publicKey: raw, sign: (message: Uint8Array) => sign(null, message, privateKey) }
  const leaf = leafHash(sha256, utf8('one'))
  const note = signCheckpoint(sha256, `more.example\n1\n${toBase64(rootOf(sha256, [leaf]))}\n`, signer)
  const [of, logKey] = [file('more.leaf', 'one'), file('more.vkey', formatVkey(sha256, signer.origin, raw))]
  const proof = file('more.tlog-proof', `c2sp.org/tlog-proof@v1\nextra ${toBase64(utf8('more'))}\nindex 0\n\n${note}`)
  expect(await verify(proof, { of, logKey })).toMatchObject({ exit: 0, out: expect.stringContaining('inclusion proof: holds') })
  const pem = file('more.pem', publicKey.export({ format: 'pem', type: 'spki' }))
  expect(await verify(file('more.note', note), { logKey: pem })).toMatchObject({
    exit: 2,
    out: expect.stringMatching(/invalid_vkey[\s\S]*checkpoint: not checked/)
  })
})

it('a bag says what its manifests show and nothing more; whatever is changed refuses it', async () => {
  const hash = (text: string) => createHash('sha256').update(text).digest('hex')
  const bag = (name: string, changed: Readonly<Record<string, string>> = {}): string => {
    const files: Record<string, string> = {
      'bagit.txt': 'BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n',
      'bag-info.txt': 'Payload-Oxum: 8.2\n',
      'data/a': 'four',
      'data/b/100%': 'five',
      'manifest-sha256.txt': `${hash('four')}  data/a\n${hash('five').toUpperCase()} data/b/100%25\n`,
      ...changed
    }
    for (const [path, content] of Object.entries(files)) file(`${name}/${path}`, content)
    return join(root, name)
  }
  const good = await verify(bag('good'))
  expect(good.exit).toBe(0)
  expect(good.out).toContain("The bag's 2 files match its manifests (sha256)")
  expect(good.out).toContain('No signature, no log: who made it and when is not shown.')
  expect((await verify(bag('good'), { requireTrust: true })).exit).toBe(1)
  const line = `${hash('four')}  data/a\n`
  const bad: Readonly<Record<string, Readonly<Record<string, string>>>> = {
    digest_mismatch: { 'data/a': 'fore' },
    extra_file: { 'data/c': '' },
    missing: { 'manifest-md5.txt': '00 data/gone\n' },
    duplicate_name: { 'manifest-sha256.txt': line + line },
    invalid_manifest: { 'manifest-sha256.txt': `${hash('x')}  ../note\n` },
    invalid_declaration: { 'bagit.txt': '\ufeffBagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n' },
    oxum_mismatch: { 'bag-info.txt': 'Payload-Oxum: 9.2\n' }
  }
  const only = (algorithm: string, digest: string) =>
    Object.fromEntries([
      ['manifest-sha256.txt', `${hash('four')}  data/a\n${hash('five')}  data/b/100%25\n`],
      [`manifest-${algorithm}.txt`, digest]
    ])
  const strong = (text: string) => createHash('sha384').update(text).digest('hex')
  bag('sha384', only('sha384', `${strong('four')}  data/a\n${strong('five')}  data/b/100%25\n`))
  rmSync(join(root, 'sha384', 'manifest-sha256.txt'))
  expect(await verify(join(root, 'sha384'))).toMatchObject({ exit: 0, out: expect.stringContaining('manifests (sha384)') })
  bag('unread', only('blake3', '00  data/a\n'))
  rmSync(join(root, 'unread', 'manifest-sha256.txt'))
  expect(await verify(join(root, 'unread'))).toMatchObject({ exit: 2, out: expect.stringContaining('bag: not checked') })
  for (const [code, changed] of Object.entries(bad))
    expect(await verify(bag(code, changed)), code).toMatchObject({ exit: 1, out: expect.stringContaining(`   ${code}`) })
  symlinkSync(file('outside', 'four'), join(bag('linked'), 'data', 'link'))
  expect((await verify(join(root, 'linked'))).out).toContain('not_a_file')
  await expect(verify(dirname(file('none/x', '')))).rejects.toMatchObject({ code: 'not_this_format' })
})

it('leaves a bundle, and whatever else, to the verifier of bundles', async () => {
  expect((await verify(file('zip', 'PK\u0003\u0004'))).exit).toBeUndefined()
  expect((await verify(file('text', 'nothing of the kind\n'))).exit).toBeUndefined()
  expect((await verify(join(root, 'absent'))).exit).toBeUndefined()
})
