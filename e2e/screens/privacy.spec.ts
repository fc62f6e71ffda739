// SPDX-License-Identifier: Apache-2.0
// Masks and unmasking, requests of subjects, a copy of data, erasure by two people and its certificate.
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { answerDialogs, callOk, waitForJob } from '../data.ts'
import { expect } from '../harness.ts'
import { oneLook } from './walk.ts'

const SUBJECT = 'zephyrine.quux@example.org'
const PASSWORD = 'correct horse battery'
const FIRST = 'a first password to change'

oneLook('light', 'privacy', async ({ app, page, go, shoot }) => {
  await page.waitForTimeout(500)
  const records = Array.from({ length: 24 }, (_, n) => ({
    id: `call-${n}`,
    source: 'client-desk',
    model: 'gpt-4',
    provider: 'openai',
    latency_ms: 900 + n * 37,
    input_tokens: 60 + n,
    output_tokens: 90 + n,
    ...(n % 4 === 0
      ? {
          user_id: SUBJECT,
          prompt: `Draft a reply to the client: she asks whether she can move her savings from DE89 3704 0044 0532 0130 00 before 31 March. Her e-mail is ${SUBJECT}, case ${n}.`,
          response: `Dear client,\n\nA transfer from DE89 3704 0044 0532 0130 00 can be requested at any time. This was sent to ${SUBJECT} and to +44 20 7946 0958.`
        }
      : { prompt: `Is ${10_007 + n} a prime number?`, response: 'Let us see, step by step.' })
  }))
  const posted = await fetch(`http://127.0.0.1:${app.ports.compliance}/api/compliance/events`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(records)
  })
  expect(posted.ok).toBe(true)

  await go(`/records?query=${encodeURIComponent('savings')}`)
  await page.getByRole('row').nth(1).click()
  await expect(page.getByText('spans of personal data are masked')).toBeVisible()
  await expect(page.getByText(SUBJECT)).toHaveCount(0)
  await shoot('20-masked')
  await page.getByRole('button', { name: 'Unmask…' }).click()
  await page.getByLabel('Reason').fill('Complaint 26-114')
  await shoot('20-unmask')
  await page.getByRole('button', { name: 'Unmask', exact: true }).click()
  await expect(page.getByText('Shown without masks until this pane is closed')).toBeVisible()
  await expect(page.getByText(SUBJECT).first()).toBeVisible()
  await shoot('20-unmasked')
  await page.getByRole('tab', { name: 'Metadata' }).click()
  await page.getByRole('button', { name: 'Review…' }).click()
  await page.getByText('Escalated', { exact: true }).click()
  await page.getByLabel('Why').fill('Promises a day that nobody can promise')
  await shoot('20-review')
  await page.getByRole('button', { name: 'Record the review' }).click()
  await expect(page.getByText('Promises a day that nobody can promise')).toBeVisible()
  await shoot('20-reviewed')
  await page.getByRole('tab', { name: 'Life' }).click()
  const life = page.getByRole('list', { name: 'Life of the record' })
  for (const what of ['Recorded', 'Viewed', 'Unmasked', 'Reviewed: escalated'])
    await expect(life.getByText(what, { exact: true }).first()).toBeVisible()
  await shoot('20-life')
  await life.getByRole('button', { name: /^leaf/ }).last().click()
  await expect(page.getByText('This leaf is in the ledger and unchanged.')).toBeVisible()
  await shoot('20-leaf-proof')
  // Ends the dialog alone.
  await page.keyboard.press('Escape')
  await expect(life).toBeVisible()
  await page.getByRole('button', { name: 'Close pane' }).click()
  await page.getByRole('row').nth(1).click()
  await expect(page.getByText('spans of personal data are masked')).toBeVisible()
  await expect(page.getByText(SUBJECT)).toHaveCount(0)

  await go('/settings?view=privacy')
  await page.getByRole('button', { name: 'Add a pattern' }).click()
  await page.getByLabel('Word in the mask').fill('client')
  await page.getByLabel('Pattern', { exact: true }).fill('KD-\\d{6}')
  await page.getByLabel('Try it').fill(`KD-123456 wrote from ${SUBJECT}, SSN 123-45-6789`)
  await expect(page.getByText('3 found')).toBeVisible()
  await shoot('21-privacy-settings')
  // What is not saved yet is there again after another view was looked at.
  await go('/settings?view=keys')
  await expect(page.getByRole('heading', { name: 'Keys' })).toBeVisible()
  await go('/settings?view=privacy')
  await expect(page.getByLabel('Word in the mask')).toHaveValue('client')
  await expect(page.getByText('Not saved yet')).toBeVisible()

  await go('/compliance?view=subjects')
  await expect(page.getByRole('heading', { name: 'No request is on record' })).toBeVisible()
  await shoot('22-subjects-empty')
  await callOk(page, 'requests.open', { kind: 'access', reference: 'DSR 26-6', received: new Date().toISOString().slice(0, 10) })
  await callOk(page, 'requests.open', { kind: 'restriction', reference: 'DSR 26-5', received: '2026-01-31' })
  await page.getByRole('button', { name: 'Enter a request…' }).click()
  await expect(page.getByLabel('Reference')).toBeFocused()
  await page.getByRole('combobox', { name: 'Kind' }).click()
  await page.getByRole('option', { name: 'Access' }).click()
  await page.getByLabel('Reference').fill('DSR 26-7')
  await page.getByRole('button', { name: 'Enter', exact: true }).click()
  await page.getByLabel('Identifiers').fill(SUBJECT)
  await page.getByRole('button', { name: 'Find records' }).click()
  await expect(page.getByText('Write the copy of 6 records…')).toBeVisible()
  await shoot('22-subjects-access')
  const out = join(app.userData, 'copy.json')
  await answerDialogs(app.app, { save: out })
  await page.getByText('Write the copy of 6 records…').click()
  await expect(page.getByText(/copy of data written, 6 records/)).toBeVisible()
  expect(readFileSync(out, 'utf8')).toContain(SUBJECT)
  const pdf = join(app.userData, 'copy.pdf')
  expect(wordsIn(pdf)).toContain(sha256(out))

  const bundle = { recipient: 'Examiner', purpose: 'Audit', out: join(app.userData, 'one.affidavit.zip') }
  await waitForJob(page, (await callOk(page, 'export.start', bundle)).job_id)
  await page.getByText('DSR 26-5').first().click()
  await page.getByLabel('Identifiers').fill(SUBJECT)
  await page.getByRole('button', { name: 'Find records' }).click()
  await page.getByLabel('Reason').fill('Accuracy contested, Article 18(1)(a)')
  await page.getByRole('button', { name: 'Restrict 6 records' }).click()
  await expect(page.getByText(/On record in leaf/)).toBeVisible()
  await shoot('22-subjects-restrict')
  await page.getByRole('button', { name: 'Note as told…' }).click()
  await page.getByLabel('How, and when').fill('Letter of 26 November 2026')
  await shoot('22-subjects-tell')
  await page.getByRole('button', { name: 'Record it' }).click()
  await expect(page.getByRole('cell', { name: /by local/ })).toBeVisible()
  await shoot('22-subjects-told')
  await page.getByRole('button', { name: 'Show all restricted records' }).click()
  await expect(page.getByRole('button', { name: 'Remove filter restricted:yes' })).toBeVisible()
  await page.getByRole('row').nth(1).click()
  await expect(page.getByText('Restricted (GDPR 18).')).toBeVisible()
  await shoot('22-restricted-records')
  expect((await callOk(page, 'records.open', { query: 'savings' })).count).toBe(0)
  const { handle } = await callOk(page, 'records.open', { query: 'restricted:yes' })
  const restricted = (await callOk(page, 'records.page', { handle, offset: 0, limit: 100 })).rows.map((row) => row.seq)
  expect(restricted).toHaveLength(6)
  await callOk(page, 'restrict.set', { seqs: restricted, on: false, reason: 'accuracy settled' })

  // From here on people sign in: one asks, another gives.
  await callOk(page, 'people.add', { name: 'Ada Admin', role: 'administrator', password: PASSWORD })
  await callOk(page, 'people.add', { name: 'Dora Data', role: 'data_protection', password: FIRST })
  await callOk(page, 'people.add', { name: 'Rex Review', role: 'reviewer', password: FIRST })
  const signIn = async (name: string, password = PASSWORD) => {
    await callOk(page, 'session.sign_out', {})
    await callOk(page, 'session.sign_in', { name, password })
    // A password that somebody else gave is good for one sign-in.
    if (password === FIRST) await callOk(page, 'session.set_password', { current: FIRST, password: PASSWORD })
  }
  await signIn('Rex Review', FIRST)
  await signIn('Dora Data', FIRST)
  await callOk(page, 'requests.open', { kind: 'erasure', reference: 'DSR 26-8', received: '2026-11-01' })
  await go('/compliance')
  await go('/compliance?view=subjects')
  await page.getByLabel('Identifiers').fill(SUBJECT)
  await page.getByRole('button', { name: 'Find records' }).click()
  await page.getByRole('combobox', { name: 'Ground' }).click()
  await page.getByRole('option', { name: /consent withdrawn/ }).click()
  await page.getByLabel(/overrides/).fill('the right outweighs the firm’s own period')
  await shoot('22-subjects-erasure')
  await page.getByRole('button', { name: 'Ask to erase 6 records' }).click()
  await expect(page.getByText('Another person decides it')).toBeVisible()
  await expect(page.getByText('waits for a second person', { exact: true })).toBeVisible()
  await signIn('Rex Review')
  const decide = async (act: 'Refuse' | 'Approve', note: string) => {
    await go('/compliance')
    await go('/compliance?view=approvals')
    await page.getByRole('button', { name: 'Decide…' }).click()
    await expect(page.getByLabel('Note')).toBeFocused()
    await expect(page.getByText(/^Ground: .*consent withdrawn.*over the retention: the right outweighs/)).toBeVisible()
    await page.getByLabel('Note').fill(note)
    await shoot('22-subjects-decide')
    await page.getByRole('button', { name: act }).click()
    await expect(page.getByRole('dialog')).toBeHidden()
  }
  await decide('Refuse', 'The letter names two customers')
  await signIn('Dora Data')
  await go('/compliance')
  await go('/compliance?view=subjects')
  // Whoever asked sees who refused, and why.
  await expect(page.getByText(/, by Rex Review, .*: The letter names two customers/)).toBeVisible()
  await shoot('22-subjects-refused')
  const [refused] = (await callOk(page, 'requests.list', {})).requests
  const seqs = (await callOk(page, 'subjects.find', { identifiers: [SUBJECT], query: '' })).seqs
  const ground = 'consent withdrawn and no other ground, Article 17(1)(b)'
  const override = 'the right outweighs the firm’s own period'
  await callOk(page, 'erasure.ask', { request_id: refused?.id ?? '', decisions: [{ seqs, ground, override }] })
  await signIn('Rex Review')
  await decide('Approve', 'checked')
  await signIn('Dora Data')
  await go('/compliance')
  await go('/compliance?view=subjects')
  await expect(page.getByText('6 records erased, no trace found')).toBeVisible({ timeout: 30_000 })
  await shoot('22-subjects-erased')
  const certificate = join(app.userData, 'certificate.html')
  await answerDialogs(app.app, { save: certificate })
  await page.getByRole('button', { name: 'Save the certificate…' }).click()
  await expect(page.getByText('The certificate was written')).toBeVisible()
  expect(readFileSync(certificate, 'utf8')).toContain('no trace')
  const printed = join(app.userData, 'certificate.pdf')
  expect(wordsIn(printed)).toContain(sha256(join(app.userData, 'certificate.json')))
  expect(wordsIn(printed)).toMatch(/Page1of\d/)
  for (const file of readdirSync(app.workspace)) {
    const path = join(app.workspace, file)
    if (existsSync(path) && !readdirOf(path)) expect(readFileSync(path).includes('zephyrine'), file).toBe(false)
  }
  await go('/records')
  await page.getByRole('row').nth(4).click()
  await expect(page.getByText('The content was erased')).toBeVisible()
  await expect(page.getByText(/Begun in leaf [\d,]+, done in leaf [\d,]+\./)).toBeVisible()
  await shoot('23-erased-record')
})

const sha256 = (path: string): string => createHash('sha256').update(readFileSync(path)).digest('hex')

/** The words of a tagged PDF, without spaces: a digest may be broken over lines. */
function wordsIn(path: string): string {
  expect(readFileSync(path, 'latin1')).toContain('/StructTreeRoot')
  return spawnSync('pdftotext', ['-layout', path, '-'], { encoding: 'utf8' }).stdout.replace(/\s/g, '')
}

function readdirOf(path: string): boolean {
  try {
    readdirSync(path)
    return true
  } catch {
    return false
  }
}
