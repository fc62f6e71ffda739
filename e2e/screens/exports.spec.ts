// SPDX-License-Identifier: Apache-2.0
// An export that the end of the engine came into: listed with what is finished, resumed to the same bytes, discarded.
import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { callOk, records, waitForJob } from '../data.ts'
import { enginePid, engineRunning, expect, type LaunchedApp } from '../harness.ts'
import { oneLook } from './walk.ts'

const sha = (path: string): string => createHash('sha256').update(readFileSync(path)).digest('hex')
const wish = { query: '', recipient: 'Examination unit', purpose: 'Regulatory examination' }

/** Begins an export and kills the engine on the way, again where the export was faster; the app starts another engine each time. */
async function interrupt({ app, page }: LaunchedApp, out: string, more: object = {}): Promise<void> {
  for (let open = 0; open === 0; ) {
    rmSync(out, { force: true })
    const pid = await enginePid(app)
    const { job_id } = await callOk(page, 'export.start', { ...wish, out, ...more })
    for (;;) {
      const { state, total, done } = await callOk(page, 'jobs.get', { id: job_id })
      if (state !== 'running' || (total && done > total / 2)) break
    }
    process.kill(pid, 'SIGKILL')
    await expect
      .poll(async () => (await page.evaluate(() => window.affidavit.call('export.interrupted', {}))).ok, { timeout: 30_000 })
      .toBe(true)
    await engineRunning(page)
    open = (await callOk(page, 'export.interrupted', {})).exports.length
  }
}

oneLook('light', 'interrupted exports', async ({ app, page, go, shoot }) => {
  const { path, profile } = await records()
  const imported = await callOk(page, 'import.start', { path, profile })
  await waitForJob(page, imported.job_id)
  const straight = join(app.userData, 'straight.affidavit.zip')
  const first = await callOk(page, 'export.start', { ...wish, out: straight })
  await waitForJob(page, first.job_id)
  const { size } = await callOk(page, 'export.result', { job_id: first.job_id })

  const out = join(app.userData, 'case-26-1140.affidavit.zip')
  await interrupt(app, out, { at: size })
  await go('/exports')
  const panel = page.getByRole('region', { name: 'Interrupted export' })
  await expect(panel.getByText('no bundle was written')).toBeVisible()
  await expect(panel.getByText(out)).toBeVisible()
  expect(existsSync(out)).toBe(false)
  await shoot('05-export-interrupted')
  await panel.getByRole('button', { name: 'Resume' }).click()
  await expect(page.getByRole('region', { name: 'Written' })).toBeVisible({ timeout: 60_000 })
  await expect(panel).toHaveCount(0)
  expect(sha(out)).toBe(sha(straight))
  await shoot('05-export-resumed')
  await page.getByRole('button', { name: 'Close' }).click()
  await expect(page.getByRole('region', { name: 'Written' })).toHaveCount(0)

  await interrupt(app, join(app.userData, 'again.zip.age'), { encrypt: { passphrase: 'a long passphrase' } })
  await go('/exports?view=history')
  await go('/exports?view=new')
  await expect(panel.getByLabel('Passphrase')).toBeVisible()
  await expect(panel.getByRole('button', { name: 'Resume' })).toBeDisabled()
  await shoot('05-export-interrupted-passphrase')
  await panel.getByRole('button', { name: 'Discard…' }).click()
  await page.getByRole('button', { name: 'Keep it' }).click()
  await expect(panel).toBeVisible()
  await panel.getByRole('button', { name: 'Discard…' }).click()
  await shoot('05-export-discard')
  await page.getByRole('button', { name: 'Discard it' }).click()
  await expect(panel).toHaveCount(0)
  expect(readdirSync(app.userData).filter((name) => name.startsWith('again'))).toEqual([])
})
