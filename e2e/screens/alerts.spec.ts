// SPDX-License-Identifier: Apache-2.0
// What would have alarmed: settings tried on real records, refused, shown and used. Then what people do with many alerts.
import { callOk, records, waitForJob } from '../data.ts'
import { expect } from '../harness.ts'
import { oneLook } from './walk.ts'

oneLook('light', 'a back-test, many alerts, snooze and webhooks', async ({ page, go, shoot }) => {
  await go('/drift?view=backtest')
  await expect(page.getByText('Nothing was tested yet')).toBeVisible()
  await page.getByRole('button', { name: 'Test on the history' }).click()
  await expect(page.getByRole('heading', { name: 'Nothing to test on' })).toBeVisible()
  await shoot('04-backtest-empty')

  const file = await records()
  const { job_id } = await callOk(page, 'import.start', { path: file.path, profile: file.profile })
  await waitForJob(page, job_id)
  await callOk(page, 'settings.set', { reference: 'rolling', reference_days: 28 })
  await expect(page.getByRole('button', { name: 'Look now' })).toBeEnabled()
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

  // The verdict of one alert never stands under another, not even for a moment.
  await go('/drift')
  const open = page.getByRole('group', { name: 'Open' }).getByRole('option')
  await open.nth(0).click()
  await expect(page.locator('.verdict-view .headline')).toBeVisible()
  const under = await page.evaluate(async () => {
    const headline = () => document.querySelector('.verdict-view .headline')?.textContent ?? null
    const first = headline()
    document.querySelectorAll<HTMLElement>('[role=option]')[1]?.click()
    const seen: (string | null)[] = []
    for (let frame = 0; frame < 5; frame++) {
      await new Promise((resolve) => requestAnimationFrame(resolve))
      const selected = document.querySelectorAll('[role=option]')[1]?.getAttribute('aria-selected') === 'true'
      if (selected) seen.push(headline())
    }
    return { first, seen }
  })
  expect(under.first).not.toBeNull()
  expect(under.seen.length).toBeGreaterThan(0)
  expect(under.seen).not.toContain(under.first)

  // Two at once with the keyboard, one note for both.
  const before = await open.count()
  await open.first().focus()
  const toolbar = page.getByRole('toolbar', { name: 'Chosen alerts' })
  await page.keyboard.press('Space')
  await expect(toolbar).toBeVisible()
  await page.keyboard.press('Escape')
  await expect(toolbar).toBeHidden()
  await page.keyboard.press('Space')
  await page.keyboard.press('ArrowDown')
  await page.keyboard.press('Space')
  await expect(toolbar.getByText('2 chosen', { exact: true })).toBeVisible()
  await shoot('04-alerts-chosen')
  await toolbar.getByRole('button', { name: 'Acknowledge…' }).click()
  await page.getByRole('textbox', { name: 'Note for all of them' }).fill('The move to 0613, looked into')
  await page.getByRole('dialog').getByRole('button', { name: 'Acknowledge' }).click()
  await expect(open).toHaveCount(before - 2)

  await page.getByRole('button', { name: 'Snooze…' }).click()
  await page.getByRole('textbox', { name: 'Reason' }).fill('Known deployment')
  await page.getByRole('dialog').getByRole('button', { name: 'Snooze' }).click()
  await expect(page.getByText(/rests until/).first()).toBeVisible()
  await expect(page.getByText(/· 1 resting/).first()).toBeVisible()
  await shoot('04-alerts-snoozed')

  // An open one that rests is not counted as open, on no screen.
  const [still] = (await callOk(page, 'drift.alerts', { state: 'open' })).alerts
  const until = new Date(Date.now() + 3_600_000).toISOString()
  await callOk(page, 'drift.snooze', { id: still?.id ?? '', until, reason: 'Known deployment' })
  await go('/dashboard')
  await expect(page.getByText(/1 resting · \d+ acknowledged/)).toBeVisible()
  await expect(
    page
      .getByRole('region', { name: 'Drift' })
      .getByText(/^resting · /)
      .first()
  ).toBeVisible()
  await shoot('01-dashboard-resting')

  await go('/settings?view=drift')
  const hooks = page.getByRole('region', { name: 'Webhooks' })
  await hooks.getByRole('textbox', { name: 'Address' }).fill('http://192.0.2.1/hook')
  await hooks.getByRole('button', { name: 'Add' }).click()
  await expect(hooks.getByRole('alert')).toBeVisible()
  // Nobody listens there: a delivery fails and says so.
  await hooks.getByRole('textbox', { name: 'Address' }).fill('http://127.0.0.1:9/hook')
  await hooks.getByRole('button', { name: 'Add' }).click()
  await expect(hooks.getByText(/Secret of this webhook/)).toBeVisible()
  await hooks.getByRole('button', { name: 'Test' }).click()
  await expect(hooks.getByText('last delivery failed', { exact: true })).toBeVisible()
  await expect(hooks.getByText(/a test, failed .* nobody listens at this address .* A test is not repeated/)).toBeVisible()
  await hooks.scrollIntoViewIfNeeded()
  await shoot('11-webhooks')
  await hooks.getByRole('button', { name: 'Remove' }).click()
  await expect(hooks.getByText('http://127.0.0.1:9/hook')).toBeHidden()
})
