// SPDX-License-Identifier: Apache-2.0
import { z } from 'zod'
import { movingReferences } from '../event/drift-bodies.ts'
import { driftFeature, verdictNumbers } from './drift.ts'
import { operation } from './operation.ts'
import { timestamp } from './record.ts'
import { settings } from './workspace.ts'

const count = z.int().min(0)

/** The settings that decide what alarms. */
export const backtestSettings = settings.pick({
  look_every_minutes: true,
  looks_per_false_alarm: true,
  effect_floor: true,
  error_rate_floor: true,
  min_current: true,
  min_reference: true,
  procedure: true,
  reference: true,
  reference_days: true,
  cooldown_hours: true
})
export type BacktestSettings = z.infer<typeof backtestSettings>

/** One series that would have alarmed at one look. */
export const backtestAlarm = z.object({
  time: timestamp,
  model: z.string(),
  source: z.string(),
  reference: z.enum(['baseline', ...movingReferences]),
  features: z.array(driftFeature),
  score: z.number().min(0).max(1),
  /** Whether it would have opened an alert, or belonged to one that was open or cooling down. */
  opens: z.boolean()
})
export type BacktestAlarm = z.infer<typeof backtestAlarm>

export const backtestRun = z.object({
  settings: backtestSettings,
  looks: count,
  tests: count,
  series: count,
  alarms: count,
  alerts: count,
  /** Oldest first; at most a thousand. */
  list: z.array(backtestAlarm)
})
export type BacktestRun = z.infer<typeof backtestRun>

export const backtestResult = z.object({
  from: timestamp,
  to: timestamp,
  /** Records left out because the times they claim lie far from those of all others; 0 where both ends were named. */
  outside: count,
  /** Under the settings as they are. */
  present: backtestRun,
  /** Under the settings that were asked about; null when these are the present ones. */
  proposed: backtestRun.nullable(),
  seconds: z.number()
})
export type BacktestResult = z.infer<typeof backtestResult>

/** A look that was decided again from what its leaves hold. */
export const driftReceipt = z.object({
  look_seq: count,
  look_time: timestamp,
  /** Whether the same code gives the same bytes. */
  reproduced: z.boolean(),
  body_sha256: z.string(),
  recomputed_sha256: z.string().nullable(),
  /** What could not be read, or is not what was recorded. */
  faults: z.array(z.string()),
  series: z.array(z.object({ model: z.string(), source: z.string(), reference: z.string(), numbers: z.array(verdictNumbers) }))
})
export type DriftReceipt = z.infer<typeof driftReceipt>

export const backtestOperations = {
  'drift.backtest': operation({
    summary: 'What would have alarmed over the stored history under these settings, as a job',
    input: z.strictObject({
      from: z.iso.datetime({ offset: true }).optional(),
      to: z.iso.datetime({ offset: true }).optional(),
      settings: backtestSettings.partial().strict().default({})
    }),
    output: z.object({ job_id: z.string() }),
    access: 'write',
    leaves: ['drift.backtest']
  }),
  'drift.backtest_result': operation({
    summary: 'What a finished back-test found',
    input: z.strictObject({ job_id: z.string().max(64) }),
    output: backtestResult,
    access: 'read',
    leaves: []
  }),
  'drift.explain': operation({
    summary: 'Decides a look again from the bodies of its leaf and of its references; the newest when none is named',
    input: z.strictObject({ look_seq: count.optional() }),
    output: driftReceipt,
    access: 'read',
    leaves: []
  })
} as const
