// SPDX-License-Identifier: Apache-2.0
// Looks of the schedule, and what an interrupted or a late look leaves behind: on a real ledger, catalog and readers, without servers.
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { DriftAlert } from '../../shared/contract/drift.ts'
import type { Settings } from '../../shared/contract/workspace.ts'
import type { BaselineBody, LookBody } from '../../shared/event/drift-bodies.ts'
import { bodyOf } from '../catalog/project-event.ts'
import type { LeafDraft } from '../ledger/draft.ts'
import type { Ledger } from '../ledger/ledger.ts'
import { openReadable } from '../sqlite/open.ts'
import { Projector } from '../threads/projector.ts'
import { ReaderPool } from '../threads/reader-pool.ts'
import { keksOf } from '../threads/thread-config.ts'
import { PayloadReader } from '../vault/payload-reader.ts'
import { defaultSettings } from '../workspace/settings.ts'
import { recordDraft, testFolder, writerOf } from '../workspace/test-workspace.ts'
import type { OpenWorkspace } from '../workspace/workspace.ts'
import { driftEngine } from './handlers.ts'
import { baselineDraft, judge, settingsBody } from './look.ts'

const caller = { actor: { ref: 'engine', kind: 'system' }, via: 'ipc' } as const
const folder = { current: testFolder() }
let workspace: OpenWorkspace
let ledger: Ledger
let projector: Projector
let pool: ReaderPool
let following: boolean
let told: DriftAlert[]
/** Called before each append; throws to stand for a process that ends there. */
let before: (drafts: readonly LeafDraft[]) => unknown
let clock: () => Date
/** Called when a look was judged and is about to be written. */
let drained: () => unknown

beforeEach(async () => {
  folder.current = testFolder()
  workspace = await folder.current.open()
  ledger = writerOf(workspace)
  const threads = {
    workspace: folder.current.workspace,
    keks: keksOf(workspace.identity.keks),
    subjectSecret: ''
  }
  projector = await Projector.start(threads)
  pool = await ReaderPool.start(threads)
  settings = defaultSettings
  following = true
  ledger.onCommitted((size) => {
    if (following) projector.advance(size)
  })
  told = []
  before = () => {}
  clock = () => new Date()
  drained = () => {}
})
afterEach(async () => {
  await ledger.close()
  await projector.close()
  await pool.close()
  workspace.close()
  folder.current.remove()
})

let settings: Settings
const engineOf = (patienceMs = 5_000) =>
  driftEngine({
    pool,
    projector,
    ledgerSize: () => ledger.size,
    append: async (drafts) => {
      await before(drafts)
      return ledger.append(drafts)
    },
    record: async () => null,
    drain: async () => {
      await drained()
      return pool.run('drainWal', { path: workspace.paths.ledger })
    },
    settings: () => settings,
    seesNotes: () => true,
    onAlert: (alert) => told.push(alert),
    now: () => clock(),
    patienceMs
  })

let next = 0
/** Appends calls of `ms` milliseconds each, or of a spread of them. */
async function calls(count: number, ms: (i: number) => number, source = 'desk'): Promise<void> {
  const drafts = Array.from({ length: count }, (_, i): LeafDraft => {
    const draft = recordDraft(next++)
    const [event, ...others] = draft.parts
    if (!event) throw new Error('a call has an event')
    const data = Buffer.from(Buffer.from(event.data).toString('utf8').replace('desk', source))
    return {
      ...draft,
      source,
      parts: [{ ...event, data }, ...others],
      metrics: { latency_us: ms(i) * 1000, input_tokens: 3, output_tokens: 5 }
    }
  })
  await ledger.append(drafts)
}
const usual = (i: number): number => 100 + (i % 40)
const slow = (i: number): number => 5000 + i
/** Every third call is slow: a gap above the floor and below the one that alarms at once. */
const some = (i: number): number => (i % 3 === 0 ? 5000 : usual(i))
const pin = (drift: ReturnType<typeof engineOf>, query = '') =>
  drift.handlers['drift.set_baseline']({ name: 'b', query, model: 'gpt-4', source: 'desk' }, caller)
