// SPDX-License-Identifier: Apache-2.0
// Corrections of records in a bundle, and the ways to take them out, to change them or to give them to another record.
import { type Bag, edit, swap, text } from './corpus-edit.ts'
import type { ExportBag } from './corpus-logs.ts'
import { type CorpusKeys, resealedWay, type Way } from './corpus-way.ts'
import { rawRecord, type TestEngine } from './test-engine.ts'

const LEAVES = 'data/leaves.jsonl'
const CASE = 'data/case.json'

/** Two records and a correction of each: as a selection, and as a whole range. */
export async function correctedRecords(engine: TestEngine, exportBag: ExportBag) {
  const first = (await engine.call('workspace.status', {})).ledger.size
  await engine.call('events.append', { events: [rawRecord(3000), rawRecord(3001)] })
  const correct = async (seq: number, now: string) => {
    const changes = [{ what: { message: 'output' as const, index: 0 }, now }]
    return (await engine.call('records.correct', { seq, changes, reason: 'corpus' })).seq
  }
  await correct(first, 'another answer')
  const last = await correct(first + 1, 'yet another answer')
  const { bag: corrected } = await exportBag(engine, `seq:${first}..${first + 1}`)
  const { bag: correctedRange } = await exportBag(engine, `seq:${first}..${first + 1}`, { range: { first, last } })
  return { corrected, correctedRange }
}

/** Lines and numbers of the corrections in a bundle. */
const correctionsOf = (bag: Bag) =>
  text(bag, LEAVES)
    .split('\n')
    .filter((line) => line.includes('"type":"record.corrected"'))
    .map((line) => ({ line, seq: Number(/"seq":(\d+),/.exec(line)?.[1]), record: Number(/"record":(\d+)/.exec(line)?.[1]) }))

export function correctionWays(keys: CorpusKeys, corrected: Bag): readonly Way[] {
  const [one, two] = correctionsOf(corrected)
  if (!one || !two) throw new Error('the bundle brings no two corrections')
  const body = (seq: number) => `data/payload/${seq}.body`
  const way = resealedWay(keys, (name) => `${name}, sealed with the real key`, 'corrected')
  /** The last correction with all that belongs to it, and the case made to fit. */
  const without = (bag: Bag) => {
    edit(bag, LEAVES, (all) => all.replace(`${two.line}\n`, ''))
    for (const name of [`data/proofs/${two.seq}.tlog-proof`, body(two.seq), `${body(two.seq)}.opening`]) bag.delete(name)
    const last = Number(/"seq":(\d+),/.exec(text(bag, LEAVES).trim().split('\n').at(-1) ?? '')?.[1])
    edit(bag, CASE, (all) =>
      all.replace(/"leaves":\d+/, (found) => `"leaves":${Number(found.slice(9)) - 1}`).replace(/"last_seq":\d+/, `"last_seq":${last}`)
    )
  }
  const relinked = (bag: Bag) =>
    edit(bag, LEAVES, (all) => all.replace(one.line, one.line.replace(`"record":${one.record}`, `"record":${two.record}`)))
  return [
    way('a correction removed', (bag) => edit(bag, LEAVES, (all) => all.replace(`${one.line}\n`, '')), 'case_count'),
    way('a correction removed from a range, and the case made to fit', without, 'range_gap', { from: 'correctedRange' }),
    // Whoever holds the key may export fewer leaves: only a range says that none is missing.
    {
      ...way('a correction left out of a selection, and the case made to fit', without, null),
      step: null,
      verdict: 'consistent, signer not confirmed'
    },
    way('a correction that names another record', relinked, 'leaf_not_in_tree'),
    way(
      'a correction that names another record, with the proof of the other',
      (bag) => {
        relinked(bag)
        swap(bag, `data/proofs/${one.seq}.tlog-proof`, `data/proofs/${two.seq}.tlog-proof`)
      },
      'proof_swapped'
    ),
    way(
      'the bodies of two corrections swapped',
      (bag) => {
        swap(bag, body(one.seq), body(two.seq))
        swap(bag, `${body(one.seq)}.opening`, `${body(two.seq)}.opening`)
      },
      'payload_changed',
      { step: 6 }
    ),
    way(
      'another text in a correction',
      (bag) => edit(bag, body(one.seq), (all) => all.replace('another answer', 'better answer')),
      'payload_changed',
      {
        step: 6
      }
    ),
    way(
      'a correction without its body',
      (bag) => {
        bag.delete(body(one.seq))
        bag.delete(`${body(one.seq)}.opening`)
      },
      'part_missing',
      { step: 6 }
    )
  ]
}
