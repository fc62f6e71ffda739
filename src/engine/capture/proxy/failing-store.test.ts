// SPDX-License-Identifier: Apache-2.0
// The proxy over a real ledger whose database can grow no further, as on a full disk.
import { createServer, type Server } from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { Upstream } from '../../../shared/contract/proxy.ts'
import { type ScriptedUpstream, scriptedUpstream } from '../../test/scripted-upstream.ts'
import { type TestFolder, testFolder, writerOf } from '../../workspace/test-workspace.ts'
import type { OpenWorkspace } from '../../workspace/workspace.ts'
import { RecordingProxy } from './recording-proxy.ts'

let upstream: ScriptedUpstream
let folder: TestFolder
let workspace: OpenWorkspace
let proxy: RecordingProxy
let server: Server
let base: string
let counted = 0

async function open(mode: Upstream['mode'], spoolBytes?: number): Promise<void> {
  const ledger = writerOf(workspace)
  proxy = new RecordingProxy({
    append: (drafts) => ledger.append(drafts, true),
    lose: (leaves) => ledger.lose(leaves),
    classOf: () => 'default',
    redact: (event) => event,
    warn: () => {},
    counted: () => counted++,
    unread: () => {},
    cutOff: () => false,
    spoolBytes,
    retryMs: 20
  })
  const to: Upstream = { name: 'local', url: upstream.url, kind: 'ollama', mode, port: null, source: null }
  server = createServer((request, response) =>
    proxy.handle(request, response, to, request.url ?? '/', { actor: { ref: 'http', kind: 'service' }, source: null })
  )
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

beforeEach(async () => {
  counted = 0
  upstream = await scriptedUpstream()
  folder = testFolder()
  workspace = await folder.open()
})
afterEach(async () => {
  server.closeAllConnections()
  server.close()
  await proxy.close()
  workspace.close()
  folder.remove()
  await upstream.close()
})

const fill = (): void => {
  workspace.ledgerDb.pragma(`max_page_count = ${Number(workspace.ledgerDb.pragma('page_count', { simple: true }))}`)
}
const free = (): void => {
  workspace.ledgerDb.pragma('max_page_count = 4294967294')
}
const QUESTION = 'a question that needs a page of its own '.repeat(400)
const ask = () =>
  fetch(`${base}/api/chat`, {
    method: 'POST',
    body: JSON.stringify({ model: 'tiny', stream: false, messages: [{ role: 'user', content: QUESTION }] })
  })
const leaves = (): { type: string; links?: { request?: number }; data?: { lost?: number } }[] =>
  workspace.ledgerDb
    .prepare<[], Buffer>('SELECT bytes FROM leaf ORDER BY seq')
    .pluck()
    .all()
    .map((bytes) => JSON.parse(bytes.toString('utf8')))
const calls = () => leaves().filter(({ type }) => type.startsWith('llm.'))
const asked = () => upstream.seen.filter(({ url }) => url === '/api/chat').length
const settled = () => expect.poll(() => proxy.callsOf('local').in_flight, { timeout: 20_000 }).toBe(0)

describe('a store that cannot record', () => {
  it('lets nothing through to an upstream that is fail-closed: 503, and it works again as soon as the store does', async () => {
    await open('fail-closed')
    fill()
    for (let i = 0; i < 3; i++) {
      const answer = await ask()
      expect([answer.status, answer.headers.get('retry-after')]).toEqual([503, '1'])
      expect(await answer.json()).toMatchObject({ error: { code: 'busy' } })
    }
    expect(asked()).toBe(0)
    expect(calls()).toEqual([])
    free()
    const answer = await ask()
    expect(answer.status).toBe(200)
    await answer.text()
    await settled()
    expect(calls().map(({ type }) => type)).toEqual(['llm.request', 'llm.response'])
    // Nothing was lost: what was refused never took place.
    expect(leaves().some(({ type }) => type === 'logging.failed')).toBe(false)
    expect(proxy.callsOf('local')).toMatchObject({ recorded: 1, lost: 0, waiting_bytes: 0 })
  })

  it('keeps calls waiting and writes them later, each answer after its request', async () => {
    await open('fail-open')
    fill()
    for (let i = 0; i < 4; i++) expect((await ask()).status).toBe(200)
    await expect.poll(() => proxy.callsOf('local').waiting_bytes).toBeGreaterThan(4 * QUESTION.length)
    expect(calls()).toEqual([])
    free()
    await settled()
    expect(calls().length).toBe(8)
    for (const { type, links } of calls()) if (type === 'llm.response') expect(leaves()[links?.request ?? -1]?.type).toBe('llm.request')
    expect([proxy.callsOf('local').lost, proxy.callsOf('local').recorded, counted]).toEqual([0, 4, 4])
    expect(leaves().some(({ type }) => type === 'logging.failed')).toBe(false)
  })

  it('writes a call once of which only the mark beside the ledger could not be written', async () => {
    await open('fail-open')
    const { head } = workspace.start
    if (!head) throw new Error('no head')
    vi.spyOn(head, 'write').mockImplementationOnce(() => {
      throw Object.assign(new Error('no space left on device'), { code: 'ENOSPC' })
    })
    await (await ask()).text()
    await settled()
    expect(calls().map(({ type }) => type)).toEqual(['llm.request', 'llm.response'])
    expect(proxy.callsOf('local')).toMatchObject({ recorded: 1, lost: 0, waiting_bytes: 0 })
    expect(leaves().some(({ type }) => type === 'logging.failed')).toBe(false)
  })

  it('counts in logging.failed what did not fit, and nothing else is missing', async () => {
    await open('fail-open', 4 * QUESTION.length)
    fill()
    for (let i = 0; i < 8; i++) expect((await ask()).status).toBe(200)
    await expect.poll(() => proxy.callsOf('local').lost).toBeGreaterThan(4)
    free()
    await settled()
    await (await ask()).text()
    await settled()
    const { lost } = proxy.callsOf('local')
    expect(calls().length + lost).toBe(18)
    expect(leaves().reduce((sum, { type, data }) => sum + (type === 'logging.failed' ? (data?.lost ?? 0) : 0), 0)).toBe(lost)
  })
})

describe('long answers whose clients go away at once', () => {
  it('are all recorded though they are more than what may wait', async () => {
    await open('fail-open', 10 * 1024 * 1024)
    const body = JSON.stringify({ model: 'endless', messages: [] })
    const sockets: Socket[] = Array.from({ length: 4 }, () => {
      const socket = connect(Number(new URL(base).port), '127.0.0.1')
      socket.on('error', () => {})
      socket.pause()
      socket.write(`POST /api/chat HTTP/1.1\r\nHost: x\r\nContent-Length: ${body.length}\r\n\r\n${body}`)
      return socket
    })
    await expect.poll(asked, { timeout: 10_000 }).toBe(4)
    // Four copies are as long as they become once nothing moves any more.
    await new Promise((resolve) => setTimeout(resolve, 1_500))
    for (const socket of sockets) socket.destroy()
    await expect.poll(() => upstream.gone.length, { timeout: 5_000 }).toBe(4)
    await settled()
    expect(proxy.callsOf('local')).toMatchObject({ recorded: 4, lost: 0 })
    expect(calls().filter(({ type }) => type === 'llm.aborted').length).toBe(4)
  })
})