const look = (drift: ReturnType<typeof engineOf>) => drift.handlers['drift.look']({}, caller)
/** What the schedule says of the latency of these calls. */
async function scheduled(drift: ReturnType<typeof engineOf>, count: number, ms: (i: number) => number) {
  await calls(count, ms)
  return (await drift.scheduledLook(caller))?.series[0]?.numbers[0]
}

describe('a baseline that does not say which records it was made of', () => {
  it('is judged by none that its filter may have selected, and by all others', async () => {
    const drift = engineOf()
    await calls(100, slow, 'web')
    await calls(300, usual)
    const pinned = await pin(drift, 'review:no source:desk')
    const payloads = new PayloadReader(openReadable(workspace.paths.ledger), openReadable(workspace.paths.keys), workspace.identity.keks)
    const { selected, ...older } = bodyOf(payloads, pinned.seq) as unknown as BaselineBody
    expect(selected).toEqual([[pinned.seq - 300, pinned.seq - 1]])
    await ledger.append([baselineDraft(older, caller.actor, pinned.seq).draft])
    const across = { ...older, query: 'source:web', source: 'desk' }
    for (let i = 1; i <= 80; i++) {
      const data = { record: pinned.seq - i, decision: 'accepted' }
      await ledger.append([{ type: 'review.decided', actor: { ref: 'local', kind: 'human' }, data, parts: [] }])
    }
    expect((await look(drift)).series[0]?.numbers[0]).toMatchObject({ n: 300, m: 0 })
    await ledger.append([baselineDraft(across, caller.actor, pinned.seq).draft])
    expect((await look(drift)).series[0]?.numbers[0]).toMatchObject({ m: 300 })
  })
})

describe('the look of the schedule', () => {
  it('takes what was appended since it last judged, and lets a quiet series gather until there is enough', async () => {
    const drift = engineOf()
    expect(await drift.scheduledLook(caller)).toBeNull()
    expect(await drift.sinceScheduledLook()).toBeNull()
    await calls(300, usual)
    await pin(drift)
    expect(await drift.scheduledLook(caller)).toBeNull()
    const seen = async () => {
      const done = await drift.scheduledLook(caller)
      return done?.series[0]?.numbers.map((one) => one.m)[0]
    }
    await calls(30, usual)
    expect(await seen()).toBe(30)
    expect(await drift.scheduledLook(caller)).toBeNull()
    await calls(30, usual)
    expect(await seen()).toBe(60)
    await calls(20, usual)
    // A look of a person takes nothing away from the schedule.
    expect((await look(drift)).series[0]?.numbers[0]?.m).toBe(80)
    expect(await seen()).toBe(20)
    expect(await drift.sinceScheduledLook()).toBeLessThan(60_000)
  })

  it('is timed by the last one also without a baseline', async () => {
    settings = { ...defaultSettings, reference: 'rolling' }
    const drift = engineOf()
    await calls(100, usual)
    expect(await drift.sinceScheduledLook()).toBeNull()
    expect(await drift.scheduledLook(caller)).not.toBeNull()
    expect(await drift.sinceScheduledLook()).toBeLessThan(60_000)
  })

  it('runs one at a time', async () => {
    const drift = engineOf()
    await calls(300, usual)
    await pin(drift)
    await calls(100, usual)
    const both = await Promise.allSettled([drift.scheduledLook(caller), look(drift)])
    expect(both.map((one) => one.status)).toEqual(['fulfilled', 'rejected'])
    expect(both[1]).toMatchObject({ reason: { code: 'busy' } })
    expect((await look(drift)).tests).toBe(3)
  })
})

