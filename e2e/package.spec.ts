// SPDX-License-Identifier: Apache-2.0
// The packaged app, outside of the project and in a home of its own. Its fuses keep Playwright's driver out: it is driven over DevTools.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { chromium, expect, type Page, test } from '@playwright/test'
import { type Identity, identityOf } from '../scripts/packaging/identity.ts'
import { packageApp } from '../scripts/packaging/package.ts'
import { findRuntime } from '../scripts/runtime.ts'

test.skip(process.platform !== 'linux', 'packages are looked at on Linux only')
test.describe.configure({ mode: 'serial' })

let folder = ''
let unpacked = ''
let identity: Identity
let bundle = ''
const started: ChildProcess[] = []
/** What the programs of the running test said: the log of one that failed. */
let output = ''

test.beforeAll(async () => {
  test.setTimeout(300_000)
  folder = mkdtempSync(join(tmpdir(), 'affidavit-package-'))
  identity = identityOf(await findRuntime())
  unpacked = await packageApp({ output: join(folder, 'dist'), unpackedOnly: true })
  bundle = join(folder, 'case-7.affidavit.zip')
})
test.beforeEach(() => {
  output = ''
})
// biome-ignore lint/correctness/noEmptyPattern: Playwright takes the fixtures from a destructured first parameter
test.afterEach(async ({}, info) => {
  if (info.status !== info.expectedStatus) console.log(output)
})
test.afterAll(() => {
  for (const child of started) if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL')
  rmSync(folder, { recursive: true, force: true })
})

/** Nothing of the project or of this user: no path to its tools, no variable of the tests, a home that is empty at first. */
function environment(more: Readonly<Record<string, string>> = {}): Record<string, string> {
  const home = join(folder, 'home')
  mkdirSync(home, { recursive: true })
  return { PATH: '/usr/bin:/bin', HOME: home, COMPLIANCE_API_PORT: '0', DRIFT_API_PORT: '0', ...more }
}

const display = (): Record<string, string> => ({ DISPLAY: process.env.DISPLAY ?? '', XAUTHORITY: process.env.XAUTHORITY ?? '' })

/** The command line of the package, which has no display. */
function affidavit(...args: readonly string[]) {
  const done = spawnSync(join(unpacked, 'affidavit'), args, { cwd: folder, env: environment(), encoding: 'utf8', timeout: 60_000 })
  return { status: done.status, out: done.stdout, err: done.stderr }
}

/** Processes that run a program of the package. */
function running(): readonly string[] {
  return readdirSync('/proc').filter((pid) => {
    try {
      return /^\d+$/.test(pid) && readlinkSync(`/proc/${pid}/exe`).startsWith(unpacked)
    } catch {
      return false
    }
  })
}

interface Started {
  readonly child: ChildProcess
  readonly said: () => string
  readonly exit: Promise<number | null>
}

function start(program: string, args: readonly string[], env: Record<string, string>): Started {
  const child = spawn(join(unpacked, program), args, { cwd: folder, env, stdio: ['ignore', 'pipe', 'pipe'] })
  started.push(child)
  let text = ''
  child.stdout.on('data', (piece) => {
    text += String(piece)
    output += String(piece)
  })
  child.stderr.on('data', (piece) => {
    text += String(piece)
    output += String(piece)
  })
  return { child, said: () => text, exit: new Promise((resolve) => child.once('exit', resolve)) }
}

async function open(...args: readonly string[]): Promise<Started & { readonly page: Page }> {
  const sandbox = process.getuid?.() === 0 ? ['--no-sandbox'] : []
  const app = start('affidavit-desktop', [...sandbox, '--remote-debugging-port=0', ...args], environment(display()))
  // Not before the window is there: a connection made while it comes up waits for ever once in a while.
  await expect.poll(app.said).toContain('"server":"drift"')
  const devTools = /DevTools listening on (ws:\S+)/.exec(app.said())?.[1] ?? ''
  const connect = () => chromium.connectOverCDP(devTools, { timeout: 10_000 })
  const browser = await connect().catch(connect)
  const context = browser.contexts()[0]
  const page = context?.pages()[0] ?? (await context?.waitForEvent('page'))
  if (!page) throw new Error('there is no window')
  return { ...app, page }
}

interface Endpoints {
  readonly version: string
  readonly compliance: { readonly url: string }
  readonly drift: { readonly url: string }
}

async function endpoints(workspace: string): Promise<Endpoints> {
  const file = join(workspace, 'endpoint.json')
  await expect.poll(() => existsSync(file)).toBe(true)
  return JSON.parse(readFileSync(file, 'utf8')) as Endpoints
}

