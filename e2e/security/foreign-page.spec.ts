// SPDX-License-Identifier: Apache-2.0
// A page of somebody else, in a browser of its own, against both ports and the recording proxy: refused, nothing read, nothing on record.
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Page } from '@playwright/test'
import { bareBrowser } from '../browser.ts'
import { engineRunning, expect, test } from '../harness.ts'

const listening = (server: Server): Promise<number> =>
  new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port)))

interface Targets {
  readonly compliance: string
  readonly drift: string
  readonly proxy: string
  readonly foreign: string
}

/**
 * Every way a page has to send something elsewhere without being asked. Runs in the page; gives what it could read of an answer, which must be
 * nothing.
 */
async function attack(to: Targets): Promise<string[]> {
  const read: string[] = []
  const event = '{"model":"forged","prompt":"p","response":"r"}'
  const posts = [
    `${to.compliance}/api/compliance/events`,
    `${to.compliance}/api/compliance/query`,
    `${to.compliance}/v1/traces`,
    `${to.compliance}/witness/add-checkpoint`,
    `${to.drift}/api/drift/alerts/acknowledge`,
    `${to.proxy}/api/chat`
  ]
  const gets = [
    `${to.compliance}/api/compliance/statistics`,
    `${to.compliance}/api/compliance/stream`,
    `${to.compliance}/health`,
    `${to.drift}/api/drift/alerts`,
    `${to.drift}/api/drift/stream`,
    `${to.proxy}/api/tags`
  ]
  const waits: Promise<unknown>[] = []
  const attempt = (name: string, url: string, init: RequestInit) =>
    waits.push(
      fetch(url, { ...init, signal: AbortSignal.timeout(1_500) }).then(
        (answer) => answer.type !== 'opaque' && read.push(`${name} ${url} ${answer.status}`),
        () => {}
      )
    )
  for (const url of posts) {
    for (const type of ['application/json', 'text/plain', 'application/x-www-form-urlencoded'])
      for (const mode of ['cors', 'no-cors'] as const)
        attempt(`${mode} ${type}`, url, { method: 'POST', mode, headers: { 'content-type': type }, body: event })
    attempt('redirected', `${to.foreign}/redirect?to=${encodeURIComponent(url)}`, { method: 'POST', mode: 'no-cors', body: event })
    navigator.sendBeacon(url, event)
    navigator.sendBeacon(url, new Blob([event], { type: 'application/json' }))
    for (const enctype of ['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data']) {
      const frame = document.createElement('iframe')
      frame.name = `f${Math.random()}`
      const form = document.createElement('form')
      Object.assign(form, { action: url, method: 'post', enctype, target: frame.name })
      const field = document.createElement('input')
      Object.assign(field, { name: '{"model":"forged","x":"', value: '"}' })
      form.append(field)
      document.body.append(frame, form)
      form.submit()
    }
  }
  for (const url of gets) {
    attempt('cors', url, { mode: 'cors' })
    attempt('no-cors', url, { mode: 'no-cors' })
    attempt('credentials', url, { mode: 'cors', credentials: 'include' })
    for (const [tag, name] of [
      ['img', 'src'],
      ['script', 'src'],
      ['iframe', 'src'],
      ['video', 'src'],
      ['link', 'href'],
      ['object', 'data']
    ] as const) {
      const element = document.createElement(tag)
      if (tag === 'link') element.setAttribute('rel', 'stylesheet')
      waits.push(
        new Promise((resolve) => {
          element.addEventListener('load', () => resolve(tag === 'iframe' || tag === 'object' || read.push(`${tag} ${url}`)))
          element.addEventListener('error', resolve)
          setTimeout(resolve, 1_500)
        })
      )
      element.setAttribute(name, url)
      document.body.append(element)
    }
    waits.push(
      new Promise((resolve) => {
        const source = new EventSource(url)
        source.onopen = () => resolve(read.push(`events ${url}`))
        source.onerror = resolve
        setTimeout(() => resolve(source.close()), 1_500)
      }),
      new Promise((resolve) => {
        const socket = new WebSocket(url.replace('http', 'ws'))
        socket.onopen = () => resolve(read.push(`socket ${url}`))
        socket.onerror = resolve
      })
    )
  }
  await Promise.all(waits)
  return read
}

/** Runs the attack in a frame whose origin is `null`. */
const attackFromFrame = (page: Page, kind: 'sandbox' | 'data', to: Targets): Promise<string[]> =>
  page.evaluate(
    ({ kind, html }) =>
      new Promise<string[]>((resolve) => {
        const frame = document.createElement('iframe')
        addEventListener('message', (event) => event.source === frame.contentWindow && resolve(event.data as string[]))
        if (kind === 'sandbox') frame.setAttribute('sandbox', 'allow-scripts allow-forms')
        if (kind === 'sandbox') frame.srcdoc = html
        else frame.src = `data:text/html,${encodeURIComponent(html)}`
        document.body.append(frame)
      }),
    {
      kind,
      html: `<body><script>(${attack.toString()})(${JSON.stringify(to)}).then((read) => parent.postMessage(read, '*'))</script></body>`
    }
  )