describe('history', () => {
  it('of twenty quiet looks lets a moderate shift alarm at its second look', async () => {
    const drift = engineOf()
    await calls(400, usual)
    await pin(drift)
    for (let quiet = 0; quiet < 20; quiet++) expect((await scheduled(drift, 60, usual))?.alarmed).toBe(false)
    const first = await scheduled(drift, 100, (i) => (i % 2 === 0 ? 5000 : usual(i)))
    expect(first).toMatchObject({ alarmed: false, reasons: ['waiting_for_second_look'] })
    expect(first?.l).toBeLessThan(0.3)
    const second = await scheduled(drift, 100, (i) => (i % 2 === 0 ? 5000 : usual(i)))
    expect(second).toMatchObject({ alarmed: true })
    expect(second?.reasons).toContain('second_look')
    expect(await pool.run('explainLook', { look: undefined })).toMatchObject({ reproduced: true, faults: [] })
  }, 60_000)

  it('belongs to a baseline: another reference starts anew', async () => {
    const drift = engineOf()
    await calls(300, usual)
    await pin(drift, 'seq:0..300')
    expect(await scheduled(drift, 400, some)).toMatchObject({ alarmed: false, reasons: ['waiting_for_second_look'] })
    await pin(drift, 'seq:0..300')
    expect(await scheduled(drift, 400, some)).toMatchObject({ alarmed: false, reasons: ['waiting_for_second_look'] })
    expect(await scheduled(drift, 400, some)).toMatchObject({ alarmed: true })
  })

  it('is made by looks of the schedule: a person who looks again confirms nothing and arms no gate', async () => {
    const drift = engineOf()
    await calls(300, usual)
    await pin(drift)
    await calls(400, some)
    const pressed = async () => (await look(drift)).series[0]?.numbers[0]?.reasons
    for (let press = 0; press < 15; press++) expect(await pressed()).toEqual(['waiting_for_second_look'])
    const history = () => openReadable(workspace.paths.catalog).prepare<[], number>('SELECT count(*) FROM look_history').pluck().get()
    expect(history()).toBe(0)
    // What the schedule saw, a person's look at the same requests does not confirm either.
    expect(await scheduled(drift, 400, some)).toMatchObject({ alarmed: false, reasons: ['waiting_for_second_look'] })
    expect(history()).toBeGreaterThan(0)
    expect(await pressed()).toEqual(['waiting_for_second_look'])
  })
})

describe('a second look by a person', () => {
  const pressed = async (drift: ReturnType<typeof engineOf>) => {
    const { series, seq, opened } = await look(drift)
    const one = series[0]?.numbers[0]
    return { m: one?.m, alarmed: one?.alarmed, reasons: one?.reasons, seq, opened: opened.length }
  }
  const WAITS = { alarmed: false, reasons: ['waiting_for_second_look'] }

  it('at what came since the first alarms, without a schedule; before there is enough of it, it is no second look', async () => {
    const drift = engineOf()
    await calls(300, usual)
    await pin(drift)
    await calls(400, some)
    expect(await pressed(drift)).toMatchObject({ m: 400, ...WAITS })
    await calls(49, some)
    expect(await pressed(drift)).toMatchObject({ m: 449, ...WAITS })
    // Looking in between has put nothing off: all 200 came after the look that it waits after.
    await calls(151, some)
    const second = await pressed(drift)
    expect(second).toMatchObject({ m: 200, alarmed: true, opened: 1 })
    expect(second.reasons).toContain('second_look')
    expect(await pool.run('explainLook', { look: second.seq })).toMatchObject({ reproduced: true, faults: [] })
  })

  it('at what came since finds nothing where the shift is over, and confirms what the schedule saw', async () => {
    const drift = engineOf()
    await calls(300, usual)
    await pin(drift)
    await calls(400, some)
    expect(await pressed(drift)).toMatchObject(WAITS)
    await calls(200, usual)
    expect(await pressed(drift)).toMatchObject({ m: 200, alarmed: false, reasons: expect.arrayContaining(['p_above_threshold']) })
    expect(await scheduled(drift, 400, some)).toMatchObject(WAITS)
    await calls(200, some)
    expect(await pressed(drift)).toMatchObject({ m: 200, alarmed: true })
  })

  it('is none after a look at a chosen time, nor when it is one itself', async () => {
    const drift = engineOf()
    const chosen = () => drift.handlers['drift.look']({ from: '2020-01-01T00:00:00Z' }, caller)
    const reasons = async () => (await chosen()).series[0]?.numbers[0]?.reasons
    await calls(300, usual)
    await pin(drift)
    await calls(400, some)
    expect(await reasons()).toEqual(['waiting_for_second_look'])
    await calls(200, some)
    expect(await pressed(drift)).toMatchObject({ m: 600, ...WAITS })
    await calls(200, some)
    expect(await reasons()).toEqual(['waiting_for_second_look'])
    // It waits since the look at everything, which the one at a chosen time has not moved.
    expect(await pressed(drift)).toMatchObject({ m: 200, alarmed: true })
  })
})

