// SPDX-License-Identifier: Apache-2.0
// A corpus of good and tampered bundles, made from one small export of a real engine.
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { ZipFile } from 'yazl'
import type { OperationInput } from '../../shared/contract/contract.ts'
import { formatCheckpointBody, parseCheckpoint, signCheckpoint } from '../../shared/evidence/note.ts'
import { BUNDLE_NAMESPACE, formatSshsig, sshsigSignedData } from '../../shared/evidence/sshsig.ts'
import { makeAuthority, serveAuthority } from '../anchors/test-authority.ts'
import { ed25519FromSeed, sha256, sha512 } from '../crypto.ts'
import { describeSample, workspacePaths } from '../workspace/paths.ts'
import type { CorpusCase } from './corpus-case.ts'
import { correctedRecords, correctionWays } from './corpus-corrections.ts'
import { type Bag, text } from './corpus-edit.ts'
import { formWays } from './corpus-forms.ts'
import { keyWays } from './corpus-keys.ts'
import { prunedAndErased, twoHistories } from './corpus-logs.ts'
import { type Sampled, scopeWays } from './corpus-scope.ts'
import { LARGE, tileWays } from './corpus-tiles.ts'
import type { CorpusKeys } from './corpus-way.ts'
import { hostileWays, tamperedWays } from './corpus-ways.ts'
import { zipWays } from './corpus-zip.ts'
import { rawRecord, type TestEngine, testEngine } from './test-engine.ts'

const TIME = { mtime: new Date(1980, 0, 1), forceDosTimestamp: true, mode: 0o100644 }

/** Packs files in the order of the map, with fixed times; `compress`: as an export does, which takes most of the time of a corpus. */
export async function packBag(bag: Bag, compress = false): Promise<Buffer> {
  const zip = new ZipFile()
  // Nothing to pack is not packed: it takes a while in twenty thousand files.
  for (const [name, content] of bag) zip.addBuffer(content, name, { ...TIME, compress: compress && content.length > 0 })
  zip.end()
  const chunks: Buffer[] = []
  for await (const chunk of zip.outputStream) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks)
}

/** Seed of an export key that is not that of the log. */
const ANOTHER = Buffer.alloc(32, 7)

/** With times and owners in the headers of its entries, as Info-ZIP packs. */
function zippedAgain(folder: string): Buffer {
  const out = `${folder}.again.zip`
  execFileSync('zip', ['-q', '-r', '-D', out, '.'], { cwd: folder })
  const zip = readFileSync(out)
  rmSync(out)
  return zip
}

const hex = (content: Uint8Array): string => createHash('sha256').update(content).digest('hex')

/** Makes the manifests fit, as somebody would who cannot sign. */
function relist(bag: Bag): void {
  const names = [...bag.keys()].filter((name) => !name.startsWith('tagmanifest-') && name !== 'manifest-sha256.txt').sort()
  const line = (name: string): string => `${hex(bag.get(name) ?? Buffer.alloc(0))}  ${name}\n`
  const lines = (data: boolean): string =>
    names
      .filter((name) => name.startsWith('data/') === data)
      .map(line)
      .join('')
  bag.set('manifest-sha256.txt', Buffer.from(lines(true)))
  bag.set('tagmanifest-sha256.txt', Buffer.from(lines(false) + line('manifest-sha256.txt')))
}

function reseal(bag: Bag, seed: Uint8Array): void {
  relist(bag)
  seal(bag, seed)
}

function seal(bag: Bag, seed: Uint8Array): void {
  const key = ed25519FromSeed(seed)
  const tags = bag.get('tagmanifest-sha256.txt') ?? Buffer.alloc(0)
  const signature = formatSshsig(key.publicKey, BUNDLE_NAMESPACE, key.sign(sshsigSignedData(sha512, BUNDLE_NAMESPACE, tags)))
  bag.set('tagmanifest-sha256.txt.sig', Buffer.from(signature))
}

/** Reads the files of a folder as a bag. */
function readBag(folder: string): Bag {
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => statSync(join(folder, name)).isFile())
  return new Map(names.sort().map((name) => [name, readFileSync(join(folder, name))]))
}

function writeBag(bag: Bag, folder: string): void {
  for (const [name, content] of bag) {
    mkdirSync(dirname(join(folder, name)), { recursive: true })
    writeFileSync(join(folder, name), content)
  }
}

