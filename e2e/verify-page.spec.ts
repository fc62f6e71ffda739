// SPDX-License-Identifier: Apache-2.0
// verify.html, as it comes with a bundle, in a browser: every bundle of the tampering corpus gets the verdict and the reason of the other verifiers.
import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
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

/** What the page is to verify next: files by name, as they are dropped on it. */
interface Turn {
  readonly name: string
  readonly files: readonly string[]
}

/**
 * Drops files on the page turn by turn, and reads what it shows when each verification has ended: none may hang. All in one call, because a
 * message to the page and back for each step takes longer than the step.
 */
const verifyAll = (page: Page, turns: readonly Turn[]): Promise<(Shown & { readonly name: string })[]> =>
  page.evaluate(async (wanted) => {
    const [main, input] = [document.getElementById('main'), document.querySelector<HTMLInputElement>('#corpus')]
    if (!main || !input) throw new Error('this is not the page')
    const files = new Map([...(input.files ?? [])].map((file) => [file.name, file]))
    const ended = (name: string): Promise<void> =>
      new Promise((resolve, reject) => {
        const late = setTimeout(() => reject(new Error(`${name} hangs`)), 30_000)
        const observer = new MutationObserver(() => {
          clearTimeout(late)
          observer.disconnect()
          resolve()
        })
        observer.observe(main, { attributes: true, attributeFilter: ['data-runs'] })
      })
    const found = []
    for (const { name, files: names } of wanted) {
      const dataTransfer = new DataTransfer()
      for (const one of names) {
        const file = files.get(one)
        if (!file) throw new Error(`${one} is not here`)
        dataTransfer.items.add(file)
      }
      const end = ended(name)
      document.dispatchEvent(new DragEvent('drop', { dataTransfer, bubbles: true, cancelable: true }))
      await end
      const failed: Record<string, string[]> = {}
      for (const step of document.querySelectorAll<HTMLElement>('[data-state="fail"]'))
        failed[step.dataset.step ?? ''] = [...step.querySelectorAll<HTMLElement>('[data-code]')].map((one) => one.dataset.code ?? '')
      const refused = document.getElementById('refused')?.textContent
      found.push({ name, verdict: refused ? 'refused' : (document.getElementById('verdict')?.textContent ?? 'nothing'), failed })
    }
    return found
  }, turns)

/** Waits until a number of verifications have ended. */
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
  const usual = cases.filter((one) => one.confirmed === null)
  const inOrder = [...usual.filter((one) => !one.trusted), ...usual.filter((one) => one.trusted)]
  await page.evaluate(() => {
    const input = Object.assign(document.createElement('input'), { type: 'file', multiple: true, id: 'corpus' })
    document.body.append(input)
  })
  await page.setInputFiles('#corpus', [...inOrder.map((one) => join(folder, one.file)), ...keys])
  const turns = inOrder.map(({ name, file, trusted }) => ({ name, files: [file, ...(trusted ? keys.map((path) => basename(path)) : [])] }))
  const found = await verifyAll(page, turns)
  const unlike = (one: CorpusCase, shown: Shown | undefined): string[] => {
    const { verdict, failed } = shown ?? { verdict: 'nothing', failed: {} }
    const codes = one.step === null ? undefined : failed[one.step]
    const fits = one.step === null || (codes !== undefined && (one.code === null || codes.includes(one.code)))
    return verdict === one.verdict && fits ? [] : [`${one.name}: ${verdict}, ${JSON.stringify(failed)}`]
  }
  expect(found.map((one) => one.name)).toEqual(inOrder.map((one) => one.name))
  expect(inOrder.flatMap((one, at) => unlike(one, found[at]))).toEqual([])
  expect(found.length).toBeGreaterThanOrEqual(200)

  // Chosen instead of dropped, and a page without the keys again.
  let runs = inOrder.length
  await page.click('#forget')
  await ended(page, ++runs)

  // Confirmed keys of their own, each chosen together with its bundle.
  for (const one of cases.filter(({ confirmed }) => confirmed !== null)) {
    const given = readdirSync(join(folder, one.confirmed ?? '')).map((name) => join(folder, one.confirmed ?? '', name))
    await page.setInputFiles('#bundle-file', [join(folder, one.file), ...given])
    await ended(page, ++runs)
    const shown = await page.evaluate(() => ({
      verdict: document.getElementById('refused') ? 'refused' : (document.getElementById('verdict')?.textContent ?? 'nothing'),
      failed: Object.fromEntries(
        [...document.querySelectorAll<HTMLElement>('[data-state="fail"]')].map((step) => [
          step.dataset.step ?? '',
          [...step.querySelectorAll<HTMLElement>('[data-code]')].map((reason) => reason.dataset.code ?? '')
        ])
      )
    }))
    expect(unlike(one, shown)).toEqual([])
    await page.click('#forget')
    await ended(page, ++runs)
  }
  await page.setInputFiles('#bundle-file', [join(folder, cases[0]?.file ?? '')])
  await ended(page, ++runs)
  await expect(page.locator('#verdict')).toHaveText('consistent, signer not confirmed')
  await expect(page.getByText(cases[0]?.file ?? '').first()).toBeVisible()
  // With a bundle that it refuses, and the confirmed keys.
  await page.setInputFiles('#bundle-file', [join(folder, cases.find((one) => one.verdict === 'invalid')?.file ?? ''), ...keys])
  await ended(page, ++runs)
  await expect(page.locator('#verdict')).toHaveText('invalid')

  const asked = await app.evaluate(() => (globalThis as unknown as { readonly asked: readonly string[] }).asked)
  expect([...new Set(asked)].filter((url) => url !== own && !url.startsWith('blob:'))).toEqual([])
  expect(asked).toContain(own)
  expect(complaints).toEqual([])
  await app.close()
})
