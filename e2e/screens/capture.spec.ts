// SPDX-License-Identifier: Apache-2.0
// From nothing on record to the first call: the way in, an upstream, a client, and the sample.
import { callOk } from '../data.ts'
import { expect } from '../harness.ts'
import { oneLook } from './walk.ts'

oneLook('light', 'first run, capture and sample', async ({ app, page, go, shoot }) => {
  await expect(page.getByRole('heading', { name: 'Nothing is on record yet' })).toBeVisible()
  await page.getByRole('button', { name: 'Record its calls' }).click()
  await expect(page.getByRole('heading', { name: 'Point the client at the recorder' })).toBeVisible()
  await expect(page.getByText(`export OLLAMA_HOST=http://127.0.0.1:${app.ports.compliance}/proxy/ollama`)).toBeVisible()
  await shoot('10-first-run')

  await go('/settings?view=capture')
  await page.getByLabel('New client').fill('web-app')
  await page.getByRole('button', { name: 'Make a token' }).click()
  await expect(page.getByText(/shown this once/)).toBeVisible()
  await page.getByRole('button', { name: /HTTP and curl/ }).click()
  const token = await page.getByText(/^aff_/).textContent()
  const answer = await fetch(`http://127.0.0.1:${app.ports.compliance}/api/compliance/events`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
    body: '{"model":"gpt-4","prompt":"p","response":"r","latency_ms":812}'
  })
  expect(answer.status).toBe(200)
  await expect(page.getByText('gpt-4 for web-app arrived')).toBeVisible()
  await expect(page.getByText('No price yet.')).toBeVisible()
  await page.getByRole('button', { name: 'Add a price…' }).click()
  const price = page.getByRole('dialog', { name: 'Add a price' })
  await price.getByLabel('Model').fill('gpt-4*')
  await price.getByLabel('From, a day in UTC').fill('2025-01-01')
  await price.getByRole('textbox', { name: 'Input, USD per million', exact: true }).fill('30')
  await price.getByRole('textbox', { name: 'Output, USD per million', exact: true }).fill('60')
  await price.getByRole('textbox', { name: 'Reason', exact: true }).fill('the public list')
  await price.getByRole('button', { name: 'Add', exact: true }).click()
  await expect(page.getByRole('row', { name: /gpt-4\* any 2025-01-01 30 60/ })).toBeVisible()
  await page.getByRole('row', { name: /gpt-4/ }).scrollIntoViewIfNeeded()
  await shoot('11-capture')

  await page.evaluate(() => window.affidavit.call('shell.openSample', {}))
  await expect(page.getByText('Generated data, no evidence')).toBeVisible()
  await go('/drift')
  // All 247 alerts, a page of each state at a time.
  const open = page.getByRole('group', { name: 'Open' }).getByRole('option')
  await expect(open).toHaveCount(100)
  await shoot('12-sample-drift')
  await page.getByRole('button', { name: 'Show older open alerts' }).click()
  await expect.poll(async () => await page.getByRole('listbox', { name: 'Alerts' }).getByRole('option').count()).toBe(247)
  // The address of the oldest open one shows it, behind all newer ones that were not read yet.
  const oldest = (await callOk(page, 'drift.alerts', { state: 'open', limit: 1000 })).alerts.at(-1)
  if (!oldest) throw new Error('the sample has no open alert')
  await go('/dashboard')
  await page.reload()
  await go('/drift')
  await expect(open).toHaveCount(100)
  await expect(page.locator(`#alert-${oldest.id}`)).toHaveCount(0)
  await go(`/drift?alert=${oldest.id}`)
  await expect(page.locator(`#alert-${oldest.id}`)).toHaveAttribute('aria-selected', 'true')
  await page.getByRole('button', { name: 'Leave the sample' }).click()
  await expect(page.getByText('Generated data, no evidence')).toBeHidden()
})
