// SPDX-License-Identifier: Apache-2.0
// A back-test of fourteen days over the 56 series that servegen has complete, from the cells of a catalog on disk.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { catalogMigrations } from '../src/engine/catalog/migrations.ts'
import { besideJson, encodeTables, Tally } from '../src/engine/catalog/tally.ts'
import { backtest } from '../src/engine/drift/backtest.ts'
import { migrate, openProjection, openReadable } from '../src/engine/sqlite/open.ts'
import type { ReaderContext } from '../src/engine/threads/reader-context.ts'
import { defaultSettings } from '../src/engine/workspace/settings.ts'
import { backtestSettings } from '../src/shared/contract/drift-backtest.ts'
import { FILES, origin, type ServegenWindow, servegenWindows } from './drift-data.ts'
import type { BenchRow } from './row.ts'

const WINDOWS = 56
const HOUR_S = 3600
/** 1 January 2026, in hours since 1970. */
const START = Date.UTC(2026, 0, 1) / 3_600_000

function tallyOf({ table }: ServegenWindow): Tally {
  const tally = new Tally()
  let before = 0
  for (let i = 0; i < table.values.length; i++) {
    const cumulative = table.cumulative[i] ?? 0
    tally.total.set(table.values[i] ?? 0, cumulative - before)
    before = cumulative
  }
  tally.records = table.total
  tally.ended = table.total
  return tally
}

/** @throws when the back-test finds other series */
export async function benchBacktest(): Promise<BenchRow[]> {
  const root = mkdtempSync(join(tmpdir(), 'affidavit-backtest-'))
  const path = join(root, 'catalog.db')
  try {
    const series = new Map<string, ServegenWindow[]>()
    for (const window of servegenWindows()) series.set(window.series, [...(series.get(window.series) ?? []), window])
    const complete = [...series].filter(([, windows]) => windows.length === WINDOWS)
    const used = complete.length > 0 ? complete : [...series]
    const db = openProjection(path)
    migrate(db, catalogMigrations)
    const put = db.prepare(`
INSERT INTO cell (model, source, span, start, records, errors, ended, low_seq, high_seq, low_us, high_us, tables, beside)
VALUES (?, ?, 1, ?, ?, 0, ?, 0, 0, 0, 0, ?, ?)`)
    let values = 0
    let last = 0
    db.transaction(() => {
      for (const [name, windows] of used)
        for (const window of windows) {
          const tally = tallyOf(window)
          const hour = START + Math.floor(window.t / HOUR_S)
          values += tally.records
          last = Math.max(last, hour)
          put.run(name, 'servegen', hour, tally.records, tally.ended, encodeTables(tally), besideJson(tally))
        }
    })()
    db.close()
    const catalog = openReadable(path)
    // A back-test without pinned baselines reads nothing but the catalog.
    const context = { catalog } as ReaderContext
    const settings = backtestSettings.parse({ ...defaultSettings, reference: 'rolling', reference_days: 7, look_every_minutes: 60 })
    const started = performance.now()
    const run = backtest(context, { from: START, to: last + 6, settings }, { cancelled: () => false, progress: () => {}, rest: () => {} })
    const seconds = (performance.now() - started) / 1000
    catalog.close()
    if (run.series !== used.length) throw new Error(`${run.series} series instead of ${used.length}`)
    return [
      {
        name: `back-test of ${Math.round((last + 6 - START) / 24)} days over ${used.length} series`,
        value: Number(seconds.toFixed(2)),
        unit: 's',
        target: 10,
        note: `${run.looks} looks, ${run.tests} tests, ${run.alarms} alarms, ${run.alerts} alerts over ${values} values; ${origin(FILES.servegen)}`
      }
    ]
  } finally {
    rmSync(root, { recursive: true, force: true })
  }
}
