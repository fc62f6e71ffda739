// SPDX-License-Identifier: Apache-2.0
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { operations } from '../../../shared/contract/contract.ts'
import { AffidavitError, errorCodes } from '../../../shared/contract/errors.ts'
import { statusOf } from './errors.ts'
import { routes } from './routes.ts'
import { alertAt, startTestServers, type TestServers, until } from './test-support.ts'

let at: TestServers
beforeEach(async () => {
  at = await startTestServers()
})
afterEach(async () => {
  await at.stop()
})

async function ask(base: string, path: string, body?: unknown, raw = false) {
  const init =
    body === undefined
      ? {}
      : { method: 'POST', body: raw ? String(body) : JSON.stringify(body), headers: { 'content-type': 'application/json' } }
  const response = await fetch(`${base}${path}`, init)
  return { status: response.status, json: (await response.json()) as Record<string, unknown> }
}
const errorOf = (answer: { json: Record<string, unknown> }): unknown => (answer.json.error as { code: string }).code

describe('GET /health', () => {
  it('says who answers, on both servers, and nothing of folders', async () => {
    for (const [server, base] of [
      ['compliance', at.compliance],
      ['drift', at.drift]
    ] as const) {
      const { status, json } = await ask(base, '/health')
      expect(status).toBe(200)
      expect(json).toEqual({
        status: 'ok',
        product: 'affidavit',
        version: '9.9.9',
        server,
        instance_id: 'instance-1',
        origin: 'affidavit.test/1',
        sample: false,
        started: '2026-01-01T00:00:00.000Z',
        ledger_size: 1,
        records: 0,
        last_checkpoint: { size: 1, time: '2026-01-01T00:00:00.000Z', root: 'abc' },
        last_anchor: null,
        anchoring: 'off'
      })
    }
  })
})

describe('operations', () => {
  it('get their input from the body, the query and the path', async () => {
    at.store.answers['records.query'] = (input) => ({ records: [], next_cursor: null, applied_seq: 0, acknowledged_seq: 0, input })
    at.store.answers['drift.alerts'] = (input) => ({ alerts: [], next_cursor: null, input })
    at.store.answers['drift.acknowledge'] = () => alertAt(3)
    expect((await ask(at.compliance, '/api/compliance/query', { model: 'gpt-4', limit: 5 })).json).toMatchObject({
      input: { model: 'gpt-4', limit: 5 }
    })
    expect((await ask(at.drift, '/api/drift/alerts?state=open&limit=7')).json).toMatchObject({ input: { state: 'open', limit: 7 } })
    expect((await ask(at.drift, '/api/drift/alerts/a-1/acknowledge', { note: 'seen' })).status).toBe(200)
    expect(at.store.calls.map(({ op, input, caller }) => [op, input, caller.actor, caller.via])).toEqual([
      ['records.query', { model: 'gpt-4', limit: 5 }, { ref: 'http', kind: 'service' }, 'http'],
      ['drift.alerts', { state: 'open', limit: '7' }, { ref: 'http', kind: 'service' }, 'http'],
      ['drift.acknowledge', { id: 'a-1', note: 'seen' }, { ref: 'http', kind: 'service' }, 'http']
    ])
  })

  it.each([
    ['an unknown field', { modle: 'gpt-4' }],
    ['a field for the prototype', '{"__proto__":{"limit":1}}'],
    ['a field called constructor', '{"constructor":1}'],
    ['a wrong type', { limit: '5' }],
    ['a limit past 1,000', { limit: 1001 }],
    ['a time without zone', { from: '2026-01-01T00:00:00' }],
    ['an array', []],
    ['a text', '"x"'],
    ['null', 'null']
  ])('refuse %s', async (_what, body) => {
    at.store.answers['records.query'] = () => ({ records: [], next_cursor: null, applied_seq: 0, acknowledged_seq: 0 })
    const answer = await ask(at.compliance, '/api/compliance/query', body, typeof body === 'string')
    expect([answer.status, errorOf(answer)]).toEqual([400, 'bad_request'])
  })

  it('refuse a path parameter in the body, unknown and repeated query fields', async () => {
    at.store.answers['drift.acknowledge'] = () => alertAt(3)
    at.store.answers['drift.alerts'] = () => ({ alerts: [], next_cursor: null })
    expect((await ask(at.drift, '/api/drift/alerts/a-1/acknowledge', { note: 'x', id: 'b-2' })).status).toBe(400)
    expect((await ask(at.drift, '/api/drift/alerts?nope=1')).status).toBe(400)
    expect((await ask(at.drift, '/api/drift/alerts?state=open&state=resolved')).status).toBe(400)
    expect((await ask(at.drift, '/api/drift/alerts?__proto__=1')).status).toBe(400)
  })

  it('refuse NDJSON, malformed and deeply nested bodies', async () => {
    const response = await fetch(`${at.compliance}/api/compliance/query`, {
      method: 'POST',
      body: '{}\n',
      headers: { 'content-type': 'application/x-ndjson' }
    })
    expect(response.status).toBe(415)
    expect(errorOf(await ask(at.compliance, '/api/compliance/query', '{', true))).toBe('malformed_json')
    expect(errorOf(await ask(at.compliance, '/api/compliance/query', '', true))).toBe('malformed_json')
    expect(errorOf(await ask(at.compliance, '/api/compliance/query', `{"a":${'['.repeat(99_999)}${']'.repeat(99_999)}}`, true))).toBe(
      'malformed_json'
    )
  })

  it('refuse a body of more than 256 KiB before they parse it, and take the largest that the contract allows', async () => {
    at.store.answers['records.query'] = () => ({ records: [], next_cursor: null, applied_seq: 0, acknowledged_seq: 0 })
    at.store.answers['drift.acknowledge_many'] = () => ({ alerts: [], refused: [] })
    const limit = 256 * 1024
    expect((await ask(at.compliance, '/api/compliance/query', '{}'.padEnd(limit), true)).status).toBe(200)
    const larger = await ask(at.compliance, '/api/compliance/query', '{'.padEnd(limit + 1), true)
    expect([larger.status, errorOf(larger)]).toEqual([413, 'too_large'])
    expect((larger.json.error as { message: string }).message).toContain('256 KiB')
    // Every character written as six.
    const escaped = (length: number): string => `"${'\\u0061'.repeat(length)}"`
    const ids = Array.from({ length: 200 }, () => escaped(64))
    const largest = `{"ids":[${ids}],"note":${escaped(2000)}}`
    expect((await ask(at.drift, '/api/drift/alerts/acknowledge', largest, true)).status).toBe(200)
  })

  it('answer failures with the status of their code and the one body', async () => {
    at.store.answers['records.query'] = () => {
      throw new AffidavitError('invalid_cursor', 'This cursor is not one of this workspace.')
    }
    expect(await ask(at.compliance, '/api/compliance/query', { cursor: 'x'.repeat(200) })).toEqual({
      status: 400,
      json: { error: { code: 'invalid_cursor', message: 'This cursor is not one of this workspace.' } }
    })
    expect((await ask(at.compliance, '/api/compliance/statistics')).status).toBe(404)
  })

  it('say nothing of an unforeseen failure, and log it', async () => {
    at.store.answers['records.statistics'] = () => {
      throw new Error('/secret/folder/ledger.db is gone')
    }
    const answer = await ask(at.compliance, '/api/compliance/statistics')
    expect(answer).toEqual({
      status: 500,
      json: { error: { code: 'internal', message: 'The request failed inside the engine; its log names the reason.' } }
    })
    expect(at.store.logged).toContainEqual(expect.objectContaining({ event: 'http.failed', server: 'compliance' }))
    // What the runtime quotes of a text that is no JSON may be content.
    at.store.answers['records.statistics'] = () => JSON.parse('a secret prompt')
    expect((await ask(at.compliance, '/api/compliance/statistics')).status).toBe(500)
    expect(at.store.logged.filter((one) => JSON.stringify(one).includes('SyntaxError'))).toHaveLength(1)
    expect(JSON.stringify(at.store.logged)).not.toContain('a secret')
  })

  it('are cancelled when the client goes away', async () => {
    at.store.answers['records.query'] = async () => {
      await sleep(300)
      return {}
    }
    const abort = new AbortController()
    const asked = fetch(`${at.compliance}/api/compliance/query`, {
      method: 'POST',
      body: '{}',
      headers: { 'content-type': 'application/json' },
      signal: abort.signal
    })
    await until(() => at.store.calls.length === 1)
    abort.abort()
    await expect(asked).rejects.toThrow()
    await until(() => at.store.calls[0]?.caller.signal?.aborted === true)
  })

  it('are found on their own server only', async () => {
    expect((await ask(at.drift, '/api/compliance/query', {})).status).toBe(404)
    expect((await ask(at.compliance, '/api/drift/alerts')).status).toBe(404)
    expect((await ask(at.compliance, '/api/compliance/query')).status).toBe(404)
    expect((await ask(at.compliance, '/api/compliance/events')).status).toBe(404)
  })
})