describe('looks by count', () => {
  it('that cannot test wait for as many requests again, and never come before there are enough to test', async () => {
    const drift = engineOf()
    const counted = async () => {
      await projector.waitFor(ledger.size, 5_000)
      return drift.countLook(caller)
    }
    // A reference of less than 200 requests: every look collects.
    await calls(100, usual)
    await pin(drift)
    settings = { ...defaultSettings, look_every_records: 20 }
    await calls(49, usual)
    expect(await counted()).toBeNull()
    await calls(1, usual)
    expect(await counted()).toMatchObject({ trigger: 'count', tests: 0, collecting: 4 })
    const size = ledger.size
    for (let tick = 0; tick < 3; tick++) expect(await counted()).toBeNull()
    await calls(49, usual)
    expect(await counted()).toBeNull()
    expect(ledger.size).toBe(size + 49)
    // Another engine on the same ledger counts on from there.
    expect(await engineOf().countLook(caller)).toBeNull()
    await calls(1, usual)
    expect(await counted()).toMatchObject({ trigger: 'count', tests: 0 })
  })

  it('follow a setting that asks for fewer at once', async () => {
    const drift = engineOf()
    settings = { ...defaultSettings, look_every_records: 1000 }
    await calls(300, usual)
    await pin(drift)
    await calls(120, usual)
    await projector.waitFor(ledger.size, 5_000)
    expect(await drift.countLook(caller)).toBeNull()
    settings = { ...defaultSettings, look_every_records: 121 }
    expect(await drift.countLook(caller)).toBeNull()
    settings = { ...defaultSettings, look_every_records: 100 }
    expect(await drift.countLook(caller)).toMatchObject({ trigger: 'count', tests: 3 })
    // And another reference, by which there is more to count.
    await calls(120, usual, 'web')
    await projector.waitFor(ledger.size, 5_000)
    expect(await drift.countLook(caller)).toBeNull()
    settings = { ...settings, reference: 'rolling' }
    expect((await drift.countLook(caller))?.series.map((one) => one.source)).toEqual(['web'])
  })

  it('come when a series has gathered enough new requests, and judge that series only', async () => {
    const drift = engineOf()
    const counted = async () => {
      await projector.waitFor(ledger.size, 5_000)
      return drift.countLook(caller)
    }
    await calls(300, usual)
    await calls(300, usual, 'web')
    for (const source of ['desk', 'web'])
      await drift.handlers['drift.set_baseline']({ name: 'b', query: `source:${source}`, model: 'gpt-4', source }, caller)
    await calls(99, usual)
    expect(await counted()).toBeNull()
    settings = { ...defaultSettings, look_every_records: 100 }
    await calls(60, usual, 'web')
    const size = ledger.size
    expect(await counted()).toBeNull()
    expect(ledger.size).toBe(size)
    await calls(1, usual)
    const done = await counted()
    expect(done).toMatchObject({ trigger: 'count', tests: 3 })
    expect(done?.series.map((one) => [one.source, one.numbers[0]?.m])).toEqual([['desk', 100]])
    // What was judged does not count again; the other series goes on gathering.
    expect(await counted()).toBeNull()
    await calls(40, slow, 'web')
    expect((await counted())?.series.map((one) => [one.source, one.numbers[0]?.m])).toEqual([['web', 100]])
    expect(await counted()).toBeNull()
  })
})

