// SPDX-License-Identifier: Apache-2.0
// The end of the program comes into an encrypted export: nothing of it lies in clear outside of the workspace, and it goes on or is undone.
import { randomBytes } from 'node:crypto'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, watch } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { generateIdentity, identityToRecipient } from 'age-encryption'
import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import { verifyBundleFile } from '../../node/verify-file.ts'
import { type EngineProcess, engineProcess } from '../test/engine-process.ts'
import { rawRecord } from '../test/test-engine.ts'

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 })

/** Some megabytes of content that does not pack: written and encrypted slowly enough to be killed within. */
const RECORDS = 1_200
const WORD = 'zephyrine-kumquat'
let root: string
let identity: string
let recipient: string
let engine: EngineProcess
/** Where the bundle is to stand, the folder for temporary files of the engine, and where it keeps what is not encrypted yet. */
const [out, temporary, unfinished] = ['out', 'tmp', join('workspace', 'exports')].map((name) => () => join(root, name)) as [
  () => string,
  () => string,
  () => string
]

beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), 'affidavit-sealed-kill-'))
  for (const folder of [out(), temporary()]) mkdirSync(folder)
  identity = await generateIdentity()
  recipient = await identityToRecipient(identity)
  engine = await engineProcess(root, 0, { TMPDIR: temporary() })
  const events = Array.from({ length: RECORDS }, (_, n) => rawRecord(n, { response: `${WORD} ${randomBytes(3_000).toString('base64')}` }))
  for (let from = 0; from < RECORDS; from += 300) await engine.call('events.append', { events: events.slice(from, from + 300) })
})
afterAll(async () => {
  engine.kill()
  await engine.exited
  rmSync(root, { recursive: true, force: true })
})

const namesIn = (folder: string): string[] => (existsSync(folder) ? readdirSync(folder, { recursive: true, encoding: 'utf8' }) : [])

/** Kills the engine as soon as a file of a name appears in a folder. */
const killedAt = (folder: string, name: RegExp): Promise<void> =>
  new Promise((resolve) => {
    mkdirSync(folder, { recursive: true })
    const watching = watch(folder, (_, found) => {
      if (!name.test(found ?? '')) return
      engine.kill()
      watching.close()
      resolve()
    })
  })

/** Starts an encrypted export, ends the program in it, and starts it again. */
async function killedExport(name: string, folder: string, file: RegExp) {
  const killed = killedAt(folder, file)
  const encrypt = { recipient }
  const path = join(out(), name)
  await engine.call('export.start', { query: '', recipient: 'r', purpose: 'p', out: path, encrypt }).catch(() => {})
  await killed
  await engine.exited
  const clear = namesIn(unfinished()).filter((one) => one.endsWith('.partial'))
  const beside = namesIn(out()).map((one) => readFileSync(join(out(), one)).subarray(0, 22).toString())
  const inTemporary = namesIn(temporary())
  engine = await engineProcess(root, 0, { TMPDIR: temporary() })
  const [open] = (await engine.call('export.interrupted', {})).exports
  if (!open) throw new Error('the export was faster than its end')
  return { id: open.id, path, clear, beside, inTemporary }
}

async function finish(id: string): Promise<void> {
  const { job_id } = await engine.call('export.resume', { id })
  for (;;) {
    const job = await engine.call('jobs.get', { id: job_id })
    if (job.error) throw new Error(job.error.message)
    if (job.state === 'done') return
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}

const nothingLeft = () => expect([namesIn(unfinished()), namesIn(temporary())]).toEqual([[], []])

it('killed while it is written: in clear only in the workspace, and resumed to an encrypted bundle', async () => {
  const { id, path, clear, beside, inTemporary } = await killedExport('a.age', unfinished(), /\.partial$/)
  expect([clear.length, beside, inTemporary]).toEqual([1, [], []])
  await finish(id)
  expect(readdirSync(out())).toEqual(['a.age'])
  expect(readFileSync(path).includes('data/leaves.jsonl')).toBe(false)
  expect(await verifyBundleFile(path, { state: join(root, 'state'), key: { identity } })).toMatchObject({ kind: 'consistent' })
  nothingLeft()
  rmSync(path)
})

it('killed while it is encrypted: beside its target stands ciphertext alone, and resumed it is whole', async () => {
  const { id, path, clear, beside, inTemporary } = await killedExport('b.age', out(), /\.partial$/)
  // The file was just made: a header, or nothing yet.
  expect(beside).toHaveLength(1)
  expect('age-encryption.org/v1\n'.startsWith(beside[0] ?? 'nothing')).toBe(true)
  expect([clear.length, inTemporary]).toEqual([1, []])
  await finish(id)
  expect(readdirSync(out())).toEqual(['b.age'])
  expect(await verifyBundleFile(path, { state: join(root, 'state'), key: { identity } })).toMatchObject({ kind: 'consistent' })
  nothingLeft()
  rmSync(path)
})

it('killed while it is encrypted: discarded, nothing of it is left anywhere', async () => {
  const { id } = await killedExport('c.age', out(), /\.partial$/)
  expect(await engine.call('export.discard', { id })).toEqual({ left: null })
  expect(readdirSync(out())).toEqual([])
  nothingLeft()
})
