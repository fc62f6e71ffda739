// SPDX-License-Identifier: Apache-2.0
// Erasure of one subject among many records, from the approval to the certificate, beside the limit: bare AES over all keys and one read of all files.
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto'
import { closeSync, mkdtempSync, openSync, readdirSync, readSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pino } from 'pino'
import { engineEnvironment } from '../src/engine/config.ts'
import { type Engine, startEngine } from '../src/engine/engine.ts'
import type { Caller } from '../src/engine/handlers.ts'
import type { OperationInput, OperationName, OperationOutput } from '../src/shared/contract/contract.ts'
import { benchRecord } from './records.ts'
import type { BenchRow } from './row.ts'

/** Records in the workspace: a million with ERASURE_RECORDS=1000000. */
const RECORDS = Number(process.env.ERASURE_RECORDS ?? 100_000)
const OF_SUBJECT = 100
const SUBJECT = 'zephyrine.quux@example.org'
const DAY = '2026-01-31'

const local: Caller = { actor: { ref: 'local', kind: 'human' }, via: 'ipc' }
const itself: Caller = { actor: { ref: 'engine', kind: 'system' }, via: 'ipc' }

async function call<N extends OperationName>(engine: Engine, caller: Caller, op: N, input: OperationInput<N>): Promise<OperationOutput<N>> {
  const reply = await engine.router.call(op, input, caller)
  if (!reply.ok) throw new Error(`${op}: ${reply.error.code}: ${reply.error.message}`)
  return reply.value as OperationOutput<N>
}

async function person(engine: Engine, role: 'administrator' | 'data_protection' | 'reviewer'): Promise<Caller> {
  const by = engine.people.directory.empty ? local : itself
  const { ref } = await call(engine, by, 'people.add', { name: `the ${role}`, role, os_account: `account of ${role}` })
  return { actor: { ref, kind: 'human' }, via: 'ipc' }
}

const files = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))

/** Unwrapping and wrapping every block of 64 keys once, nothing else. */
function bareRewrap(records: number): number {
  const key = randomBytes(32)
  const keys = randomBytes(64 * 32)
  const seal = (): Buffer => {
    const nonce = randomBytes(12)
    const cipher = createCipheriv('aes-256-gcm', key, nonce)
    return Buffer.concat([nonce, cipher.update(keys), cipher.final(), cipher.getAuthTag()])
  }
  const sealed = seal()
  const started = performance.now()
  for (let block = 0; block < records / 64; block++) {
    const decipher = createDecipheriv('aes-256-gcm', key, sealed.subarray(0, 12))
    decipher.setAuthTag(sealed.subarray(sealed.length - 16))
    decipher.update(sealed.subarray(12, sealed.length - 16))
    decipher.final()
    seal()
  }
  return (performance.now() - started) / 1000
}

const CHUNK = 4 * 1024 * 1024
const OVERLAP = 64

/** Reads a file of any size; each chunk begins with the last bytes of the one before. False when `see` says that it has seen enough. */
function readThrough(path: string, buffer: Buffer, see: (chunk: Buffer) => boolean): boolean {
  const fd = openSync(path, 'r')
  try {
    for (let held = 0; ; ) {
      const read = readSync(fd, buffer, held, CHUNK, null)
      if (read === 0) return true
      if (!see(buffer.subarray(0, held + read))) return false
      const end = held + read
      held = Math.min(OVERLAP, end)
      buffer.copyWithin(0, end - held, end)
    }
  } finally {
    closeSync(fd)
  }
}

function bareRead(paths: readonly string[]): number {
  const buffer = Buffer.alloc(CHUNK + OVERLAP)
  const started = performance.now()
  for (const path of paths) readThrough(path, buffer, () => true)
  return (performance.now() - started) / 1000
}

async function fill(engine: Engine): Promise<number> {
  const url = `${engine.status().endpoints.compliance.url}/api/compliance/events`
  const every = Math.floor(RECORDS / OF_SUBJECT)
  const started = performance.now()
  for (let from = 0; from < RECORDS; from += 20_000) {
    const lines = Array.from({ length: Math.min(20_000, RECORDS - from) }, (_, i) => {
      const line = benchRecord(from + i)
      if ((from + i) % every !== 0) return line
      const record = JSON.parse(line) as Record<string, string>
      return JSON.stringify({ ...record, user_id: SUBJECT, prompt: `${SUBJECT} asks of the marmalade-octopus: ${record.prompt}` })
    })
    const reply = await fetch(url, { method: 'POST', headers: { 'content-type': 'application/x-ndjson' }, body: `${lines.join('\n')}\n` })
    if (!reply.ok) throw new Error(`ingest answered ${reply.status}`)
  }
  while (engine.status().projection.behind > 0) await new Promise((resolve) => setTimeout(resolve, 100))
  return (performance.now() - started) / 1000
}

