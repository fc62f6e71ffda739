// SPDX-License-Identifier: Apache-2.0
// Files of the Collector's file exporter with log records: joined with each other and with their spans, as the receiver joins them.
import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { testProgram } from '../../../node/test-program.ts'
import { otlpLines } from '../../../shared/event/profiles/otlp.ts'
import { type TestEngine, testEngine } from '../../test/test-engine.ts'

let engine: TestEngine
let root: string
let files = 0
beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), 'affidavit-otlp-logs-'))
  engine = await testEngine()
})
afterAll(async () => {
  await engine.remove()
  rmSync(root, { recursive: true, force: true })
})

const text = (stringValue: string) => ({ stringValue })
const attribute = (key: string, value: string) => ({ key, value: text(value) })
const idsOf = (n: number) => ({ traceId: n.toString(16).padStart(32, '0'), spanId: n.toString(16).padStart(16, '0') })
const log = (n: number, role: 'user' | 'assistant', content: string, second = 0) => ({
  ...idsOf(n),
  timeUnixNano: `${1_738_324_800 + second}000000000`,
  eventName: `gen_ai.${role}.message`,
  attributes: [attribute('gen_ai.system', 'openai'), attribute('gen_ai.request.model', 'gpt-5')],
  body: { kvlistValue: { values: [attribute('content', content)] } }
})
const span = (n: number, ...more: readonly object[]) => ({
  ...idsOf(n),
  startTimeUnixNano: '1738324800000000000',
  endTimeUnixNano: '1738324801000000000',
  attributes: [attribute('gen_ai.request.model', 'gpt-5'), ...more]
})
const resource = { attributes: [attribute('service.name', 'shop')] }
const logsLine = (...logRecords: readonly object[]) => JSON.stringify({ resourceLogs: [{ resource, scopeLogs: [{ logRecords }] }] })
const spansLine = (...spans: readonly object[]) => JSON.stringify({ resourceSpans: [{ resource, scopeSpans: [{ spans }] }] })

function fileOf(...lines: readonly string[]): string {
  const path = join(root, `${files++}.json`)
  writeFileSync(path, lines.join('\n'))
  return path
}

async function imported(path: string) {
  const { job_id } = await engine.call('import.start', { path, profile: 'otlp-json-lines', zone: 'UTC' })
  const job = await engine.job(job_id)
  expect(job.error).toBeNull()
  return engine.call('import.result', { job_id })
}

const contents = (messages: readonly { readonly parts: readonly { readonly content?: unknown }[] }[] | null | undefined) =>
  messages?.map(({ parts }) => parts[0]?.content)
async function newest(limit: number) {
  const { records } = await engine.call('records.query', { limit: 100 })
  const last = [...records].sort((a, b) => b.seq - a.seq).slice(0, limit)
  const details = await Promise.all(last.map(({ seq }) => engine.call('records.get', { seq })))
  return details.map(({ event, row, input_messages }) => {
    const attributes = event.attributes as Readonly<Record<string, unknown>> | undefined
    return [row.status, attributes?.['otlp.span'], contents(input_messages)]
  })
}

