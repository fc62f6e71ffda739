// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest'
import type { Webhook } from '../../../shared/contract/webhooks.ts'
import { deliveryState, deliveryWords } from './webhook-words.ts'

const delivery = (more: Partial<Webhook['delivery']>): Webhook['delivery'] => ({
  state: 'idle',
  delivered: 2,
  given_up: 0,
  attempts: 0,
  last_time: '2026-01-02T03:04:05.000Z',
  last_kind: 'alert',
  last_status: 204,
  last_problem: null,
  next_time: null,
  ...more
})

describe('a webhook in words', () => {
  it('is up to date only when the last delivery went well', () => {
    expect(deliveryState(delivery({}))).toEqual(['holds', 'up to date'])
    expect(deliveryWords(delivery({}))).toBe('2 delivered, 0 given up. The last delivery went well 2 Jan 2026, 03:04:05 UTC: answered 204.')
    expect(deliveryState(delivery({ last_time: null, last_kind: null, last_status: null }))).toEqual(['none', 'nothing sent yet'])
    expect(deliveryWords(delivery({ last_time: null }))).toContain('No attempt since the engine started')
  })
  it('of a test that failed says when, why, and that it is not repeated', () => {
    const failed = delivery({ last_kind: 'test', last_status: null, last_problem: 'ECONNREFUSED' })
    expect(deliveryState(failed)).toEqual(['attention', 'last delivery failed'])
    expect(deliveryWords(failed)).toBe(
      '2 delivered, 0 given up. The last delivery, a test, failed 2 Jan 2026, 03:04:05 UTC: nobody listens at this address (ECONNREFUSED). A test is not repeated; the next alert is posted as it opens or changes.'
    )
  })
  it('of an alert that waits says which attempt follows when', () => {
    const waiting = delivery({ state: 'waiting', attempts: 2, last_problem: 'it answered 503', next_time: '2026-01-02T03:04:35.000Z' })
    expect(deliveryState(waiting)).toEqual(['attention', 'last delivery failed'])
    expect(deliveryWords(waiting)).toMatch(/failed .*: it answered 503\. Attempt 3 follows 2 Jan 2026, 03:04:35 UTC; later alerts wait/)
  })
  it('that gave an alert up says so until another goes well', () => {
    const gone = delivery({ state: 'failed', given_up: 1, last_problem: 'no answer within 10 s' })
    expect(deliveryState(gone)).toEqual(['broken', 'gave an alert up'])
    expect(deliveryWords(gone)).toContain('1 given up')
    expect(deliveryWords(gone)).toContain('not posted again')
  })
})
