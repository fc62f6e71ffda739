// SPDX-License-Identifier: Apache-2.0
// The records view by keyboard alone: the focus is never lost.
import type { Page } from '@playwright/test'
import { callOk, records, waitForJob } from '../data.ts'
import { expect } from '../harness.ts'
import { oneLook } from './walk.ts'

/** The row of the grid that has the focus, by its place from 0; null while the focus is elsewhere. */
const focusedRow = (page: Page) =>
  page.evaluate(() => {
    const row = document.activeElement?.closest('[role=grid] [role=row]')
    return row ? Number(row.getAttribute('aria-rowindex')) - 2 : null
  })

async function press(page: Page, key: string): Promise<number | null> {
  await page.keyboard.press(key)
  return focusedRow(page)
}

oneLook('light', 'records by keyboard', async ({ page, go, shoot }) => {
  const file = await records()
  await waitForJob(page, (await callOk(page, 'import.start', { path: file.path, profile: file.profile })).job_id)
  await callOk(page, 'events.append', {
    events: [
      {
        model: 'llama3.2',
        source: 'desk',
        prompt: 'Write to zephyrine.quux@example.org that her savings can be moved',
        response: 'Dear client',
        latency_ms: 2500
      }
    ]
  })
  // A list that is read while the catalog lags is shorter.
  await expect.poll(async () => (await callOk(page, 'records.open', {})).count, { timeout: 60_000 }).toBe(file.rows + 1)
  await go('/records')
  const rows = page.getByRole('grid', { name: 'Records' }).getByRole('row')
  const focused = page.locator(':focus')
  await rows.nth(1).focus()

  // No key of the grid takes the focus out of it, whether rows are there or still on their way.
  const page1 = await press(page, 'PageDown')
  expect(page1).toBeGreaterThan(10)
  for (const [key, at] of [
    ['PageDown', 2 * Number(page1)],
    ['PageDown', 3 * Number(page1)],
    ['PageUp', 2 * Number(page1)],
    ['ArrowDown', 2 * Number(page1) + 1],
    ['End', file.rows],
    ['PageUp', file.rows - Number(page1)],
    ['ArrowUp', file.rows - Number(page1) - 1],
    ['Home', 0],
    ['ArrowUp', 0],
    ['ArrowDown', 1]
  ] as const) {
    expect.soft(await press(page, key), key).toBe(at)
    await expect.soft(focused, key).toBeInViewport({ ratio: 1 })
  }

  // Scrolled away by the wheel, the row keeps the focus, and the next key goes on from it.
  await page.mouse.move(600, 400)
  await page.mouse.wheel(0, 6000)
  await expect(rows.nth(5)).not.toHaveAttribute('aria-rowindex', '6')
  expect(await focusedRow(page)).toBe(1)
  expect(await press(page, 'ArrowDown')).toBe(2)
  await expect(focused).toBeInViewport({ ratio: 1 })
  await shoot('80-grid')

  // A dialog gives the focus back to what opened it, or to what stands there instead.
  await press(page, 'Home')
  await expect(async () => {
    await page.keyboard.press('Enter')
    await expect(page.getByText('1 span of personal data is masked.')).toBeVisible({ timeout: 2_000 })
  }).toPass({ timeout: 30_000 })
  // Escape ends the dialog on top alone.
  await page.getByRole('tab', { name: 'Metadata' }).click()
  const correct = page.getByRole('button', { name: 'Correct…' })
  await correct.focus()
  await page.keyboard.press('Enter')
  const dialog = page.getByRole('dialog', { name: /^Correct leaf/ })
  await dialog.getByRole('button', { name: 'Unmask…' }).focus()
  await page.keyboard.press('Enter')
  await expect(page.getByRole('dialog', { name: /^Unmask leaf/ }).getByLabel('Reason')).toBeFocused()
  await page.keyboard.press('Escape')
  await expect(page.getByRole('dialog', { name: /^Unmask leaf/ })).toBeHidden()
  await expect(dialog.getByRole('button', { name: 'Unmask…' })).toBeFocused()
  await page.keyboard.press('Escape')
  await expect(correct).toBeFocused()
  await page.getByRole('tab', { name: 'Conversation' }).click()
  const unmask = page.getByRole('button', { name: 'Unmask…' })
  await unmask.focus()
  await page.keyboard.press('Enter')
  await expect(page.getByLabel('Reason')).toBeFocused()
  await page.keyboard.press('Escape')
  await expect.soft(unmask).toBeFocused()
  await unmask.focus()
  await page.keyboard.press('Enter')
  await expect(page.getByLabel('Reason')).toBeFocused()
  await page.keyboard.type('Complaint 26-114')
  await page.getByRole('button', { name: 'Unmask', exact: true }).focus()
  await page.keyboard.press('Enter')
  await expect(page.getByText('Shown without masks until this pane is closed')).toBeVisible()
  await expect.soft(page.getByRole('tabpanel', { name: 'Conversation' })).toBeFocused()
  await page.keyboard.press('Escape')
  await expect(page.getByRole('tabpanel')).toBeHidden()
  await expect.poll(() => focusedRow(page)).toBe(0)

  // Beside the pane the request keeps its room, and a cell that is cut says the whole.
  const request = page.getByRole('gridcell', { name: /^Is \d+ a prime number/ }).first()
  await press(page, 'ArrowDown')
  await page.keyboard.press('Enter')
  await expect(page.getByRole('tabpanel')).toBeVisible()
  expect.soft((await request.boundingBox())?.width).toBeGreaterThanOrEqual(220)
  await request.hover()
  await expect.soft(request).toHaveAttribute('title', (await request.textContent()) ?? '')
  await shoot('80-pane')
  await page.keyboard.press('Escape')

  // A chip says what can be typed, or that it is no field.
  const box = page.getByRole('textbox', { name: 'Filter records' })
  await page.keyboard.press('/')
  await page.keyboard.type('prime -"two words" latency:>2s')
  await page.keyboard.press('Enter')
  await expect(page.getByRole('button', { name: 'Remove filter latency:>2s' })).toBeVisible()
  expect.soft(await page.locator('.chip').allTextContents()).toEqual(['containsprime', 'without"two words"', 'latency:>2s'])
  await expect.soft(box).toHaveCSS('outline-style', 'solid')
  await shoot('80-chips')

  const many = 'model:gpt-4-0613 source:llmdrift -status:error tokens:0..10 prime think step from:2023-01-01 latency:<60s'
  await go(`/records?query=${encodeURIComponent(many)}`)
  await expect(page.locator('.chip')).toHaveCount(9)
  await expect.soft(page.getByRole('button', { name: 'Export…' })).toBeInViewport({ ratio: 1 })
  await shoot('80-many-chips')

  // A filter that is none shows nothing of the one before, neither when it is typed nor when it is in the address.
  await box.focus()
  await page.keyboard.type('colour:red')
  await page.keyboard.press('Enter')
  await expect.soft(box).toHaveAccessibleDescription(/^There is no field colour, only model, source, .*latency/)
  await expect.soft(page.getByText(/records match/)).toBeVisible()
  await shoot('80-typed-problem')
  await go(`/records?query=${encodeURIComponent('foo:bar')}`)
  await expect.soft(page.getByRole('alert').getByText(/^There is no field foo, only model, source, .*latency/)).toBeVisible()
  await expect.soft(box).toHaveValue('foo:bar')
  await expect.soft(box).toHaveAttribute('aria-invalid', 'true')
  await expect.soft(page.getByText(/records match|\d records/)).toHaveCount(0)
  await expect.soft(page.getByRole('scrollbar')).toHaveAttribute('aria-valuetext', 'no records')
  await expect.soft(page.getByRole('button', { name: 'Export…' })).toBeDisabled()
  await shoot('80-no-filter')
  await page.getByRole('button', { name: 'Show all records' }).focus()
  await page.keyboard.press('Enter')
  await expect.soft(box).toHaveValue('')
  await expect(rows.nth(1)).toBeVisible()

  // The palette leads to the row of a leaf, and its selected row can be seen.
  const leaf = (await callOk(page, 'records.page', { handle: (await callOk(page, 'records.open', {})).handle, offset: 900, limit: 1 }))
    .rows[0]
  await page.keyboard.press('Control+k')
  await page.keyboard.type(String(leaf?.seq))
  const chosen = page.locator('[data-selected]')
  await expect.soft(chosen).toHaveText(`Go to leaf ${leaf?.seq.toLocaleString('en-US')}`)
  const colours = await chosen.evaluate((row) =>
    [row, ...row.querySelectorAll('span:has(> svg)')].map((one) => getComputedStyle(one).color)
  )
  expect.soft(colours[1]).toBe(colours[0])
  await shoot('80-palette')
  await page.keyboard.press('Enter')
  await expect(page.getByRole('complementary', { name: `Record, leaf ${leaf?.seq.toLocaleString('en-US')}` })).toBeVisible()
  await expect.poll(() => focusedRow(page)).toBe(900)
  await expect(focused).toBeInViewport({ ratio: 1 })
  await page.keyboard.press('Escape')
  await expect.poll(() => focusedRow(page)).toBe(900)

  for (const name of ['desk', 'mail']) await callOk(page, 'clients.add', { name, scopes: ['ingest'] })
  await go('/settings?view=capture')
  const revoke = page.getByRole('button', { name: 'Revoke…' })
  await expect(revoke).toHaveCount(2)
  await revoke.first().focus()
  await page.keyboard.press('Enter')
  await page.getByRole('button', { name: 'Revoke', exact: true }).focus()
  await page.keyboard.press('Enter')
  await expect(revoke).toHaveCount(1)
  await expect.soft(revoke).toBeFocused()
  // What works for a while, or has nothing more to do, does not lose it.
  const pinned = { name: 'gpt-4 in March', query: 'model:gpt-4-0314', model: 'gpt-4-0613', source: 'llmdrift' }
  await callOk(page, 'drift.set_baseline', pinned)
  await page.keyboard.press('Control+3')
  const lookNow = page.getByRole('button', { name: 'Look now' }).first()
  await expect(lookNow).toBeEnabled()
  await lookNow.focus()
  await page.keyboard.press('Enter')
  await expect.poll(() => page.evaluate(() => document.activeElement === document.body)).toBe(false)
  await expect.soft(lookNow).toBeFocused()
  await go('/compliance?view=processing')
  await page.getByLabel('Controller').fill('Firm of the example')
  await page.getByRole('button', { name: 'Save', exact: true }).focus()
  await page.keyboard.press('Enter')
  await expect(page.getByRole('button', { name: 'Save', exact: true })).toBeDisabled()
  await expect.soft(page.locator('main :focus')).toHaveCount(1)
  // Another screen begins at its beginning.
  await page.keyboard.press('Control+1')
  await expect(page.getByText('Open drift alerts')).toBeVisible()
  await expect.soft(page.getByRole('main')).toBeFocused()

  // A result that newer searches pushed out is not waited for.
  await go('/records?query=-source:desk')
  await expect(page.getByText(/ of .* records match/)).toBeVisible()
  await rows.nth(1).focus()
  for (let i = 0; i < 40; i++) await callOk(page, 'records.open', { query: `seq:${i}` })
  await page.keyboard.press('End')
  await expect(page.getByRole('heading', { name: 'This result is not kept any more' })).toBeVisible()
  await shoot('04-result-gone')
  await page.getByRole('button', { name: 'Search again' }).click()
  await rows.nth(1).focus()
  await page.keyboard.press('End')
  await expect(rows.last()).toContainText(/\d/)
})
