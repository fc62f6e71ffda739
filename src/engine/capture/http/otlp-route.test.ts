// SPDX-License-Identifier: Apache-2.0
// What an exporter is told when its spans cannot be recorded now.
import { afterEach, beforeEach, expect, it } from 'vitest'
import { AffidavitError } from '../../../shared/contract/errors.ts'
import { startTestServers, type TestServers, until } from './test-support.ts'

let at: TestServers
beforeEach(async () => {
  at = await startTestServers({ otlpBytes: 10_000, otlpBytesInWork: 1_000 })
})
afterEach(() => at.stop())

const attributes = [{ key: 'gen_ai.request.model', value: { stringValue: 'gpt-5' } }]
const spanOf = (n: number): object => ({ traceId: String(n).padStart(32, '0'), spanId: String(n).padStart(16, '0'), attributes })
const send = (n: number, pad = 0) =>
  fetch(`${at.compliance}/v1/traces`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ resourceSpans: [{ scopeSpans: [{ spans: [spanOf(n)] }] }], pad: ' '.repeat(pad) })
  })

it('is answered after the commit, and told to come again when too much is in work', async () => {
  let open: () => void = () => {}
  const gate = new Promise<void>((resolve) => {
    open = resolve
  })
  at.store.beforeCommit = () => gate
  let answered = false
  const first = send(1, 800).then((response) => {
    answered = true
    return response
  })
  await until(() => at.store.inFlight === 1)
  const second = await send(2, 800)
  expect([second.status, second.headers.get('retry-after') !== null, answered]).toEqual([503, true, false])
  open()
  expect([(await first).status, at.store.rows.length]).toEqual([200, 1])
  expect((await send(2, 800)).status).toBe(200)
})

it('is told to come again when the disk is full, and that it is not its fault when the store fails', async () => {
  at.store.refuseWith = new AffidavitError('disk_full', 'There is no room left.')
  const full = await send(1)
  expect([full.status, full.headers.get('retry-after') !== null]).toEqual([503, true])
  at.store.refuseWith = new Error('/secret/folder')
  const failed = await send(1)
  expect(failed.status).toBe(500)
  expect(await failed.text()).not.toContain('secret')
})
