// SPDX-License-Identifier: Apache-2.0
import { compareHandlers } from '../drift/compare/handlers.ts'
import { driftEngine } from '../drift/handlers.ts'
import { historyHandlers } from '../drift/history-handlers.ts'
import { Announcer, noticesOf } from '../drift/notices.ts'
import { LookSchedule } from '../drift/schedule.ts'
import { SnoozeEnds } from '../drift/snooze-ends.ts'
import { WebhookStore } from '../drift/webhooks/store.ts'
import { Webhooks } from '../drift/webhooks/webhooks.ts'
import type { People } from '../people/people.ts'
import { BY_ITSELF, type Core } from './core.ts'
import type { LiveStatus } from './live-status.ts'

const CAUGHT_UP_MS = 2_000

/** Looks, alerts, and who is told of them. */
export function driftPart(core: Core, live: LiveStatus, people: People) {
  const { append, config, failed, ledgerSize, pool, projector, settings, workspace } = core
  const { feed } = live
  const base = { pool, projector, ledgerSize, append, record: core.record }
  const webhooks = new Webhooks({ ...base, store: new WebhookStore(config.state, workspace.identity.origin) })
  const announcer = new Announcer((alerts) => {
    webhooks.wake()
    if (settings.current.notify_on_alert) for (const one of noticesOf(alerts)) feed.notice(one)
    void live.refresh().catch(() => {})
  })
  const drift = driftEngine({
    ...base,
    drain: () => pool.run('drainWal', { path: workspace.paths.ledger }),
    settings: () => settings.current,
    seesNotes: (caller) => people.may(caller, 'see'),
    onAlert: (alert) => {
      feed.alert(alert)
      announcer.add(alert)
    },
    onSnoozed: (until) => snoozeEnds.snoozed(until),
    nextLook: () => schedule.nextLook
  })
  const snoozeEnds = new SnoozeEnds({
    pool,
    caughtUp: async () => (await projector.waitFor(ledgerSize(), CAUGHT_UP_MS)) >= ledgerSize(),
    end: (id) => drift.endSnooze(id, BY_ITSELF),
    onFailed: failed('snooze.failed')
  })
  const schedule = new LookSchedule({
    everyMinutes: () => settings.current.look_every_minutes,
    sinceLast: () => drift.sinceScheduledLook(),
    look: () => drift.scheduledLook(BY_ITSELF),
    byCount: () => drift.countLook(BY_ITSELF),
    onFailed: failed('look.failed'),
    clock: core.clock
  })
  return {
    drift,
    handlers: {
      ...drift.handlers,
      ...historyHandlers({ ...base, jobs: core.jobs, settings: () => settings.current }),
      ...webhooks.handlers,
      ...compareHandlers({ ...base, settings: () => settings.current })
    },
    /** Ends the last look where a crash interrupted it, and looks from now on. */
    start: () => {
      if (!workspace.ledger) return
      webhooks.rewind()
      drift.finishLastLook(BY_ITSELF).catch(failed('look.unfinished'))
      snoozeEnds.start()
      // A single command looks when it is told to, not because an hour has passed.
      if (!core.serving) return
      webhooks.wake()
      void schedule.start()
    },
    stop: async () => {
      snoozeEnds.stop()
      await schedule.stop()
      webhooks.close()
    }
  }
}
