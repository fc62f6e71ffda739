// SPDX-License-Identifier: Apache-2.0
import { beforeEach, describe, expect, it } from 'vitest'
import type { ShellEngineState } from '../shared/contract/shell.ts'
import type { FromEngine, ToEngine } from '../shared/contract/wire.ts'
import { EngineBridge, MAX_CALLS, MAX_SUBSCRIPTIONS, type Peer } from './engine-bridge.ts'

let state: ShellEngineState['state'] = 'running'
let toEngine: ToEngine[] = []
let bridge = new EngineBridge({ send: () => undefined, state: () => engineState() })

const engineState = (): ShellEngineState => ({ state, restarts: 0, retry_ms: null, code: null, message: null, asks: null })

function window(id: number): Peer & { readonly got: FromEngine[] } {
  const got: FromEngine[] = []
  return { id, got, send: (message) => got.push(message) }
}

function change(next: ShellEngineState['state']): void {
  state = next
  bridge.engineChanged()
}

const call = (id: string): ToEngine => ({ kind: 'call', id, op: 'records.open', input: { id } })
const subscribe = (id: string): ToEngine => ({ kind: 'subscribe', id, topic: 'status', input: {} })
const done = (id: string, value: unknown): FromEngine => ({ kind: 'reply', id, reply: { ok: true, value } })

beforeEach(() => {
  state = 'running'
  toEngine = []
  bridge = new EngineBridge({ send: (message) => toEngine.push(message), state: engineState })
})

describe('EngineBridge', () => {
  it('keeps windows apart that use the same ids', () => {
    const [a, b] = [window(1), window(2)]
    bridge.receive(a, call('x'))
    bridge.receive(b, call('x'))
    const [first, second] = toEngine
    expect(first?.kind === 'call' && second?.kind === 'call' && first.id !== second.id).toBe(true)
    bridge.fromEngine(done(second?.id ?? '', 'for b'))
    expect(a.got).toEqual([])
    expect(b.got).toEqual([done('x', 'for b')])
  })

  it('holds calls while the engine starts and fails those that a restart interrupts', () => {
    state = 'starting'
    const page = window(1)
    bridge.receive(page, call('early'))
    expect(toEngine).toEqual([])
    change('running')
    expect(toEngine).toHaveLength(1)
    change('restarting')
    expect(page.got).toMatchObject([{ kind: 'reply', id: 'early', reply: { ok: false, error: { code: 'engine_unavailable' } } }])
    bridge.receive(page, call('late'))
    expect(page.got).toHaveLength(1)
    change('running')
    expect(toEngine).toHaveLength(2)
  })

  it('fails everything at once when the engine will not come back', () => {
    state = 'starting'
    const page = window(1)
    bridge.receive(page, call('waiting'))
    change('failed')
    bridge.receive(page, call('after'))
    expect(page.got.map((message) => message.kind === 'reply' && !message.reply.ok && message.reply.error.code)).toEqual([
      'engine_unavailable',
      'engine_unavailable'
    ])
    expect(toEngine).toEqual([])
  })

  it('makes subscriptions again with the next engine', () => {
    const page = window(1)
    bridge.receive(page, subscribe('s'))
    bridge.fromEngine({ kind: 'event', id: toEngine[0]?.id ?? '', event: 1 })
    change('restarting')
    change('running')
    expect(toEngine.map((message) => message.kind)).toEqual(['subscribe', 'subscribe'])
    bridge.fromEngine({ kind: 'event', id: toEngine[1]?.id ?? '', event: 2 })
    expect(page.got).toEqual([
      { kind: 'event', id: 's', event: 1 },
      { kind: 'event', id: 's', event: 2 }
    ])
  })

  it('passes a cancel on, or answers it for a call that waits', () => {
    const page = window(1)
    bridge.receive(page, call('running'))
    bridge.receive(page, { kind: 'cancel', id: 'running' })
    expect(toEngine.at(-1)).toEqual({ kind: 'cancel', id: toEngine[0]?.id })
    state = 'restarting'
    bridge.receive(page, call('waiting'))
    bridge.receive(page, { kind: 'cancel', id: 'waiting' })
    expect(page.got).toMatchObject([{ id: 'waiting', reply: { ok: false, error: { code: 'cancelled' } } }])
  })

  it('does not let one window cancel or end what another began', () => {
    const [a, b] = [window(1), window(2)]
    bridge.receive(a, call('x'))
    bridge.receive(a, subscribe('s'))
    bridge.receive(b, { kind: 'cancel', id: 'x' })
    bridge.receive(b, { kind: 'unsubscribe', id: 's' })
    expect(toEngine.map((message) => message.kind)).toEqual(['call', 'subscribe'])
  })

  it('limits calls and subscriptions of a window and refuses an id in use', () => {
    const page = window(1)
    for (let i = 0; i < MAX_CALLS; i++) bridge.receive(page, call(String(i)))
    for (let i = 0; i < MAX_SUBSCRIPTIONS; i++) bridge.receive(page, subscribe(`s${i}`))
    expect(page.got).toEqual([])
    bridge.receive(page, call('more'))
    bridge.receive(page, subscribe('more'))
    bridge.receive(page, call('0'))
    expect(page.got.map((message) => message.kind === 'reply' && !message.reply.ok && message.reply.error.code)).toEqual([
      'too_many',
      'too_many',
      'bad_request'
    ])
    const other = window(2)
    bridge.receive(other, call('0'))
    expect(other.got).toEqual([])
  })

  it('leaves nothing of a closed window in the engine', () => {
    const page = window(1)
    bridge.receive(page, call('x'))
    bridge.receive(page, subscribe('s'))
    bridge.detach(1)
    expect(toEngine.slice(2).map((message) => message.kind)).toEqual(['cancel', 'unsubscribe'])
    bridge.fromEngine(done(toEngine[0]?.id ?? '', 1))
    bridge.fromEngine({ kind: 'event', id: toEngine[1]?.id ?? '', event: 1 })
    expect(page.got).toEqual([])
  })

  it('turns to another engine: the first hears no more of the windows, topics go on with the next one', () => {
    const page = window(1)
    bridge.receive(page, call('asked'))
    bridge.receive(page, subscribe('s'))
    const [asked, followed] = toEngine
    toEngine = []
    bridge.turn(() => {
      state = 'starting'
    })
    expect(toEngine).toMatchObject([
      { kind: 'cancel', id: asked?.id },
      { kind: 'unsubscribe', id: followed?.id }
    ])
    expect(page.got).toMatchObject([{ kind: 'reply', id: 'asked', reply: { ok: false, error: { code: 'engine_unavailable' } } }])
    change('running')
    expect(toEngine.slice(2)).toMatchObject([{ kind: 'subscribe', topic: 'status' }])
    // Back at once, where the engine runs.
    toEngine = []
    bridge.turn(() => {})
    expect(toEngine.map((message) => message.kind)).toEqual(['unsubscribe', 'subscribe'])
  })

  it('keeps the ids of two bridges to one engine apart', () => {
    const other = new EngineBridge({ send: (message) => toEngine.push(message), state: engineState, prefix: 'shell-' })
    bridge.receive(window(1), call('x'))
    other.receive(window(1), call('x'))
    expect(new Set(toEngine.map((message) => message.id)).size).toBe(2)
  })
})
