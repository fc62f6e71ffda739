// SPDX-License-Identifier: Apache-2.0
// Back-tests and receipts.
import type { BacktestResult, BacktestSettings } from '../../shared/contract/drift-backtest.ts'
import { backtestSettings } from '../../shared/contract/drift-backtest.ts'
import { AffidavitError } from '../../shared/contract/errors.ts'
import type { Settings } from '../../shared/contract/workspace.ts'
import { HOUR_US } from '../catalog/cells.ts'
import { isoMs } from '../catalog/rows.ts'
import type { Handlers } from '../handlers.ts'
import type { Jobs } from '../jobs/jobs.ts'
import { bodyPart } from '../ledger/body-part.ts'
import type { AppendResult, LeafDraft } from '../ledger/draft.ts'
import type { Projector } from '../threads/projector.ts'
import type { ReaderPool } from '../threads/reader-pool.ts'

/** What back-tests need of the engine. */
export interface HistoryDeps {
  readonly pool: ReaderPool
  readonly projector: Projector
  readonly jobs: Jobs
  readonly ledgerSize: () => number
  readonly append: (drafts: readonly LeafDraft[]) => Promise<readonly AppendResult[]>
  readonly settings: () => Settings
}

const PATIENCE_MS = 20_000
const hourAt = (text: string | undefined, round: (x: number) => number): number | undefined =>
  text === undefined ? undefined : round((Date.parse(text) * 1000) / HOUR_US)

/** Back-tests as jobs, receipts of looks. */
export function historyHandlers(deps: HistoryDeps): Handlers<'drift.backtest' | 'drift.backtest_result' | 'drift.explain'> {
  const { pool, projector, jobs } = deps
  return {
    'drift.backtest': async (input, caller) => {
      const present: BacktestSettings = backtestSettings.parse(deps.settings())
      const asked = Object.fromEntries(Object.entries(input.settings).filter(([, value]) => value !== undefined))
      const proposed = backtestSettings.parse({ ...present, ...asked })
      const differs = JSON.stringify(proposed) !== JSON.stringify(present)
      await projector.waitFor(deps.ledgerSize(), PATIENCE_MS)
      const known = await pool.run('hoursOnRecord', {})
      if (!known) throw new AffidavitError('nothing_selected', 'there is no record yet: nothing to test on')
      const from = Math.max(hourAt(input.from, Math.floor) ?? known.usual.from, known.from)
      const to = Math.min(hourAt(input.to, Math.ceil) ?? known.usual.to, known.to)
      if (from >= to) throw new AffidavitError('bad_request', 'to: not later than from, or before the first record')
      const job = jobs.start(
        'backtest',
        'Testing settings on the history',
        'looks',
        caller.actor,
        async (control): Promise<BacktestResult> => {
          const started = performance.now()
          const run = (settings: BacktestSettings, half: number) =>
            pool.run(
              'backtest',
              { from, to, settings },
              {
                signal: control.signal,
                onProgress: ({ done, total }) => control.progress(done + half * total, differs ? 2 * total : total)
              }
            )
          const now = await run(present, 0)
          const then = differs ? await run(proposed, 1) : null
          const { looks, alarms, alerts } = then ?? now
          const window = { from: isoMs(from * HOUR_US), to: isoMs(to * HOUR_US) }
          const { part, sha256 } = bodyPart({ ...window, settings: proposed })
          const data = { looks, alarms, episodes: alerts, to_seq: deps.ledgerSize(), body_sha256: sha256 }
          await deps.append([{ type: 'drift.backtest', actor: caller.actor, data, parts: [part] }])
          const outside = input.from === undefined || input.to === undefined ? known.usual.outside : 0
          return { ...window, outside, present: now, proposed: then, seconds: (performance.now() - started) / 1000 }
        }
      )
      return { job_id: job.id }
    },
    'drift.backtest_result': async ({ job_id }) => jobs.result<BacktestResult>(job_id, 'backtest'),
    'drift.explain': async ({ look_seq }, caller) => {
      await projector.waitFor(deps.ledgerSize(), PATIENCE_MS)
      return pool.run('explainLook', { look: look_seq }, { signal: caller.signal })
    }
  }
}
