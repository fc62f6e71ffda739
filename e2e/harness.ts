// SPDX-License-Identifier: Apache-2.0
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { _electron, test as base, type ElectronApplication, type Page } from '@playwright/test'
import type { ShellBridge } from '../src/shared/contract/shell.ts'

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
  readonly env?: Readonly<Record<string, string>>
  readonly width?: number
  readonly height?: number
  readonly colorScheme?: 'light' | 'dark'
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

async function end(app: ElectronApplication): Promise<void> {
  const child = app.process()
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
  const userData = join(folder, 'user-data')
  const ports = { compliance: await freePort(), drift: await freePort() }
  mkdirSync(userData, { recursive: true })
  writeFileSync(
    join(userData, 'shell.json'),
    JSON.stringify({
      theme: options.colorScheme ?? 'light',
      workspace: null,
      window: { x: 0, y: 0, width: options.width ?? 1280, height: options.height ?? 800, maximized: false }
    })
  )
  const app = await _electron.launch({
    executablePath: executable(),
    args: [
      ...(process.getuid?.() === 0 ? ['--no-sandbox'] : []),
      // Without it a screen with a scale of its own changes the size of pictures.
      '--force-device-scale-factor=1',
      ...(options.args ?? []),
      `--user-data-dir=${userData}`,
      projectRoot
    ],
    cwd: folder,
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
  const texts: string[] = []
  app.process().stdout?.on('data', (chunk) => texts.push(String(chunk)))
  app.process().stderr?.on('data', (chunk) => texts.push(String(chunk)))
  let closed = false
  const close = async (): Promise<void> => {
    if (closed) return
    closed = true
    running.delete(close)
    await end(app)
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

/** Playwright's test, which ends every app that a test has started, however the test ends. */
export const test = base.extend<{ readonly endApps: undefined }>({
  endApps: [
    // biome-ignore lint/correctness/noEmptyPattern: Playwright reads the names of the fixtures out of this pattern
    async ({}, use) => {
      await use(undefined)
      for (const close of [...running]) await close()
    },
    { auto: true }
  ]
})

export { expect } from '@playwright/test'
