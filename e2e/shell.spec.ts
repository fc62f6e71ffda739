// SPDX-License-Identifier: Apache-2.0
import { spawnSync } from 'node:child_process'
import type { ShellEngineState } from '../src/shared/contract/shell.ts'
import { enginePid, engineRunning, expect, isAlive, launchApp, projectRoot, temporaryFolder, test } from './harness.ts'

declare global {
  interface Window {
    states: ShellEngineState[]
  }
}

test('the page is served at its own origin and reaches the shell', async () => {
  const { page, app, workspace, state } = await launchApp()
  expect(new URL(page.url()).protocol).toBe('app:')
  expect(new URL(page.url()).host).toBe('affidavit')
  const reply = await page.evaluate(() => window.affidavit.call('shell.info', {}))
  expect(reply).toMatchObject({ ok: true, value: { platform: process.platform, packaged: false, workspace, state } })
  expect(await app.evaluate(({ BrowserWindow }) => BrowserWindow.getAllWindows()[0]?.getMinimumSize())).toEqual([1024, 700])
})

test('the engine serves, and answers calls of the page', async () => {
  const { page, ports } = await launchApp()
  await engineRunning(page)
  const reply = await page.evaluate(() => window.affidavit.call('workspace.status', {}))
  expect(reply).toMatchObject({ ok: true, value: { state: 'open' } })
  for (const port of [ports.compliance, ports.drift]) {
    const answer = await fetch(`http://127.0.0.1:${port}/health`)
    expect(answer.status).toBe(200)
  }
})

test('size and theme of the window are remembered', async () => {
  const userData = temporaryFolder()
  const first = await launchApp({ userData, width: 1400, height: 900, colorScheme: 'dark' })
  const size = () => first.app.evaluate(({ BrowserWindow }) => BrowserWindow.getAllWindows()[0]?.getSize())
  expect(await size()).toEqual([1400, 900])
  expect(await first.page.evaluate(() => window.affidavit.call('shell.setTheme', { theme: 'light' }))).toEqual({
    ok: true,
    value: { choice: 'light', dark: false }
  })
  await first.app.evaluate(({ BrowserWindow }) => BrowserWindow.getAllWindows()[0]?.setSize(1200, 820))
  await expect.poll(size).toEqual([1200, 820])
  await first.close()

  const second = await launchApp({ userData })
  expect(await second.app.evaluate(({ BrowserWindow }) => BrowserWindow.getAllWindows()[0]?.getSize())).toEqual([1200, 820])
  expect(await second.page.evaluate(() => window.affidavit.call('shell.info', {}))).toMatchObject({
    value: { theme: { choice: 'light', dark: false } }
  })
})

test('an engine that ends is started again, the window is told, and calls work after that', async () => {
  const { page, app } = await launchApp()
  await engineRunning(page)
  const before = await enginePid(app)
  await page.evaluate(() => {
    window.states = []
    window.affidavit.subscribe('shell.engine', {}, (event) => window.states.push(event as ShellEngineState))
  })
  process.kill(before, 'SIGKILL')
  await expect.poll(() => page.evaluate(() => window.states.map((event) => event.state))).toEqual(['running', 'restarting', 'running'])
  expect(await page.evaluate(() => window.states.at(-1))).toMatchObject({ restarts: 1 })
  expect(await enginePid(app)).not.toBe(before)
  expect(await page.evaluate(() => window.affidavit.call('workspace.status', {}))).toMatchObject({ ok: true })
})

test('an engine that keeps ending is said to be gone, also by what showed its ports, until it is started again', async () => {
  test.setTimeout(120_000)
  const { page, app, ports } = await launchApp()
  await engineRunning(page)
  const bar = page.getByRole('contentinfo')
  await expect(bar).toContainText(`Compliance ${ports.compliance}`)
  const banner = page.getByRole('alert').filter({ hasText: 'The engine is not running.' })
  await expect(async () => {
    if (await banner.isVisible()) return
    process.kill(await enginePid(app), 'SIGKILL')
    await expect(banner).toBeVisible({ timeout: 1_500 })
  }).toPass({ timeout: 90_000 })
  await expect(bar).toContainText('Compliance off')
  await expect(bar).toContainText('Drift off')
  await page.evaluate(() => (location.hash = '/settings'))
  await expect(page.getByText('not listening')).toHaveCount(2)
  await page.evaluate(() => (location.hash = '/records'))
  await expect(page.getByRole('heading', { name: 'The records cannot be read' })).toBeVisible()
  await banner.getByRole('button', { name: 'Start again' }).click()
  await expect(bar).toContainText(`Compliance ${ports.compliance}`)
  await expect(page.getByRole('heading', { name: 'Nothing is on record yet' })).toBeVisible()
})

test('a second start shows the first window instead of another', async () => {
  const { app, page, userData } = await launchApp()
  await engineRunning(page)
  const switches = process.getuid?.() === 0 ? ['--no-sandbox'] : []
  const second = spawnSync(process.env.ELECTRON_EXEC_PATH ?? '', [...switches, `--user-data-dir=${userData}`, projectRoot], {
    timeout: 90_000
  })
  expect(second.status).toBe(0)
  expect(await app.evaluate(({ BrowserWindow }) => BrowserWindow.getAllWindows().length)).toBe(1)
})

test('a workspace that is open elsewhere is refused with its reason, and opens once it is free', async () => {
  const first = await launchApp()
  await engineRunning(first.page)
  const second = await launchApp({ workspace: first.workspace, state: first.state })
  await expect(engineRunning(second.page)).rejects.toThrow(/workspace_locked/)
  expect(await second.page.evaluate(() => window.affidavit.call('workspace.status', {}))).toMatchObject({
    ok: false,
    error: { code: 'engine_unavailable', details: { code: 'workspace_locked' } }
  })
  // Asked for before it ends: an app that has ended names no process.
  const pid = first.app.process().pid ?? 0
  await first.app.evaluate(({ app }) => app.quit())
  await expect.poll(() => isAlive(pid)).toBe(false)
  expect(await second.page.evaluate(() => window.affidavit.call('shell.restartEngine', {}))).toMatchObject({ ok: true })
  await engineRunning(second.page)
})

test('nothing is left running after the app was closed', async () => {
  const { app, page, close } = await launchApp()
  await engineRunning(page)
  const pids = [app.process().pid ?? 0, await enginePid(app)]
  await close()
  await expect.poll(() => pids.filter(isAlive)).toEqual([])
})

test('the engine ends when main is killed', async () => {
  const { app, page } = await launchApp()
  await engineRunning(page)
  const engine = await enginePid(app)
  app.process().kill('SIGKILL')
  await expect.poll(() => isAlive(engine), { timeout: 90_000 }).toBe(false)
})
