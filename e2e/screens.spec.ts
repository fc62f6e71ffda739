// SPDX-License-Identifier: Apache-2.0
// Pictures of every view, light and dark, at two sizes, on real records; axe finds nothing, and the content policy was never violated.
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import AxeBuilder from '@axe-core/playwright'
import type { Page } from '@playwright/test'
import { answerDialogs, callOk, records, waitForJob } from './data.ts'
import { engineRunning, expect, type LaunchedApp, launchApp, projectRoot, test } from './harness.ts'

const screens = join(projectRoot, 'test-results', 'screens')
const sizes = [
  { width: 1280, height: 800 },
  { width: 1920, height: 1080 }
] as const

async function shoot(page: Page, name: string, violations: string[]): Promise<void> {
  await page.evaluate(() => document.fonts.ready)
  await page.waitForTimeout(350)
  await page.screenshot({ path: join(screens, `${name}.png`) })
  const found = await new AxeBuilder({ page }).setLegacyMode(true).analyze()
  for (const one of found.violations) violations.push(`${name}: ${one.id}: ${one.nodes.map((node) => node.html.slice(0, 120)).join(' | ')}`)
}

async function fill(app: LaunchedApp): Promise<string> {
  const { page } = app
  const file = await records()
  const { job_id } = await callOk(page, 'import.start', { path: file.path, profile: file.profile })
  await waitForJob(page, job_id)
  await callOk(page, 'drift.set_baseline', { name: 'gpt-4 in March', query: 'model:gpt-4-0314', model: 'gpt-4-0613', source: 'llmdrift' })
  await callOk(page, 'drift.set_baseline', {
    name: 'gpt-3.5 in March',
    query: 'model:gpt-3.5-turbo-0301',
    model: 'gpt-3.5-turbo-0613',
    source: 'llmdrift'
  })
  await callOk(page, 'drift.look', {})
  const out = join(app.userData, 'case-26-1140.affidavit.zip')
  const { job_id: exported } = await callOk(page, 'export.start', {
    query: 'model:gpt-4-0613 latency:>10s',
    recipient: 'Examination unit',
    purpose: 'Regulatory examination',
    out
  })
  await waitForJob(page, exported)
  return out
}

const go = (page: Page, to: string) => page.evaluate((hash) => (location.hash = hash), to)

for (const colorScheme of ['light', 'dark'] as const) {
  for (const size of sizes) {
    test(`every view, ${colorScheme}, ${size.width}x${size.height}`, async () => {
      test.setTimeout(120_000)
      mkdirSync(screens, { recursive: true })
      const app = await launchApp({ ...size, colorScheme })
      const { page } = app
      const tag = `${colorScheme}-${size.width}x${size.height}`
      const violations: string[] = []
      await engineRunning(page)
      await expect(page.getByRole('heading', { name: 'Nothing is on record yet.' })).toBeVisible()
      await shoot(page, `09-first-run-${tag}`, violations)
      const bundle = await fill(app)

      await expect(page.getByText('Open drift alerts')).toBeVisible()
      await expect(page.getByText(/Intact up to leaf/)).toBeVisible({ timeout: 15_000 })
      await shoot(page, `01-dashboard-${tag}`, violations)

      await go(page, '/records')
      await page.getByRole('row').nth(3).click()
      await expect(page.getByText('verified')).toBeVisible()
      await shoot(page, `02-records-${tag}`, violations)
      await page.getByRole('tab', { name: 'Proof' }).click()
      await expect(page.getByText('This record is in the ledger and unchanged.')).toBeVisible()
      await shoot(page, `03-proof-${tag}`, violations)
      await page.getByRole('tab', { name: 'Metadata' }).click()
      await shoot(page, `03-metadata-${tag}`, violations)

      await go(page, '/drift')
      await expect(page.getByText(/largest gap|finished within/).first()).toBeVisible()
      await shoot(page, `04-drift-${tag}`, violations)
      await go(page, '/drift?view=series')
      await expect(page.getByRole('heading', { name: 'All series' })).toBeVisible()
      await shoot(page, `04-series-${tag}`, violations)
      await page.getByRole('button', { name: 'Pin a baseline…' }).click()
      await expect(page.getByRole('dialog')).toBeVisible()
      await shoot(page, `04-pin-${tag}`, violations)
      await page.keyboard.press('Escape')

      await go(page, '/exports')
      await expect(page.getByText('records', { exact: true }).first()).toBeVisible()
      await shoot(page, `05-export-${tag}`, violations)
      await go(page, '/exports?view=history')
      await expect(page.getByText('Examination unit')).toBeVisible()
      await shoot(page, `05-history-${tag}`, violations)
      await go(page, '/exports?view=verify')
      await answerDialogs(app.app, { open: [bundle] })
      await page.getByRole('button', { name: 'Choose a bundle…' }).click()
      await expect(page.getByRole('heading', { name: 'Consistent, signer not confirmed' })).toBeVisible()
      await shoot(page, `06-verify-${tag}`, violations)

      await go(page, '/settings')
      await expect(page.getByRole('heading', { name: 'Keys' })).toBeVisible()
      await shoot(page, `12-settings-${tag}`, violations)

      await go(page, '/records?query=nothingmatchesthis')
      await expect(page.getByRole('heading', { name: 'No record matches' })).toBeVisible()
      await shoot(page, `11-empty-${tag}`, violations)
      await page.keyboard.press('Control+k')
      await expect(page.getByPlaceholder('Leaf number, command or filter')).toBeVisible()
      await shoot(page, `10-palette-${tag}`, violations)

      expect(app.complaints.filter((one) => one.kind !== 'console')).toEqual([])
      expect(violations).toEqual([])
    })
  }
}
