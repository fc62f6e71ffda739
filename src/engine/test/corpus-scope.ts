// SPDX-License-Identifier: Apache-2.0
// What a bundle says of its own scope and cannot keep: each is sealed with the real key, as somebody would who holds it.
import { type Bag, edit, text } from './corpus-edit.ts'
import type { CorpusKeys, Way } from './corpus-ways.ts'

const LEAVES = 'data/leaves.jsonl'
const CASE = 'data/case.json'

/** @param ranged a bundle of a whole range */
export function scopeWays({ reseal }: CorpusKeys, ranged: Bag): readonly Way[] {
  const way = (name: string, change: (bag: Bag) => void, code: string, more: Partial<Way> = {}): Way => ({
    name: `${name}, sealed with the real key`,
    change: (bag) => {
      change(bag)
      reseal(bag)
    },
    step: 5,
    code,
    ...more
  })
  const described = (from: string | RegExp, to: string) => (bag: Bag) => edit(bag, CASE, (all) => all.replace(from, to))
  const withheld = (entry: string) => described('"withheld":[', `"withheld":[${entry},`)
  /** A leaf that is there without content. */
  const closed = Number(/"seq":(\d+)\}\],"written"/.exec(text(ranged, CASE))?.[1])
  const inRange = { from: 'ranged' } as const
  return [
    way('another first leaf', described(/"first_seq":\d+/, '"first_seq":0'), 'case_span'),
    way('another last leaf', described(/"last_seq":\d+/, '"last_seq":99'), 'case_span'),
    way('no first leaf', described(/"first_seq":\d+/, '"first_seq":null'), 'case_span'),
    way('fewer records in scope than records', described(/"records_in_scope":\d+/, '"records_in_scope":1'), 'case_scope'),
    way('more records in scope than in the range', described(/"records_in_scope":\d+/, '"records_in_scope":99'), 'case_scope', inRange),
    way('a range that the bundle does not hold', described('"recipient"', '"range":{"first":0,"last":6},"recipient"'), 'range_gap'),
    way('a longer range', described(/"range":\{"first":0,"last":6\}/, '"range":{"first":0,"last":7}'), 'range_gap', inRange),
    way(
      'a range that ends before it begins',
      described(/"range":\{"first":0,"last":6\}/, '"range":{"first":6,"last":0}'),
      'range_gap',
      inRange
    ),
    way('a range without an end', described(/"range":\{"first":0,"last":6\}/, '"range":{"first":0}'), 'case_unreadable', inRange),
    way(
      'a leaf of the range less, and the case made to fit',
      (bag) => {
        const line = text(bag, LEAVES)
          .split('\n')
          .find((one) => one.includes(`"seq":${closed},`))
        edit(bag, LEAVES, (all) => all.replace(`${line}\n`, ''))
        bag.delete(`data/proofs/${closed}.tlog-proof`)
        edit(bag, CASE, (all) => all.replace(/"leaves":\d+/, (found) => `"leaves":${Number(found.slice(9)) - 1}`))
      },
      'range_gap',
      inRange
    ),
    way('a part named as withheld twice', withheld(`{"part":"event","reason":"x","seq":${closed}}`), 'withheld_present', {
      ...inRange,
      step: 6
    }),
    way(
      'a run of withheld parts over one that is here',
      (bag) => edit(bag, CASE, (all) => all.replace(/(\{"last":\d+,"part":"event","reason":"[^"]*","seq":)\d+/, '$10')),
      'withheld_present',
      { ...inRange, step: 6 }
    ),
    way('a run of withheld parts that no leaf has', withheld('{"last":9,"part":"error","reason":"x","seq":0}'), 'withheld_present', {
      ...inRange,
      step: 6
    }),
    way('a withheld part of an unknown name', withheld(`{"part":"answer","reason":"x","seq":${closed}}`), 'case_unreadable', inRange),
    way('a number with a zero before it', described(/"tree_size":/, '"tree_size":0'), 'case_unreadable')
  ]
}
