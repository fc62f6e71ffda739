// SPDX-License-Identifier: Apache-2.0
import { type Settings, settings as settingsSchema } from '../../shared/contract/workspace.ts'
import type { Actor, LeafDraft } from '../ledger/draft.ts'
import type { AnyDb } from '../sqlite/open.ts'

/** What a new workspace starts with (DRIFT: hourly looks, at most one false alarm in 168 of them). */
export const defaultSettings: Settings = {
  look_every_minutes: 60,
  look_every_records: 0,
  reference: 'none',
  reference_days: 7,
  cooldown_hours: 24,
  notify_on_alert: true,
  looks_per_false_alarm: 168,
  effect_floor: 0.1,
  error_rate_floor: 0.02,
  min_current: 50,
  min_reference: 200,
  procedure: 'BH',
  verify_every_hours: 24,
  propose_disposal_every_hours: 24,
  lock_after_minutes: 15,
  tsa_url: '',
  tsa_every_minutes: 60
}

/** Replays the `setting.changed` leaves over the defaults. Values of unknown or no longer valid settings are left out. */
export function readSettings(ledger: AnyDb, seqs: readonly number[]): Settings {
  const leaf = ledger.prepare<[number], Buffer>('SELECT bytes FROM leaf WHERE seq = ?').pluck()
  let settings = defaultSettings
  for (const seq of seqs) {
    const bytes = leaf.get(seq)
    if (!bytes) continue
    const { type, data } = JSON.parse(bytes.toString('utf8')) as { type: string; data?: { name: string; to: string } }
    if (type !== 'setting.changed' || !data || !(data.name in settingsSchema.shape)) continue
    const next = settingsSchema.safeParse({ ...settings, [data.name]: JSON.parse(data.to) as unknown })
    if (next.success) settings = next.data
  }
  return settings
}

/** Settings to change; absent ones stay. */
export type SettingsChange = { readonly [K in keyof Settings]?: Settings[K] | undefined }

/** The settings after a change. */
export const applyChange = (before: Settings, change: SettingsChange): Settings =>
  settingsSchema.parse({ ...before, ...Object.fromEntries(Object.entries(change).filter(([, value]) => value !== undefined)) })

/** One leaf per setting that differs. */
export function settingDrafts(before: Settings, change: SettingsChange, actor: Actor): LeafDraft[] {
  return (Object.keys(change) as (keyof Settings)[])
    .filter((name) => change[name] !== undefined && change[name] !== before[name])
    .map((name) => ({
      type: 'setting.changed',
      actor,
      data: { name, from: JSON.stringify(before[name]), to: JSON.stringify(change[name]) },
      parts: []
    }))
}
