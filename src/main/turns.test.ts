// SPDX-License-Identifier: Apache-2.0
import { expect, test } from 'vitest'
import { Turns } from './turns.ts'

test('work runs one after another, in order, past a failure', async () => {
  const turns = new Turns()
  const log: string[] = []
  const work = (name: string, fails: boolean) => async () => {
    log.push(`${name} begins`)
    await new Promise((resolve) => setTimeout(resolve, 5))
    log.push(`${name} ends`)
    if (fails) throw new Error(name)
    return name
  }
  const results = await Promise.allSettled([turns.take(work('a', false)), turns.take(work('b', true)), turns.take(work('c', false))])
  expect(results.map((one) => one.status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
  expect(log).toEqual(['a begins', 'a ends', 'b begins', 'b ends', 'c begins', 'c ends'])
})
