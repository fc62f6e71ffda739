// SPDX-License-Identifier: Apache-2.0
import { readdirSync, readFileSync } from 'node:fs'
import { getPriority } from 'node:os'
import { expect, it } from 'vitest'
import { testEngine } from '../test/test-engine.ts'

/** What a thread of this process is called, and its nice value (proc_pid_stat(5), field 19). */
function threads(): { readonly name: string; readonly nice: number }[] {
  return readdirSync('/proc/self/task').map((id) => {
    const [, name = '', rest = ''] = /\((.*)\) (.*)/.exec(readFileSync(`/proc/self/task/${id}/stat`, 'utf8')) ?? []
    return { name, nice: Number(rest.split(' ')[16]) }
  })
}

it.runIf(process.platform === 'linux')('lets the projector alone give way to the writer', async () => {
  const engine = await testEngine()
  try {
    const found = threads()
    expect(found.filter(({ name }) => name === 'projector').map(({ nice }) => nice)).toEqual([Math.min(19, getPriority(0) + 5)])
    const others = found.filter(({ name }) => name !== 'projector')
    expect(others.length).toBeGreaterThan(1)
    for (const { name, nice } of others) expect(nice, name).toBe(getPriority(0))
  } finally {
    await engine.remove()
  }
})