/** The seeds of the log and export key, from the key file of the state folder. */
function seedsOf(engine: TestEngine): { readonly log: Buffer; readonly export: Buffer } {
  const name = readdirSync(engine.state).find((one) => one.startsWith('keyring-')) ?? ''
  const file = JSON.parse(readFileSync(join(engine.state, name), 'utf8')) as { readonly ring: string }
  const ring = JSON.parse(Buffer.from(file.ring, 'base64').toString('utf8')) as { log: { seed: string }; export: { seed: string } }
  return { log: Buffer.from(ring.log.seed, 'base64'), export: Buffer.from(ring.export.seed, 'base64') }
}

async function exportBag(
  engine: TestEngine,
  query: string,
  more: Partial<OperationInput<'export.start'>> = {}
): Promise<{ readonly zip: Buffer; readonly bag: Bag }> {
  const out = join(engine.root, 'export.zip')
  const { job_id } = await engine.call('export.start', { query, recipient: 'Examiner', purpose: 'corpus', out, replace: true, ...more })
  const job = await engine.job(job_id)
  if (job.error) throw new Error(job.error.message)
  const folder = join(engine.root, 'export')
  rmSync(folder, { recursive: true, force: true })
  execFileSync('unzip', ['-q', out, '-d', folder])
  return { zip: readFileSync(out), bag: readBag(folder) }
}

/** A range of a sample workspace, which has other keys; and its seal. */
async function exportSample(): Promise<Sampled> {
  const root = mkdtempSync(join(tmpdir(), 'affidavit-sample-'))
  const workspace = join(root, 'workspace')
  describeSample(workspacePaths(workspace), new Date())
  const engine = await testEngine({ root, workspace })
  try {
    await engine.call('settings.set', { tsa_every_minutes: 7 })
    await engine.call('export.preview', {})
    const { bag } = await exportBag(engine, '', { range: { first: 0, last: 0 } })
    const seed = seedsOf(engine).export
    return { bag, reseal: (other) => reseal(other, seed) }
  } finally {
    await engine.remove()
  }
}

/** More leaves than have proofs of their own, from a log of the same keys. */
async function exportLarge(engine: TestEngine): Promise<Bag> {
  const { ledger } = await engine.call('workspace.status', {})
  const wanted = LARGE - ledger.size
  const events = Array.from({ length: wanted }, (_, n) => rawRecord(5000 + n))
  await engine.call('events.append', { events: events.slice(0, 600) })
  await engine.call('events.append', { events: events.slice(600) })
  return (await exportBag(engine, '')).bag
}

