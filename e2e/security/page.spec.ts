// SPDX-License-Identifier: Apache-2.0
import { expect, launchApp, test } from '../harness.ts'

test('the page has the bridge and nothing of Node or Electron', async ({ opened }) => {
  const { page } = opened
  const found = await page.evaluate(() => ({
    bridge: Object.keys(window.affidavit).sort(),
    globals: ['require', 'process', 'Buffer', 'module', 'global', 'electron', 'ipcRenderer', '__dirname'].filter((name) => name in window),
    frozen: (() => {
      try {
        // biome-ignore lint/suspicious/noExplicitAny: the test tries what the type forbids
        ;(window.affidavit as any).call = () => 'replaced'
      } catch {
        // Throwing is one way to refuse.
      }
      return window.affidavit.call.toString().includes('replaced')
    })()
  }))
  expect(found).toEqual({ bridge: ['call', 'pathForFile', 'subscribe'], globals: [], frozen: false })
})

test('no content policy is violated at the start and nothing complains', async () => {
  const { page, complaints } = await launchApp()
  await page.waitForTimeout(1500)
  expect(complaints).toEqual([])
})

test('the policy comes with the page, with a nonce of its own for each load', async ({ opened }) => {
  const { page } = opened
  const load = () =>
    page.evaluate(async () => {
      const answer = await fetch('/index.html')
      return {
        policy: answer.headers.get('content-security-policy') ?? '',
        sniff: answer.headers.get('x-content-type-options'),
        text: await answer.text()
      }
    })
  const [a, b] = [await load(), await load()]
  const nonce = (policy: string) => /'nonce-([^']+)'/.exec(policy)?.[1]
  expect(a.policy).toContain("default-src 'none'")
  expect(a.policy).toContain("require-trusted-types-for 'script'")
  expect(a.policy).not.toMatch(/unsafe|https?:/)
  expect(a.sniff).toBe('nosniff')
  expect(nonce(a.policy)?.length).toBeGreaterThanOrEqual(22)
  expect(nonce(a.policy)).not.toBe(nonce(b.policy))
  expect(a.text).not.toContain('__NONCE__')
})

test('script and markup that come as text do not run', async ({ opened }) => {
  const { page } = opened
  const result = await page.evaluate(async () => {
    const marks = window as unknown as Record<string, unknown>
    const attempts: Record<string, () => void> = {
      eval: () => (Reflect.get(window, 'eval') as (text: string) => unknown)('window.pwned = 1'),
      Function: () => new Function('window.pwned = 1')(),
      'inline script': () => {
        const script = document.createElement('script')
        script.append('window.pwned = 1')
        document.head.append(script)
      },
      markup: () => {
        const div = document.createElement('div')
        div.innerHTML = '<img src=x onerror="window.pwned = 1">'
        document.body.append(div)
      },
      'inline handler': () => {
        const button = document.createElement('button')
        button.setAttribute('onclick', 'window.pwned = 1')
        document.body.append(button)
        button.click()
      },
      timer: () => {
        setTimeout('window.pwned = 1')
      },
      'foreign script': () => {
        const script = document.createElement('script')
        script.src = 'data:text/javascript,window.pwned = 1'
        document.head.append(script)
      },
      worker: () => {
        new Worker(URL.createObjectURL(new Blob(['postMessage(1)']))).onmessage = () => {
          marks.pwned = 1
        }
      }
    }
    const ran: string[] = []
    for (const [name, work] of Object.entries(attempts)) {
      marks.pwned = undefined
      // In a task of the page's own: code that a debugger evaluates is exempt from the policy.
      await new Promise<void>((resolve) => {
        setTimeout(() => {
          try {
            work()
          } catch {
            // Refused.
          }
          setTimeout(resolve, 100)
        })
      })
      if (marks.pwned !== undefined) ran.push(name)
    }
    return ran
  })
  expect(result).toEqual([])
})

test('the page reaches no network', async ({ opened }) => {
  const { page } = opened
  const result = await page.evaluate(async () => {
    const reached: string[] = []
    const addresses = ['https://example.org/', 'http://127.0.0.1:9/', 'file:///etc/passwd', 'data:text/plain,x', 'app://other/index.html']
    for (const address of addresses)
      await fetch(address).then(
        () => reached.push(address),
        () => undefined
      )
    await new Promise<void>((resolve) => {
      const image = new Image()
      image.onload = () => {
        reached.push('image')
        resolve()
      }
      image.onerror = () => resolve()
      image.src = 'https://example.org/a.png'
    })
    try {
      const socket = new WebSocket('ws://127.0.0.1:9/')
      await new Promise((resolve) => {
        socket.onopen = () => reached.push('socket')
        socket.onerror = resolve
        setTimeout(resolve, 1000)
      })
    } catch {
      // Refused.
    }
    return reached
  })
  expect(result).toEqual([])
})

test('no address of the page leaves its folder', async ({ opened }) => {
  const { page, app } = opened
  const addresses = [
    'app://affidavit/../main/index.js',
    'app://affidavit/..%2fmain%2findex.js',
    'app://affidavit/%2e%2e/main/index.js',
    'app://affidavit/..%5cmain%5cindex.js',
    'app://affidavit/assets/..%2f..%2f..%2fpackage.json',
    'app://affidavit/%252e%252e/package.json',
    'app://affidavit//etc/hostname.json'
  ]
  const fromPage = await page.evaluate(
    async (list) =>
      Promise.all(
        list.map((address) =>
          fetch(address).then(
            (answer) => answer.status,
            () => 0
          )
        )
      ),
    addresses
  )
  const fromMain = await app.evaluate(
    async ({ session }, list) =>
      Promise.all(
        list.map((address) =>
          session.defaultSession.fetch(address).then(
            (answer) => answer.status,
            () => 0
          )
        )
      ),
    addresses
  )
  for (const status of [...fromPage, ...fromMain]) expect([0, 404]).toContain(status)
  expect(await page.evaluate(() => fetch('/index.html', { method: 'POST' }).then((answer) => answer.status))).toBe(404)
})
