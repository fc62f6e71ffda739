// SPDX-License-Identifier: Apache-2.0
import type { CanonicalEvent } from '../../shared/event/canonical-event.ts'
import { normaliseIngest } from '../../shared/event/ingest.ts'
import type { Dice } from './dice.ts'

/** Models and applications of the sample (PRODUCT, Sample workspace). */
export const sampleModels = ['gpt-4', 'gpt-3.5-turbo', 'claude-2'] as const
export const sampleSources = ['web-app', 'api', 'mobile-app'] as const

const providers = { 'gpt-4': 'openai', 'gpt-3.5-turbo': 'openai', 'claude-2': 'anthropic' } as const
const topics = ['a transfer', 'the fee schedule', 'a change of address', 'an account statement', 'a complaint', 'a loan offer'] as const
const tones = ['briefly', 'for a client', 'in plain words', 'with the rule it follows from'] as const
const errors = [
  ['rate_limited', 429, 'The provider refused: too many requests.'],
  ['timeout', 504, 'The provider did not answer in time.'],
  ['server_error', 500, 'The provider failed.']
] as const
const sentences = [
  'The request was checked against the rules that apply.',
  'Nothing in it asks for a decision by a person.',
  'The period begins on the day the letter arrived.',
  'A copy goes to the file of the client.',
  'The fee is stated in the schedule of this year.',
  'An adviser calls back within two working days.'
] as const

const WEEK_US = 7 * 86_400_000_000
/** Milliseconds; what the latencies of the sample average. */
const MEAN_LATENCY = 28.6
/** One of so many records failed: 16 of 200. */
const FAILED_OF = [16, 200] as const

/** An event of the sample and when it was recorded, microseconds since 1970 UTC. */
export interface SampleEvent {
  readonly atUs: number
  readonly event: CanonicalEvent
}

/** Records of the week before `nowUs`, oldest first; the same for the same dice, number and time. */
export function sampleEvents(roll: Dice, records: number, nowUs: number): SampleEvent[] {
  const failures = Math.round((records * FAILED_OF[0]) / FAILED_OF[1])
  // Which ones fail: drawn without replacement, so that the number is exact.
  const failing = new Set<number>()
  while (failing.size < failures) failing.add(roll.below(records))
  const weights = Array.from({ length: records }, () => Math.exp(roll.normal() * 0.45))
  const scale = (MEAN_LATENCY * records) / weights.reduce((sum, weight) => sum + weight, 0)
  const starts = Array.from({ length: records }, () => nowUs - Math.floor(roll.next() * (WEEK_US - 60_000_000)) - 1_000_000).sort(
    (a, b) => a - b
  )
  return starts.map((startUs, i): SampleEvent => {
    const model = roll.pick(sampleModels)
    const failed = failing.has(i)
    const latencyUs = Math.round((weights[i] ?? 1) * scale * 1000)
    const topic = roll.pick(topics)
    const prompt = `Explain ${topic} ${roll.pick(tones)}. Case ${1000 + i}.`
    const answer = Array.from({ length: 1 + roll.below(4) }, () => roll.pick(sentences)).join(' ')
    const [type, status, message] = roll.pick(errors)
    const read = normaliseIngest(
      {
        start_us: startUs,
        latency_us: latencyUs,
        source: roll.pick(sampleSources),
        model,
        provider: providers[model],
        prompt,
        input_tokens: Math.ceil(prompt.length / 4),
        ...(failed
          ? { status: 'error', http_status: status, error_type: type, error_message: message }
          : {
              status: 'success',
              http_status: 200,
              response: answer,
              output_tokens: Math.ceil(answer.length / 4),
              finish_reasons: ['stop']
            })
      },
      { receivedUs: nowUs, channel: 'http', defaultSource: 'sample' }
    )
    if (!read.ok) throw new Error(`the sample is no event: ${read.message}`)
    return { atUs: startUs + latencyUs, event: read.event }
  })
}
