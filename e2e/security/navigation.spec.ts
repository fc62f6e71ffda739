// SPDX-License-Identifier: Apache-2.0
import type { ElectronApplication } from '@playwright/test'
import { expect, test } from '../harness.ts'

declare global {
  // Written by the test into main, to see what the gate would ask and open.
  var asked: string[]
  var opened: string[]
}

/** Answers the gate's question with the button of this number, and records instead of opening. */
const answerGate = (app: ElectronApplication, button: number): Promise<void> =>
  app.evaluate(({ dialog, shell }, response) => {
    globalThis.asked = []
    globalThis.opened = []
    dialog.showMessageBox = (async (...args: unknown[]) => {
      globalThis.asked.push((args.at(-1) as Electron.MessageBoxOptions).detail ?? '')
      return { response, checkboxChecked: false }
    }) as typeof dialog.showMessageBox
    shell.openExternal = async (address: string) => {
      globalThis.opened.push(address)
    }
  }, button)

const gate = (app: ElectronApplication) => app.evaluate(() => ({ asked: globalThis.asked, opened: globalThis.opened }))

test('the window cannot be led away from its page', async ({ opened }) => {
  const { page, app } = opened
  await answerGate(app, 1)
  // The page goes to its first screen by itself.
  await page.waitForURL(/#\/dashboard$/)
  const start = page.url()
  for (const address of [
    'https://example.org/',
    'http://127.0.0.1:9/',
    'file:///etc/passwd',
    'data:text/html,<h1>x</h1>',
    'app://other/',
    'javascript:document.title="x"'
  ]) {
    await page.evaluate((to) => {
      try {
        window.location.href = to
      } catch {
        // Refused.
      }
    }, address)
    await page.waitForTimeout(150)
    expect(page.url()).toBe(start)
    expect(await page.evaluate(() => typeof window.affidavit.call)).toBe('function')
  }
  await page.evaluate(() => {
    const form = document.createElement('form')
    form.action = 'https://example.org/'
    form.method = 'post'
    document.body.append(form)
    form.submit()
  })
  await page.waitForTimeout(200)
  expect(page.url()).toBe(start)
})

test('no window, frame or webview opens', async ({ opened }) => {
  const { page, app } = opened
  await answerGate(app, 1)
  const tried = await page.evaluate(async () => {
    const results = ['https://example.org/', 'about:blank', 'app://affidavit/index.html', 'file:///etc/passwd'].map(
      (to) => window.open(to) !== null
    )
    const frame = document.createElement('iframe')
    frame.src = 'app://affidavit/index.html'
    document.body.append(frame)
    document.body.append(document.createElement('webview'))
    await new Promise((resolve) => setTimeout(resolve, 500))
    return { results, frame: frame.contentDocument?.title ?? null }
  })
  expect(tried.results).toEqual([false, false, false, false])
  expect(tried.frame ?? '').toBe('')
  expect(
    await app.evaluate(({ BrowserWindow, webContents }) => [BrowserWindow.getAllWindows().length, webContents.getAllWebContents().length])
  ).toEqual([1, 1])
})

test('a link to the outside is asked about, and opens only after a yes', async ({ opened }) => {
  const { page, app } = opened
  await answerGate(app, 1)
  await page.evaluate(() => {
    window.open('https://example.org/a?b=c')
  })
  await expect.poll(() => gate(app)).toEqual({ asked: ['https://example.org/a?b=c'], opened: [] })
  expect(await page.evaluate(() => window.affidavit.call('shell.openExternal', { url: 'https://example.org/no' }))).toEqual({
    ok: true,
    value: { opened: false }
  })

  await answerGate(app, 0)
  expect(await page.evaluate(() => window.affidavit.call('shell.openExternal', { url: 'https://example.org/yes' }))).toEqual({
    ok: true,
    value: { opened: true }
  })
  expect(await gate(app)).toEqual({ asked: ['https://example.org/yes'], opened: ['https://example.org/yes'] })
})

test('the gate refuses everything but https without asking', async ({ opened }) => {
  const { page, app } = opened
  await answerGate(app, 0)
  const addresses = [
    'http://example.org/',
    'file:///etc/passwd',
    'javascript:alert(1)',
    'smb://host/share',
    'https://user:password@example.org/',
    'mailto:a@example.org',
    'x',
    ''
  ]
  for (const url of addresses) {
    expect(await page.evaluate((to) => window.affidavit.call('shell.openExternal', { url: to }), url)).toEqual({
      ok: true,
      value: { opened: false }
    })
  }
  expect(await gate(app)).toEqual({ asked: [], opened: [] })
})
