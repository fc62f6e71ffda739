// SPDX-License-Identifier: Apache-2.0
// A bundle that the system opens with the app: verified first, then looked through in the same views, while recording goes on.
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from '../harness.ts'
import { oneLook } from './walk.ts'

const record = (n: number, latency: number) => ({
  id: `call-${n}`,
  source: 'desk',
  model: 'gpt-4',
  start_time: new Date(Date.UTC(2026, 0, 1) + n * 60_000).toISOString(),
  latency_ms: latency + (n % 9),
  prompt: `May the client of case ${n} see the file?`,
  response: `Case ${n} is closed; the file is with the court.`
})

oneLook('dark', 'a bundle under review', async ({ app, page, go, shoot }) => {
  const post = async (events: readonly object[]): Promise<void> => {
    const reply = await fetch(`http://127.0.0.1:${app.ports.compliance}/api/compliance/events`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(events)
    })
    expect(await reply.json()).toMatchObject({ accepted: events.length, rejected: [] })
  }
  const call = (op: string, input: object): Promise<unknown> =>
    page.evaluate(
      async ([name, value]) => {
        const reply = await window.affidavit.call(name, value)
        if (!reply.ok) throw new Error(`${name}: ${reply.error.message}`)
        return reply.value
      },
      [op, input] as const
    )
  await go('/exports?view=verify')
  await expect(page.getByRole('button', { name: 'Choose a folder…' })).toBeVisible()
  await shoot('12-verify-nothing')
  await post(Array.from({ length: 200 }, (_, n) => record(n, 400)))
  await call('drift.set_baseline', { model: 'gpt-4', source: 'desk', query: 'source:desk', name: 'January' })
  await post(Array.from({ length: 100 }, (_, n) => record(1000 + n, 2400)))
  await call('drift.look', {})
  const out = join(app.workspace, '..', 'case-7.affidavit.zip')
  await go('/exports?view=new')
  await page.getByLabel('First day, UTC').fill('2026-01-01')
  await expect(page.getByLabel('Filter')).toHaveValue('from:2026-01-01T00:00:00Z')
  await shoot('12-export-period')
  await expect(page.getByText(/1 look whole, so that verdicts can be decided again: names and count tables/)).toBeVisible()
  await page.getByText('A whole range, nothing missing').click()
  await page.getByLabel('Last leaf').fill('120')
  await expect(page.getByText('leaves 0 to 120, none missing')).toBeVisible()
  await expect(page.getByText('All 121 leaves go along')).toBeVisible()
  await shoot('12-export-range')
  await page.getByText('Only what is found').click()
  await expect(page.getByText('leaves 0 to 120, none missing')).toHaveCount(0)
  const asked = { query: 'latency:>1s', recipient: 'Examiner', purpose: 'case 7', out, withhold: ['response'] }
  const { job_id } = (await call('export.start', asked)) as { job_id: string }
  await expect.poll(async () => ((await call('jobs.get', { id: job_id })) as { state: string }).state).toBe('done')

  // As the system does when such a file is opened while the app runs.
  await app.app.evaluate(({ app: electron }, path) => void electron.emit('second-instance', {}, ['affidavit', path], '/'), out)
  await expect(page.getByRole('heading', { name: 'Consistent, signer not confirmed' })).toBeVisible()
  await shoot('13-review-verified')
  await page.getByRole('button', { name: 'Look through its records' }).click()
  const band = page.getByRole('status', { name: 'Review' })
  await expect(band).toContainText('REVIEW, consistent, signer not confirmed', { timeout: 30_000 })
  await shoot('14-review-verification')
  await post([record(5000, 400)])

  await go('/records')
  await expect(page.getByText('100 records').or(page.getByText('100 of 100')).first()).toBeVisible()
  await page.getByRole('row', { name: /case 1099/ }).click()
  await expect(page.getByText('Withheld: response')).toBeVisible()
  await expect(page.getByText('verified', { exact: true }).first()).toBeVisible()
  await shoot('15-review-records')
  await page.getByRole('tab', { name: 'Life' }).click()
  await expect(
    page.getByText(/From the leaves that this bundle holds: .* A bundle brings no holds, restrictions or disposals/)
  ).toBeVisible()
  await page.getByRole('list', { name: 'Life of the record' }).getByRole('button', { name: /^leaf/ }).click()
  await expect(page.getByText('This leaf is in the ledger and unchanged.')).toBeVisible()
  await page.keyboard.press('Escape')
  await expect(page.getByRole('list', { name: 'Life of the record' })).toBeVisible()
  await shoot('15-review-life')
  await go('/drift')
  await expect(page.getByText(/latency/i).first()).toBeVisible()
  await shoot('16-review-drift')
  await go('/dashboard')
  await shoot('17-review-dashboard')

  await band.getByRole('button', { name: 'Verification' }).click()
  await page.getByLabel('How the fingerprints were compared').fill('read out on the telephone')
  await page.getByRole('button', { name: 'Both are the same' }).click()
  await expect(band).toContainText('REVIEW, valid')
  await shoot('18-review-confirmed')
  await band.getByRole('button', { name: 'Close the review' }).click()
  await expect(band).toBeHidden()
  await expect.poll(() => readdirSync(join(app.state, 'reviews'))).toEqual([])
  await go('/records?query=source:desk')
  // What came in meanwhile is on record.
  await expect(page.getByText(/301/).first()).toBeVisible()
})
