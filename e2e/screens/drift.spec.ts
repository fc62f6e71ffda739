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
  await page.getByRole('region', { name: 'What changed around it' }).scrollIntoViewIfNeeded()
  await shoot('04-drift-around')

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

  // Requests whose parameters are on record, and changed.
  const asked = (from: string, temperature: number, system: string) =>
    Array.from({ length: 60 }, (_, n) => ({
      source: 'desk',
      model: 'tuned',
      start_time: `${from}T10:${String(n).padStart(2, '0')}:00Z`,
      latency_ms: 400 + 7 * n,
      temperature: n % 20 === 0 ? 0.5 : temperature,
      max_tokens: 256,
      stream: false,
      seed: n,
      messages: [
        { role: 'system', content: system },
        { role: 'user', content: `Question ${n}` }
      ],
      response: 'An answer.'
    }))
  const events = [...asked('2026-03-01', 0.2, 'Be brief.'), ...asked('2026-03-08', 0.9, 'Be thorough.')]
  await callOk(page, 'events.append', { events })
  await go('/drift?view=compare&a=model%3Atuned%20to%3A2026-03-05&b=model%3Atuned%20from%3A2026-03-05')
  const around = page.getByRole('region', { name: 'What changed around it' })
  await expect(around.getByRole('row', { name: /^temperature 0\.2 \(57\), 0\.5 \(3\) 0\.9 \(57\), 0\.5 \(3\) / })).toBeVisible()
  await expect(around.getByText('Unchanged: max_tokens 256, stream false.')).toBeVisible()
  await around.scrollIntoViewIfNeeded()
  await shoot('04-compare-around')

  await go('/drift?view=compare&a=nofield%3A1')
  await expect(page.getByText('These selections cannot be compared')).toBeVisible()
  await shoot('04-compare-refused')
})
