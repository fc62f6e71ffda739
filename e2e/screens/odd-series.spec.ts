// SPDX-License-Identifier: Apache-2.0
// Series that are odd, said in words; a verdict with what changed beside it; a back-test that is cancelled, run again and used.
import type { Page } from '@playwright/test'
import { callOk } from '../data.ts'
import { expect } from '../harness.ts'
import { oneLook } from './walk.ts'

const call = (n: number, more: Readonly<Record<string, unknown>> = {}) => ({
  id: `call-${n}`,
  source: 'desk',
  model: 'gpt-4',
  provider: 'openai',
  start_time: new Date(Date.UTC(2026, 0, 1) + n * 60_000).toISOString(),
  latency_ms: 500 + (n % 100),
  input_tokens: 10,
  output_tokens: 20 + (n % 7),
  finish_reasons: ['stop'],
  prompt: `What is the answer to question ${n}?`,
  response: `The answer to question ${n} is ${n * 2}.`,
  ...more
})
const some = (from: number, size: number, more: Readonly<Record<string, unknown>> = {}) =>
  Array.from({ length: size }, (_, i) => call(from + i, more))

async function record(page: Page, events: readonly object[]): Promise<void> {
  for (let at = 0; at < events.length; at += 400) {
    const { rejected } = await callOk(page, 'events.append', { events: events.slice(at, at + 400) })
    expect(rejected).toEqual([])
  }
}
const pin = (page: Page, source: string) =>
  callOk(page, 'drift.set_baseline', { name: `${source} in January`, query: `source:${source}`, model: 'gpt-4', source })