test('opens its window, serves both ports, records and finds, and ends without leaving anything', async () => {
  const { page, child, exit } = await open()
  await expect(page.getByRole('heading', { level: 1 })).toBeVisible()
  const found = await endpoints(join(folder, 'home', '.config', identity.productName, 'workspaces', 'default'))
  expect(found.version).toBe(identity.version)
  // On every screen of a package that is not for release, and of no other.
  await expect(page.getByText('Test build, not for release')).toHaveCount(identity.test ? 1 : 0)
  for (const { url } of [found.compliance, found.drift]) expect((await fetch(`${url}/health`)).status).toBe(200)
  const event = {
    source: 'desk',
    model: 'gpt-4',
    start_time: '2026-01-05T10:00:00Z',
    prompt: 'Is the packaged seal closed?',
    response: 'Yes.'
  }
  const ask = (path: string, body: unknown) =>
    fetch(`${found.compliance.url}${path}`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) })
  expect((await ask('/api/compliance/events', event)).status).toBe(200)
  const records = await (await ask('/api/compliance/query', { text: 'packaged' })).text()
  expect(records).toContain('Is the packaged seal closed?')
  expect(await page.evaluate(() => 'process' in window || 'require' in window)).toBe(false)
  expect(running()).toContain(String(child.pid))

  await page.close()
  expect(await exit).toBe(0)
  await expect.poll(running).toEqual([])
})

test('its command line makes, exports and verifies without a display, and ends with the right codes', async () => {
  const workspace = join(folder, 'workspace')
  expect(affidavit('--version').out).toBe(`${identity.version}\n`)
  expect(affidavit('sample', '--workspace', workspace, '--records', '40').status).toBe(0)
  const exported = affidavit('export', '--workspace', workspace, '--recipient', 'Examiner', '--purpose', 'case 7', '--out', bundle)
  expect(exported, exported.err).toMatchObject({ status: 0 })
  expect(affidavit('verify', bundle)).toMatchObject({ status: 0, out: expect.stringMatching(/consistent, signer not confirmed\n$/) })
  expect(affidavit('verify', bundle, '--require-trust').status).toBe(1)
  const changed = readFileSync(bundle)
  // Within the first file, whose name and sizes take less than this.
  changed.writeUInt8(changed.readUInt8(200) ^ 1, 200)
  writeFileSync(join(folder, 'changed.affidavit.zip'), changed)
  expect(affidavit('verify', join(folder, 'changed.affidavit.zip'))).toMatchObject({
    status: 1,
    out: expect.stringMatching(/\ninvalid\n$/)
  })
  expect(affidavit('verify', join(folder, 'none.affidavit.zip')).status).toBe(2)
  expect(affidavit('no-such-command').status).toBe(2)
  await expect.poll(running).toEqual([])
})

test('serves without a display until it is told to stop', async () => {
  const served = start('affidavit', ['serve', '--workspace', join(folder, 'workspace'), '--json'], environment())
  await expect.poll(served.said).toContain('"endpoints"')
  const { compliance, drift } = await endpoints(join(folder, 'workspace'))
  for (const { url } of [compliance, drift]) expect((await fetch(`${url}/health`)).status).toBe(200)
  served.child.kill('SIGTERM')
  expect(await served.exit).toBe(0)
  expect(existsSync(join(folder, 'workspace', 'endpoint.json'))).toBe(false)
  await expect.poll(running).toEqual([])
})

test('opens the bundle that it is started with', async () => {
  const { page, exit } = await open(bundle)
  await expect(page.getByRole('heading', { name: 'Consistent, signer not confirmed' })).toBeVisible()
  // Verified once, however often the page began anew while it came up.
  const runs = await page.evaluate(async () => {
    const reply = await (window as unknown as { affidavit: { call(op: string, input: object): Promise<unknown> } }).affidavit.call(
      'activity.list',
      {}
    )
    return (reply as { value: { entries: readonly { type: string }[] } }).value.entries.filter((entry) => entry.type === 'verify.run')
      .length
  })
  expect(runs).toBe(1)
  await page.getByRole('button', { name: 'Look through its records' }).click()
  await expect(page.getByRole('status', { name: 'Review' })).toContainText('REVIEW, consistent, signer not confirmed')
  await page.close()
  expect(await exit).toBe(0)
  await expect.poll(running).toEqual([])
})

test('cannot be made to run other code', () => {
  const as = (env: Record<string, string>, ...args: string[]) =>
    spawnSync(join(unpacked, 'affidavit-desktop'), args, { cwd: folder, env: environment(env), encoding: 'utf8', timeout: 20_000 })
  writeFileSync(join(folder, 'other.cjs'), 'console.log("other code ran")')
  // The runtime as it comes does: what follows shows the fuses, not a program that says nothing.
  const control = spawnSync(process.env.ELECTRON_EXEC_PATH ?? '', [join(folder, 'other.cjs')], {
    env: environment({ ELECTRON_RUN_AS_NODE: '1' }),
    encoding: 'utf8'
  })
  expect(control.stdout).toContain('other code ran')
  for (const done of [
    as({ ELECTRON_RUN_AS_NODE: '1' }, join(folder, 'other.cjs')),
    as({ NODE_OPTIONS: `--require=${join(folder, 'other.cjs')}` }, '--no-sandbox', '--command-line', '--', '--version'),
    as({}, '--no-sandbox', join(folder, 'other.cjs'))
  ]) {
    expect(`${done.stdout}${done.stderr}`).not.toContain('other code ran')
  }
})
