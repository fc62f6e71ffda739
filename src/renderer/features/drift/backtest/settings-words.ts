// SPDX-License-Identifier: Apache-2.0
import type { BacktestSettings } from '../../../../shared/contract/drift-backtest.ts'
import { lookIntervalsWith, procedureChoices, referenceChoices } from '../../../ui/drift-words.ts'
import { count } from '../../../ui/format.ts'

export type SettingName = keyof BacktestSettings

/** The settings that decide what alarms, in the order of the form. */
export const settingNames: Readonly<Record<SettingName, string>> = {
  effect_floor: 'Smallest shift L',
  error_rate_floor: 'Smallest shift of errors',
  looks_per_false_alarm: 'Looks per false alarm',
  look_every_minutes: 'Look',
  min_current: 'Current requests',
  min_reference: 'Reference requests',
  reference: 'Without a baseline',
  reference_days: 'Days of a rolling one',
  cooldown_hours: 'Hours of cool-down',
  procedure: 'Family correction'
}

/** A value as the form shows it. */
export function valueWords<N extends SettingName>(name: N, value: BacktestSettings[N]): string {
  const all = { [name]: value } as Partial<BacktestSettings>
  if (all.look_every_minutes !== undefined)
    return lookIntervalsWith(all.look_every_minutes)
      .find((one) => one.value === String(value))
      ?.label.toLowerCase() as string
  if (all.reference !== undefined) return referenceChoices.find((one) => one.value === value)?.label.toLowerCase() ?? ''
  if (all.procedure !== undefined) return procedureChoices.find((one) => one.value === value)?.label ?? ''
  return typeof value === 'number' && value >= 1 ? count(value) : String(value)
}

/** The settings of `next` that are not those of `before`. */
export const changedSettings = (before: BacktestSettings, next: Partial<BacktestSettings>): SettingName[] =>
  (Object.keys(settingNames) as SettingName[]).filter((name) => next[name] !== undefined && next[name] !== before[name])

/** One changed setting in words, for a list. */
export const changeWords = (name: SettingName, before: BacktestSettings, next: BacktestSettings): string =>
  `${settingNames[name].charAt(0).toLowerCase()}${settingNames[name].slice(1)} ${valueWords(name, next[name])} (now ${valueWords(name, before[name])})`
