// SPDX-License-Identifier: Apache-2.0
// What takes two people, and backups: work in many steps, each of which may be the last before a crash.
import { closeSync, existsSync, mkdirSync, openSync, readdirSync, readSync } from 'node:fs'
import { join } from 'node:path'
import type { Role } from '../../shared/contract/permissions.ts'
import { fileSha256, readManifest } from '../backup/manifest.ts'
import type { Activity } from './activities.ts'
import type { EngineProcess } from './engine-process.ts'

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))
/** Read at a time: a file of a long run is larger than one buffer may be. */
const PIECE = 16 * 1024 * 1024

/** Whether the bytes of a text stand in a file. Its own search, not that of the engine, which it checks. */
function holds(path: string, text: string): boolean {
  const overlap = Buffer.byteLength(text) - 1
  const buffer = Buffer.alloc(PIECE + overlap)
  const file = openSync(path, 'r')
  try {
    let kept = 0
    for (;;) {
      const size = kept + readSync(file, buffer, kept, PIECE, null)
      if (size === kept) return false
      if (buffer.subarray(0, size).includes(text)) return true
      kept = Math.min(overlap, size)
      buffer.copy(buffer, 0, size - kept, size)
    }
  } finally {
    closeSync(file)
  }
}

/** How long an engine that was just started may take to finish what a crash interrupted, on a busy machine. */
const RESUME_MS = 60_000

type Persons = Readonly<Record<'administrator' | 'data_protection' | 'reviewer', string>>
type Calls = Pick<EngineProcess, 'call'>

const persons = new WeakMap<object, Promise<Persons>>()

/** The people of the workspace, set up at the first use; one that was added when the engine died is found again. */
function personsOf(engine: Calls): Promise<Persons> {
  const known = persons.get(engine)
  if (known) return known
  const made = (async () => {
    const { people } = await engine.call('people.list', {})
    const refs = new Map<Role, string>(people.map((one) => [one.role, one.ref]))
    for (const role of ['administrator', 'data_protection', 'reviewer'] as const)
      if (!refs.has(role)) refs.set(role, (await engine.call('people.add', { name: `the ${role}`, role, os_account: `of ${role}` })).ref)
    const ref = (role: Role): string => refs.get(role) ?? ''
    return { administrator: ref('administrator'), data_protection: ref('data_protection'), reviewer: ref('reviewer') }
  })()
  persons.set(engine, made)
  return made
}

/** Posts records; gives the leaves of those that were acknowledged. */
async function post(engine: EngineProcess, records: readonly object[]): Promise<number[]> {
  const answer = await fetch(`${engine.url}/api/compliance/events`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-ndjson', accept: 'application/x-ndjson' },
    body: records.map((record) => `${JSON.stringify(record)}\n`).join('')
  })
  const seqs: number[] = []
  let rest = ''
  try {
    for await (const chunk of answer.body ?? []) {
      const lines = (rest + Buffer.from(chunk).toString('utf8')).split('\n')
      rest = lines.pop() ?? ''
      for (const line of lines) {
        const { seq } = JSON.parse(line) as { seq?: number }
        if (seq !== undefined) seqs.push(seq)
      }
    }
  } catch {
    // The engine died: what came before was acknowledged.
  }
  return seqs
}

/** Waits until nothing of `open` is left; gives what is, and what became of the jobs. */
async function settled(engine: Calls, open: () => Promise<readonly string[]>): Promise<readonly string[]> {
  for (const until = Date.now() + RESUME_MS; ; ) {
    const left = await open()
    if (left.length === 0) return left
    if (Date.now() > until) {
      const { jobs } = await engine.call('jobs.list', {})
      return [
        ...left,
        ...jobs.map((job) => `job ${job.kind} ${job.state} ${job.done}/${job.total} ${job.error?.code ?? ''} ${job.error?.message ?? ''}`)
      ]
    }
    await pause(50)
  }
}

interface Subject {
  readonly n: number
  readonly secret: string
  readonly seqs: readonly number[]
  /** `asked`: an erasure may have been given, its answer never came. */
  state: 'kept' | 'asked' | 'given'
  erasure?: string
  /** A correction of its first record was acknowledged. */
  corrected?: true
}

