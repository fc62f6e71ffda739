// SPDX-License-Identifier: Apache-2.0
// A record corrected from its pane and for a request of rectification: the original beside what should stand there, its proof, whom to tell.
import { join } from 'node:path'
import { callOk, waitForJob } from '../data.ts'
import { expect } from '../harness.ts'
import { everyLook } from './walk.ts'

const SUBJECT = 'zephyrine.quux@example.org'

everyLook('corrections', async ({ app, page, go, shoot }) => {
  await page.waitForTimeout(500)
  const records = [0, 1, 2].map((n) => ({
    id: `call-${n}`,
    source: 'client-desk',
    model: 'gpt-4',
    provider: 'openai',
    latency_ms: 900 + n * 37,
    user_id: SUBJECT,
    attributes: { branch: 'Basle' },
    prompt: `Case ${n}: the client ${SUBJECT} asks until when her savings plan of 900 a month can be changed. Draft a reply in two sentences.`,
    response: `Dear client,\n\nYour savings plan of 900 a month, case ${n}, can be changed until 31 March. Please tell us the new amount before that day.`
  }))
  const posted = await fetch(`http://127.0.0.1:${app.ports.compliance}/api/compliance/events`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(records)
  })
  expect(posted.ok).toBe(true)
  const bundle = { recipient: 'Examiner', purpose: 'Audit', out: join(app.userData, 'one.affidavit.zip') }
  await waitForJob(page, (await callOk(page, 'export.start', bundle)).job_id)

  await go('/records?query=savings')
  await expect(page.getByText('3 of 3 records match')).toBeVisible()
  await page.getByRole('row').nth(1).click()
  await page.getByRole('tab', { name: 'Metadata' }).click()
  await expect(page.getByText('Nothing in this record was corrected.')).toBeVisible()
  await page.getByRole('button', { name: 'Correct…' }).click()
  const dialog = page.getByRole('dialog', { name: /^Correct leaf/ })
  const record = dialog.getByRole('button', { name: 'Record the correction' })
  await expect(dialog.getByText('Part of this is masked')).toBeVisible()
  await shoot('24-correct-masked')
  await dialog.getByRole('combobox', { name: 'Place' }).click()
  await page.getByRole('option', { name: 'Message 2, assistant' }).click()
  await dialog.getByLabel('Why').fill('The plan is of 700, says the contract')
  // Nothing differs yet, also not after there and back.
  await expect(record).toBeDisabled()
  const text = dialog.getByLabel('Should be')
  const original = await text.inputValue()
  await text.fill('x')
  await text.fill(original)
  await expect(record).toBeDisabled()
  await text.fill(original.replace('900', '700'))
  await dialog.getByRole('combobox', { name: 'Place' }).click()
  await page.getByRole('option', { name: 'branch' }).click()
  await dialog.getByLabel('Should be').fill('Berne')
  await expect(dialog.getByText('Message 2, assistant; branch')).toBeVisible()
  await shoot('24-correct')
  await record.click()
  await expect(dialog).toHaveCount(0)
  await expect(page.getByText('The plan is of 700, says the contract')).toBeVisible()
  await page.getByText('The plan is of 700, says the contract').scrollIntoViewIfNeeded()
  await shoot('24-corrected-metadata')
  await page.getByRole('tab', { name: 'Conversation' }).click()
  await expect(page.getByText('plan of 900 a month, case 2, can be')).toBeVisible()
  await expect(page.getByText('plan of 700 a month, case 2, can be')).toBeVisible()
  await shoot('24-corrected-conversation')
  await page.getByRole('tabpanel').getByRole('button', { name: /^leaf/ }).click()
  await expect(page.getByText('This correction is in the ledger and unchanged.')).toBeVisible()
  await shoot('24-correction-proof')
  await page.keyboard.press('Escape')
  await page.getByRole('button', { name: 'Filter', exact: true }).click()
  await page.getByRole('menuitem', { name: 'Corrected' }).click()
  await expect(page.getByRole('button', { name: 'Remove filter corrected:yes' })).toBeVisible()

  await callOk(page, 'requests.open', { kind: 'rectification', reference: 'DSR 26-9', received: new Date().toISOString().slice(0, 10) })
  await go('/compliance?view=subjects')
  await page.getByLabel('Identifiers').fill(SUBJECT)
  await page.getByRole('button', { name: 'Find records' }).click()
  const list = page.getByRole('list', { name: 'Records to correct' })
  await expect(list.getByRole('listitem')).toHaveCount(3)
  await shoot('24-rectify')
  await list.getByRole('button', { name: 'Correct…' }).first().click()
  await dialog.getByRole('combobox', { name: 'Place' }).click()
  await page.getByRole('option', { name: 'Person (user_id)' }).click()
  await dialog.getByRole('button', { name: 'Unmask…' }).click()
  await page.getByLabel('Reason').fill('DSR 26-9')
  await page.getByRole('button', { name: 'Unmask', exact: true }).click()
  await expect(dialog.getByLabel('Should be')).toHaveValue(SUBJECT)
  await dialog.getByLabel('Should be').fill('zephyrine.quuz@example.org')
  await dialog.getByLabel('Why').fill('Her address was taken down wrongly')
  await shoot('24-rectify-unmasked')
  await record.click()
  await expect(list.getByText(/^corrected, leaf/)).toBeVisible()
  await expect(page.getByText('Recipients to tell (GDPR 19)')).toBeVisible()
  await expect(page.getByRole('cell', { name: 'Examiner' })).toBeVisible()
  await expect(page.getByText(/^corrected, 1 record/)).toBeVisible()
  await shoot('24-rectified')

  await go('/compliance?view=activity')
  await expect(page.getByText('corrected a record').first()).toBeVisible()
  await shoot('24-activity')
  await go('/compliance?view=requirements')
  await page.getByText('Original beside correction, 2 corrections').first().click()
  await expect(page.getByRole('button', { name: 'Remove filter corrected:yes' })).toBeVisible()
})
