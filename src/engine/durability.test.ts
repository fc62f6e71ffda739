// SPDX-License-Identifier: Apache-2.0
// Acknowledged means on disk: the order of the syncs as the system sees them, and engines killed while they take records.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { testProgram } from '../node/test-program.ts'
import { type Activity, activities } from './test/activities.ts'
import { type EngineProcess, engineProcess } from './test/engine-process.ts'
import { testEngine } from './test/test-engine.ts'

const cli = testProgram('cli')
/** Kills of one run: a few in each test run, 500 with AFFIDAVIT_CRASHES=500. */
const crashes = Number(process.env.AFFIDAVIT_CRASHES ?? 3)
/** Lines of one round at full speed; after them a trickle goes on to the kill, so that what is looked through afterwards stays small. */
const AT_FULL_SPEED = 1_500
/** Disposals judge as if it were a year later: nothing is past its time on the day of its test. */
const LATER_MS = 366 * 86_400_000

let root: string
let child: ChildProcess | undefined
let running: EngineProcess | undefined
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'affidavit-durable-'))
})
afterEach(() => {
  if (child?.pid !== undefined) killTree(child.pid)
  child = undefined
  running?.kill()
  running = undefined
  rmSync(root, { recursive: true, force: true })
})

function killTree(pid: number): void {
  const children = spawnSync('pgrep', ['-P', String(pid)], { encoding: 'utf8' })
    .stdout.trim()
    .split('\n')
    .filter(Boolean)
  for (const one of children) killTree(Number(one))
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // gone already
  }
}

/** Starts `affidavit serve` and gives its compliance address. */
async function serve(prefix: readonly string[] = []): Promise<string> {
  const [command = '', ...args] = [
    ...prefix,
    process.execPath,
    cli,
    'serve',
    '--workspace',
    join(root, 'workspace'),
    '--state',
    join(root, 'state'),
    '--json'
  ]
  const started = spawn(command, args, {
    stdio: ['ignore', 'pipe', 'ignore'],
    env: { ...process.env, COMPLIANCE_API_PORT: '0', DRIFT_API_PORT: '0', AFFIDAVIT_LOG_LEVEL: 'silent' }
  })
  child = started
  let text = ''
  for await (const chunk of started.stdout) {
    text += String(chunk)
    if (text.includes('\n')) break
  }
  const { endpoints, problem } = JSON.parse(text) as { endpoints: { compliance: { url: string } }; problem: unknown }
  expect(problem).toBeNull()
  return endpoints.compliance.url
}

const line = (n: number): string =>
  `${JSON.stringify({ id: `k-${n}`, model: 'gpt-4', source: 'crash', prompt: `question ${n} ${'x'.repeat(200)}`, response: `answer ${n}`, latency_ms: 5 })}\n`

/** Streams lines until the connection ends; gives the ids of what was acknowledged. */
function stream(
  url: string,
  from: number,
  onAcknowledged: (count: number) => void
): Promise<{ readonly acknowledged: Map<number, string>; readonly sent: number }> {
  return new Promise((resolve) => {
    const acknowledged = new Map<number, string>()
    let sent = 0
    const call = request(`${url}/api/compliance/events`, {
      method: 'POST',
      headers: { 'content-type': 'application/x-ndjson', accept: 'application/x-ndjson' }
    })
    const end = () => {
      clearInterval(timer)
      resolve({ acknowledged, sent })
    }
    let turn = 0
    const timer = setInterval(() => {
      turn++
      if (call.destroyed || call.writableNeedDrain) return
      if (sent >= AT_FULL_SPEED && turn % 20 !== 0) return
      let text = ''
      for (let i = 0; i < (sent >= AT_FULL_SPEED ? 20 : 200); i++) text += line(from + sent++)
      call.write(text)
    }, 1)
    call.on('error', end)
    call.on('response', (response) => {
      let rest = ''
      response.on('data', (chunk) => {
        const lines = (rest + String(chunk)).split('\n')
        rest = lines.pop() ?? ''
        for (const one of lines) {
          const answer = JSON.parse(one) as { line?: number; id?: string; seq?: number }
          if (answer.id !== undefined && answer.line !== undefined) acknowledged.set(from + answer.line - 1, answer.id)
        }
        onAcknowledged(acknowledged.size)
      })
      response.on('error', end)
      response.on('close', end)
    })
  })
}

/** Kills on one workspace; then it is looked through for the last time, and the next ones begin on a new one: backups of all would fill a disk. */
const SERIES = 50
/** Kills after which the workspace is looked through. */
const LOOK_AFTER = 25

