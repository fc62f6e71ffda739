// SPDX-License-Identifier: Apache-2.0
// What a window shows of what nobody did in it: it locks when nobody is there, and says at once that a row on disk was damaged.
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { callOk, waitForJob } from './data.ts'
import { engineRunning, expect, launchApp, screenshot, test } from './harness.ts'

const PASSWORD = 'a long walk to the sea'

test('a window locks after a minute without input, hides what it showed, and asks who is there', async () => {
  test.setTimeout(240_000)
  const { page } = await launchApp()
  await engineRunning(page)
  await callOk(page, 'events.append', {
    events: [{ source: 'desk', model: 'm', start_time: '2026-01-01T00:00:00Z', prompt: 'what nobody else may read', response: 'answer' }]
  })
  await callOk(page, 'people.add', { name: 'Ann Archer', role: 'administrator', password: PASSWORD })
  await callOk(page, 'settings.set', { lock_after_minutes: 1 })
  await page.evaluate(() => (location.hash = '/records'))
  await expect(page.getByText('what nobody else may read')).toBeVisible()
  // Input counts, or a window in use would lock.
  await page.waitForTimeout(40_000)
  await page.mouse.move(300, 300)
  await page.mouse.move(340, 320)
  await page.waitForTimeout(35_000)
  await expect(page.getByText('what nobody else may read')).toBeVisible()
  // The pointer of the display may be seen once more, where other windows come and go.
  await expect(page.getByRole('heading', { name: 'Locked' })).toBeVisible({ timeout: 110_000 })
  expect(await page.content()).not.toContain('what nobody else may read')
  await screenshot(page, 'locked-idle')
  for (const op of ['records.query', 'records.open', 'workspace.dashboard', 'settings.get'])
    expect(await page.evaluate((name) => window.affidavit.call(name, {}), op)).toMatchObject({ ok: false, error: { code: 'unauthorized' } })
  await page.getByRole('textbox', { name: 'Password' }).fill('not the password')
  await page.getByRole('button', { name: 'Sign in', exact: true }).click()
  await expect(page.getByText('Name and password do not fit.')).toBeVisible()
  await page.getByRole('textbox', { name: 'Password' }).fill(PASSWORD)
  await page.getByRole('button', { name: 'Sign in', exact: true }).click()
  await expect(page.getByText('what nobody else may read')).toBeVisible()
})

test('a row damaged on disk while the app runs is said in status bar, dashboard and Compliance as soon as it is found', async () => {
  test.setTimeout(120_000)
  const { page, workspace } = await launchApp()
  await engineRunning(page)
  await callOk(page, 'events.append', {
    events: Array.from({ length: 12 }, (_, n) => ({
      source: 'desk',
      model: 'm',
      start_time: `2026-01-01T00:00:${String(n).padStart(2, '0')}Z`,
      prompt: `question ${n}`,
      response: 'answer'
    }))
  })
  const [newest] = (await callOk(page, 'records.query', {})).records
  const seq = newest?.seq ?? 0
  const db = new Database(join(workspace, 'ledger.db'))
  for (const name of db.prepare<[], string>("SELECT name FROM sqlite_schema WHERE type = 'trigger'").pluck().all())
    db.exec(`DROP TRIGGER ${name}`)
  const bytes = Buffer.from(db.prepare<[number], Buffer>('SELECT ct FROM payload WHERE seq = ?').pluck().get(seq) ?? [])
  bytes[40] = (bytes[40] ?? 0) ^ 1
  db.prepare('UPDATE payload SET ct = ? WHERE seq = ?').run(bytes, seq)
  db.close()

  await page.evaluate(() => (location.hash = '/dashboard'))
  await expect(page.getByRole('heading', { name: 'Dashboard' })).toBeVisible()
  // The same job as the one that the schedule starts; the page is told by the engine alone.
  const { job_id } = await callOk(page, 'verify.workspace', {})
  await waitForJob(page, job_id)
  const bar = page.getByRole('contentinfo')
  await expect(bar.getByText(/Does not verify/)).toBeVisible({ timeout: 5_000 })
  await expect(page.getByText('Not intact')).toBeVisible()
  await screenshot(page, 'fault-dashboard')
  await page.evaluate(() => (location.hash = '/compliance?view=integrity'))
  await expect(page.getByRole('region', { name: 'Verifications' }).getByText('damaged').first()).toBeVisible()
  await screenshot(page, 'fault-integrity')
  await page.evaluate(() => (location.hash = '/compliance'))
  await expect(page.getByRole('heading', { name: 'Requirements' })).toBeVisible()
  await screenshot(page, 'fault-compliance')
  // Recording goes on.
  await callOk(page, 'events.append', {
    events: [{ source: 'desk', model: 'm', start_time: '2026-01-02T00:00:00Z', prompt: 'afterwards', response: 'answer' }]
  })
  expect(await callOk(page, 'workspace.status', {})).toMatchObject({ state: 'open', verified: { faults: 1 } })
})
