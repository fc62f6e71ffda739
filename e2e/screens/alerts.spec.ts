// SPDX-License-Identifier: Apache-2.0
// What would have alarmed: settings tried on real records, refused, shown and used.
import { callOk, records, waitForJob } from '../data.ts'
import { expect } from '../harness.ts'
import { oneLook } from './walk.ts'

oneLook('light', 'a back-test', async ({ page, go, shoot }) => {
  await go('/drift?view=backtest')
  await expect(page.getByText('Nothing was tested yet')).toBeVisible()
  await page.getByRole('button', { name: 'Test on the history' }).click()
  await expect(page.getByRole('heading', { name: 'Nothing to test on' })).toBeVisible()
  await shoot('04-backtest-empty')

  const file = await records()
  const { job_id } = await callOk(page, 'import.start', { path: file.path, profile: file.profile })
  await waitForJob(page, job_id)
  await callOk(page, 'settings.set', { reference: 'rolling', reference_days: 28 })
  await callOk(page, 'drift.set_baseline', { name: 'gpt-4 in March', query: 'model:gpt-4-0314', model: 'gpt-4-0613', source: 'llmdrift' })
  await callOk(page, 'drift.look', {})
  await go('/drift')
  await go('/drift?view=backtest')
  await page.getByRole('textbox', { name: 'Smallest shift L' }).fill('0.3')
  await expect(page.getByText('now 0.1', { exact: true })).toBeVisible()
  await page.getByRole('textbox', { name: 'Smallest shift L' }).press('Enter')
  await expect(page.getByText(/These settings would have opened/)).toBeVisible()
  await shoot('04-backtest')

  // With the keyboard: the second episode, and back.
  await page.getByRole('grid', { name: 'Episodes' }).getByRole('row').nth(1).focus()
  await page.keyboard.press('ArrowDown')
  await page.keyboard.press('Enter')
  const chosen = page.getByRole('complementary', { name: 'Chosen episode' })
  await expect(chosen.getByText(/^opens /).first()).toBeVisible()
  await shoot('04-backtest-episode')
  await page.keyboard.press('Escape')
  await expect(chosen).toBeHidden()

  await page.getByRole('button', { name: 'Use these settings…' }).click()
  await shoot('04-backtest-use')
  await page.getByRole('button', { name: 'Change 1 setting' }).click()
  await expect(page.getByRole('dialog')).toBeHidden()
  expect((await callOk(page, 'settings.get', {})).effect_floor).toBe(0.3)
})
