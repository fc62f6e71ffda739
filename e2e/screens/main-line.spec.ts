// SPDX-License-Identifier: Apache-2.0
// Every view of the main line on real records.
import { join } from 'node:path'
import { answerDialogs, callOk, records, waitForJob } from '../data.ts'
import { expect, type LaunchedApp } from '../harness.ts'
import { everyLook } from './walk.ts'

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

everyLook('the main line', async ({ app, page, go, shoot }) => {
  await expect(page.getByRole('heading', { name: 'Nothing is on record yet' })).toBeVisible()
  await shoot('09-first-run')
  const bundle = await fill(app)

  await expect(page.getByText('Open drift alerts')).toBeVisible()
  await expect(page.getByText(/Intact up to leaf/)).toBeVisible({ timeout: 90_000 })
  await shoot('01-dashboard')

  await go('/records')
  // Once in five runs the first click opened nothing; why is not known yet.
  await expect(async () => {
    if (!(await page.getByText('verified').isVisible())) await page.getByRole('row').nth(3).click()
    await expect(page.getByText('verified')).toBeVisible({ timeout: 10_000 })
  }).toPass({ timeout: 40_000 })
  await shoot('02-records')
  await page.getByRole('button', { name: 'Filter', exact: true }).click()
  await expect(page.getByRole('menu').getByRole('menuitem', { name: 'Last hour' })).toBeFocused()
  await page.keyboard.press('End')
  await expect(page.getByRole('menuitem').last()).toBeFocused()
  await page.keyboard.press('Home')
  await shoot('02-records-filter')
  await page.keyboard.press('Escape')
  await expect(page.getByRole('menu')).toBeHidden()
  await page.getByRole('tab', { name: 'Proof' }).click()
  await expect(page.getByText('This record is in the ledger and unchanged.')).toBeVisible()
  await shoot('03-proof')
  await page.getByRole('tab', { name: 'Metadata' }).click()
  await shoot('03-metadata')

  await go('/drift')
  await expect(page.getByText(/largest gap|finished within/).first()).toBeVisible()
  await shoot('04-drift')
  await go('/drift?view=series')
  await expect(page.getByRole('heading', { name: 'All series' })).toBeVisible()
  await shoot('04-series')
  await page.getByRole('button', { name: 'Pin a baseline…' }).click()
  await expect(page.getByRole('dialog')).toBeVisible()
  await shoot('04-pin')
  await page.keyboard.press('Escape')

  await go('/exports')
  await expect(page.getByText('records', { exact: true }).first()).toBeVisible()
  await shoot('05-export')
  await page.getByRole('checkbox', { name: 'Answers' }).check()
  await page.getByText('Key of the recipient').click()
  await expect(page.getByRole('textbox', { name: 'Reason' })).toBeVisible()
  await shoot('05-export-options')
  await go('/exports?view=history')
  await expect(page.getByText('Examination unit')).toBeVisible()
  await shoot('05-history')
  await go('/exports?view=verify')
  await answerDialogs(app.app, { open: [bundle] })
  await page.getByRole('button', { name: 'Choose a bundle…' }).click()
  await expect(page.getByRole('heading', { name: 'Consistent, signer not confirmed' })).toBeVisible()
  await shoot('06-verify')

  await go('/settings')
  await expect(page.getByRole('heading', { name: 'Endpoints' })).toBeVisible()
  await shoot('12-settings')
  await go('/settings?view=keys')
  await expect(page.getByRole('heading', { name: 'Keys' })).toBeVisible()
  await shoot('12-settings-keys')
  await go('/settings?view=drift')
  await expect(page.getByRole('button', { name: 'Save' })).toBeVisible()
  await shoot('12-settings-drift')

  await go('/compliance')
  await expect(page.getByRole('heading', { name: 'Requirements' })).toBeVisible()
  await shoot('08-compliance')
  await go('/compliance?view=integrity')
  await expect(page.getByRole('heading', { level: 2 }).first()).toBeVisible()
  await shoot('08-integrity')
  await go('/compliance?view=processing')
  await expect(page.getByRole('heading', { level: 2 }).first()).toBeVisible()
  await shoot('08-processing')

  await go('/records?query=nothingmatchesthis')
  await expect(page.getByRole('heading', { name: 'No record matches' })).toBeVisible()
  await shoot('11-empty')
  await page.keyboard.press('Control+k')
  await expect(page.getByPlaceholder('Leaf number, command or filter')).toBeVisible()
  await shoot('10-palette')
})
