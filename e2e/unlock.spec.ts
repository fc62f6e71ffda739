// SPDX-License-Identifier: Apache-2.0
// Keys under a passphrase: the app asks for it at start, says when it is wrong, and opens read-only without it.
import { spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import AxeBuilder from '@axe-core/playwright'
import { callOk } from './data.ts'
import { enginePid, engineRunning, expect, launchApp, projectRoot, screenshot, temporaryFolder, test } from './harness.ts'

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

test('the keys are put under a passphrase in Settings, the next start asks for it, and back again', async () => {
  test.setTimeout(180_000)
  const folder = temporaryFolder()
  const at = { workspace: join(folder, 'workspace'), state: join(folder, 'state'), userData: join(folder, 'user-data') }
  const passphrase = 'velvet orchard lamp gravel thimble'
  const first = await launchApp(at)
  await engineRunning(first.page)
  await callOk(first.page, 'events.append', {
    events: [{ source: 'desk', model: 'm', start_time: '2026-01-01T00:00:00Z', prompt: 'question', response: 'answer' }]
  })
  await first.page.evaluate(() => (location.hash = '/settings?view=keys'))
  await expect(first.page.getByText('Keys protected by file permissions only.')).toBeVisible()
  await first.page.getByRole('button', { name: /^Change how the keys/ }).click()
  await expect(first.page.getByText('Key store of the system')).toBeVisible()
  const button = first.page.getByRole('button', { name: 'Protect the keys in this way' })
  await first.page.getByLabel('Passphrase', { exact: true }).last().fill('password 2026')
  await expect(first.page.getByText(/^Weak:/)).toBeVisible()
  await screenshot(first.page, 'keys-protect-weak')
  await first.page.getByLabel('Passphrase', { exact: true }).last().fill(passphrase)
  await expect(first.page.getByText(/^Strong/)).toBeVisible()
  await first.page.getByLabel('The same again').fill(`${passphrase}s`)
  await first.page.getByLabel(/^It is kept where/).check()
  await expect(first.page.getByText('Not the same')).toBeVisible()
  await expect(button).toBeDisabled()
  await first.page.getByLabel('The same again').fill(passphrase)
  await expect(first.page.getByText('Without it nobody can read the contents; it cannot be recovered.')).toBeVisible()
  await screenshot(first.page, 'keys-protect')
  expect((await new AxeBuilder({ page: first.page }).setLegacyMode(true).analyze()).violations.map((one) => one.id)).toEqual([])
  await button.click()
  await expect(first.page.getByText('Keys protected by a passphrase (scrypt).')).toBeVisible({ timeout: 30_000 })
  await screenshot(first.page, 'keys-protected')

  // An engine that ends by itself is started again with what was typed: recording goes on without a person.
  process.kill(await enginePid(first.app), 'SIGKILL')
  await expect
    .poll(async () => (await callOk(first.page, 'workspace.status', {}).catch(() => null))?.state, { timeout: 30_000 })
    .toBe('open')
  expect((await callOk(first.page, 'records.open', { query: '' })).count).toBe(1)
  await first.close()

  const second = await launchApp({ ...at, colorScheme: 'dark' })
  const field = second.page.getByLabel('Passphrase', { exact: true })
  await expect(field).toBeVisible({ timeout: 30_000 })
  await field.fill('velvet orchard lamp gravel thimbles')
  await second.page.getByRole('button', { name: 'Open', exact: true }).click()
  await expect(second.page.getByText('This passphrase does not open the keys.')).toBeVisible({ timeout: 30_000 })
  await field.fill(passphrase)
  await second.page.getByRole('button', { name: 'Open', exact: true }).click()
  await expect(field).toBeHidden({ timeout: 30_000 })
  await expect.poll(async () => (await callOk(second.page, 'workspace.status', {})).state, { timeout: 30_000 }).toBe('open')
  const entries = JSON.stringify(await callOk(second.page, 'activity.list', {}))
  expect(entries).toContain('key_protection')
  await second.page.evaluate(() => (location.hash = '/settings?view=keys'))
  await second.page.getByRole('button', { name: /^Change how the keys/ }).click()
  await second.page.getByText('Key file', { exact: true }).click()
  await screenshot(second.page, 'keys-protect-file')
  await second.page.getByRole('button', { name: 'Protect the keys in this way' }).click()
  await expect(second.page.getByText('Keys protected by file permissions only.')).toBeVisible({ timeout: 30_000 })
  await second.close()

  const third = await launchApp(at)
  await engineRunning(third.page)
  expect(await callOk(third.page, 'workspace.status', {})).toMatchObject({ state: 'open', keys: { protection: 'key-file' } })
  const written = `${first.output()}${second.output()}${third.output()}`
  expect(written).not.toContain('velvet')
  expect(spawnSync('grep', ['-rl', 'velvet orchard', folder], { encoding: 'utf8' }).stdout).toBe('')
})
