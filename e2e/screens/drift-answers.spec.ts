// SPDX-License-Identifier: Apache-2.0
// A look that is cancelled, and what is offered to somebody who may not answer alerts.
import { callOk, records, waitForJob } from '../data.ts'
import { enginePid, expect } from '../harness.ts'
import { oneLook } from './walk.ts'

oneLook('light', 'a cancelled look, and alerts of somebody who only reads', async ({ app, page, go, shoot }) => {
  const file = await records()
  const { job_id } = await callOk(page, 'import.start', { path: file.path, profile: file.profile })
  await waitForJob(page, job_id)
  await callOk(page, 'drift.set_baseline', { name: 'gpt-4 in March', query: 'model:gpt-4-0314', model: 'gpt-4-0613', source: 'llmdrift' })
  await go('/drift')
  const looks = async () => (await callOk(page, 'activity.list', {})).entries.filter((one) => one.type === 'drift.look').length
  const cancel = page.getByRole('button', { name: 'Cancel the look' })
  await expect(page.getByRole('button', { name: 'Look now' }).first()).toBeEnabled()
  await expect(cancel).toHaveCount(0)
  // The engine stands still meanwhile: a look over so few records would be done before anybody could cancel it.
  const pid = await enginePid(app.app)
  process.kill(pid, 'SIGSTOP')
  try {
    await page.getByRole('button', { name: 'Look now' }).first().click()
    await expect(cancel).toBeVisible()
    await shoot('04-drift-looking')
    await cancel.click()
    // The cancel goes over two more processes; it is to be there before the engine goes on, on a busy machine too.
    await page.waitForTimeout(2_000)
  } finally {
    process.kill(pid, 'SIGCONT')
  }
  await expect(page.getByText('The look was cancelled')).toBeVisible()
  await expect(page.getByText('Nothing of it is on record.')).toBeVisible()
  await expect(cancel).toHaveCount(0)
  expect(await looks()).toBe(0)
  await page.getByRole('button', { name: 'Look now' }).first().click()
  await expect(page.getByRole('button', { name: 'Snooze…' })).toBeVisible()
  expect(await looks()).toBe(1)

  await callOk(page, 'people.add', { name: 'Ann Archer', role: 'administrator', password: 'a long walk to the sea' })
  await callOk(page, 'people.add', { name: 'Aud Reader', role: 'auditor', password: 'seven grey herons wait' })
  await callOk(page, 'session.sign_out', {})
  await page.getByLabel('Name').fill('Aud Reader')
  await page.getByLabel('Password', { exact: true }).fill('seven grey herons wait')
  await page.getByRole('button', { name: 'Sign in' }).click()
  await page.getByLabel('Present password').fill('seven grey herons wait')
  await page.getByLabel('New password', { exact: true }).fill('cold tea and warm rain')
  await page.getByLabel('New password again').fill('cold tea and warm rain')
  await page.getByRole('button', { name: 'Set password' }).click()
  await expect(page.locator('.person-button')).toHaveAttribute('title', 'Aud Reader, auditor')
  await go('/drift')
  const alert = page.getByRole('group', { name: 'Open' }).getByRole('option').first()
  await expect(page.locator('.verdict-view .headline')).toBeVisible()
  await expect(page.getByText(/Acknowledge, resolve and snooze are not offered\. This takes one of the roles/)).toBeVisible()
  for (const name of ['Acknowledge', 'Resolve', 'Snooze…']) await expect(page.getByRole('button', { name, exact: true })).toHaveCount(0)
  await expect(page.getByRole('button', { name: 'Look now' })).toBeDisabled()
  // Nothing can be chosen for an answer that is not theirs to give.
  await alert.focus()
  await page.keyboard.press('Space')
  await page.keyboard.press('Control+a')
  await alert.click({ modifiers: ['Control'] })
  await expect(page.getByRole('toolbar', { name: 'Chosen alerts' })).toHaveCount(0)
  await expect(page.getByText('Space chooses an open alert', { exact: false })).toHaveCount(0)
  await shoot('04-drift-reader')
})
