// SPDX-License-Identifier: Apache-2.0
// Every printed report of a workspace with real records: made by the app, read back page by page.
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { ElectronApplication, Page } from '@playwright/test'
import { callOk, records, waitForJob } from './data.ts'
import { engineRunning, expect, launchApp, projectRoot, temporaryFolder, test } from './harness.ts'

const folder = join(projectRoot, 'test-results', 'reports')

const saveTo = (app: ElectronApplication, filePath: string): Promise<void> =>
  app.evaluate(({ dialog }, path) => {
    dialog.showSaveDialog = (async () => ({ canceled: false, filePath: path })) as unknown as typeof dialog.showSaveDialog
  }, filePath)

const wordsOf = (path: string): string => spawnSync('pdftotext', ['-layout', path, '-'], { encoding: 'utf8' }).stdout ?? ''

async function print(app: ElectronApplication, page: Page, name: string, printable: { html: string; footer: string }): Promise<string> {
  const path = join(folder, `${name}.pdf`)
  writeFileSync(join(folder, `${name}.html`), printable.html)
  await saveTo(app, path)
  const reply = await page.evaluate(([html, footer]) => window.affidavit.call('shell.savePdf', { html, footer }), [
    printable.html,
    printable.footer
  ] as const)
  expect(reply).toMatchObject({ ok: true })
  return path
}

test('compliance, drift, processing and examiner reports print with page numbers and their digest', async () => {
  test.setTimeout(240_000)
  test.skip(spawnSync('pdftotext', ['-v']).status !== 0, 'no pdftotext here')
  mkdirSync(folder, { recursive: true })
  const { app, page } = await launchApp()
  await engineRunning(page)
  const file = await records()
  await waitForJob(page, (await callOk(page, 'import.start', { path: file.path, profile: file.profile })).job_id)
  await callOk(page, 'drift.set_baseline', { name: 'gpt-4 in March', query: 'model:gpt-4-0314', model: 'gpt-4-0613', source: 'llmdrift' })
  await callOk(page, 'drift.look', {})
  const out = join(folder, 'bundle.affidavit.zip')
  const { job_id } = await callOk(page, 'export.start', {
    query: 'model:gpt-4-0613 latency:>10s',
    recipient: 'Examination unit, case 26-1140',
    purpose: 'Regulatory examination',
    withhold: ['response'],
    withhold_reason: 'privileged, flagged by counsel',
    pdf: true,
    out,
    replace: true
  })
  await waitForJob(page, job_id)

  const compliance = wordsOf(await print(app, page, 'compliance', await callOk(page, 'compliance.page', {})))
  expect(compliance).toMatch(/Page 1 of [2-9]/)
  expect(compliance).toMatch(/checkpoint of [\d,]+ leaves, root/)
  const { alerts } = await callOk(page, 'drift.alerts', {})
  const [alert] = alerts
  if (!alert) throw new Error('the look opened no alert')
  const drift = wordsOf(await print(app, page, 'drift', await callOk(page, 'report.drift', { alert_id: alert.id })))
  expect(drift).toContain('How to check')
  expect(drift).toMatch(/checkpoint of [\d,]+ leaves, root/)
  wordsOf(await print(app, page, 'processing', (await callOk(page, 'compliance.processing', {})).page))

  const unzip = (name: string) => spawnSync('unzip', ['-p', out, name], { maxBuffer: 1e8 }).stdout
  const pdf = join(folder, 'examiner.pdf')
  writeFileSync(pdf, unzip('data/report.pdf'))
  expect(readFileSync(pdf, 'latin1')).toContain('/StructTreeRoot')
  const manifest = unzip('manifest-sha256.txt')
    .toString()
    .split(/(?<=\n)/)
  const without = manifest.filter((line) => !line.endsWith(' data/report.pdf\n')).join('')
  const digest = spawnSync('sha256sum', { input: without, encoding: 'utf8' }).stdout.slice(0, 64)
  const examiner = wordsOf(pdf)
  const pages = examiner.match(/Page \d+ of (\d+)/)?.[1]
  expect(examiner.replace(/\s/g, '').split(digest)).toHaveLength(Number(pages) + 1)
  expect(examiner).toContain('privileged, flagged by counsel')
  const { job_id: verified } = await callOk(page, 'verify.file', { path: out })
  await waitForJob(page, verified)
  expect((await callOk(page, 'verify.report', { job_id: verified })).kind).toBe('consistent')
})

test('the command line prints the report where it finds the runtime, and otherwise ends before anything is written', async () => {
  test.setTimeout(120_000)
  const root = temporaryFolder()
  const file = await records()
  const cli = (args: readonly string[], env: NodeJS.ProcessEnv) =>
    spawnSync(
      process.execPath,
      [join(projectRoot, 'bin', 'affidavit.mjs'), ...args, '--workspace', join(root, 'w'), '--state', join(root, 's')],
      {
        encoding: 'utf8',
        env
      }
    )
  const withRuntime = { ...process.env }
  expect(cli(['import', '--profile', file.profile, file.path], withRuntime).status).toBe(0)
  const out = join(root, 'case.affidavit.zip')
  const args = ['export', '--query', 'seq:0..40', '--recipient', 'r', '--purpose', 'p', '--pdf', '--out', out]

  const { ELECTRON_EXEC_PATH: _path, ELECTRON_OVERRIDE_DIST_PATH: _dist, DISPLAY: _display, ...bare } = process.env
  if (!existsSync(join(projectRoot, 'node_modules', 'electron', 'dist'))) {
    const refused = cli(args, bare)
    expect(refused.status).toBe(2)
    expect(refused.stderr).toContain('engine_unavailable: a PDF needs the desktop runtime')
    expect(existsSync(out)).toBe(false)
  }
  const done = cli(args, withRuntime)
  expect(done.stderr).not.toContain('error')
  expect(done.status).toBe(0)
  const pdf = spawnSync('unzip', ['-p', out, 'data/report.pdf'], { maxBuffer: 1e8 }).stdout
  expect(pdf.toString('latin1')).toContain('/StructTreeRoot')
})
