// SPDX-License-Identifier: Apache-2.0
// The investigation of an alert and comparisons on demand, on real records.
import type { Page } from '@playwright/test'
import { callOk, records, waitForJob } from '../data.ts'
import { expect } from '../harness.ts'
import { everyLook } from './walk.ts'

async function alarm(page: Page): Promise<void> {
  const file = await records()
  const { job_id } = await callOk(page, 'import.start', { path: file.path, profile: file.profile })
  await waitForJob(page, job_id)
  await callOk(page, 'drift.set_baseline', { name: 'gpt-4 in March', query: 'model:gpt-4-0314', model: 'gpt-4-0613', source: 'llmdrift' })
  await callOk(page, 'drift.look', {})
}

const timeOf = (page: Page, name: string): Promise<number> => page.getByRole('slider', { name }).getAttribute('aria-valuenow').then(Number)

everyLook('an investigation', async ({ page, go, shoot }) => {
  await alarm(page)
  await go('/drift')
  await expect(page.getByText(/finished within/).first()).toBeVisible()
  const timeline = page.getByRole('region', { name: 'Timeline' })
  const segments = page.getByRole('region', { name: 'Segments' })
  await expect(page.getByRole('slider', { name: 'current window' })).toBeVisible()
  await expect(segments).toBeVisible()
  await shoot('04-drift-alert')
  await timeline.scrollIntoViewIfNeeded()
  await segments.scrollIntoViewIfNeeded()
  await shoot('04-drift-timeline')
  await page.getByText(/Segments, histogram and what stands beside/).scrollIntoViewIfNeeded()
  await shoot('04-drift-beside')

  // With the keyboard: the start of the current window, one slot at a time.
  const start = page.getByRole('slider', { name: 'current start' })
  const before = await timeOf(page, 'current start')
  await start.focus()
  await page.keyboard.press('ArrowRight')
  await page.keyboard.press('ArrowRight')
  expect(await timeOf(page, 'current start')).toBeGreaterThan(before)
  await expect(page.getByRole('button', { name: 'Compare these windows' })).toBeVisible()
  await page.getByRole('button', { name: 'Put back' }).click()
  expect(await timeOf(page, 'current start')).toBe(before)

  // With the pointer: the end of the reference, to the left.
  const end = await page.getByRole('slider', { name: 'reference end' }).boundingBox()
  if (!end) throw new Error('the end of the reference has no place')
  const endBefore = await timeOf(page, 'reference end')
  await page.mouse.move(end.x + end.width / 2, end.y + end.height / 2)
  await page.mouse.down()
  await page.mouse.move(end.x - 60, end.y + end.height / 2, { steps: 5 })
  await page.mouse.up()
  expect(await timeOf(page, 'reference end')).toBeLessThan(endBefore)
  await page.getByRole('button', { name: 'Compare these windows' }).click()
  await expect(page.getByLabel('A, reference')).toHaveValue(/model:gpt-4-0314 .*to:/)
  await expect(page.getByText('compared on demand', { exact: false })).toBeVisible()
})

everyLook('a comparison on demand', async ({ page, go, shoot }) => {
  await go('/drift?view=compare')
  await expect(page.getByText('Nothing is compared yet')).toBeVisible()
  await shoot('04-compare-empty')
  await alarm(page)
  await page.getByLabel('A, reference').fill('model:gpt-3.5-turbo-0301')
  await page.getByLabel('B, current').fill('model:gpt-3.5-turbo-0613')
  await page.getByRole('button', { name: 'Compare', exact: true }).click()
  await expect(page.getByText(/finished within/).first()).toBeVisible()
  await expect(page.getByRole('region', { name: 'Segments' })).toBeVisible()
  await shoot('04-compare')
  await page.getByRole('region', { name: 'Segments' }).scrollIntoViewIfNeeded()
  await shoot('04-compare-segments')

  // Two windows of one selection: the timeline appears.
  await page.getByLabel('A, reference').fill('model:gpt-4-0613 to:2023-07-10')
  await page.getByLabel('B, current').fill('model:gpt-4-0613 from:2023-07-10')
  await page.getByRole('button', { name: 'Compare', exact: true }).click()
  await expect(page.getByRole('region', { name: 'Timeline' })).toBeVisible()
  await expect(page.getByRole('region', { name: 'Both sides' })).toBeVisible()
  await page.getByRole('region', { name: 'Timeline' }).scrollIntoViewIfNeeded()
  await shoot('04-compare-windows')
  await page
    .getByRole('button', { name: /^\d[\d,]* records$/ })
    .first()
    .click()
  await expect(page.getByRole('row').nth(1)).toBeVisible()

  await go('/drift?view=compare&a=nofield%3A1')
  await expect(page.getByText('These selections cannot be compared')).toBeVisible()
  await shoot('04-compare-refused')
})

everyLook('alerts chosen, rested and acknowledged, and the settings of drift', async ({ page, go, shoot }) => {
  await alarm(page)
  await callOk(page, 'drift.set_baseline', {
    name: 'gpt-4 in June',
    query: 'model:gpt-4-0613',
    model: 'gpt-4-0314',
    source: 'llmdrift'
  })
  expect((await callOk(page, 'drift.look', {})).opened).toHaveLength(1)
  await go('/drift')
  const list = page.getByRole('listbox', { name: 'Alerts' })
  await expect(list.getByRole('option')).toHaveCount(2)
  await page.getByRole('button', { name: 'Snooze…' }).click()
  await page.getByLabel('Reason').fill('the provider was asked, ticket 4711')
  await shoot('04-drift-snooze')
  await page.getByRole('dialog').getByRole('button', { name: 'Snooze', exact: true }).click()
  await expect(list.getByText(/rests until/)).toHaveCount(1)
  await list.getByRole('option').first().focus()
  await page.keyboard.press('Control+a')
  await expect(page.getByRole('toolbar', { name: 'Chosen alerts' })).toContainText('2 chosen')
  await shoot('04-drift-chosen')
  await page.getByRole('button', { name: 'Acknowledge…' }).click()
  const dialog = page.getByRole('dialog', { name: 'Acknowledge 2 alerts' })
  await dialog.getByLabel('Note for all of them').fill('a new version of the model, expected')
  await shoot('04-drift-acknowledge-many')
  await dialog.getByRole('button', { name: 'Acknowledge' }).click()
  await expect(list.getByRole('group', { name: 'Acknowledged' }).getByRole('option')).toHaveCount(2)
  await shoot('04-drift-acknowledged')

  await go('/settings?view=drift')
  await expect(page.getByRole('combobox', { name: 'Series without a pinned baseline' })).toBeVisible()
  await page.getByLabel('Address').fill('http://alerts.example/hook')
  await page.getByRole('button', { name: 'Add' }).click()
  await expect(page.getByText('plain http only to 127.0.0.1', { exact: false })).toBeVisible()
  await page.getByLabel('Address').fill('http://127.0.0.1:9/hook')
  await page.getByRole('button', { name: 'Add' }).click()
  await expect(page.getByText('Secret of this webhook', { exact: false })).toBeVisible()
  await page.getByRole('button', { name: 'Test', exact: true }).click()
  await expect(page.getByText(/last attempt/)).toBeVisible({ timeout: 20_000 })
  await shoot('04-drift-settings')
  await page.getByText('Secret of this webhook', { exact: false }).scrollIntoViewIfNeeded()
  await shoot('04-drift-webhooks')
})
