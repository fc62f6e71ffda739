// SPDX-License-Identifier: Apache-2.0
import { join } from 'node:path'
import { engineRunning, expect, launchApp, projectRoot, test } from '../harness.ts'

test('unknown operations and inputs of the wrong form are refused', async ({ opened }) => {
  const { page } = opened
  await engineRunning(page)
  const call = (op: string, input: unknown) => page.evaluate(([name, value]) => window.affidavit.call(name as string, value), [op, input])
  expect(await call('no.such', {})).toMatchObject({ ok: false, error: { code: 'unknown_operation' } })
  expect(await call('shell.no', {})).toMatchObject({ ok: false, error: { code: 'unknown_operation' } })
  expect(await call('shell.constructor', {})).toMatchObject({ ok: false, error: { code: 'unknown_operation' } })
  expect(await call('shell.setTheme', { theme: 'pink' })).toMatchObject({ ok: false, error: { code: 'bad_request' } })
  expect(await call('shell.setTheme', { theme: 'dark', more: 1 })).toMatchObject({ ok: false, error: { code: 'bad_request' } })
  expect(await call('shell.showItem', { path: '../package.json' })).toMatchObject({ ok: false, error: { code: 'not_found' } })
  expect(await call('workspace.status', { more: 1 })).toMatchObject({ ok: false, error: { code: 'bad_request' } })
})

test('the page cannot speak for the engine or ask for keys', async ({ opened }) => {
  const { page } = opened
  await engineRunning(page)
  for (const op of ['keys.wrap', 'keys.unwrap', 'start', 'stop', '../stop', 'shell']) {
    const reply = await page.evaluate((name) => window.affidavit.call(name, { plaintext: 'AAAA' }), op)
    expect(reply.ok).toBe(false)
  }
  expect(await page.evaluate(() => window.affidavit.call('shell.info', {}))).toMatchObject({ ok: true })
})

test('messages that are too large or too deep are refused', async ({ opened }) => {
  const { page } = opened
  const large = await page.evaluate(() => window.affidavit.call('records.open', { text: 'x'.repeat(5 * 1024 * 1024) }))
  expect(large).toMatchObject({ ok: false, error: { code: 'too_large' } })
  const deep = await page.evaluate(() => {
    let value: unknown = 1
    for (let i = 0; i < 100; i++) value = [value]
    return window.affidavit.call('records.open', value)
  })
  expect(deep).toMatchObject({ ok: false, error: { code: 'too_large' } })
})

test('a window the shell does not know gets no answer, nor does another origin', async () => {
  const { app, page } = await launchApp()
  await engineRunning(page)
  const preload = join(projectRoot, 'out', 'preload', 'index.cjs')
  const answers = await app.evaluate(async ({ BrowserWindow }, path) => {
    const attempt = async (address: string): Promise<string> => {
      const forged = new BrowserWindow({ show: false, webPreferences: { preload: path, sandbox: true, contextIsolation: true } })
      try {
        await forged.loadURL(address)
        return await forged.webContents.executeJavaScript(
          `Promise.race([window.affidavit.call('shell.info', {}).then(() => 'answered'), new Promise((r) => setTimeout(() => r('silence'), 1500))])`
        )
      } finally {
        forged.destroy()
      }
    }
    return [await attempt('app://affidavit/index.html'), await attempt('data:text/html,<title>forged</title>')]
  }, preload)
  expect(answers).toEqual(['silence', 'silence'])

  // The known window itself, once it shows something else.
  const elsewhere = await app.evaluate(async ({ BrowserWindow }) => {
    const [window] = BrowserWindow.getAllWindows()
    await window?.loadURL('data:text/html,<title>elsewhere</title>')
    return window?.webContents.executeJavaScript(
      `Promise.race([window.affidavit.call('shell.info', {}).then(() => 'answered'), new Promise((r) => setTimeout(() => r('silence'), 1500))])`
    )
  })
  expect(elsewhere).toBe('silence')
})

test('a listener that throws and a late cancel do not end the bridge', async ({ opened }) => {
  const { page } = opened
  await engineRunning(page)
  const reply = await page.evaluate(async () => {
    const off = window.affidavit.subscribe('shell.theme', {}, () => {
      throw new Error('thrown by the listener')
    })
    let cancel = () => undefined as undefined
    const answer = await window.affidavit.call('workspace.status', {}, (given) => {
      cancel = given as typeof cancel
    })
    cancel()
    off()
    return answer
  })
  expect(typeof reply.ok).toBe('boolean')
  expect(await page.evaluate(() => window.affidavit.call('shell.info', {}))).toMatchObject({ ok: true })
})
