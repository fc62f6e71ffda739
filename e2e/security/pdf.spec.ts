// SPDX-License-Identifier: Apache-2.0
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import type { ElectronApplication, Page } from '@playwright/test'
import { expect, temporaryFolder, test } from '../harness.ts'

const answerDialog = (app: ElectronApplication, filePath: string): Promise<void> =>
  app.evaluate(({ dialog }, path) => {
    dialog.showSaveDialog = (async () => ({ canceled: path === '', filePath: path })) as unknown as typeof dialog.showSaveDialog
  }, filePath)

const save = (page: Page, html: string, more: object = {}) =>
  page.evaluate(([text, rest]) => window.affidavit.call('shell.savePdf', { html: text, footer: 'sha256 0123', ...(rest as object) }), [
    html,
    more
  ] as const)

const withBody = (body: string, head = ''): string =>
  `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>t</title>${head}</head><body>${body}</body></html>`

const hasTools = (): boolean => spawnSync('pdftotext', ['-v']).status === 0

/** The words of a PDF, where the machine has pdftotext. */
function wordsOf(path: string): string {
  const out = spawnSync('pdftotext', ['-layout', path, '-'], { encoding: 'utf8' })
  expect(out.status).toBe(0)
  return out.stdout
}

const pagesOf = (path: string): number => readFileSync(path, 'latin1').match(/\/Type \/Page\b(?!s)/g)?.length ?? 0