/** Writes the corpus and `cases.json` into a folder; returns the cases. */
export async function makeCorpus(folder: string): Promise<readonly CorpusCase[]> {
  mkdirSync(folder, { recursive: true })
  const authorityFiles = makeAuthority()
  const authority = await serveAuthority(authorityFiles)
  let later = 0
  const engine = await testEngine({ disposal: { now: () => Date.now() + later } })
  const cases: CorpusCase[] = []
  const put = async (
    name: string,
    content: Buffer | Bag,
    expected: Pick<CorpusCase, 'trusted' | 'verdict' | 'step' | 'code'> &
      Partial<Pick<CorpusCase, 'shellStep' | 'shellVerdict' | 'remembered'>> & { readonly trust?: Bag }
  ): Promise<void> => {
    const number = String(cases.length).padStart(3, '0')
    const file = `${number}.affidavit.zip`
    writeFileSync(join(folder, file), Buffer.isBuffer(content) ? content : await packBag(content, expected.step === null))
    if (!Buffer.isBuffer(content)) writeBag(content, join(folder, number))
    const { trust, ...answers } = expected
    if (trust) writeBag(trust, join(folder, `${number}.trust`))
    cases.push({
      shellStep: null,
      shellCode: null,
      shellVerdict: null,
      remembered: null,
      confirmed: trust ? `${number}.trust` : null,
      ...answers,
      name,
      file,
      folder: Buffer.isBuffer(content) ? null : number
    })
  }
  try {
    // One content is longer than what verify.sh takes in one piece.
    const long = { prompt: 'a long question, '.repeat(800) }
    await engine.call('events.append', { events: Array.from({ length: 4 }, (_, n) => rawRecord(n, n === 0 ? long : {})) })
    await engine.call('records.proof', { seq: 2 })
    await engine.call('events.append', { events: [rawRecord(4), rawRecord(5)] })
    const plain = await exportBag(engine, 'seq:0..6')
    const withheld = await exportBag(engine, 'seq:0..6', { withhold: ['request'] })
    const ranged = await exportBag(engine, 'seq:2..3', { range: { first: 0, last: 6 } })
    const sampled = await exportSample()
    const pem = join(engine.root, 'ca.pem')
    writeFileSync(pem, authority.ca)
    await engine.call('settings.set', { tsa_url: authority.url, tsa_every_minutes: 0 })
    await engine.call('anchors.trust_authority', { path: pem })
    await engine.call('anchors.now', {})
    const { anchors } = await engine.call('anchors.list', {})
    const stamped = await exportBag(engine, 'seq:0..6', { at: anchors[0]?.size ?? 0 })
    const { grown, cut, forked, seen, before } = await twoHistories(engine, exportBag)
    const large = await exportLarge(engine)
    const { pruned, erased } = await prunedAndErased(engine, exportBag, (ms) => {
      later = ms
    })
    const { corrected, correctedRange } = await correctedRecords(engine, exportBag)
    writeBag(new Map([...plain.bag].filter(([name]) => name.startsWith('trust/'))), folder)
    const seeds = seedsOf(engine)
    const log = ed25519FromSeed(seeds.log)
    const keys: CorpusKeys = {
      relist,
      reseal: (bag) => reseal(bag, seeds.export),
      seal: (bag) => seal(bag, seeds.export),
      resealByAnother: (bag) => reseal(bag, ANOTHER),
      another: ANOTHER,
      exportSeed: seeds.export,
      sign: (note, change) => {
        const { origin, size, root } = parseCheckpoint(note)
        return signCheckpoint(sha256, formatCheckpointBody({ origin, size, root, ...change }), {
          origin,
          publicKey: log.publicKey,
          sign: log.sign
        })
      }
    }
    const good = { verdict: 'consistent, signer not confirmed', step: null, code: null, trusted: false } as const
    const valid = { verdict: 'valid', step: null, code: null, trusted: true } as const
    await put('as it was written', plain.bag, good)
    await put('as it was written, with confirmed keys', plain.bag, valid)
    await put('withheld requests', withheld.bag, valid)
    await put('a whole range, most of it without content', ranged.bag, valid)
    await put('of a sample', sampled.bag, good)
    await put('with a timestamp', stamped.bag, valid)
    await put('over a tile that was disposed of', pruned, valid)
    await put('with an erased record and its erasure', erased, valid)
    await put('with corrections of two records', corrected, valid)
    await put('a whole range with corrections', correctedRange, valid)
    await put('after an earlier head was seen', grown, { ...good, remembered: { head: before, code: null } })
    await put('cut off after a longer log was seen', cut, { ...good, remembered: { head: seen, code: 'rollback' } })
    await put('another history of the size that was seen', forked, { ...good, remembered: { head: seen, code: 'fork' } })
    const sources = {
      plain: plain.bag,
      stamped: stamped.bag,
      withheld: withheld.bag,
      ranged: ranged.bag,
      sampled: sampled.bag,
      pruned,
      erased,
      corrected,
      correctedRange,
      large
    }
    const partly = { shellVerdict: 'no fault found, 2 steps not checked' } as const
    await put('beyond a thousand leaves, as it was written', large, { ...good, ...partly })
    await put('beyond a thousand leaves, with confirmed keys', large, { ...valid, ...partly })
    for (const way of [
      ...tamperedWays(plain.bag, keys),
      ...scopeWays(keys, { ranged: ranged.bag, sampled }),
      ...correctionWays(keys, corrected),
      ...tileWays(keys, large),
      ...formWays(keys),
      ...keyWays(keys, plain.bag, authorityFiles.own)
    ]) {
      const bag: Bag = new Map(sources[way.from ?? 'plain'])
      way.change(bag)
      const trust: Bag | undefined =
        way.confirmed && new Map(['log.vkey', 'allowed_signers'].map((name) => [name, Buffer.from(text(plain.bag, `trust/${name}`))]))
      if (trust) way.confirmed?.(trust)
      await put(way.name, bag, {
        trusted: way.trusted ?? false,
        ...(trust ? { trust } : {}),
        verdict: way.verdict ?? 'invalid',
        step: way.step,
        code: way.code,
        ...(way.shellStep === undefined ? {} : { shellStep: way.shellStep }),
        ...(way.shellCode === undefined ? {} : { shellCode: way.shellCode }),
        ...(way.shellVerdict === undefined ? {} : { shellVerdict: way.shellVerdict })
      })
    }
    for (const [name, content] of await hostileWays(plain.zip, (bag) => packBag(bag, true)))
      await put(name, content, { trusted: false, verdict: 'refused', step: null, code: null })
    for (const { name, content, step, code } of zipWays(plain.zip))
      await put(name, content, { trusted: false, verdict: step === null ? 'refused' : 'invalid', step, code })
    await put('packed again by another program', zippedAgain(join(folder, '000')), good)
  } finally {
    await engine.remove()
    await authority.close()
    authorityFiles.remove()
  }
  writeFileSync(join(folder, 'cases.json'), JSON.stringify(cases))
  return cases
}