oneLook('dark', 'odd series, and a back-test that is cancelled', async ({ page, go, shoot }) => {
  await record(page, [...some(0, 300), ...some(1000, 300, { source: 'kiosk' })])
  await pin(page, 'desk')
  await pin(page, 'kiosk')
  // Slower, cut off, and in another script; a clock that is ahead; and a thousand series nobody has seen.
  const changed = { latency_ms: 9000, finish_reasons: ['length'], response: 'Ответ на этот вопрос' }
  await record(page, [
    ...some(2000, 100, changed),
    ...some(3000, 3, { source: 'night', start_time: new Date(Date.now() + 6 * 3_600_000).toISOString() })
  ])
  await record(
    page,
    Array.from({ length: 995 }, (_, i) => call(4000 + i, { source: `new-${i}` }))
  )
  await callOk(page, 'drift.look', {})

  await go('/drift?view=series')
  const row = (source: string) => page.getByRole('row').filter({ has: page.getByRole('gridcell', { name: source, exact: true }) })
  await expect(row('desk').getByText('alarmed', { exact: true })).toBeVisible()
  await expect(row('kiosk').getByText(/No request since its reference; the last one 1 Jan 2026/)).toBeVisible()
  await expect(row('night').getByText(/claims a time that is still to come/)).toBeVisible()
  await expect(row('new-0').getByText('Nothing to compare with yet.')).toBeVisible()
  await expect(page.getByText('1 alarmed, 1 collecting, 996 no reference')).toBeVisible()
  // A thousand rows, of which those in sight exist.
  const grid = page.getByRole('grid', { name: 'All series' })
  expect(await grid.getByRole('row').count()).toBeLessThan(60)
  await shoot('04-series-odd')
  // With the keyboard to the last of them and back: still only those in sight, and the count is the true one.
  await row('desk').focus()
  await page.keyboard.press('End')
  await expect(grid.locator('[aria-rowindex="999"]')).toBeVisible()
  await expect(row('desk')).toHaveCount(0)
  expect(await grid.getByRole('row').count()).toBeLessThan(60)
  await expect(grid).toHaveAttribute('aria-rowcount', '999')
  await page.keyboard.press('Home')
  await expect(row('desk')).toBeVisible()

  // A series without an alert has its verdict too: why it is what it is, and what it is compared with.
  await row('kiosk').click()
  await expect(page.getByText(/Not tested: too few current requests/)).toBeVisible()
  await expect(page.getByRole('region', { name: 'Reference' }).getByText('kiosk in January')).toBeVisible()
  await shoot('04-series-verdict')
  await page.getByRole('button', { name: 'All series' }).click()
  await row('new-0').click()
  await expect(page.getByText('Nothing to compare with yet.')).toBeVisible()
  await page.getByRole('button', { name: 'Pin a baseline for it…' }).click()
  const dialog = page.getByRole('dialog')
  await expect(dialog.getByText(/^1 record,/)).toBeVisible()
  await expect(dialog.getByText(/Below 200 a series stays collecting/)).toBeVisible()
  await shoot('04-baseline-dialog')
  await dialog.getByRole('button', { name: 'Cancel' }).click()
  await go('/drift?view=baselines')
  await expect(page.getByRole('row').filter({ hasText: 'kiosk in January' })).toContainText('in use')
  await shoot('04-baselines')

  await go('/drift')
  const beside = page.locator('.beside-panel')
  await expect(beside.getByRole('row', { name: /finish reason/ })).toContainText(
    /stop: 100(\.0)? % before, 0(\.0)? % now|length: 0(\.0)? % before, 100(\.0)? % now/
  )
  await expect(beside.getByRole('row', { name: /script of the answer/ })).toContainText(/cyrillic|latin/)
  await expect(beside.getByRole('row', { name: /^tail/ })).toContainText(/100 above .* the reference’s p99: 100/)
  await beside.scrollIntoViewIfNeeded()
  await shoot('04-drift-finish')

  // Half a century of hours: long to go through, quick to record.
  await record(page, [call(9000, { source: 'old', start_time: '1972-03-01T00:00:00Z' })])
  await callOk(page, 'settings.set', { reference: 'rolling' })
  await go('/drift?view=backtest')
  await page.getByRole('textbox', { name: 'Smallest shift L' }).fill('0.2')
  await page.getByRole('combobox', { name: 'Period' }).click()
  await page.getByRole('option', { name: 'From and to' }).click()
  await page.getByRole('textbox', { name: 'From, UTC' }).fill('1972-01-01')
  await page.getByRole('button', { name: 'Test on the history' }).click()
  await expect(page.getByRole('status').filter({ hasText: /of [\d,]+ looks/ })).toBeVisible()
  await expect(page.getByRole('progressbar', { name: 'Back-test' })).toBeVisible()
  await shoot('04-backtest-running')
  await page.getByRole('button', { name: 'Cancel' }).click()
  await expect(page.getByRole('heading', { name: 'Cancelled' })).toBeVisible()
  await expect(page.getByText(/The test ended after [\d,]+ of [\d,]+ looks\. Nothing of it is on record/)).toBeVisible()
  await shoot('04-backtest-cancelled')
  const tests = async () => (await callOk(page, 'activity.list', {})).entries.filter((one) => one.type === 'drift.backtest').length
  expect(await tests()).toBe(0)
  expect((await callOk(page, 'settings.get', {})).effect_floor).toBe(0.1)

  // Again, over a shorter time, to its end; then its settings are used.
  await page.getByRole('textbox', { name: 'From, UTC' }).fill('2026-01-01')
  await page.getByRole('textbox', { name: 'To, not included' }).fill('2026-01-08')
  await page.getByRole('button', { name: 'Test on the history' }).click()
  await expect(page.getByText(/These settings would have opened/)).toBeVisible()
  expect(await tests()).toBe(1)
  await shoot('04-backtest-again')
  await page.getByRole('button', { name: 'Use these settings…' }).click()
  await page.getByRole('button', { name: 'Change 1 setting' }).click()
  await expect(page.getByRole('dialog')).toBeHidden()
  expect((await callOk(page, 'settings.get', {})).effect_floor).toBe(0.2)
})
