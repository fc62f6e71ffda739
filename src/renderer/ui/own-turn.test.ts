// SPDX-License-Identifier: Apache-2.0
import { expect, it } from 'vitest'
import { inOwnTurn } from './own-turn.ts'

const turn = () => new Promise((resolve) => setTimeout(resolve))

it('each work has a turn of its own, in order; what is given up is not done', async () => {
  const done: string[] = []
  let turns = 0
  const count = setInterval(() => turns++, 0)
  const work = (name: string) => () => void done.push(`${name} ${turns}`)
  inOwnTurn(work('a'))
  const giveUp = inOwnTurn(work('b'))
  inOwnTurn(work('c'))
  inOwnTurn(work('d'))
  giveUp()
  expect(done).toEqual([])
  while (done.length < 3) await turn()
  clearInterval(count)
  expect(done.map((one) => one.split(' ')[0])).toEqual(['a', 'c', 'd'])
  // Another timer had its turn between any two of them.
  const at = done.map((one) => Number(one.split(' ')[1]))
  expect(new Set(at).size).toBe(3)
  inOwnTurn(work('later'))
  inOwnTurn(work('last'))()
  await turn()
  await turn()
  expect(done.map((one) => one.split(' ')[0])).toEqual(['a', 'c', 'd', 'later'])
})