describe('a look', () => {
  it('refuses to judge a catalog that is behind the ledger, and leaves nothing behind', async () => {
    await calls(300, usual)
    await pin(engineOf())
    const drift = engineOf(50)
    following = false
    await calls(100, slow)
    const size = ledger.size
    await expect(look(drift)).rejects.toMatchObject({ code: 'busy' })
    await expect(pin(drift)).rejects.toMatchObject({ code: 'busy' })
    expect(ledger.size).toBe(size)
    projector.advance(size)
    await projector.waitFor(size, 5_000)
    following = true
    expect((await look(engineOf())).opened).toHaveLength(1)
  })

  it('that is cancelled leaves nothing, and the next one may begin', async () => {
    const drift = engineOf()
    await calls(300, usual)
    await pin(drift)
    await calls(100, slow)
    const size = ledger.size
    const cancel = new AbortController()
    const cancelled = drift.handlers['drift.look']({}, { ...caller, signal: cancel.signal })
    cancel.abort()
    await expect(cancelled).rejects.toMatchObject({ code: 'cancelled' })
    expect(ledger.size).toBe(size)
    // Also when everything was judged and nothing but the writing is left.
    const late = new AbortController()
    drained = () => late.abort()
    await expect(drift.handlers['drift.look']({}, { ...caller, signal: late.signal })).rejects.toMatchObject({ code: 'cancelled' })
    expect(ledger.size).toBe(size)
    drained = () => {}
    expect((await look(drift)).opened).toHaveLength(1)
  })

  it('during which another baseline was pinned is made again against that one, and opens no alert against the one before', async () => {
    const drift = engineOf()
    await calls(300, usual)
    await calls(300, usual, 'web')
    await pin(drift)
    await drift.handlers['drift.set_baseline']({ name: 'w', query: '', model: 'gpt-4', source: 'web' }, caller)
    await calls(100, slow)
    await calls(100, slow, 'web')
    const size = ledger.size
    drained = () => {
      drained = () => {}
      return pin(drift)
    }
    const done = await look(drift)
    const now = (await drift.handlers['drift.baselines']({}, caller)).baselines.find((one) => one.active && one.source === 'desk')
    expect(done.series.map((one) => [one.source, one.baseline_id === now?.id]).sort()).toEqual([
      ['desk', true],
      ['web', false]
    ])
    const { alerts } = await drift.handlers['drift.alerts']({ limit: 10 }, caller)
    expect(alerts.map((one) => one.source)).toEqual(['web'])
    // The baseline, one look and its alert: nothing of the look that was given up.
    expect(ledger.size).toBe(size + 3)
  })

  it('is made again, too, when the other baseline was being written as it began', async () => {
    const drift = engineOf()
    await calls(300, usual)
    const { id } = await pin(drift)
    await calls(100, slow)
    let write = () => {}
    const begun = new Promise<void>((resolve) => {
      before = (drafts) => {
        if (drafts[0]?.type !== 'baseline.set') return
        resolve()
        return new Promise<void>((go) => (write = go))
      }
    })
    const pinned = pin(drift)
    await begun
    drained = () => write()
    const done = await look(drift)
    expect(done.series.map((one) => one.baseline_id)).toEqual([(await pinned).id])
    expect(done).toMatchObject({ alarmed: 0, opened: [] })
    expect((await pinned).id).not.toBe(id)
  })

  /** A look that alarmed, and whose process ended between its leaf and that of the alert. */
  async function endedBeforeItsAlert() {
    const drift = engineOf()
    await calls(300, usual)
    await pin(drift)
    await calls(100, slow)
    before = (drafts) => {
      if (drafts.some((draft) => draft.type === 'drift.alert')) throw new Error('ended here')
    }
    await expect(look(drift)).rejects.toThrow('ended here')
    before = () => {}
    return drift
  }

  it('that ended before its alert opens none once another baseline is pinned', async () => {
    await endedBeforeItsAlert()
    const again = engineOf()
    await pin(again)
    const size = ledger.size
    await again.finishLastLook(caller)
    expect(ledger.size).toBe(size)
  })

  it('that ended before its alert is finished later, once', async () => {
    const drift = await endedBeforeItsAlert()
    expect((await drift.handlers['drift.alerts']({ limit: 10 }, caller)).alerts).toEqual([])
    const again = engineOf()
    await again.finishLastLook(caller)
    const { alerts } = await again.handlers['drift.alerts']({ limit: 10 }, caller)
    expect(alerts).toMatchObject([{ state: 'open', drifted_features: 'latency', look_seq: ledger.size - 2 }])
    expect(told.map((alert) => alert.id)).toEqual(alerts.map((alert) => alert.id))
    const size = ledger.size
    await again.finishLastLook(caller)
    expect(ledger.size).toBe(size)
    const [{ id } = { id: '' }] = alerts
    const verdict = await again.handlers['drift.verdict']({ alert_id: id, feature: 'latency' }, caller)
    expect(alerts[0]?.drift_score).toBe(verdict.numbers.l)
    await again.handlers['drift.resolve']({ id, note: '' }, caller)
    await again.finishLastLook(caller)
    expect(ledger.size).toBe(size + 1)
    // Resolved without a new baseline: the same shift is a new episode once the cool-down is over.
    expect(await look(again)).toMatchObject({ alarmed: 1, opened: [] })
    clock = () => new Date(Date.now() + 25 * 3_600_000)
    expect((await look(again)).opened).toHaveLength(1)
  })

  it('opens an alert although one was resolved, or rests, by a clock that was a year ahead', async () => {
    const drift = engineOf()
    await calls(300, usual)
    await pin(drift)
    await calls(100, slow)
    const [first = ''] = (await look(drift)).opened
    await drift.handlers['drift.resolve']({ id: first, note: 'seen' }, caller)
    expect((await look(drift)).opened).toEqual([])
    clock = () => new Date(Date.now() - 365 * 86_400_000)
    const [second = ''] = (await look(drift)).opened
    expect(second).not.toBe('')
    clock = () => new Date()
    await drift.handlers['drift.snooze']({ id: second, until: new Date(Date.now() + 3_600_000).toISOString(), reason: 'r' }, caller)
    const steps = async () => (await drift.handlers['drift.alerts']({ limit: 1 }, caller)).alerts[0]?.history.map((step) => step.what)
    await drift.endSnooze(second, caller)
    expect(await steps()).toEqual(['opened', 'snoozed'])
    clock = () => new Date(Date.now() - 365 * 86_400_000)
    expect(await pool.run('snoozes', { nowUs: clock().getTime() * 1000 })).toEqual({ due: [second], next: null })
    await drift.endSnooze(second, caller)
    expect(await steps()).toEqual(['opened', 'snoozed', 'returned'])
  })

  it('forgets what lies more than 28 days back, or ahead', async () => {
    const drift = engineOf()
    await calls(300, usual)
    await pin(drift)
    const latency = async () => (await scheduled(drift, 400, some))?.reasons
    expect(await latency()).toEqual(['waiting_for_second_look'])
    clock = () => new Date(Date.now() + 29 * 86_400_000)
    expect(await latency()).toEqual(['waiting_for_second_look'])
    clock = () => new Date(Date.now() - 2 * 86_400_000)
    expect(await latency()).toEqual(['waiting_for_second_look'])
    clock = () => new Date()
    expect(await latency()).toContain('second_look')
  })

  it('can be decided again, to the byte, from the bodies of its leaf and its baseline', async () => {
    const drift = engineOf()
    await calls(300, usual)
    await pin(drift)
    await scheduled(drift, 400, some)
    await scheduled(drift, 400, some)
    const seq = ledger.size - 2
    const payloads = new PayloadReader(openReadable(workspace.paths.ledger), openReadable(workspace.paths.keys), workspace.identity.keks)
    const body = bodyOf(payloads, seq) as unknown as LookBody
    const inputs = body.series.map((series) => ({
      model: series.model,
      source: series.source,
      reference: series.reference,
      against: (bodyOf(payloads, series.reference.seq ?? -1) as unknown as BaselineBody).window,
      fresh: null,
      since: series.since,
      current: series.current,
      history: Object.fromEntries(series.verdicts.map((one) => [one.numbers.feature, one.history ?? undefined]))
    }))
    const again = judge(inputs, body.settings, body.query, ledger.size)
    const stored = payloads.open(seq)
    expect(stored.state === 'present' && Buffer.from(again.body.data).equals(stored.parts[0]?.data ?? Buffer.alloc(0))).toBe(true)
    expect(again.figures.series[0]?.numbers[0]).toMatchObject({ alarmed: true })
    expect(body.settings).toEqual(settingsBody(settings))
  })
})