/** Notes every request that reaches this machine. */
async function listener() {
  const seen: string[] = []
  const server = createServer((request, response) => {
    seen.push(request.url ?? '')
    response.end('<svg xmlns="http://www.w3.org/2000/svg"/>')
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return { seen, at: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, close: () => server.close() }
}

test('a page is saved as a tagged PDF with an outline, page numbers and its footer', async ({ opened }) => {
  const { app, page } = opened
  const path = join(temporaryFolder(), 'report.pdf')
  await answerDialog(app, path)
  const rows = Array.from({ length: 120 }, (_, i) => `<tr><td>row ${i}</td></tr>`).join('')
  const html = withBody(
    `<h1>Report</h1><h2>Part one</h2><table><thead><tr><th>Repeated head</th></tr></thead><tbody>${rows}</tbody></table>`
  )
  const reply = await save(page, html, { footer: 'sha256 0a1b <b>&amp;</b>' })
  const content = readFileSync(path)
  expect(reply).toMatchObject({ ok: true, value: { saved: { path, bytes: content.length } } })
  const text = content.toString('latin1')
  expect(text.startsWith('%PDF-')).toBe(true)
  for (const mark of ['/StructTreeRoot', '/MarkInfo', '/Outlines', '/Lang']) expect(text).toContain(mark)
  const pages = pagesOf(path)
  expect(pages).toBeGreaterThan(2)
  test.skip(!hasTools(), 'no pdftotext here: the words on the pages were not read')
  const words = wordsOf(path)
  for (let n = 1; n <= pages; n++) expect(words).toContain(`Page ${n} of ${pages}`)
  expect(words.match(/Repeated head/g)).toHaveLength(pages)
  expect(words.match(/sha256 0a1b <b>&amp;<\/b>/g)).toHaveLength(pages)
})

test('cancelling writes nothing, a folder that is not there is said, and nothing half written stays', async ({ opened }) => {
  const { app, page } = opened
  const folder = temporaryFolder()
  await answerDialog(app, '')
  expect(await save(page, withBody('x'))).toEqual({ ok: true, value: { saved: null } })
  await answerDialog(app, join(folder, 'none', 'report.pdf'))
  expect(await save(page, withBody('x'))).toMatchObject({ ok: false, error: { code: 'file_unreadable' } })
  // A folder in the way of the file.
  mkdirSync(join(folder, 'taken.pdf', 'inside'), { recursive: true })
  await answerDialog(app, join(folder, 'taken.pdf'))
  expect(await save(page, withBody('x'))).toMatchObject({ ok: false, error: { code: 'file_unreadable' } })
  expect(readdirSync(folder)).toEqual(['taken.pdf'])
})

test('scripts do not run, and no request leaves: images, styles, frames, fonts, refreshes, files', async ({ opened }) => {
  const { app, page } = opened
  const folder = temporaryFolder()
  const server = await listener()
  const secret = join(folder, 'secret.html')
  writeFileSync(secret, '<p>SECRET-OF-THE-DISK</p>')
  const attacks = [
    `<script>document.body.textContent='SCRIPT-RAN';fetch('${server.at}/script')</script>`,
    `<img src="${server.at}/image" onerror="document.body.textContent='SCRIPT-RAN'">`,
    `<img src="x" srcset="${server.at}/set 2x">`,
    `<link rel="stylesheet" href="${server.at}/sheet"><link rel="prefetch" href="${server.at}/prefetch"><link rel="dns-prefetch" href="${server.at}">`,
    `<style>@import url(${server.at}/import);body{background:url(${server.at}/background)}@font-face{font-family:f;src:url(${server.at}/font)}p{font-family:f}</style>`,
    `<iframe src="${server.at}/frame"></iframe><iframe src="file://${secret}"></iframe><object data="file://${secret}"></object><embed src="${server.at}/embed">`,
    `<iframe srcdoc="&lt;script&gt;fetch('${server.at}/srcdoc')&lt;/script&gt;"></iframe>`,
    `<meta http-equiv="refresh" content="0;url=${server.at}/refresh">`,
    `<meta http-equiv="refresh" content="0;url=file://${secret}">`,
    `<meta http-equiv="refresh" content="0;url=app://affidavit/index.html">`,
    `<form action="${server.at}/form"><button autofocus>go</button></form>`,
    `<svg><image href="${server.at}/svg"/><script>document.body.textContent='SCRIPT-RAN'</script></svg>`,
    `<video src="${server.at}/video" autoplay></video><audio src="${server.at}/audio" autoplay></audio>`,
    `<a href="javascript:document.body.textContent='SCRIPT-RAN'" autofocus>link</a>`,
    `<base href="${server.at}/"><img src="base">`,
    `<body onload="document.body.textContent='SCRIPT-RAN'">`
  ]
  for (const [at, attack] of attacks.entries()) {
    const path = join(folder, `${at}.pdf`)
    await answerDialog(app, path)
    expect(await save(page, withBody(`<p>STILL-HERE</p>${attack}`)), attack).toMatchObject({ ok: true })
    // In the head too: some of these act only there.
    expect(await save(page, withBody('<p>STILL-HERE</p>', attack)), attack).toMatchObject({ ok: true })
    if (!hasTools()) continue
    const words = wordsOf(path)
    expect(words, attack).not.toMatch(/SCRIPT-RAN|SECRET-OF-THE-DISK/)
    expect(words, attack).toContain('STILL-HERE')
  }
  server.close()
  expect(server.seen).toEqual([])
  // No window of the printing stays, and the page's own is where it was.
  expect(await app.evaluate(({ BrowserWindow }) => BrowserWindow.getAllWindows().length)).toBe(1)
  expect(await page.evaluate(() => window.affidavit.call('shell.info', {}))).toMatchObject({ ok: true })
})

test('the document that prints has no bridge and shares no session with the page', async ({ opened }) => {
  const { app, page } = opened
  const path = join(temporaryFolder(), 'report.pdf')
  await answerDialog(app, path)
  await app.evaluate(({ app: electron }) => {
    electron.once('web-contents-created', (_event, contents) => {
      const found = (contents as unknown as { getLastWebPreferences(): Electron.WebPreferences | null }).getLastWebPreferences()
      Object.assign(globalThis, {
        printing: {
          javascript: found?.javascript,
          sandbox: found?.sandbox,
          preload: found?.preload ?? '',
          persistent: contents.session.isPersistent()
        }
      })
    })
  })
  expect(await save(page, withBody('x'))).toMatchObject({ ok: true })
  expect(await app.evaluate(() => (globalThis as unknown as { printing: unknown }).printing)).toEqual({
    javascript: false,
    sandbox: true,
    preload: '',
    persistent: false
  })
})

test('inputs that are too large or of the wrong form are refused; a long document prints', async ({ opened }) => {
  const { app, page } = opened
  test.setTimeout(180_000)
  const path = join(temporaryFolder(), 'long.pdf')
  await answerDialog(app, path)
  expect(await save(page, 'x'.repeat(5_000_000))).toMatchObject({ ok: false, error: { code: 'too_large' } })
  expect(await save(page, 'x'.repeat(3_900_001))).toMatchObject({ ok: false, error: { code: 'bad_request' } })
  expect(await save(page, '')).toMatchObject({ ok: false, error: { code: 'bad_request' } })
  expect(await save(page, 'x', { paper: 'a0' })).toMatchObject({ ok: false, error: { code: 'bad_request' } })
  expect(await save(page, 'x', { suggested_name: '../x.pdf' })).toMatchObject({ ok: false, error: { code: 'bad_request' } })
  expect(existsSync(path)).toBe(false)
  const rows = (from: number) => Array.from({ length: 200 }, (_, i) => `<tr><td>record ${from + i}</td><td>gpt-4</td></tr>`).join('')
  const tables = Array.from({ length: 20 }, (_, i) => `<table>${rows(i * 200)}</table>`).join('')
  expect(await save(page, withBody(tables))).toMatchObject({ ok: true })
  expect(pagesOf(path)).toBeGreaterThan(50)
})

test('two at once are printed one after the other', async ({ opened }) => {
  const { app, page } = opened
  const path = join(temporaryFolder(), 'report.pdf')
  await answerDialog(app, path)
  const replies = await Promise.all([1, 2, 3].map((n) => save(page, withBody(`document ${n}`), { paper: n === 2 ? 'letter' : 'a4' })))
  expect(replies.map((reply) => reply.ok)).toEqual([true, true, true])
})