describe('statusOf', () => {
  it('is a client or server error for every code', () => {
    for (const code of errorCodes) expect([code, statusOf(code) >= 400 && statusOf(code) <= 507]).toEqual([code, true])
  })
})

describe('GET /openapi.json', () => {
  const documentOf = async (base: string) =>
    (await ask(base, '/openapi.json')).json as { openapi: string; servers: unknown; paths: Record<string, Record<string, never>> }

  it('lists every route of its server, derived from the contract', async () => {
    const compliance = await documentOf(at.compliance)
    expect(compliance.openapi).toBe('3.1.0')
    expect(compliance.servers).toEqual([{ url: at.compliance }])
    const drift = await documentOf(at.drift)
    for (const route of routes) {
      const paths = route.server === 'compliance' ? compliance.paths : drift.paths
      const described = paths[route.path.replace(':id', '{id}')]?.[route.method.toLowerCase()] as unknown as {
        summary: string
        operationId: string
      }
      expect([described.operationId, described.summary]).toEqual([route.op, operations[route.op].summary])
    }
  })

  it('has every query field of an operation as a parameter, with its schema', async () => {
    const { paths } = await documentOf(at.drift)
    const alerts = paths['/api/drift/alerts'] as unknown as { get: { parameters: { name: string; in: string; schema: object }[] } }
    const { parameters } = alerts.get
    expect(parameters.map((parameter) => [parameter.name, parameter.in])).toEqual(
      ['state', 'from', 'to', 'model', 'source', 'feature', 'limit', 'cursor'].map((name) => [name, 'query'])
    )
    expect(parameters.find((parameter) => parameter.name === 'limit')?.schema).toMatchObject({
      type: 'integer',
      minimum: 1,
      maximum: 1000,
      default: 100
    })
    const acknowledge = paths['/api/drift/alerts/{id}/acknowledge']?.post as unknown as {
      parameters: { name: string; in: string }[]
      requestBody: { content: { 'application/json': { schema: { properties: object; required: string[] } } } }
    }
    expect(acknowledge.parameters).toMatchObject([{ name: 'id', in: 'path', required: true }])
    const { schema } = acknowledge.requestBody.content['application/json']
    expect([Object.keys(schema.properties), schema.required]).toEqual([['note'], ['note']])
  })
})
