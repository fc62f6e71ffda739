// SPDX-License-Identifier: Apache-2.0
// A bundle for one recipient, dropped on the window: it asks for what opens it, is verified, looked through, and leaves nothing plain behind.
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Page } from '@playwright/test'
import { generateIdentity, identityToRecipient } from 'age-encryption'
import { answerDialogs, callOk, waitForJob } from '../data.ts'
import { engineRunning, expect } from '../harness.ts'
import { everyLook, oneLook } from './walk.ts'

/** Drops files on the window as the system does. */
async function drop(page: Page, files: readonly string[]): Promise<void> {
  const session = await page.context().newCDPSession(page)
  for (const type of ['dragEnter', 'dragOver', 'drop'] as const)
    await session.send('Input.dispatchDragEvent', { type, x: 640, y: 400, data: { items: [], files: [...files], dragOperationsMask: 1 } })
  await session.detach()
}

const plainLeft = (state: string): readonly string[] => {
  const opened = join(state, 'opened')
  return existsSync(opened) ? readdirSync(opened) : []
}

everyLook('an encrypted bundle', async ({ app, page, go, shoot }) => {
  const identity = await generateIdentity()
  const events = Array.from({ length: 12 }, (_, n) => ({
    id: `call-${n}`,
    source: 'desk',
    model: 'gpt-4',
    start_time: new Date(Date.UTC(2026, 0, 1) + n * 60_000).toISOString(),
    latency_ms: 400 + n,
    prompt: `May the client of case ${n} see the file?`,
    response: `Case ${n} is closed.`
  }))
  await callOk(page, 'events.append', { events })
  const wish = { query: '', recipient: 'Examination unit, case 26-1140', purpose: 'Regulatory examination' }
  const write = async (name: string, encrypt: object): Promise<string> => {
    const out = join(app.userData, name)
    await waitForJob(page, (await callOk(page, 'export.start', { ...wish, out, ...encrypt })).job_id)
    return out
  }
  const keyed = await write('case-26-1140.affidavit.zip.age', { encrypt: { recipient: await identityToRecipient(identity) } })
  const worded = await write('by-word.affidavit.zip.age', { encrypt: { passphrase: 'correct horse battery staple' } })
  const notes = join(app.userData, 'notes.txt')
  writeFileSync(notes, 'nothing')

  await go('/dashboard')
  await drop(page, [notes])
  await expect(page.getByText('Only bundles are opened by dropping them')).toBeVisible()
  await page.getByRole('button', { name: 'Close' }).click()
  await expect(page.getByText('Only bundles are opened by dropping them')).toHaveCount(0)
  await drop(page, [keyed, worded])
  const panel = page.getByRole('region', { name: 'This bundle is encrypted' })
  await expect(panel.getByLabel('Identity', { exact: true })).toBeVisible()
  await expect(page.getByText('the other file was left alone')).toBeVisible()
  await panel.getByLabel('Identity', { exact: true }).fill(await generateIdentity())
  await panel.getByRole('button', { name: 'Open and verify' }).click()
  await expect(panel.getByText('it was encrypted for somebody else')).toBeVisible()
  await expect(page.getByText('the other file was left alone')).toBeVisible()
  await shoot('19-verify-encrypted')
  await panel.getByLabel('Identity', { exact: true }).fill(identity)
  await panel.getByRole('button', { name: 'Open and verify' }).click()
  await expect(page.getByRole('heading', { name: 'Consistent, signer not confirmed' })).toBeVisible()
  await expect(page.getByText('12 of 12 in scope')).toBeVisible()
  expect(plainLeft(app.state)).toEqual([])
  const report = join(app.userData, 'report.pdf')
  await answerDialogs(app.app, { save: report })
  await page.getByRole('button', { name: 'Save report…' }).click()
  await expect(page.getByText(report)).toBeVisible({ timeout: 30_000 })
  expect(readFileSync(report, 'latin1')).toContain('/StructTreeRoot')
  await shoot('20-verify-decrypted')

  // The head is remembered now; the one with the passphrase is ended on the way, then verified.
  await drop(page, [worded])
  await panel.getByLabel('Passphrase').fill('correct horse battery staple')
  await panel.getByRole('button', { name: 'Open and verify' }).click()
  await page.getByRole('button', { name: 'Cancel' }).click()
  await expect(page.getByText('Cancelled: nothing was decided')).toBeVisible({ timeout: 30_000 })
  expect(plainLeft(app.state)).toEqual([])
  await page.getByRole('button', { name: 'Verify again' }).click()
  await expect(page.getByRole('region', { name: 'Heads seen from this instance' })).toBeVisible({ timeout: 30_000 })
  await page.getByRole('button', { name: 'Look through its records' }).click()
  const band = page.getByRole('status', { name: 'Review' })
  await expect(band).toContainText('REVIEW, consistent, signer not confirmed', { timeout: 30_000 })
  await band.getByRole('button', { name: 'Close the review' }).click()
  await expect(band).toBeHidden()
  await expect.poll(() => readdirSync(join(app.state, 'reviews'))).toEqual([])

  await go('/exports?view=history')
  await expect(page.getByText('by-word.affidavit.zip.age')).toBeVisible()
  await shoot('21-export-history')
  await go('/exports?view=new')
  const groups = page.getByText(/^([0-9a-f]{4} ){15}[0-9a-f]{4}$/)
  await expect(groups).toHaveCount(2)
  await answerDialogs(app.app, { save: join(app.userData, 'fingerprints.pdf') })
  await page.getByRole('button', { name: 'Print fingerprints…' }).click()
  await expect(page.getByText(/Saved to/)).toBeVisible({ timeout: 30_000 })
  await shoot('22-export-fingerprints')
})

oneLook('dark', 'a bundle of a sample', async ({ app, page, go, shoot }) => {
  await page.evaluate(() => window.affidavit.call('shell.openSample', {}))
  await engineRunning(page)
  await expect(page.getByText('Nothing is recorded here.')).toBeVisible({ timeout: 60_000 })
  const out = join(app.userData, 'sample.affidavit.zip')
  await waitForJob(page, (await callOk(page, 'export.start', { query: 'seq:0..40', recipient: 'r', purpose: 'p', out })).job_id)
  await go('/exports?view=verify')
  await drop(page, [out])
  await expect(page.getByText('Generated data, no evidence, whatever the verdict.')).toBeVisible({ timeout: 30_000 })
  await shoot('23-verify-sample')
  await page.getByRole('button', { name: 'Look through its records' }).click()
  const band = page.getByRole('status', { name: 'Review' })
  await expect(band).toContainText('SAMPLE. Generated data, no evidence.', { timeout: 30_000 })
  await expect(page.getByText('SAMPLE, REVIEW')).toBeVisible()
  await expect(page.getByRole('heading', { name: 'Consistent, signer not confirmed' })).toBeVisible({ timeout: 30_000 })
  await shoot('24-review-sample')
})
