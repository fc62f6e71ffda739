// SPDX-License-Identifier: Apache-2.0
// A file that no profile knows: its columns are guessed, corrected, and imported with the lines that do not fit.
import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parquetWriteBuffer } from 'hyparquet-writer'
import { answerDialogs, callOk } from '../data.ts'
import { expect } from '../harness.ts'
import { oneLook } from './walk.ts'

oneLook('dark', 'import by columns', async ({ app, page, go, shoot }) => {
  const path = join(mkdtempSync(join(tmpdir(), 'affidavit-e2e-')), 'calls.csv')
  const rows = Array.from(
    { length: 40 },
    (_, i) =>
      `c-${i},2026-03-01 12:${String(i).padStart(2, '0')}:00,gpt-4o,Which invoice is number ${i}?,"It is the one of March, paid.",${i === 7 ? 'fast' : 200 + 13 * i},${i},${2 * i},blue`
  )
  writeFileSync(path, `ref,called,engine used,asked,said,wait,tokens_in,tokens_out,team\n${rows.join('\n')}\n`)
  await answerDialogs(app.app, { open: [path] })
  await go('/records?import=true')
  await shoot('70-import-choose')
  await page.getByRole('button', { name: 'Choose a file…' }).click()
  const columns = page.getByRole('region', { name: 'Columns of the file' })
  await expect(columns.getByLabel('Column of Model', { exact: true })).toHaveValue('engine used')
  await expect(columns.getByLabel('Column of Start', { exact: true })).toHaveValue('called')
  const choose = async (field: string, column: string) => {
    await columns.getByLabel(`Column of ${field}`, { exact: true }).fill(column)
    await page.getByRole('option', { name: column, exact: true }).click()
  }
  await choose('Request', 'asked')
  await choose('Response', 'said')
  await choose('Latency', 'wait')
  await columns.getByLabel('Unit of Latency').click()
  await page.getByRole('option', { name: 'Milliseconds' }).click()
  await expect(columns.getByText('expected milliseconds from 0')).toBeVisible()
  await expect(page.getByRole('region', { name: 'First rows of the file' }).getByText('Which invoice is number 3?')).toBeVisible()
  await shoot('71-import-columns')
  await page.getByRole('button', { name: 'Import', exact: true }).click()
  await expect(page.getByText('39 accepted, 0 already on record, 1 rejected')).toBeVisible()
  await expect(page.getByRole('region', { name: 'Rejected rows' }).getByText('latency: expected milliseconds from 0')).toBeVisible()
  await shoot('72-import-report')

  await page.getByRole('button', { name: 'Close' }).first().click()
  const broken = `${path}.jsonl`
  writeFileSync(broken, `{"model":"m","prompt":"Q"}\n${'no JSON\n'.repeat(1_240)}`)
  await answerDialogs(app.app, { open: [broken] })
  await go('/records?import=true')
  await page.getByRole('button', { name: 'Choose a file…' }).click()
  await page.getByRole('button', { name: 'Import', exact: true }).click()
  await expect(page.getByText('and 240 more: the first 1,000 are shown.')).toBeVisible()
  await shoot('72-import-many-rejected')

  await page.getByRole('button', { name: 'Close' }).first().click()
  const traces = `${path}.json`
  const observation = (i: number) => ({
    id: `o-${i}`,
    traceId: 't-1',
    type: 'GENERATION',
    name: 'answer',
    model: 'gpt-4o',
    startTime: `2026-03-01 12:00:${10 + i}`,
    endTime: `2026-03-01 12:00:${12 + i}`,
    usageDetails: { input: 12, output: 7 },
    totalCost: 0.0004,
    input: [{ role: 'user', content: `Which invoice is number ${i}?` }],
    output: 'It is the one of March.'
  })
  writeFileSync(traces, JSON.stringify({ meta: { page: 1 }, data: Array.from({ length: 12 }, (_, i) => observation(i)) }))
  await answerDialogs(app.app, { open: [traces] })
  await go('/records?import=true')
  await page.getByRole('button', { name: 'Choose a file…' }).click()
  await expect(page.getByText('one JSON text, rows in data')).toBeVisible()
  await expect(page.getByRole('combobox', { name: 'Zone of startTime, endTime' })).toHaveValue('UTC')
  await shoot('73-import-wrapper')

  // Its thread is an entry of the build.
  const parquet = `${path}.parquet`
  writeFileSync(
    parquet,
    Buffer.from(
      parquetWriteBuffer({
        columnData: [
          { name: 'model', data: ['m'] },
          { name: 'question', data: ['Q'] }
        ]
      }) as ArrayBuffer
    )
  )
  expect((await callOk(page, 'import.preview', { path: parquet })).rows).toMatchObject([{ model: 'm', request: 'Q' }])
})