/** @throws when a trace of the subject is left in any file, or the workspace does not verify */
export async function benchErasure(): Promise<BenchRow[]> {
  const root = mkdtempSync(join(tmpdir(), 'affidavit-erasure-'))
  const workspace = join(root, 'workspace')
  const state = join(root, 'state')
  const binding = { host: '127.0.0.1', port: 0 }
  const engine = await startEngine(
    { workspace, state, compliance: binding, drift: binding, appVersion: '0.1.0', keyProtection: 'file' },
    engineEnvironment({}),
    { store: null, log: pino({ level: 'silent' }), passwordCost: 1024 }
  )
  try {
    const filled = await fill(engine)
    await person(engine, 'administrator')
    const asker = await person(engine, 'data_protection')
    const other = await person(engine, 'reviewer')
    const { id: request_id } = await call(engine, asker, 'requests.open', { kind: 'erasure', reference: 'bench', received: DAY })
    const found = await call(engine, asker, 'subjects.find', { identifiers: [SUBJECT] })
    if (found.seqs.length !== OF_SUBJECT) throw new Error(`${found.seqs.length} records of the subject were found`)
    const ground = 'consent withdrawn'
    const asked = await call(engine, asker, 'erasure.ask', { request_id, decisions: [{ seqs: found.seqs, ground, override: ground }] })
    const before = files(root)
    const size = before.reduce((sum, path) => sum + statSync(path).size, 0)
    const limit = bareRewrap(RECORDS)
    const read = bareRead(before)
    const at: Record<string, number> = {}
    let step = 'decision'
    engine.erasures.hooks.onStep = (done) => {
      at[done] = performance.now()
      step = `after ${done}`
    }
    let longest = 0
    let where = ''
    const over: string[] = []
    let turn = performance.now()
    const watch = setInterval(() => {
      const took = performance.now() - turn
      if (took > longest) {
        longest = took
        where = step
      }
      if (took > 20) over.push(`${took.toFixed(0)} ms ${step}`)
      turn = performance.now()
    }, 1)
    const started = performance.now()
    await call(engine, other, 'approvals.decide', { id: asked.id, decision: 'give' })
    for (let done = false; !done; ) {
      await new Promise((resolve) => setTimeout(resolve, 5))
      const job = (await call(engine, asker, 'jobs.list', {})).jobs.find((one) => one.kind === 'erasure')
      if (job?.state === 'failed') throw new Error(job.error?.message)
      done = job?.state === 'done'
    }
    clearInterval(watch)
    const seconds = ((at.emptied ?? 0) - started) / 1000
    const scan = ((at.scanned ?? 0) - (at.emptied ?? 0)) / 1000
    const traces = ['zephyrine', 'marmalade-octopus', Buffer.from(SUBJECT).toString('base64').slice(0, 30)]
    const buffer = Buffer.alloc(CHUNK + OVERLAP)
    const left = files(root).filter((path) => !readThrough(path, buffer, (chunk) => !traces.some((text) => chunk.includes(text))))
    if (left.length > 0) throw new Error(`traces of the subject are left in ${left.join(', ')}`)
    const { job_id } = await call(engine, itself, 'verify.workspace', {})
    let job = await call(engine, itself, 'jobs.get', { id: job_id })
    while (job.state === 'running') {
      await new Promise((resolve) => setTimeout(resolve, 50))
      job = await call(engine, itself, 'jobs.get', { id: job_id })
    }
    const report = await call(engine, itself, 'verify.workspace_report', { job_id })
    if (report.verdict !== 'intact') throw new Error(`the workspace does not verify: ${report.faults[0]?.message}`)
    const part = (from: string | undefined, to: string): string =>
      (((at[to] ?? 0) - (from === undefined ? started : (at[from] ?? 0))) / 1000).toFixed(2)
    const steps = `intent ${part(undefined, 'intent')} s, catalog ${part('intent', 'projected')} s, keys ${part('projected', 'keys')} s, payloads ${part('keys', 'payloads')} s, logs ${part('payloads', 'emptied')} s`
    return [
      {
        name: `erasure of ${OF_SUBJECT} records of one subject among ${RECORDS}, without the scan`,
        value: Number(seconds.toFixed(2)),
        unit: 's',
        target: 5,
        limit: { name: 'bare AES-256-GCM over all key blocks', value: Number(limit.toFixed(2)) },
        ratio: seconds / limit,
        note: `${steps}; no trace of the subject in any file afterwards, ${report.checked.leaves} leaves verify; filled in ${filled.toFixed(0)} s`
      },
      {
        name: `scan of ${(size / 1e6).toFixed(0)} MB for the erased texts`,
        value: Number(scan.toFixed(2)),
        unit: 's',
        limit: { name: 'reading the files once', value: Number(read.toFixed(2)) },
        ratio: scan / read
      },
      {
        name: 'longest turn of the writer during the erasure',
        value: Number(longest.toFixed(1)),
        unit: 'ms',
        target: 50,
        note: `${where}; turns above 20 ms: ${over.join(', ') || 'none'}`
      }
    ]
  } finally {
    await engine.stop('quit')
    rmSync(root, { recursive: true, force: true })
  }
}