/** Erasures: each that was given is carried out to its certificate without a trace; what was never given for erasure is still there. */
export function erasures(): Activity {
  const subjects: Subject[] = []
  let n = 0
  return {
    name: 'erasure',
    inSteps: true,
    done: () => subjects.filter((one) => one.state === 'given').length,
    run: async (engine, _, middle) => {
      const { data_protection: asker, reviewer } = await personsOf(engine)
      for (;;) {
        const secret = `zephyrine-${n}-of-the-marmalade-octopus`
        const records = [0, 1, 2].map((i) => ({
          id: `subject-${n}-${i}`,
          source: 'erasable',
          model: 'gpt-4',
          user_id: `${secret}@example.org`,
          prompt: `${secret} asks ${i}`,
          response: `answer to ${secret}`,
          latency_ms: 5
        }))
        const subject: Subject = { n: n++, secret, seqs: await post(engine, records), state: 'kept' }
        subjects.push(subject)
        if (subject.seqs.length < 3) return
        // What corrects a record goes with it, and stays with it.
        const now = `${secret} asks nothing`
        const changes = [{ what: { message: 'input' as const, index: 0 }, now }]
        await engine.call('records.correct', { seq: subject.seqs[0] ?? 0, changes, reason: 'asked by nobody' }, asker)
        subject.corrected = true
        // Every other one is only recorded: it has to stay.
        if (subject.n % 2 === 1) continue
        const request = await engine.call('requests.open', { kind: 'erasure', reference: `r-${subject.n}`, received: '2026-01-31' }, asker)
        const decisions = [{ seqs: [...subject.seqs], ground: 'consent withdrawn' }]
        const { id } = await engine.call('erasure.ask', { request_id: request.id, decisions }, asker)
        subject.state = 'asked'
        subject.erasure = id
        middle()
        await engine.call('approvals.decide', { id, decision: 'give' }, reviewer)
        subject.state = 'given'
        await pause(Math.random() * 200)
      }
    },
    check: async (engine) => {
      const steps = async () => (await engine.call('requests.list', {})).requests.flatMap((request) => request.erasures)
      const wrong = [
        ...(await settled(engine, async () =>
          (await steps()).filter((one) => one.done_seq === null).map((one) => `erasure ${one.id} is not done`)
        ))
      ]
      const done = new Set((await steps()).map((one) => one.id))
      const files = [engine.workspace, engine.state].flatMap((folder) =>
        readdirSync(folder, { recursive: true, withFileTypes: true })
          .filter((entry) => entry.isFile())
          .map((entry) => join(entry.parentPath, entry.name))
      )
      for (const subject of subjects) {
        const erased = subject.erasure !== undefined && done.has(subject.erasure)
        if (subject.state === 'given' && !erased) wrong.push(`the erasure of subject ${subject.n} was acknowledged and has no intent`)
        if (erased && files.some((path) => holds(path, subject.secret))) wrong.push(`a trace of subject ${subject.n} is left`)
        for (const seq of subject.seqs) {
          const { payload, corrections } = await engine.call('records.get', { seq })
          const expected = erased ? 'erased' : 'present'
          if (payload !== expected) wrong.push(`leaf ${seq} of subject ${subject.n} is ${payload}`)
          if (subject.corrected && seq === subject.seqs[0] && corrections.length === 0) wrong.push(`the correction of leaf ${seq} is lost`)
          for (const one of corrections) if (one.content !== expected) wrong.push(`the correction of leaf ${seq} is ${one.content}`)
        }
      }
      return wrong
    }
  }
}

