// SPDX-License-Identifier: Apache-2.0
// What a bundle says of its own scope and cannot keep: each is sealed with the real key, as somebody would who holds it.
import { publicKeyPem } from '../../shared/evidence/note.ts'
import { type Bag, edit, text } from './corpus-edit.ts'
import { type CorpusKeys, resealedWay, type Way } from './corpus-way.ts'

const LEAVES = 'data/leaves.jsonl'
const CASE = 'data/case.json'

/** A bundle of a sample, and the seal of its workspace. */
export interface Sampled {
  readonly bag: Bag
  readonly reseal: (bag: Bag) => void
}

interface Bundles {
  /** Of a whole range. */
  readonly ranged: Bag
  readonly sampled: Sampled
}

export function scopeWays(keys: CorpusKeys, { ranged, sampled }: Bundles): readonly Way[] {
  const way = resealedWay(keys, (name) => `${name}, sealed with the real key`)
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
    way('a sample that the leaves know nothing of', described('"sample":false', '"sample":true'), 'case_sample'),
    {
      name: 'a sample that the case says nothing of, sealed with the real key',
      from: 'sampled',
      change: (bag) => {
        described('"sample":true', '"sample":false')(bag)
        sampled.reseal(bag)
      },
      step: 5,
      code: 'case_sample'
    },
    way(
      'an erased record without the leaf that ended its erasure',
      (bag) => {
        const lines = text(bag, LEAVES).split('\n')
        const seqOf = (line: string | undefined): number => Number(/"seq":(\d+),/.exec(line ?? '')?.[1])
        const done = lines.find((line) => line.includes('"type":"erasure.done"'))
        const left = lines.filter((line) => line !== done)
        bag.set(LEAVES, Buffer.from(left.join('\n')))
        bag.delete(`data/proofs/${seqOf(done)}.tlog-proof`)
        edit(bag, CASE, (all) =>
          all
            .replace(/"leaves":\d+/, `"leaves":${left.length - 1}`)
            .replace(/"last_seq":\d+/, `"last_seq":${seqOf(left.at(-2))}`)
            .replace(new RegExp(`,?\\{"part":"body","reason":"[^"]*","seq":${seqOf(done)}\\}`), '')
        )
      },
      'erasure_not_done',
      { from: 'erased', step: 6 }
    ),
    way(
      'another key as log.pub.pem',
      (bag) => bag.set('trust/log.pub.pem', Buffer.from(publicKeyPem(Buffer.alloc(32, 9)))),
      'log_keys_differ',
      { step: 3 }
    ),
    way(
      'a second signer',
      (bag) => edit(bag, 'trust/allowed_signers', (all) => `${all}${all.replace(/^\S+/, 'somebody')}`),
      'signer_not_listed',
      { step: 1 }
    ),
    way('a file that the layout has no place for', (bag) => bag.set('proof/checkpoint.sshsig', Buffer.from('x')), 'extra_file', {
      step: 2
    }),
    ...['data/report.html', 'data/alerts.jsonl', 'README-VERIFY.txt', 'verify.cmd'].map((name) =>
      way(`without ${name}`, (bag) => bag.delete(name), 'missing', { step: 2 })
    ),
    way('a number with a zero before it', described(/"tree_size":/, '"tree_size":0'), 'case_unreadable')
  ]
}
