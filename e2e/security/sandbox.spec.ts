// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs'
import { engineRunning, expect, launchApp, ordinaryUser, test } from '../harness.ts'

test.skip(process.platform !== 'linux', 'reads /proc')

test('the page runs in the sandbox of the system', async () => {
  const as = ordinaryUser()
  test.skip(typeof as === 'string', typeof as === 'string' ? as : '')
  const { app, page } = await launchApp(as !== null && typeof as !== 'string' ? { as } : {})
  await engineRunning(page)
  const pid = await app.evaluate(({ app: electron }) => electron.getAppMetrics().find((metric) => metric.type === 'Tab')?.pid ?? 0)
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  const field = (name: string) => new RegExp(`^${name}:\\s*(.*)$`, 'm').exec(status)?.[1]
  // 2: a filter over system calls is in force.
  expect(field('Seccomp')).toBe('2')
  expect(field('NoNewPrivs')).toBe('1')
  // In namespaces of its own: more than one process id, seen from outside and inside.
  expect(field('NSpid')?.split(/\s+/).length).toBeGreaterThan(1)
  expect(await app.evaluate(({ app: electron }) => electron.commandLine.hasSwitch('no-sandbox'))).toBe(false)
})
