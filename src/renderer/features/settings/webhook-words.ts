// SPDX-License-Identifier: Apache-2.0
import type { Webhook } from '../../../shared/contract/webhooks.ts'
import { count, moment } from '../../ui/format.ts'
import type { Meaning } from '../../ui/parts.tsx'

type Delivery = Webhook['delivery']

const problems: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nobody listens at this address (ECONNREFUSED)',
  ECONNRESET: 'the connection was cut (ECONNRESET)',
  ENOTFOUND: 'the name of the machine is not known (ENOTFOUND)',
  EAI_AGAIN: 'the name of the machine could not be looked up (EAI_AGAIN)',
  ETIMEDOUT: 'the machine could not be reached in time (ETIMEDOUT)'
}

/** The state of a webhook in two or three words. A test that failed is as much a sign as an alert that did. */
export function deliveryState({ state, last_time, last_problem }: Delivery): readonly [Meaning, string] {
  if (state === 'sending') return ['pending', 'sending']
  if (state === 'waiting') return ['attention', 'last delivery failed']
  if (state === 'failed') return ['broken', 'gave an alert up']
  if (last_problem !== null) return ['attention', 'last delivery failed']
  return last_time === null ? ['none', 'nothing sent yet'] : ['holds', 'up to date']
}

const nextWords = ({ state, attempts, next_time, last_kind, last_problem }: Delivery): string => {
  if (state === 'waiting' && next_time !== null)
    return ` Attempt ${count(attempts + 1)} follows ${moment(next_time)}; later alerts wait for it.`
  if (state === 'failed') return ' The alert is not posted again; the next one is, as it opens or changes.'
  if (last_problem === null) return ''
  return last_kind === 'test' ? ' A test is not repeated; the next alert is posted as it opens or changes.' : ''
}

/** How the last delivery went: when, why it failed, and what happens next. */
export function deliveryWords(delivery: Delivery): string {
  const { delivered, given_up, last_time, last_kind, last_problem, last_status } = delivery
  const counts = `${count(delivered)} delivered, ${count(given_up)} given up.`
  if (last_time === null) return `${counts} No attempt since the engine started; the next alert is posted as it opens or changes.`
  const what = `The last delivery${last_kind === 'test' ? ', a test,' : ''}`
  const how =
    last_problem === null
      ? `went well ${moment(last_time)}: answered ${last_status}.`
      : `failed ${moment(last_time)}: ${problems[last_problem] ?? last_problem}.`
  return `${counts} ${what} ${how}${nextWords(delivery)}`
}
