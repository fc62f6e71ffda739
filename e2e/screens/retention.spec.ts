// SPDX-License-Identifier: Apache-2.0
// Retention, holds, disposal and backup on real records.
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { answerDialogs, callOk, records, waitForJob } from '../data.ts'
import { expect } from '../harness.ts'
import { oneLook } from './walk.ts'

oneLook('dark', 'retention, holds and backup', async ({ app, page, go, shoot }) => {
  const file = await records()
  const { job_id } = await callOk(page, 'import.start', { path: file.path, profile: file.profile })
  await waitForJob(page, job_id)

  await go('/compliance?view=retention')
  await expect(page.getByRole('heading', { name: 'No hold' })).toBeVisible()
  await shoot('13-retention-empty')
  await page.getByRole('button', { name: 'Edit the schedule…' }).click()
  await expect(page.getByRole('dialog').getByLabel('Class')).toBeFocused()
  await page.getByRole('button', { name: 'Add a rule' }).click()
  await page.getByRole('button', { name: 'Add a class rule' }).click()
  await page.getByLabel('Reason').fill(`Schedule of the firm, approved by counsel${' on the advice of the auditor'.repeat(8)}`)
  await shoot('13-schedule-dialog')
  await page.getByRole('button', { name: 'Set the schedule' }).click()
  await expect(page.getByRole('cell', { name: 'FINRA 4511', exact: true })).toBeVisible()
  // What is cut says the whole, and pushes no button out of its panel.
  const said = page.locator('.panel-sub').filter({ hasText: 'approved by counsel' })
  await said.hover()
  await expect(said).toHaveAttribute('title', /auditor$/)
  await expect(page.getByRole('button', { name: 'Edit the schedule…' })).toBeInViewport({ ratio: 1 })

  await page.getByRole('button', { name: 'Place a hold…' }).click()
  await page.getByLabel('Matter').fill('Examination 26-1140')
  await page.getByLabel('Reason').fill('Letter of the examiner')
  await page.getByLabel('Filter', { exact: true }).fill('model:gpt-4-0613')
  await expect(page.getByText(/records now/)).toBeVisible()
  await shoot('13-hold-dialog')
  await page.getByRole('button', { name: 'Place the hold' }).click()
  await expect(page.getByRole('cell', { name: 'Examination 26-1140' })).toBeVisible()
  await callOk(page, 'retention.event', { event: 'account_closed', scope: 'source', value: 'llmdrift', at: '2026-06-30T00:00:00Z' })
  await page.reload()
  await expect(page.getByText('Events that periods count from')).toBeVisible()
  await shoot('13-retention')
  await page.getByRole('button', { name: 'Release…' }).click()
  await page.getByLabel('Reason').fill('Examination closed')
  await page.getByRole('button', { name: 'Ask for the release' }).click()
  await expect(page.getByText('release waits for a second person')).toBeVisible()

  await go('/records')
  await page.getByRole('row').nth(3).click()
  await page.getByRole('tab', { name: 'Metadata' }).click()
  await expect(page.getByText(/Kept until/)).toBeVisible()
  await shoot('13-metadata')

  await go('/settings?view=backup')
  await expect(page.getByText('No backup is on record')).toBeVisible()
  await shoot('14-backup-empty')
  const folder = join(app.userData, '..', `backups-${process.pid}`)
  mkdirSync(folder, { recursive: true })
  await answerDialogs(app.app, { open: [folder] })
  await page.getByRole('button', { name: 'Back up now…' }).click()
  await expect(page.getByText('The backup is made and verified.')).toBeVisible({ timeout: 60_000 })
  await page.getByRole('button', { name: 'Test restore…' }).click()
  await expect(page.getByText('The backup can be restored.')).toBeVisible({ timeout: 90_000 })
  await page.reload()
  await expect(page.getByText('The last test restore matched')).toBeVisible()
  await shoot('14-backup')
})