/** Kills engines on one workspace; gives how many records were acknowledged. */
async function killedTimes(folder: string, times: number): Promise<number> {
  let next = 0
  const all = new Map<number, string>()
  const mix = activities()
  for (let round = 0; round < times; round++) {
    const engine = await engineProcess(folder, LATER_MS)
    running = engine
    const chosen = mix.filter(() => Math.random() < 0.6)
    // The moment is counted from the first acknowledgement, and from the middle of what has many steps: else most kills would hit an
    // engine that has not begun.
    const awaited = chosen.filter((one) => one.inSteps)
    const seldom = awaited[Math.floor(Math.random() * awaited.length)]
    let begun = false
    let middle = seldom === undefined
    let planned = false
    const plan = () => {
      if (!begun || !middle || planned) return
      planned = true
      setTimeout(() => engine.kill(), Math.random() * 800)
    }
    const working = chosen.map((one) => {
      const inMiddle = () => {
        middle ||= one === seldom
        plan()
      }
      return one.run(engine, folder, inMiddle).then(inMiddle, inMiddle)
    })
    const { acknowledged, sent } = await stream(engine.url, next, () => {
      begun = true
      plan()
    })
    await engine.exited
    await Promise.all(working)
    for (const [n, id] of acknowledged) all.set(n, id)
    next += sent
    if (round % LOOK_AFTER !== LOOK_AFTER - 1 && round !== times - 1) continue
    const { leaves, checkpoints } = await inspect(folder, all, mix)
    const work = Object.fromEntries(mix.map((one) => [one.name, one.done()]))
    if (crashes > 4) console.log(JSON.stringify({ killed: round + 1, acknowledged: all.size, leaves, checkpoints, ...work }))
  }
  return all.size
}

describe('kill -9 at random moments', () => {
  it(
    `loses nothing that was acknowledged and leaves nothing half there, ${crashes} times`,
    async () => {
      let acknowledged = 0
      for (let done = 0; done < crashes; done += SERIES) {
        const folder = join(root, `series-${done}`)
        acknowledged += await killedTimes(folder, Math.min(SERIES, crashes - done))
        rmSync(folder, { recursive: true, force: true })
      }
      expect(acknowledged).toBeGreaterThan(crashes * 50)
    },
    180_000 + crashes * 20_000
  )
})

/** Everything that was acknowledged is there, once and whole; the tree verifies; every activity finds its intents complete or undone. */
async function inspect(folder: string, all: ReadonlyMap<number, string>, mix: readonly Activity[]) {
  const engine = await testEngine({ root: folder, disposal: { now: () => Date.now() + LATER_MS } })
  try {
    const status = await engine.call('workspace.status', {})
    expect(status.problem).toBeNull()
    for (const one of mix) expect(await one.check(engine, folder), one.name).toEqual([])
    const { job_id } = await engine.call('verify.workspace', {})
    await engine.job(job_id)
    const report = await engine.call('verify.workspace_report', { job_id })
    expect(report.faults).toEqual([])
    const found = new Map<string, string>()
    const result = await engine.call('records.open', { query: 'source:crash' })
    for (let offset = 0; offset < result.count; offset += 200) {
      const { rows } = await engine.call('records.page', { handle: result.handle, offset, limit: 200 })
      for (const row of rows) found.set(row.id, row.preview)
    }
    const lost = [...all].filter(([n, id]) => !found.get(id)?.startsWith(`question ${n} `))
    expect(lost).toEqual([])
    // Each record is whole: content, key and commitments were verified above; none is there twice.
    expect(new Set(found.values()).size).toBe(found.size)
    expect(result.count).toBe(found.size)
    return { leaves: report.checked.leaves, checkpoints: report.checked.checkpoints }
  } finally {
    await engine.engine.stop('quit')
  }
}

const strace = spawnSync('strace', ['-V']).status === 0
if (!strace) console.log('strace is not here: the order of the syncs is not checked')

/** A call that another thread's call interrupts in the log is two lines: put whole where it returned. */
function joined(lines: readonly string[]): string[] {
  const open = new Map<string, string>()
  return lines.map((one) => {
    const pid = one.split(' ', 1)[0] ?? ''
    const begun = /^(.*)<unfinished \.\.\.>$/.exec(one)
    if (begun) {
      open.set(pid, begun[1] ?? '')
      return one
    }
    // A reply counts from its first byte, a sync from its return.
    const resumed = /^\d+ +<\.\.\. f(?:data)?sync resumed>(.*)$/.exec(one)
    return resumed ? `${open.get(pid) ?? ''}${resumed[1] ?? ''}` : one
  })
}

describe.runIf(strace)('the system calls of one record', () => {
  it('sync keys, ledger and head, in this order, before the reply is written', async () => {
    const log = join(root, 'strace.log')
    const url = await serve(['strace', '-f', '-y', '-s', '64', '-e', 'trace=fsync,fdatasync,write,writev,sendto,sendmsg', '-o', log])
    // The first record also makes the tables of the catalog; the second shows the plain order.
    for (const n of [1, 2]) {
      const reply = await fetch(`${url}/api/compliance/events`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: line(n)
      })
      expect(reply.status).toBe(200)
    }
    const calls = joined(readFileSync(log, 'utf8').split('\n'))
    const replies = calls
      .map((call, i) => (/(write|writev|sendto|sendmsg)\(\d+<(TCP|socket)[^>]*>.*HTTP\/1\.1 200/.test(call) ? i : -1))
      .filter((i) => i >= 0)
    expect(replies).toHaveLength(2)
    for (const [k, reply] of replies.entries()) {
      const since = k === 0 ? 0 : (replies[k - 1] ?? 0)
      const before = calls.slice(since, reply)
      const last = (file: string) =>
        before.findLastIndex((call) => new RegExp(`f(data)?sync\\(\\d+<[^>]*/${file}>\\s*\\)\\s+= 0`).test(call))
      const order = [last('keys\\.db-wal'), last('ledger\\.db-wal'), last('head')]
      expect(
        order.every((at) => at >= 0),
        `syncs seen before reply ${k + 1}: ${order.join(', ')}`
      ).toBe(true)
      expect([...order].sort((a, b) => a - b)).toEqual(order)
    }
  }, 60_000)
})
