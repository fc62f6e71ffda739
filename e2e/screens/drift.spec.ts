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
  await page.getByText(/Segments and histogram come/).scrollIntoViewIfNeeded()
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