/** `/docs` of a port in the same browser: asks its own server, and keeps nothing. */
async function ownPage(page: Page, port: number): Promise<void> {
  const complaints: string[] = []
  page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()))
  await page.goto(`http://127.0.0.1:${port}/docs`)
  await page.getByLabel('Token').fill('aff_no_such_token')
  const statistics = page.locator('#records\\.statistics')
  await statistics.getByText('/api/compliance/statistics').click()
  await statistics.getByRole('button', { name: 'Send' }).click()
  await expect(statistics.getByRole('status')).toHaveText(/^200 OK|^401 /)
  await page.getByLabel('Token').fill('')
  await statistics.getByRole('button', { name: 'Send' }).click()
  await expect(statistics.getByRole('status')).toHaveText(/^200 OK/)
  await expect(statistics.getByLabel('Answer')).toContainText('"by_status"')
  expect(await page.evaluate(() => [localStorage.length, sessionStorage.length, document.cookie])).toEqual([0, 0, ''])
  await page.reload()
  await expect(page.getByLabel('Token')).toHaveValue('')
  expect(complaints.filter((text) => /policy|trusted/i.test(text))).toEqual([])
}

test('a page of another origin reads nothing and leaves nothing on record', async ({ opened }) => {
  test.setTimeout(60_000)
  const { page, ports } = opened
  await engineRunning(page)
  const reached: string[] = []
  const upstream = createServer((request, response) => {
    reached.push(`${request.method} ${request.url}`)
    response.end('{}')
  })
  const foreign = createServer((request, response) => {
    const to = new URL(request.url ?? '/', 'http://x').searchParams.get('to')
    if (to) response.writeHead(307, { location: to }).end()
    else response.writeHead(200, { 'content-type': 'text/html' }).end('<!doctype html><title>foreign</title><body></body>')
  })
  const upstreamPort = await listening(upstream)
  const origin = `http://127.0.0.1:${await listening(foreign)}`
  const named = { url: `http://127.0.0.1:${upstreamPort}`, kind: 'ollama', mode: 'fail-open', port: null, source: null }
  const call = (op: string, input: unknown) =>
    page.evaluate(
      async ([name, value]) => {
        const reply = await window.affidavit.call(name as never, value as never)
        if (!reply.ok) throw new Error(`${name}: ${reply.error.code}`)
        return reply.value as never
      },
      [op, input] as const
    )
  await call('upstreams.set', { ...named, name: 'foreign-test' })
  /** What is on record of calls, and of what came by HTTP. */
  const onRecord = async (): Promise<unknown> => {
    const { count, in_flight } = await call('records.statistics', {})
    const { entries } = (await call('activity.list', { person: 'http' })) as { entries: { seq: number }[] }
    return { count, in_flight, byHttp: entries.map(({ seq }) => seq) }
  }
  const before = await onRecord()

  const to = (host: string): Targets => ({
    compliance: `http://${host}:${ports.compliance}`,
    drift: `http://${host}:${ports.drift}`,
    proxy: `http://${host}:${ports.compliance}/proxy/foreign-test`,
    foreign: origin
  })
  const browser = await bareBrowser(origin, ['--host-resolver-rules=MAP rebind.example 127.0.0.1'])
  try {
    const statuses = new Map<string, number>()
    const own = new Set([`127.0.0.1:${ports.compliance}`, `127.0.0.1:${ports.drift}`])
    browser.page.on('response', (response) => {
      const { host, pathname } = new URL(response.url())
      if (!own.has(host) && !host.startsWith('rebind.example:')) return
      const key = `${response.status()} ${response.request().method()} ${pathname}`
      statuses.set(key, (statuses.get(key) ?? 0) + 1)
    })
    await browser.page.waitForLoadState('load')
    expect(await browser.page.evaluate(attack, to('127.0.0.1'))).toEqual([])
    expect(await browser.page.evaluate(attack, to('rebind.example'))).toEqual([])
    await browser.page.reload()
    const frames = (['sandbox', 'data'] as const).map((kind) => attackFromFrame(browser.page, kind, to('127.0.0.1')))
    expect(await Promise.all(frames)).toEqual([[], []])
    // The name of the foreign site leads here, so that its page and this server are one origin.
    for (const port of [ports.compliance, ports.drift]) {
      const answer = await browser.page.goto(`http://rebind.example:${port}/health`)
      expect(answer?.status()).toBe(403)
    }
    const passed = [...statuses].filter(([key]) => !key.startsWith('403 '))
    expect(passed).toEqual([])
    // Seen by the server, not only stopped by the browser.
    expect([...statuses.values()].reduce((sum, n) => sum + n, 0)).toBeGreaterThan(100)
    await test.step('the server’s own page may ask', () => ownPage(browser.page, ports.compliance))
  } finally {
    await browser.app.close()
    for (const server of [upstream, foreign]) server.close().closeAllConnections()
  }
  expect(reached).toEqual([])
  expect(await onRecord()).toEqual(before)
  await call('upstreams.remove', { name: 'foreign-test' })
})
