// SPDX-License-Identifier: Apache-2.0
// Pages of 200 rows at 200,000 records, at random positions, through the contract.
import { benchEngine } from './engine.ts'
import { benchRecord } from './records.ts'
import type { BenchRow } from './row.ts'

const RECORDS = 200_000
const PAGES = 400

/** @throws when a page is not full */
export async function benchPage(): Promise<BenchRow[]> {
  const { engine, url, close } = await benchEngine()
  try {
    for (let from = 0; from < RECORDS; from += 20_000) {
      const body = `${Array.from({ length: 20_000 }, (_, i) => benchRecord(from + i)).join('\n')}\n`
      const reply = await fetch(`${url}/api/compliance/events`, {
        method: 'POST',
        headers: { 'content-type': 'application/x-ndjson' },
        body
      })
      if (!reply.ok) throw new Error(`ingest answered ${reply.status}`)
    }
    const rows: BenchRow[] = []
    for (const [name, query] of [
      ['unfiltered', ''],
      ['filtered', 'model:gpt-4-0613 latency:>1000']
    ] as const) {
      const opened = await engine.call('records.open', { query })
      const times: number[] = []
      for (let i = 0; i < PAGES; i++) {
        const offset = Math.floor(((i * 7919) % PAGES) * ((opened.count - 200) / PAGES))
        const started = performance.now()
        const page = await engine.call('records.page', { handle: opened.handle, offset, limit: 200 })
        times.push(performance.now() - started)
        if (page.rows.length !== 200) throw new Error('a page was not full')
      }
      times.sort((a, b) => a - b)
      const quantile = (q: number) => Number((times[Math.floor(q * times.length)] ?? 0).toFixed(2))
      rows.push({
        name: `page of 200 at ${RECORDS} records, ${name}, 95th percentile`,
        value: quantile(0.95),
        unit: 'ms',
        target: 5,
        note: `median ${quantile(0.5)} ms, across the process boundary with parsing; opening took ${opened.took_ms.toFixed(1)} ms for ${opened.count} rows`
      })
    }
    return rows
  } finally {
    await close()
  }
}