describe('a file of log records', () => {
  it('is found by its content, shown and taken: one record of each call, however its log records are spread over lines', async () => {
    const other = { timeUnixNano: '1', body: text('a line of another log'), attributes: [] }
    const path = fileOf(
      logsLine(log(1, 'assistant', 'second', 2), log(2, 'user', 'other'), other),
      logsLine(other),
      // Sent twice, and earlier than what came first.
      logsLine(log(1, 'user', 'first', 1), log(1, 'assistant', 'second', 2))
    )
    const preview = await engine.call('import.preview', { path, zone: 'UTC' })
    expect(preview).toMatchObject({
      profile: 'otlp-json-lines',
      rows: [
        { line: 1, source: 'shop', model: 'gpt-5', status: 'incomplete', request: 'first second' },
        { line: 1, request: 'other' }
      ],
      problems: []
    })
    expect(await imported(path)).toMatchObject({ accepted: 2, duplicates: 0, rejected: 0 })
    expect(await newest(2)).toEqual([
      ['incomplete', 'missing', ['other']],
      ['incomplete', 'missing', ['first', 'second']]
    ])
    expect(await imported(path)).toMatchObject({ accepted: 0, duplicates: 2, rejected: 0 })
  })

  it('names each call without ids or with two values for one attribute, and takes the rest', async () => {
    const twice = [attribute('my.tag', 'a'), attribute('my.tag', 'b')]
    const path = fileOf(
      spansLine({ ...span(21), traceId: '0'.repeat(32) }, span(22), { attributes: [attribute('db.system', 'sqlite')] }),
      logsLine({ ...log(23, 'user', 'lost'), spanId: undefined }, log(24, 'user', 'kept')),
      spansLine(span(25, ...twice))
    )
    const result = await imported(path)
    expect(result).toMatchObject({ accepted: 2, rejected: 3 })
    expect(result.errors.map(({ line, code }) => [line, code])).toEqual([
      [1, 'missing_ids'],
      [2, 'missing_ids'],
      [3, 'contradiction']
    ])
  })

  it('with spans is joined with them: before, after, and with one that needs none', async () => {
    const path = fileOf(
      logsLine(log(11, 'user', 'before'), log(13, 'user', 'not needed')),
      spansLine(span(11), span(12), span(13, attribute('gen_ai.prompt.0.content', 'its own'))),
      logsLine(log(12, 'user', 'after')),
      spansLine(span(14))
    )
    expect(await imported(path)).toMatchObject({ accepted: 4, duplicates: 0, rejected: 0 })
    expect((await newest(4)).map((one) => JSON.stringify(one)).sort()).toEqual(
      [
        ['success', undefined, ['after']],
        ['success', undefined, ['before']],
        ['success', undefined, ['its own']],
        ['success', undefined, []]
      ]
        .map((one) => JSON.stringify(one))
        .sort()
    )
    expect(await imported(path)).toMatchObject({ accepted: 0, duplicates: 4, rejected: 0 })
  })

  it('names lines that are none, hostile ones among them, and takes the others', async () => {
    const deep = JSON.parse(`${'{"arrayValue":{"values":['.repeat(40)}${']}}'.repeat(40)}`) as object
    const path = fileOf(
      logsLine(log(21, 'user', 'good')),
      '{"resourceLogs":[{"scopeLogs":1}]}',
      '{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"traceId":"xyz"}]}]}]}',
      JSON.stringify({ resourceLogs: [{ scopeLogs: [{ logRecords: [{ ...log(22, 'user', 'x'), body: deep }] }] }] }),
      logsLine(log(23, 'user', 'broken with it'), { ...log(23, 'user', 'x'), spanId: 5 }),
      '{"resourceMetrics":[]}',
      'no JSON',
      `{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"__proto__":{"a":1},"eventName":"gen_ai.user.message"}]}]}]}`
    )
    const { accepted, errors } = await imported(path)
    expect([accepted, errors.map(({ line, code }) => [line, code])]).toEqual([
      1,
      [
        [2, 'wrong_type'],
        [3, 'wrong_type'],
        [4, 'wrong_type'],
        [5, 'wrong_type'],
        [6, 'wrong_type'],
        [7, 'malformed_json'],
        [8, 'missing_ids']
      ]
    ])
  })

  it('is taken by the command line', async () => {
    const path = fileOf(logsLine(log(31, 'user', 'by hand')))
    const folder = join(root, 'cli')
    const cli = testProgram('cli')
    const { stdout } = await promisify(execFile)(process.execPath, [
      ...[cli, 'import', path, '--workspace', join(folder, 'w'), '--state', join(folder, 's')],
      ...['--profile', 'otlp-json-lines', '--json']
    ])
    expect(stdout).toContain('"accepted":1')
  }, 30_000)
})

it('what waits for others of its call is bounded, and what has waited longest becomes a record', () => {
  const collector = otlpLines.collect?.()
  let taken = 0
  const texts = 'x'.repeat(1_000_000)
  for (let n = 1; n <= 70; n++) taken += collector?.take(JSON.parse(logsLine(log(n, 'user', texts))), n)?.length ?? 0
  expect(taken).toBeGreaterThan(0)
  expect(taken).toBeLessThan(10)
  expect(collector?.rest()).toHaveLength(70 - taken)
})
