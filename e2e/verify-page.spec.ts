// SPDX-License-Identifier: Apache-2.0
// verify.html, as it comes with a bundle, in a browser: every bundle of the tampering corpus gets the verdict and the reason of the other verifiers.
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Page } from '@playwright/test'
import type { CorpusCase } from '../src/engine/test/corpus-case.ts'
import { bareBrowser } from './browser.ts'
import { expect, projectRoot, temporaryFolder, test } from './harness.ts'

interface Shown {
  readonly verdict: string
  readonly failed: Readonly<Record<string, readonly string[]>>
}

/** The corpus, made by a process of its own: it needs the native module for Node, not that for the runtime of the app. */
function corpus(): { readonly folder: string; readonly cases: readonly CorpusCase[] } {
  const folder = join(temporaryFolder(), 'corpus')
  const maker = pathToFileURL(join(projectRoot, 'src', 'engine', 'test', 'corpus.ts')).href
  const { AFFIDAVIT_NATIVE_BINDING: _, NODE_OPTIONS: __, ...env } = process.env
  const make = `import(${JSON.stringify(maker)}).then(({ makeCorpus }) => makeCorpus(${JSON.stringify(folder)}))`
  execFileSync(process.execPath, ['-e', make], { env, stdio: ['ignore', 'ignore', 'inherit'] })
  return { folder, cases: JSON.parse(readFileSync(join(folder, 'cases.json'), 'utf8')) as readonly CorpusCase[] }
}

const shown = (page: Page): Promise<Shown> =>
  page.evaluate(() => {
    const failed: Record<string, string[]> = {}
    for (const step of document.querySelectorAll<HTMLElement>('[data-state="fail"]'))
      failed[step.dataset.step ?? ''] = [...step.querySelectorAll<HTMLElement>('[data-code]')].map((one) => one.dataset.code ?? '')
    const refused = document.getElementById('refused')?.textContent
    return { verdict: refused ? 'refused' : (document.getElementById('verdict')?.textContent ?? 'nothing'), failed }
  })

/** Waits until a number of verifications have ended: none may hang. */
const ended = (page: Page, runs: number) =>
  page.waitForFunction((count) => document.getElementById('main')?.dataset.runs === count, String(runs), { timeout: 30_000 })

test('every bundle of the corpus gets its verdict and its reason in verify.html, without a request to anywhere', async () => {
  test.setTimeout(400_000)
  const { folder, cases } = corpus()
  const { app, page } = await bareBrowser('about:blank')
  const complaints: string[] = []
  page.on('console', (message) => {
    // Advice of the runtime to developers of apps, which comes or not as the moment is; the page is no app.
    if (!message.text().startsWith('%cElectron Security Warning')) complaints.push(message.text())
  })
  page.on('pageerror', (error) => complaints.push(String(error)))
  await app.evaluate(({ session }) => {
    const asked: string[] = []
    Object.assign(globalThis, { asked })
    session.defaultSession.webRequest.onBeforeRequest((details, go) => {
      asked.push(details.url)
      go({})
    })
  })
  const own = pathToFileURL(join(folder, cases[0]?.folder ?? '', 'verify.html')).href
  await page.goto(own)

  const keys = ['log.vkey', 'allowed_signers', 'tsa-ca.pem'].map((name) => join(folder, 'trust', name)).filter((path) => existsSync(path))
  // Keys once given stay: those who need none first.
  const inOrder = [...cases.filter((one) => !one.trusted), ...cases.filter((one) => one.trusted)]
  const wrong: string[] = []
  let runs = 0
  for (const one of inOrder) {
    await page.setInputFiles('#bundle-file', [join(folder, one.file), ...(one.trusted ? keys : [])])
    await ended(page, ++runs)
    const { verdict, failed } = await shown(page)
    const codes = one.step === null ? undefined : failed[one.step]
    const fits = one.step === null || (codes !== undefined && (one.code === null || codes.includes(one.code)))
    if (verdict !== one.verdict || !fits) wrong.push(`${one.name}: ${verdict}, ${JSON.stringify(failed)}`)
  }
  expect(wrong).toEqual([])
  expect(runs).toBeGreaterThanOrEqual(100)

  // Dropped instead of chosen, and a page without the keys again.
  await page.click('#forget')
  await ended(page, ++runs)
  const good = readFileSync(join(folder, cases[0]?.file ?? '')).toString('base64')
  await page.evaluate(async (content) => {
    const dataTransfer = new DataTransfer()
    dataTransfer.items.add(new File([Uint8Array.from(atob(content), (char) => char.charCodeAt(0))], 'dropped.affidavit.zip'))
    document.dispatchEvent(new DragEvent('drop', { dataTransfer, bubbles: true, cancelable: true }))
  }, good)
  await ended(page, ++runs)
  expect((await shown(page)).verdict).toBe('consistent, signer not confirmed')
  await expect(page.getByText('dropped.affidavit.zip')).toBeVisible()

  const asked = await app.evaluate(() => (globalThis as unknown as { readonly asked: readonly string[] }).asked)
  expect([...new Set(asked)].filter((url) => url !== own && !url.startsWith('blob:'))).toEqual([])
  expect(asked).toContain(own)
  expect(complaints).toEqual([])
  await app.close()
})
