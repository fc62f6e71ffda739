// SPDX-License-Identifier: Apache-2.0
import Database from 'better-sqlite3'
import { describe, expect, it } from 'vitest'
import { catalogMigrations } from '../catalog/migrations.ts'
import { migrate, type WritableDb } from '../sqlite/open.ts'
import { completenessIn, gapsOf } from './gaps.ts'

const MINUTE = 60_000_000
const db = new Database(':memory:') as unknown as WritableDb
migrate(db, catalogMigrations)
const put = db.prepare<[number, number, string, string]>(
  "INSERT INTO event (seq, time_us, type, actor, data) VALUES (?, ?, ?, 'engine', ?)"
)
const T0 = Date.UTC(2026, 0, 1) * 1000
let seq = 0
const at = (minute: number, type: string, data = '{}') => put.run(seq++, T0 + minute * MINUTE, type, data)

at(0, 'engine.started')
for (let minute = 1; minute <= 10; minute++) at(minute, 'heartbeat')
at(10.5, 'engine.stopped')
at(100, 'engine.started')
at(101, 'heartbeat')
at(140, 'engine.started')
at(141, 'heartbeat')
at(142, 'logging.failed', '{"lost":3,"reason":"storage"}')
at(160, 'heartbeat')
at(162.4, 'heartbeat')

describe('gaps', () => {
  it('are told apart: stopped by order, ended without closing, running and silent', () => {
    const { gaps } = gapsOf(db, { fromUs: T0, toUs: T0 + 1000 * MINUTE })
    expect(gaps.map(({ from, to, reason }) => [from.slice(11, 16), to.slice(11, 16), reason])).toEqual([
      ['00:10', '01:40', 'stopped'],
      ['01:41', '02:20', 'ended'],
      ['02:22', '02:40', 'silent']
    ])
    expect(gaps[1]).toMatchObject({ from_seq: 13, to_seq: 14 })
  })

  it('count within their range only, with what could not be recorded', () => {
    const day = completenessIn(db, { fromUs: T0, toUs: T0 + 200 * MINUTE })
    expect(day).toMatchObject({ heartbeats: 14, lost: 3 })
    expect(day.gaps).toHaveLength(3)
    expect(completenessIn(db, { fromUs: T0 + 86_400_000_000 * 2, toUs: T0 + 86_400_000_000 * 3 })).toMatchObject({
      heartbeats: 0,
      lost: 0,
      gaps: []
    })
  })

  it('that reach into a range are shown whole, those that ended before it are not', () => {
    const gapsFrom = (minute: number) =>
      completenessIn(db, { fromUs: T0 + minute * MINUTE, toUs: T0 + 200 * MINUTE }).gaps.map(({ from, to }) => [
        from.slice(11, 16),
        to.slice(11, 16)
      ])
    // Nothing ran from before the range until far into it.
    expect(gapsFrom(50)).toEqual([
      ['00:10', '01:40'],
      ['01:41', '02:20'],
      ['02:22', '02:40']
    ])
    expect(gapsFrom(100)).toEqual([
      ['01:41', '02:20'],
      ['02:22', '02:40']
    ])
    expect(gapsFrom(159)).toEqual([['02:22', '02:40']])
    expect(gapsFrom(160)).toEqual([])
    expect(completenessIn(db, { fromUs: T0 + 50 * MINUTE, toUs: T0 + 200 * MINUTE }).heartbeats).toBe(4)
  })

  it('of a clock that was moved are named so, and a move back hides none', () => {
    const moved = new Database(':memory:') as unknown as WritableDb
    migrate(moved, catalogMigrations)
    const add = moved.prepare<[number, number, string, string]>(
      "INSERT INTO event (seq, time_us, type, actor, data) VALUES (?, ?, ?, 'engine', ?)"
    )
    const day = 86_400_000_000
    let n = 0
    const sign = (us: number, type: string, deltaMs?: number) =>
      add.run(n++, T0 + us, type, deltaMs === undefined ? '{}' : `{"delta_ms":${deltaMs}}`)
    const range = { fromUs: T0 - 2 * day, toUs: T0 + 9 * day }
    sign(0, 'heartbeat')
    sign(day + MINUTE, 'clock.jump', 86_400_000)
    sign(day + MINUTE, 'heartbeat')
    sign(day + 2 * MINUTE, 'heartbeat')
    expect(gapsOf(moved, range).gaps.map((gap) => gap.reason)).toEqual(['clock'])
    // Back by a day, and ten minutes of silence before that was seen.
    sign(12 * MINUTE, 'clock.jump', -86_400_000)
    sign(12 * MINUTE, 'heartbeat')
    expect(gapsOf(moved, range).gaps.map((gap) => gap.reason)).toEqual(['clock', 'silent'])
    // Forward again; a view came before the heartbeat that saw it.
    sign(2 * day, 'record.viewed')
    sign(2 * day + MINUTE / 2, 'clock.jump', (2 * day - 12 * MINUTE) / 1000)
    sign(2 * day + MINUTE / 2, 'heartbeat')
    expect(gapsOf(moved, range).gaps.map((gap) => gap.reason)).toEqual(['clock', 'silent', 'clock'])
    expect(completenessIn(moved, range)).toMatchObject({ clock_jumps: 3, heartbeats: 5, incomplete: 0 })
  })
  it('are not claimed across tiles that were disposed of: their signs of life went with them', () => {
    const pruned = new Database(':memory:') as unknown as WritableDb
    migrate(pruned, catalogMigrations)
    const add = pruned.prepare<[number, number, string, string]>(
      "INSERT INTO event (seq, time_us, type, actor, data) VALUES (?, ?, ?, 'engine', ?)"
    )
    const sign = (n: number, minute: number, type = 'heartbeat', data = '{}') => add.run(n, T0 + minute * MINUTE, type, data)
    pruned.exec('INSERT INTO disposed_tile (tile, intent) VALUES (1, 1300), (2, 1300), (4, 1301)')
    sign(254, 0)
    sign(255, 5)
    // Tiles 1 and 2 are gone; the clock was set forward in what is gone.
    sign(768, 600, 'verify.run')
    sign(769, 601, 'clock.jump', '{"delta_ms":6000000}')
    sign(770, 602)
    sign(771, 610)
    // Tile 4 is gone, within two minutes.
    sign(1280, 612)
    sign(1281, 620)
    const { gaps, disposed, heartbeats } = completenessIn(pruned, { fromUs: T0, toUs: T0 + 1000 * MINUTE })
    expect(gaps.map(({ from_seq, to_seq, reason }) => [from_seq, to_seq, reason])).toEqual([
      [254, 255, 'silent'],
      [770, 771, 'silent'],
      [1280, 1281, 'silent']
    ])
    expect(disposed).toMatchObject([{ from_seq: 255, to_seq: 768, by: [1300] }])
    expect(heartbeats).toBe(6)
  })
})
