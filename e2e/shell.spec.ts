// SPDX-License-Identifier: Apache-2.0
import { expect, launchApp, test } from './harness.ts'

test('the page is served at its own origin and reaches the shell', async () => {
  const { page, app, workspace } = await launchApp()
  expect(new URL(page.url()).protocol).toBe('app:')
  expect(new URL(page.url()).host).toBe('affidavit')
  const reply = await page.evaluate(() => window.affidavit.call('shell.info', {}))
  expect(reply).toMatchObject({ ok: true, value: { platform: process.platform, packaged: false, workspace } })
  expect(await app.evaluate(({ BrowserWindow }) => BrowserWindow.getAllWindows()[0]?.getMinimumSize())).toEqual([1024, 700])
})

test('size and theme of the window are remembered', async () => {
  const first = await launchApp({ width: 1400, height: 900, colorScheme: 'dark' })
  const size = await first.app.evaluate(({ BrowserWindow }) => BrowserWindow.getAllWindows()[0]?.getSize())
  expect(size).toEqual([1400, 900])
  const theme = await first.page.evaluate(() => window.affidavit.call('shell.setTheme', { theme: 'light' }))
  expect(theme).toEqual({ ok: true, value: { choice: 'light', dark: false } })
})