/** Disposals: each that was given is carried out; no other record is gone. */
export function disposals(): Activity {
  const SOURCE = 'disposable'
  const given: string[] = []
  let acknowledged = 0
  let n = 0
  const setRules = async (engine: EngineProcess, by: string): Promise<void> => {
    if ((await engine.call('retention.get', {})).seq !== null) return
    const rule = (name: string) => ({ class: name, name, trigger: 'append' as const, period: { years: 1, months: 0, days: 0 } })
    await engine.call(
      'retention.set',
      { rules: [rule(SOURCE), rule('log')], classes: [{ class: SOURCE, source: SOURCE }], reason: 'test' },
      by
    )
  }
  return {
    name: 'disposal',
    inSteps: true,
    done: () => given.length,
    run: async (engine, _, middle) => {
      const { administrator, data_protection } = await personsOf(engine)
      await setRules(engine, administrator)
      for (;;) {
        // So many that whole tiles of 256 leaves are among them.
        const first = n
        n += 600
        const records = Array.from({ length: 600 }, (_, i) => ({
          id: `gone-${first + i}`,
          source: SOURCE,
          model: 'gpt-4',
          prompt: `to go ${first + i}`,
          latency_ms: 5
        }))
        const seqs = await post(engine, records)
        acknowledged += seqs.length
        if (seqs.length === 0) return
        await engine.call('records.proof', { seq: seqs[0] ?? 0 })
        const { id } = await engine.call('disposal.ask', { reason: 'past its time' }, administrator)
        middle()
        await engine.call('approvals.decide', { id, decision: 'give' }, data_protection)
        given.push(id)
        await pause(Math.random() * 200)
      }
    },
    check: async (engine) => {
      const list = async () => (await engine.call('disposal.list', {})).disposals
      const wrong = [
        ...(await settled(engine, async () =>
          (await list()).filter((one) => one.done_seq === null).map((one) => `disposal ${one.id} is not done`)
        ))
      ]
      const all = await list()
      for (const id of given) if (!all.some((one) => one.approval === id)) wrong.push('a disposal that was acknowledged has no intent')
      const disposed = all.reduce((sum, one) => sum + one.records, 0)
      const { count, handle } = await engine.call('records.open', { query: `source:${SOURCE}` })
      await engine.call('records.close', { handle })
      if (count + disposed < acknowledged) wrong.push(`of ${acknowledged} records ${count} are there and ${disposed} were disposed of`)
      return wrong
    }
  }
}

/** Backups: one that was reported is whole and on record; the next can be restored, and leaves nothing of those that were interrupted. */
export function backups(): Activity {
  const made: string[] = []
  return {
    name: 'backup',
    inSteps: true,
    done: () => made.length,
    run: async (engine, root, middle) => {
      const folder = join(root, 'backups')
      mkdirSync(folder, { recursive: true })
      for (;;) {
        middle()
        const { job_id } = await engine.call('backup.start', { folder })
        for (;;) {
          const { state } = await engine.call('jobs.get', { id: job_id })
          if (state === 'done') break
          if (state !== 'running') return
          await pause(10)
        }
        made.push((await engine.call('backup.result', { job_id })).path)
        await pause(Math.random() * 300)
      }
    },
    check: async (engine, root) => {
      const folder = join(root, 'backups')
      if (!existsSync(folder)) return []
      const wrong: string[] = []
      const onRecord = new Set((await engine.call('backup.overview', {})).backups.map((one) => one.path))
      // The plan keeps ten; the leaf of one that was removed may go with its tile.
      for (const [i, path] of made.toReversed().entries()) {
        if (i < 9 && !existsSync(path)) wrong.push(`${path} was reported and is not there`)
        if (i < 9 && !onRecord.has(path)) wrong.push(`${path} was reported and is not on record`)
      }
      // An erasure destroys the key that opens earlier ones: they open with the copy of the keys that was made before it went.
      const last = made.at(-1)
      for (const file of last === undefined ? [] : readManifest(last).files)
        if ((await fileSha256(join(last ?? '', file.name))) !== file.sha256) wrong.push(`${file.name} of ${last} is another`)
      const job = await engine.job((await engine.call('backup.start', { folder })).job_id)
      if (job.state !== 'done') return [...wrong, `a backup after the start ${job.state}: ${job.error?.message ?? ''}`]
      const { path } = await engine.call('backup.result', { job_id: job.id })
      for (const one of last === undefined ? [path] : [last, path]) {
        const drill = await engine.job((await engine.call('backup.drill', { path: one })).job_id)
        if (drill.state !== 'done') wrong.push(`the test restore of ${one} ${drill.state}: ${drill.error?.message ?? ''}`)
        else if ((await engine.call('backup.report', { job_id: drill.id })).verdict !== 'matches')
          wrong.push(`the test restore of ${one} does not match`)
      }
      // A copy of the keys that was cut off goes with the next one.
      const left = readdirSync(folder).filter((name) => name.endsWith('.part') && !name.startsWith('affidavit-keys-'))
      if (left.length > 0) wrong.push(`interrupted backups are left: ${left.join(', ')}`)
      return wrong
    }
  }
}
