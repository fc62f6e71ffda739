// SPDX-License-Identifier: Apache-2.0
// A workspace whose ledger was rolled back: opened read-only, said so, and written to again after a person has gone on with a reason.
import { copyFileSync, existsSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import AxeBuilder from '@axe-core/playwright'
import type { Page } from '@playwright/test'
import { callOk } from './data.ts'
import { engineRunning, expect, launchApp, screenshot, temporaryFolder, test } from './harness.ts'

const append = (page: Page, first: number, count: number) =>
  callOk(page, 'events.append', {
    events: Array.from({ length: count }, (_, i) => ({
      source: 'desk',
      model: 'm',
      start_time: new Date(Date.UTC(2026, 0, 1) + (first + i) * 60_000).toISOString(),
      prompt: `question ${first + i}`,
      response: 'answer'
    }))
  })

test('a rolled-back workspace opens read-only, and goes on after a reason is given', async () => {
  test.setTimeout(180_000)
  const folder = temporaryFolder()
  const at = { workspace: join(folder, 'workspace'), state: join(folder, 'state'), userData: join(folder, 'user-data') }
  const ledger = join(at.workspace, 'ledger.db')

  const first = await launchApp(at)
  await engineRunning(first.page)
  await append(first.page, 0, 20)
  await first.close()
  copyFileSync(ledger, join(folder, 'older.db'))
  const second = await launchApp(at)
  await engineRunning(second.page)
  await append(second.page, 20, 20)
  await second.close()
  for (const beside of ['-wal', '-shm']) if (existsSync(ledger + beside)) rmSync(ledger + beside)
  copyFileSync(join(folder, 'older.db'), ledger)

  const { page, complaints } = await launchApp(at)
  await engineRunning(page)
  const banner = page.getByRole('alert').filter({ hasText: 'Open read-only: rollback detected.' })
  await expect(banner).toBeVisible()
  await expect(banner).toContainText('were acknowledged')
  const before = await callOk(page, 'workspace.status', {})
  expect(before).toMatchObject({ state: 'read_only', problem: { code: 'rollback_detected', can_continue: true } })
  await expect(append(page, 99, 1)).rejects.toThrow('read_only')
  expect((await callOk(page, 'records.open', { query: '' })).count).toBe(20)
  await expect(page.getByText('Not intact')).toBeVisible()
  await screenshot(page, 'read-only')

  await banner.getByRole('button', { name: 'Continue…' }).click()
  const dialog = page.getByRole('dialog', { name: 'Continue from what is here' })
  const go = dialog.getByRole('button', { name: 'Record and continue' })
  await expect(dialog).toContainText('rollback.detected')
  await expect(go).toBeDisabled()
  await screenshot(page, 'read-only-continue')
  expect((await new AxeBuilder({ page }).setLegacyMode(true).analyze()).violations.map((one) => one.id)).toEqual([])
  // Closed without a choice: nothing has changed.
  await dialog.getByRole('button', { name: 'Stay read-only' }).click()
  expect((await callOk(page, 'workspace.status', {})).state).toBe('read_only')

  await banner.getByRole('button', { name: 'Continue…' }).click()
  await dialog.getByLabel('Reason').fill('restored from the tape of Monday')
  await go.click()
  await expect(banner).toBeHidden({ timeout: 30_000 })
  await expect(dialog).toBeHidden()
  await expect.poll(async () => (await callOk(page, 'workspace.status', {})).state).toBe('open')
  const recorded = (await callOk(page, 'activity.list', { kind: 'system' })).entries.find((one) => one.type === 'rollback.detected')
  expect(recorded).toMatchObject({ seq: before.ledger.size, detail: expect.stringContaining('tape of Monday') })
  expect(await append(page, 40, 5)).toMatchObject({ accepted: 5 })
  expect((await callOk(page, 'records.open', { query: '' })).count).toBe(25)
  await expect(page.getByText('Intact up to leaf', { exact: false })).toBeVisible({ timeout: 30_000 })
  await screenshot(page, 'read-only-after')
  expect(complaints.filter((one) => one.kind !== 'console')).toEqual([])
})
