// SPDX-License-Identifier: Apache-2.0
// Keys under a passphrase: the app asks for it at start, says when it is wrong, and opens read-only without it.
import { spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import AxeBuilder from '@axe-core/playwright'
import { callOk } from './data.ts'
import { expect, launchApp, projectRoot, screenshot, temporaryFolder, test } from './harness.ts'

test('a passphrase is asked for at start, and stays out of files, arguments and output', async () => {
  test.setTimeout(120_000)
  const folder = temporaryFolder()
  const at = { workspace: join(folder, 'workspace'), state: join(folder, 'state') }
  const passphrase = 'zephyrine of the marmalade'
  const file = join(folder, 'passphrase')
  writeFileSync(file, `${passphrase}\n`)
  const line = { source: 'desk', model: 'm', start_time: '2026-01-01T00:00:00Z', prompt: 'question', response: 'answer' }
  writeFileSync(join(folder, 'one.jsonl'), `${JSON.stringify(line)}\n`)
  const made = spawnSync(
    process.execPath,
    [join(projectRoot, 'src/cli/index.ts'), 'import', join(folder, 'one.jsonl'), '--workspace', at.workspace, '--state', at.state],
    { encoding: 'utf8', env: { ...process.env, AFFIDAVIT_PASSPHRASE_FILE: file } }
  )
  expect(made.status, made.stderr).toBe(0)

  const { app, page, output, userData } = await launchApp(at)
  const field = page.getByLabel('Passphrase', { exact: true })
  await expect(field).toBeVisible({ timeout: 30_000 })
  await screenshot(page, 'unlock')
  expect((await new AxeBuilder({ page }).setLegacyMode(true).analyze()).violations.map((one) => one.id)).toEqual([])
  await field.fill('not this one')
  await page.getByRole('button', { name: 'Open', exact: true }).click()
  await expect(page.getByText('This passphrase does not open the keys.')).toBeVisible({ timeout: 30_000 })
  await screenshot(page, 'unlock-wrong')

  await page.getByRole('button', { name: /^Without it/ }).click()
  await expect(page.getByRole('alert').filter({ hasText: 'was not given' })).toBeVisible({ timeout: 30_000 })
  expect(await callOk(page, 'workspace.status', {})).toMatchObject({ state: 'read_only', problem: { code: 'keys_missing' } })

  expect(await page.evaluate(() => window.affidavit.call('shell.restartEngine', {}))).toMatchObject({ ok: true })
  await field.fill(passphrase)
  await page.getByRole('button', { name: 'Open', exact: true }).click()
  await expect(field).toBeHidden({ timeout: 30_000 })
  await expect.poll(async () => (await callOk(page, 'workspace.status', {})).state, { timeout: 30_000 }).toBe('open')
  expect((await callOk(page, 'records.open', { query: '' })).count).toBe(1)
  const argv = await app.evaluate(() => process.argv.join(' '))
  expect(`${argv}${output()}${page.url()}${readFileSync(join(userData, 'shell.json'), 'utf8')}`).not.toContain('zephyrine')
})
