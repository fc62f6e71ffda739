// SPDX-License-Identifier: Apache-2.0
// Keys and anchors: a rotation, and a timestamp by a real authority on this machine (`openssl ts`).
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { makeAuthority, serveAuthority } from '../../src/engine/anchors/test-authority.ts'
import { answerDialogs, callOk, records, waitForJob } from '../data.ts'
import { expect } from '../harness.ts'
import { oneLook } from './walk.ts'

oneLook('light', 'keys and anchors', async ({ app, page, go, shoot }) => {
  const files = makeAuthority()
  const authority = await serveAuthority(files)
  try {
    const file = await records()
    const { job_id } = await callOk(page, 'import.start', { path: file.path, profile: file.profile })
    await waitForJob(page, job_id)

    await go('/settings?view=keys')
    await expect(page.getByText('in use, signs bundles')).toBeVisible()
    await shoot('15-keys')
    await page.getByRole('button', { name: 'Change the export key…' }).click()
    await expect(page.getByRole('button', { name: 'Cancel' })).toBeFocused()
    await page.getByRole('button', { name: 'Change the key', exact: true }).click()
    await expect(page.getByText('retired', { exact: true })).toBeVisible({ timeout: 60_000 })
    // One export key is in use: the list is read again when the change has ended.
    await expect(page.getByText('in use, signs bundles')).toHaveCount(1, { timeout: 1_000 })
    await page
      .getByRole('button', { name: /^Revoke export key/ })
      .last()
      .click()
    await page.getByLabel('Reason').fill('Copied to a machine that is lost')
    await shoot('15-keys-revoke')
    await page.getByRole('button', { name: 'Revoke', exact: true }).click()
    await expect(page.getByText(/: Copied to a machine that is lost/).first()).toBeVisible({ timeout: 60_000 })
    await shoot('15-keys-changed')
    await page.getByRole('heading', { name: 'History' }).scrollIntoViewIfNeeded()
    await shoot('15-keys-history')

    await go('/settings?view=anchors')
    await expect(page.getByText('No anchor yet')).toBeVisible()
    await expect(page.getByRole('button', { name: 'Anchor now' })).toBeDisabled()
    await shoot('15-anchors-empty')
    const pem = join(app.userData, '..', `authority-${process.pid}.pem`)
    writeFileSync(pem, authority.ca)
    await page.getByLabel('Address', { exact: true }).fill(authority.url)
    await page.getByLabel('At most every, minutes').fill('0')
    await page.getByRole('button', { name: 'Save', exact: true }).click()
    await answerDialogs(app.app, { open: [pem] })
    await page.getByRole('button', { name: 'Import certificate…' }).click()
    await expect(page.getByText('Test Authority Root')).toBeVisible()
    await page.getByRole('button', { name: 'Anchor now' }).click()
    await expect(page.getByText(/up to leaf/).first()).toBeVisible({ timeout: 30_000 })
    await shoot('15-anchors')

    await go('/records')
    // A row whose content is still on its way opens nothing.
    await expect(async () => {
      await page.getByRole('row').nth(3).click()
      await expect(page.getByRole('tab', { name: 'Proof' })).toBeVisible({ timeout: 2_000 })
    }).toPass()
    await page.getByRole('tab', { name: 'Proof' }).click()
    await expect(page.getByRole('heading', { name: 'Outside anchor' })).toBeVisible()
    await expect(page.getByText(/Timestamp by Test Authority/)).toBeVisible()
    await page.getByText(/Timestamp by Test Authority/).scrollIntoViewIfNeeded()
    await shoot('15-proof-anchored')
  } finally {
    await authority.close()
    files.remove()
  }
})
