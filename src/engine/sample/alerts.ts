// SPDX-License-Identifier: Apache-2.0

import type { ReferenceBody, ValueFeature, WindowBody } from '../../shared/event/drift-bodies.ts'
import type { JsonValue } from '../../shared/evidence/jcs.ts'
import { jcs } from '../../shared/evidence/jcs.ts'
import { countTableOf, countTableToJson } from '../../shared/stats/count-table.ts'
import { sha256Hex } from '../crypto.ts'
import { type JudgedLook, judge, settingsBody } from '../drift/look.ts'
import { defaultSettings } from '../workspace/settings.ts'
import type { Dice } from './dice.ts'
import { sampleModels, sampleSources } from './records.ts'

/** What an alert of the sample is about. */
export const sampleFeatures = ['latency', 'token_usage', 'response_length', 'error_rate'] as const
type Feature = (typeof sampleFeatures)[number]

/** Requests of each window: enough that a shift of a given size is told from noise by the same margin each time. */
const REQUESTS = 2_000
/** How much of a shift the bound L leaves to noise at that size (DRIFT, step 5: twice √(ln(4k/a)/2n)). */
const NOISE = 2 * Math.sqrt(Math.log(320) / (2 * REQUESTS))

const usual: Readonly<Record<ValueFeature, readonly [number, number]>> = {
  latency: [28, 9],
  token_usage: [60, 18],
  response_length: [180, 60]
}

/** Values around a centre; a share of them moved out of reach of the others, so that the largest gap is that share. */
function values(roll: Dice, [centre, spread]: readonly [number, number], moved: number): number[] {
  const shifted = Math.round(moved * REQUESTS)
  return Array.from({ length: REQUESTS }, (_, i) =>
    Math.max(1, Math.round(centre + Math.max(-2.5, Math.min(2.5, roll.normal())) * (spread / 2) + (i < shifted ? spread * 4 : 0)))
  )
}

function windowOf(roll: Dice, shift: { readonly feature: Feature; readonly by: number } | null, from: string, to: string): WindowBody {
  const share = (feature: Feature): number => (shift?.feature === feature ? shift.by : 0)
  const table = (feature: ValueFeature) => countTableToJson(countTableOf(values(roll, usual[feature], share(feature))))
  return {
    records: REQUESTS,
    from,
    to,
    from_seq: null,
    to_seq: null,
    token_basis: 'total',
    tables: { latency: table('latency'), token_usage: table('token_usage'), response_length: table('response_length') },
    error_rate: { errors: Math.round(REQUESTS * (0.02 + share('error_rate'))), total: REQUESTS },
    beside: { finish: { stop: REQUESTS }, served: {}, script: { latin: REQUESTS } }
  }
}

const iso = (us: number): string => new Date(Math.floor(us / 1000)).toISOString()
const DAY_US = 86_400_000_000

/**
 * A look at one series in which one feature has moved so far that the alarm's score is near `score`. Judged by the rule that judges real looks,
 * so its verdict opens, explains itself and re-runs like any other.
 */
export function sampleLook(roll: Dice, score: number, atUs: number, toSeq: number): JudgedLook {
  const feature = roll.pick(sampleFeatures)
  const model = roll.pick(sampleModels)
  const source = roll.pick(sampleSources)
  const by = Math.min(feature === 'error_rate' ? 0.97 : 1, score + (feature === 'error_rate' ? 0.03 : NOISE))
  const hour = Math.floor(atUs / 3_600_000_000) * 3_600_000_000
  const from = iso(hour - 7 * DAY_US)
  const to = iso(hour)
  const against = windowOf(roll, null, from, to)
  const fresh: ReferenceBody = { kind: 'rolling', model, source, from, to, window: against }
  // Seen before and in the look before: what is left to decide is the size of the effect.
  const past = { looks: 20, max_unalarmed_l: 0, max_d: 0, previous_fired: true }
  return judge(
    [
      {
        model,
        source,
        reference: {
          kind: 'rolling',
          id: 'rolling',
          seq: null,
          sha256: sha256Hex(Buffer.from(jcs(fresh as unknown as JsonValue), 'utf8'))
        },
        against,
        fresh,
        since: 0,
        current: windowOf(roll, { feature, by }, iso(atUs - 3_600_000_000), iso(atUs)),
        history: { latency: past, token_usage: past, response_length: past, error_rate: past }
      }
    ],
    settingsBody({ ...defaultSettings, effect_floor: 0.02, error_rate_floor: 0.02 }),
    '',
    toSeq
  )
}
