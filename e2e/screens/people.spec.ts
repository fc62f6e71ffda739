// SPDX-License-Identifier: Apache-2.0
// Two people set up, signed in, asking and deciding; who did what afterwards.
import { join } from 'node:path'
import type { Page } from '@playwright/test'
import { answerDialogs, callOk } from '../data.ts'
import { expect } from '../harness.ts'
import { oneLook } from './walk.ts'

const PASSWORD = 'a long walk to the sea'
const FIRST = 'seven grey herons wait'
const OWN = 'cold tea and warm rain'

async function signIn(page: Page, name: string, password: string): Promise<void> {
  await page.getByLabel('Name').fill(name)
  await page.getByLabel('Password', { exact: true }).fill(password)
  await page.getByRole('button', { name: 'Sign in' }).click()
}

/** Waits until the app shows itself to this person. */
const working = (page: Page, as: string) => expect(page.locator('.person-button')).toHaveAttribute('title', as)

async function signOut(page: Page, what: 'Lock' | 'Sign out'): Promise<void> {
  await page.locator('.person-button').click()
  await page.getByRole('menuitem', { name: what }).click()
}

oneLook('dark', 'people', async ({ app, page, go, shoot }) => {
  await go('/compliance?view=approvals')
  await expect(page.getByText('One person alone cannot approve')).toBeVisible()
  await page.locator('.person-button').click()
  await expect(page.getByRole('heading', { name: 'People' })).toBeVisible()
  await shoot('13-first-person')
  await page.getByLabel('Your name').fill('Ann Archer')
  await page.getByLabel('Password', { exact: true }).fill(PASSWORD)
  await page.getByLabel('Password again').fill(PASSWORD)
  await page.getByRole('button', { name: 'Set up the first person' }).click()
  await expect(page.getByRole('cell', { name: 'Ann Archer' })).toBeVisible()

  await page.getByRole('button', { name: 'Add a person…' }).click()
  await page.getByLabel('Name').fill('Ann Аrcher')
  await page.getByLabel('First password').fill(FIRST)
  await page.getByRole('button', { name: 'Add', exact: true }).click()
  await expect(page.getByText(/mixes letters of several scripts/)).toBeVisible()
  await page.getByLabel('Name').fill('Bob Baker')
  await page.getByRole('combobox', { name: 'Role' }).click()
  await page.getByRole('option', { name: 'Data protection' }).click()
  await page.getByRole('button', { name: 'Add', exact: true }).click()
  await expect(page.getByRole('cell', { name: 'Bob Baker' })).toBeVisible()
  await callOk(page, 'people.add', { name: 'Carla Conti', role: 'operator', password: FIRST })
  await callOk(page, 'people.add', { name: 'Dora Diaz', role: 'administrator', password: FIRST })
  await go('/settings')
  await go('/settings?view=people')
  await shoot('13-people')

  await signOut(page, 'Lock')
  await expect(page.getByRole('heading', { name: 'Locked' })).toBeVisible()
  expect(await page.locator('.people-page').count()).toBe(0)
  const denied = await page.evaluate(() => window.affidavit.call('records.open', {}))
  expect(denied).toMatchObject({ ok: false, error: { code: 'unauthorized' } })
  await signIn(page, 'Bob Baker', 'not the right password')
  await expect(page.getByText('Name and password do not fit.')).toBeVisible()
  await shoot('13-sign-in')
  await signIn(page, 'Bob Baker', FIRST)
  await expect(page.getByRole('heading', { name: 'Choose your own password' })).toBeVisible()
  await shoot('13-own-password')
  await page.getByLabel('Present password').fill(FIRST)
  await page.getByLabel('New password', { exact: true }).fill(OWN)
  await page.getByLabel('New password again').fill(OWN)
  await page.getByRole('button', { name: 'Set password' }).click()
  await working(page, 'Bob Baker, data protection')

  await callOk(page, 'records.open', { query: 'conversation:case-1140' })
  const held = await callOk(page, 'holds.place', {
    matter: 'Case 26-1140',
    reason: 'Litigation',
    scope: { kind: 'filter', query: 'model:gpt-4' },
    future: true
  })
  const release = await callOk(page, 'holds.release', { id: held.id, reason: 'The case is closed' })
  await go('/compliance?view=approvals')
  await page.getByRole('button', { name: 'Decide…' }).click()
  await expect(page.getByRole('button', { name: 'Approve' })).toBeDisabled()
  await expect(page.getByRole('button', { name: 'Withdraw' })).toBeVisible()
  const alone = await page.evaluate((id) => window.affidavit.call('approvals.decide', { id, decision: 'give' }), release.id)
  expect(alone).toMatchObject({ ok: false, error: { code: 'second_person_needed' } })
  await page.keyboard.press('Escape')
  await go('/settings?view=people')
  await expect(page.getByRole('button', { name: 'Add a person…' })).toBeDisabled()
  await signOut(page, 'Sign out')
  await signIn(page, 'carla conti', FIRST)
  await page.getByLabel('Present password').fill(FIRST)
  await page.getByLabel('New password', { exact: true }).fill(OWN)
  await page.getByLabel('New password again').fill(OWN)
  await page.getByRole('button', { name: 'Set password' }).click()
  await working(page, 'Carla Conti, operator')
  await go('/compliance?view=activity')
  await expect(page.getByRole('heading', { name: 'Not part of your role' })).toBeVisible()
  await shoot('13-not-my-role')
  await go('/compliance?view=retention')
  for (const name of ['Place a hold…', 'Record an event…', 'Edit the schedule…', 'Ask for disposal…'])
    await expect(page.getByRole('button', { name })).toBeDisabled()

  await signOut(page, 'Sign out')
  await signIn(page, 'Ann Archer', PASSWORD)
  await working(page, 'Ann Archer, administrator')
  await expect(page.getByRole('link', { name: /1 approval waits/ })).toBeVisible()
  await go('/compliance?view=approvals')
  await expect(page.getByRole('cell', { name: 'Bob Baker' })).toBeVisible()
  await shoot('13-approvals')
  await page.getByRole('button', { name: 'Decide…' }).click()
  await page.getByLabel('Note').fill('Checked the docket')
  await shoot('13-decide')
  await page.getByRole('button', { name: 'Approve' }).click()
  // She set how he signs in: that is one person until the week is over. A third decides.
  await expect(page.getByText(/counts as one person/)).toBeVisible()
  await shoot('13-no-second-person')
  await page.keyboard.press('Escape')
  await signOut(page, 'Sign out')
  await signIn(page, 'Dora Diaz', FIRST)
  await page.getByLabel('Present password').fill(FIRST)
  await page.getByLabel('New password', { exact: true }).fill(OWN)
  await page.getByLabel('New password again').fill(OWN)
  await page.getByRole('button', { name: 'Set password' }).click()
  await working(page, 'Dora Diaz, administrator')
  await go('/compliance?view=approvals')
  await page.getByRole('button', { name: 'Decide…' }).click()
  await page.getByRole('button', { name: 'Approve' }).click()
  await expect(page.getByText('done', { exact: true })).toBeVisible()

  await signOut(page, 'Sign out')
  await signIn(page, 'Bob Baker', OWN)
  await working(page, 'Bob Baker, data protection')
  await go('/compliance?view=activity')
  await expect(page.getByRole('row').filter({ hasText: 'conversation:case-1140' })).toBeVisible()
  await page.getByRole('row').filter({ hasText: 'failed to sign in' }).first().click()
  await expect(page.getByRole('complementary')).toBeVisible()
  await shoot('13-activity')
  await answerDialogs(app.app, { save: join(app.userData, 'activity.csv') })
  await page.getByRole('button', { name: 'Export as CSV…' }).click()
  await expect(page.getByText(/lines written to/)).toBeVisible()
})
