// SPDX-License-Identifier: Apache-2.0
// The engine of the look bench, in a process of its own: what the bench itself allocates must not be collected on the engine's thread.
import { PerformanceObserver } from 'node:perf_hooks'
import { pino } from 'pino'
import { engineEnvironment } from '../src/engine/config.ts'
import { startEngine } from '../src/engine/engine.ts'
import type { Caller } from '../src/engine/handlers.ts'

/** What the bench asks for, in turn. */
export type Ask =
  | { readonly kind: 'start'; readonly root: string }
  | { readonly kind: 'settled' }
  | { readonly kind: 'settings' }
  | { readonly kind: 'look' }
  | { readonly kind: 'stop' }

export interface LookTimes {
  readonly ms: number
  readonly series: number
  readonly tests: number
  readonly opened: number
  /** Processor time of all threads while the look ran. */
  readonly cpu: number
  /** Longest turn of the thread that writes while the look ran, the most processor time of one, and the longest collection of garbage. */
  readonly turn: number
  readonly turnCpu: number
  readonly collection: number
}

const caller: Caller = { actor: { ref: 'local', kind: 'human' }, via: 'ipc' }
let engine: Awaited<ReturnType<typeof startEngine>> | undefined
let collection = 0
new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) collection = Math.max(collection, entry.duration)
}).observe({ entryTypes: ['gc'] })

/** Processor time of this thread, milliseconds: on a machine that others use too, the clock says little. */
const ownCpu = (): number => {
  const { user, system } = process.threadCpuUsage()
  return (user + system) / 1000
}

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

async function look(): Promise<LookTimes> {
  if (!engine) throw new Error('not started')
  collection = 0
  let longest = 0
  let mostCpu = 0
  let turn = performance.now()
  let used = ownCpu()
  const watch = setInterval(() => {
    longest = Math.max(longest, performance.now() - turn)
    mostCpu = Math.max(mostCpu, ownCpu() - used)
    turn = performance.now()
    used = ownCpu()
  }, 1)
  const all = process.cpuUsage()
  const began = performance.now()
  const reply = await engine.router.call('drift.look', {}, caller)
  const ms = performance.now() - began
  const { user, system } = process.cpuUsage(all)
  clearInterval(watch)
  if (!reply.ok) throw new Error(reply.error.message)
  const found = reply.value as { readonly series: readonly unknown[]; readonly tests: number; readonly opened: readonly unknown[] }
  await pause(20)
  const cpu = (user + system) / 1000
  return {
    ms,
    cpu,
    series: found.series.length,
    tests: found.tests,
    opened: found.opened.length,
    turn: longest,
    turnCpu: mostCpu,
    collection
  }
}

async function answer(ask: Ask): Promise<unknown> {
  if (ask.kind === 'start') {
    const binding = { host: '127.0.0.1', port: 0 }
    engine = await startEngine(
      {
        workspace: `${ask.root}/workspace`,
        state: `${ask.root}/state`,
        compliance: binding,
        drift: binding,
        appVersion: '0.1.0',
        keyProtection: 'file'
      },
      engineEnvironment({}),
      { store: null, log: pino({ level: 'silent' }), passwordCost: 1024 }
    )
    return engine.status().endpoints.compliance.url
  }
  if (!engine) throw new Error('not started')
  if (ask.kind === 'settled') {
    while (engine.status().projection.behind > 0)
      await pause(50)
      // Garbage of the fill is collected before what is measured, not in it.
    ;(globalThis as { gc?: () => void }).gc?.()
    await pause(200)
    return null
  }
  if (ask.kind === 'settings') {
    const reply = await engine.router.call('settings.set', { reference: 'rolling', look_every_minutes: 0 }, caller)
    if (!reply.ok) throw new Error(reply.error.message)
    return null
  }
  if (ask.kind === 'look') return look()
  await engine.stop('quit')
  return null
}

process.on('message', (ask: Ask) => {
  answer(ask).then(
    (value) => {
      process.send?.({ value })
      if (ask.kind === 'stop') process.disconnect()
    },
    (error: unknown) => process.send?.({ error: String(error) })
  )
})
