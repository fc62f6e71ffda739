// SPDX-License-Identifier: Apache-2.0
// Every view enlarged, in the smallest window that the product is made for: nothing lies on anything else or is cut (WCAG 1.4.4).
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { answerDialogs, fillWorkspace } from '../data.ts'
import { expect, type LaunchedApp, projectRoot } from '../harness.ts'
import { illegible } from '../legible.ts'
import { oneLook } from './walk.ts'

const views = [
  ['dashboard', '/dashboard'],
  ['records', '/records'],
  ['drift', '/drift'],
  ['series', '/drift?view=series'],
  ['compare', '/drift?view=compare'],
  ['backtest', '/drift?view=backtest'],
  ['export', '/exports'],
  ['verify', '/exports?view=verify'],
  ['history', '/exports?view=history'],
  ['requirements', '/compliance'],
  ['approvals', '/compliance?view=approvals'],
  ['activity', '/compliance?view=activity'],
  ['integrity', '/compliance?view=integrity'],
  ['retention', '/compliance?view=retention'],
  ['subjects', '/compliance?view=subjects'],
  ['processing', '/compliance?view=processing'],
  ['settings', '/settings'],
  ['capture', '/settings?view=capture'],
  ['keys', '/settings?view=keys'],
  ['anchors', '/settings?view=anchors'],
  ['privacy', '/settings?view=privacy'],
  ['people', '/settings?view=people'],
  ['drift-settings', '/settings?view=drift'],
  ['backup', '/settings?view=backup']
] as const

/** What is seen of the window: the pictures of the driver do not know of the enlargement. */
async function picture(app: LaunchedApp, name: string): Promise<void> {
  const png = await app.app.evaluate(async ({ BrowserWindow }) => {
    const image = await BrowserWindow.getAllWindows()[0]?.webContents.capturePage()
    return image?.toPNG().toString('base64') ?? ''
  })
  writeFileSync(join(projectRoot, 'test-results', 'screens', `zoom-${name}.png`), Buffer.from(png, 'base64'))
}

oneLook('light', 'enlarged', async ({ app, page, go }) => {
  const bundle = await fillWorkspace(app)
  const found: string[] = []
  for (const factor of [1.5, 2]) {
    await app.app.evaluate(({ BrowserWindow }, zoom) => BrowserWindow.getAllWindows()[0]?.webContents.setZoomFactor(zoom), factor)
    const look = async (name: string) => {
      await page.waitForTimeout(400)
      await picture(app, `${100 * factor}-${name}`)
      for (const one of await illegible(page)) found.push(`${100 * factor} %, ${name}: ${one}`)
    }
    for (const [name, route] of views) {
      await go(route)
      await expect(page.getByText(/^(Reading|Counting|Loading)/).first()).toBeHidden()
      await look(name)
      if (name === 'records') {
        await page.getByRole('row').nth(3).click()
        await expect(page.getByRole('tab', { name: 'Proof' })).toBeVisible()
        await look('record')
      }
      if (name === 'verify') {
        await answerDialogs(app.app, { open: [bundle] })
        await page.getByRole('button', { name: 'Choose a bundle…' }).click()
        await expect(page.getByRole('heading', { name: 'Consistent, signer not confirmed' })).toBeVisible()
        await look('verified')
      }
    }
  }
  expect(found).toEqual([])
})
