// SPDX-License-Identifier: Apache-2.0
// Durable NDJSON ingest until searchable, beside the same rows by bare better-sqlite3.
import { mkdtempSync, rmSync } from 'node:fs'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { benchEngine } from './engine.ts'
import { benchRecord } from './records.ts'
import type { BenchRow } from './row.ts'

const RECORDS = 60_000

/** The limit: FULL commits of 500 rows with three indexes and FTS5, nothing else. */
function bareSqlite(lines: readonly string[]): number {
  const root = mkdtempSync(join(tmpdir(), 'affidavit-bare-'))
  const db = new Database(join(root, 'bare.db'))
  db.pragma('journal_mode = WAL')
  db.pragma('synchronous = FULL')
  db.exec(`
CREATE TABLE r (id INTEGER PRIMARY KEY, key TEXT, source TEXT, model TEXT, time TEXT, latency REAL, input INTEGER, output INTEGER, prompt TEXT, response TEXT);
CREATE INDEX a ON r (time, id);
CREATE INDEX b ON r (model, source, time);
CREATE UNIQUE INDEX c ON r (key);
CREATE VIRTUAL TABLE t USING fts5 (prompt, response, content = 'r', content_rowid = 'id')`)
  const insert = db.prepare('INSERT INTO r VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)')
  const text = db.prepare('INSERT INTO t (rowid, prompt, response) VALUES (?, ?, ?)')
  const started = performance.now()
  for (let from = 0; from < lines.length; from += 500) {
    db.transaction(() => {
      for (let i = from; i < Math.min(lines.length, from + 500); i++) {
        const row = JSON.parse(lines[i] ?? '{}') as Record<string, string | number>
        insert.run(
          i,
          row.id,
          row.source,
          row.model,
          row.start_time,
          row.latency_ms,
          row.input_tokens,
          row.output_tokens,
          row.prompt,
          row.response
        )
        text.run(i, row.prompt, row.response)
      }
    })()
  }
  const seconds = (performance.now() - started) / 1000
  db.close()
  rmSync(root, { recursive: true })
  return lines.length / seconds
}

function post(url: string, body: Buffer): Promise<{ accepted: number }> {
  return new Promise((resolve, reject) => {
    const call = request(
      `${url}/api/compliance/events`,
      { method: 'POST', headers: { 'content-type': 'application/x-ndjson' } },
      (response) => {
        let text = ''
        response.on('data', (chunk) => {
          text += String(chunk)
        })
        response.on('end', () => resolve(JSON.parse(text) as { accepted: number }))
      }
    )
    call.on('error', reject)
    call.end(body)
  })
}

/** @throws when a record was not taken or is not found afterwards */
export async function benchIngest(): Promise<BenchRow[]> {
  const lines = Array.from({ length: RECORDS }, (_, i) => benchRecord(i))
  const body = Buffer.from(`${lines.join('\n')}\n`)
  const { engine, url, close } = await benchEngine()
  try {
    await post(url, Buffer.from(`${Array.from({ length: 2_000 }, (_, i) => benchRecord(RECORDS + i)).join('\n')}\n`))
    const bare = bareSqlite(lines)
    const started = performance.now()
    const { accepted } = await post(url, body)
    const acknowledged = (performance.now() - started) / 1000
    const found = await engine.call('records.query', { text: `"Question ${RECORDS - 1}"` })
    let status = await engine.call('workspace.status', {})
    while (status.projection.behind > 0) status = await engine.call('workspace.status', {})
    const searchable = (performance.now() - started) / 1000
    if (accepted !== RECORDS || status.ledger.records !== RECORDS + 2_000 || found.records.length > 1) throw new Error('records were lost')
    const rate = RECORDS / searchable
    return [
      {
        name: 'durable NDJSON ingest until searchable',
        value: Math.round(rate),
        unit: 'records/s',
        target: 12_000,
        limit: { name: 'bare better-sqlite3, FULL, 500s, 3 indexes, FTS5', value: Math.round(bare) },
        ratio: rate / bare,
        note: 'ratio target 0.2'
      },
      { name: 'durable NDJSON ingest until acknowledged', value: Math.round(RECORDS / acknowledged), unit: 'records/s' },
      { name: 'commit, 99th percentile', value: Number((status.commit.p99_ms ?? 0).toFixed(1)), unit: 'ms', target: 50 }
    ]
  } finally {
    await close()
  }
}
