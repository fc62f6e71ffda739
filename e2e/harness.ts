// SPDX-License-Identifier: Apache-2.0
import { spawnSync } from 'node:child_process'
import { chmodSync, chownSync, copyFileSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { _electron, test as base, type ElectronApplication, type Page } from '@playwright/test'
import type { ShellBridge, ShellEngineState } from '../src/shared/contract/shell.ts'

declare global {
  interface Window {
    readonly affidavit: ShellBridge
  }
}

/** Root folder of the project. */
export const projectRoot: string = join(import.meta.dirname, '..')

export interface LaunchOptions {
  /** Folder of the workspace; a new temporary one when absent. */
  readonly workspace?: string
  /** Folder for keys and remembered heads; a new temporary one when absent. */
  readonly state?: string
  /** Folder of the shell's own data; a new temporary one when absent. With a folder given, its remembered size and theme are kept. */
  readonly userData?: string
  readonly env?: Readonly<Record<string, string>>
  readonly width?: number
  readonly height?: number
  readonly colorScheme?: 'light' | 'dark'
  /** Runs the app through {@link ordinaryUser} and so with the full sandbox, also when the tests run as root. */
  readonly as?: OrdinaryUser
  /** Further switches for Electron. */
  readonly args?: readonly string[]
}

/** A message the page's console or the content policy gave. */
export interface Complaint {
  readonly kind: 'console' | 'error' | 'policy'
  readonly text: string
}

export interface LaunchedApp {
  readonly app: ElectronApplication
  readonly page: Page
  readonly workspace: string
  readonly state: string
  readonly userData: string
  readonly ports: { readonly compliance: number; readonly drift: number }
  /** Errors of the page since the start. */
  readonly complaints: Complaint[]
  /** What main and engine wrote to their standard streams. */
  readonly output: () => string
  readonly close: () => Promise<void>
}

/** A way to start the runtime as somebody who is not root. */
export interface OrdinaryUser {
  readonly executable: string
  readonly uid: number
}

const running = new Set<() => Promise<void>>()

/** A port nobody listens on now. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() => (address !== null && typeof address === 'object' ? resolve(address.port) : reject(new Error('no port'))))
    })
  })
}

function executable(): string {
  const path = process.env.ELECTRON_EXEC_PATH
  if (path === undefined || path === '') throw new Error('start these tests with `npm run e2e`: it finds the runtime')
  return path
}

/** What a person's own environment must not decide in a test. */
function cleanEnvironment(): Record<string, string> {
  const out: Record<string, string> = {}
  for (const [name, value] of Object.entries(process.env)) {
    if (value === undefined || /^(ELECTRON_RUN_AS_NODE|ELECTRON_RENDERER_URL|NODE_OPTIONS|NODE_ENV|npm_.*|VITEST.*)$/.test(name)) continue
    out[name] = value
  }
  return out
}

async function end(app: ElectronApplication, child: ReturnType<ElectronApplication['process']>): Promise<void> {
  const exited = new Promise<void>((resolve) => {
    if (child.exitCode !== null || child.signalCode !== null) resolve()
    else child.once('exit', () => resolve())
  })
  const force = setTimeout(() => child.kill('SIGKILL'), 15_000)
  await app.close().catch(() => undefined)
  await exited
  clearTimeout(force)
}

/** Starts the built app in folders of its own and waits for its page. Ended at the end of the test at the latest. */
export async function launchApp(options: LaunchOptions = {}): Promise<LaunchedApp> {
  const folder = mkdtempSync(join(tmpdir(), 'affidavit-e2e-'))
  const workspace = options.workspace ?? join(folder, 'workspace')
  const state = options.state ?? join(folder, 'state')
  const userData = options.userData ?? join(folder, 'user-data')
  const ports = { compliance: await freePort(), drift: await freePort() }
  mkdirSync(userData, { recursive: true })
  if (!existsSync(join(userData, 'shell.json'))) {
    const window = { x: 0, y: 0, width: options.width ?? 1280, height: options.height ?? 800, maximized: false }
    writeFileSync(join(userData, 'shell.json'), JSON.stringify({ theme: options.colorScheme ?? 'light', workspace: null, window }))
  }
  if (options.as) for (const path of [folder, userData, join(userData, 'shell.json')]) chownSync(path, options.as.uid, options.as.uid)
  const launch = () =>
    _electron.launch({
      executablePath: options.as?.executable ?? executable(),
      args: [
        ...(process.getuid?.() === 0 && !options.as ? ['--no-sandbox'] : []),
        // Without it a screen with a scale of its own changes the size of pictures.
        '--force-device-scale-factor=1',
        ...(options.args ?? []),
        `--user-data-dir=${userData}`,
        projectRoot
      ],
      cwd: folder,
      timeout: 60_000,
      chromiumSandbox: options.as !== undefined || process.getuid?.() !== 0,
      env: {
        ...cleanEnvironment(),
        AFFIDAVIT_WORKSPACE: workspace,
        AFFIDAVIT_STATE: state,
        COMPLIANCE_API_PORT: String(ports.compliance),
        DRIFT_API_PORT: String(ports.drift),
        ...options.env
      },
      ...(options.colorScheme === undefined ? {} : { colorScheme: options.colorScheme })
    })
  // On a machine under load the driver misses the first signal of the runtime once in a while, and would wait for it forever.
  const app = await launch().catch(() => launch())
  // Asked for now: an app that was killed has no process to name.
  const child = app.process()
  const texts: string[] = []
  child.stdout?.on('data', (chunk) => texts.push(String(chunk)))
  child.stderr?.on('data', (chunk) => texts.push(String(chunk)))
  let closed = false
  const close = async (): Promise<void> => {
    if (closed) return
    closed = true
    running.delete(close)
    await end(app, child)
    rmSync(folder, { recursive: true, force: true })
  }
  running.add(close)
  const complaints: Complaint[] = []
  const page = await app.firstWindow()
  page.on('console', (message) => {
    if (message.type() !== 'error' && message.type() !== 'warning') return
    const text = message.text()
    complaints.push({ kind: /content security policy|trusted ?type/i.test(text) ? 'policy' : 'console', text })
  })
  page.on('pageerror', (error) => complaints.push({ kind: 'error', text: String(error) }))
  await page.waitForLoadState('load')
  return { app, page, workspace, state, userData, ports, complaints, output: () => texts.join(''), close }
}

/**
 * For tests that run as root: a script that starts a copy of the runtime as `nobody`, or the reason why that cannot be done here.
 * Null when the tests do not run as root and so need none.
 */
export function ordinaryUser(): OrdinaryUser | string | null {
  if (process.getuid?.() !== 0) return null
  const uid = 65_534
  const folder = temporaryFolder()
  chmodSync(folder, 0o755)
  const as = ['setpriv', `--reuid=${uid}`, `--regid=${uid}`, '--clear-groups']
  // The runtime is in a folder only root may enter: linked here where possible, since it is large.
  const from = dirname(executable())
  const to = join(folder, 'runtime')
  if (spawnSync('cp', ['-al', from, to]).status !== 0 && spawnSync('cp', ['-a', from, to]).status !== 0)
    return 'the runtime cannot be copied'
  const binding = process.env.AFFIDAVIT_NATIVE_BINDING
  if (binding) copyFileSync(binding, join(folder, 'binding.node'))
  const [command = '', ...rest] = as
  if (spawnSync(command, [...rest, 'test', '-r', join(projectRoot, 'out', 'main', 'index.js')]).status !== 0)
    return 'another user cannot read the project folder'
  if (spawnSync(command, [...rest, 'unshare', '--user', 'true']).status !== 0)
    return 'the system gives no user namespaces, which the sandbox needs'
  const script = join(folder, 'electron')
  const named: Record<string, string> = { HOME: folder }
  if (binding) named.AFFIDAVIT_NATIVE_BINDING = join(folder, 'binding.node')
  if (process.env.XAUTHORITY) {
    named.XAUTHORITY = join(folder, 'Xauthority')
    copyFileSync(process.env.XAUTHORITY, named.XAUTHORITY)
    chownSync(named.XAUTHORITY, uid, uid)
  }
  const exports = Object.entries(named).map(([name, value]) => `export ${name}='${value}'\n`)
  writeFileSync(script, `#!/bin/sh\n${exports.join('')}exec ${as.join(' ')} '${to}/${basename(executable())}' "$@"\n`, {
    mode: 0o755
  })
  return { executable: script, uid }
}

/** Folder that is removed at the end of the test. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'affidavit-e2e-'))
  running.add(async () => rmSync(folder, { recursive: true, force: true }))
  return folder
}

/** Waits until the engine serves; fails with what it says when it cannot. */
export async function engineRunning(page: Page): Promise<void> {
  const state = await page.evaluate(
    () =>
      new Promise<ShellEngineState>((resolve) => {
        const off = window.affidavit.subscribe('shell.engine', {}, (event) => {
          const now = event as ShellEngineState
          if (now.state !== 'running' && now.state !== 'failed') return
          // The first event may come before `off` is there.
          queueMicrotask(() => off())
          resolve(now)
        })
      })
  )
  if (state.state === 'failed') throw new Error(`the engine failed: ${state.code} ${state.message}`)
}

/** Process id of the engine. */
export async function enginePid(app: ElectronApplication): Promise<number> {
  const pid = await app.evaluate(({ app: electron }) => electron.getAppMetrics().find((metric) => metric.name === 'Affidavit engine')?.pid)
  if (pid === undefined) throw new Error('no engine process')
  return pid
}

/** True while a process exists. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

/** Writes a picture of the page to test-results/screens. */
export async function screenshot(page: Page, name: string): Promise<string> {
  const path = join(projectRoot, 'test-results', 'screens', `${name}.png`)
  mkdirSync(dirname(path), { recursive: true })
  await page.evaluate(async () => {
    await document.fonts.ready
  })
  await page.screenshot({ path })
  return path
}

/**
 * Playwright's test, which ends every app that a test has started, however the test ends. `opened` is an app that tests share, with its page
 * loaded anew: for tests that leave nothing behind outside of the page.
 */
export const test = base.extend<{ readonly endApps: undefined; readonly opened: LaunchedApp }, { readonly shared: LaunchedApp }>({
  shared: [
    // biome-ignore lint/correctness/noEmptyPattern: Playwright reads the names of the fixtures out of this pattern
    async ({}, use) => {
      const launched = await launchApp()
      // Ends with the worker, not with the test.
      running.delete(launched.close)
      await use(launched)
      await launched.close()
    },
    { scope: 'worker' }
  ],
  opened: async ({ shared }, use) => {
    await shared.page.reload()
    await use(shared)
  },
  endApps: [
    // biome-ignore lint/correctness/noEmptyPattern: Playwright reads the names of the fixtures out of this pattern
    async ({}, use) => {
      await use(undefined)
      for (const close of [...running]) await close()
      running.clear()
    },
    { auto: true }
  ]
})

export { expect } from '@playwright/test'
