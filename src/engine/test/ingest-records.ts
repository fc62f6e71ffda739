// SPDX-License-Identifier: Apache-2.0
import type { TestEngine } from './test-engine.ts'

/** Posts records to an engine with servers; gives their leaves in order. */
export async function ingestRecords(engine: TestEngine, records: readonly object[]): Promise<number[]> {
  const { compliance } = engine.engine.status().endpoints
  const seqs: number[] = []
  for (let from = 0; from < records.length; from += 500) {
    const answer = await fetch(`${compliance.url}/api/compliance/events`, {
      method: 'POST',
      headers: { 'content-type': 'application/x-ndjson', accept: 'application/x-ndjson' },
      body: records
        .slice(from, from + 500)
        .map((record) => `${JSON.stringify(record)}\n`)
        .join('')
    })
    for (const line of (await answer.text()).split('\n')) {
      const { seq } = line === '' ? { seq: undefined } : (JSON.parse(line) as { seq?: number })
      if (seq !== undefined) seqs.push(seq)
    }
  }
  return seqs
}
