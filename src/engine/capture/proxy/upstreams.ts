// SPDX-License-Identifier: Apache-2.0
import { isIP } from 'node:net'
import { AffidavitError } from '../../../shared/contract/errors.ts'
import { type Upstream, type UpstreamState, upstream } from '../../../shared/contract/proxy.ts'
import { UPSTREAM_SETTING } from '../../../shared/evidence/leaf-data.ts'
import { isLoopbackAddress } from '../../addresses.ts'
import type { Handlers } from '../../handlers.ts'
import type { Actor, AppendResult, LeafDraft } from '../../ledger/draft.ts'
import type { AnyDb } from '../../sqlite/open.ts'
import { testUpstream } from './ask-upstream.ts'
import { upstreamUrl } from './target.ts'

export interface UpstreamDeps {
  readonly append: (drafts: readonly LeafDraft[]) => Promise<readonly AppendResult[]>
  /** Ports this engine listens on: an upstream there would be the proxy itself. */
  readonly ownPorts: () => readonly number[]
  /** How an upstream stands now, without what is configured. */
  readonly stateOf: (upstream: Upstream) => Omit<UpstreamState, keyof Upstream>
  /** The list changed; resolves when ports of their own follow it. */
  readonly changed: () => Promise<void>
}

const MOST = 32
const LONGEST = 256

const json = ({ kind, mode, port, source, url }: Upstream): string => JSON.stringify({ kind, mode, port, source, url })

/** Whether an address is on loopback, whatever way it is written. */
function isThisMachine({ hostname }: URL): boolean {
  const host = hostname.replace(/^\[|\]$|\.$/g, '')
  return isIP(host) > 0 ? isLoopbackAddress(host) : /(^|\.)localhost$/.test(host)
}

/** The upstreams that the `setting.changed` leaves leave, by name. What is no longer valid is left out. */
export function readUpstreams(ledger: AnyDb, seqs: readonly number[]): Upstream[] {
  const leaf = ledger.prepare<[number], Buffer>('SELECT bytes FROM leaf WHERE seq = ?').pluck()
  const found = new Map<string, Upstream>()
  for (const seq of seqs) {
    const bytes = leaf.get(seq)
    if (!bytes) continue
    const { type, data } = JSON.parse(bytes.toString('utf8')) as { type: string; data?: { name: string; to: string } }
    if (type !== 'setting.changed' || !data?.name.startsWith(UPSTREAM_SETTING)) continue
    const name = data.name.slice(UPSTREAM_SETTING.length)
    found.delete(name)
    if (data.to === '') continue
    const value = upstream.safeParse({ name, ...(JSON.parse(data.to) as object) })
    if (value.success) found.set(name, value.data)
  }
  return [...found.values()].sort((a, b) => (a.name < b.name ? -1 : 1))
}

/** The configured upstreams: each change is a leaf, on disk before it takes effect. */
export class Upstreams {
  readonly #deps: UpstreamDeps
  #list: readonly Upstream[]

  constructor(deps: UpstreamDeps, list: readonly Upstream[]) {
    this.#deps = deps
    this.#list = list
  }

  get list(): readonly Upstream[] {
    return this.#list
  }

  find(name: string): Upstream | undefined {
    return this.#list.find((one) => one.name === name)
  }

  get handlers(): Handlers<'upstreams.list' | 'upstreams.set' | 'upstreams.remove' | 'upstreams.test'> {
    return {
      'upstreams.list': async () => ({ upstreams: this.#shown() }),
      'upstreams.set': async (wanted, caller) => {
        const url = upstreamUrl(wanted.url)
        const before = this.find(wanted.name)
        if (!before && this.#list.length >= MOST) throw new AffidavitError('too_many', `at most ${MOST} upstreams: remove one first`)
        const taken = this.#list.find((one) => one.name !== wanted.name && wanted.port !== null && one.port === wanted.port)
        if (taken) throw new AffidavitError('conflict', `port ${wanted.port} is that of the upstream ${taken.name}`)
        const port = url.port === '' ? (url.protocol === 'https:' ? 443 : 80) : Number(url.port)
        const own = [...this.#deps.ownPorts(), ...(wanted.port === null ? [] : [wanted.port])]
        if (isThisMachine(url) && own.includes(port))
          throw new AffidavitError('bad_request', 'url: this is an address of this program itself')
        if (wanted.port !== null && wanted.port !== before?.port && this.#deps.ownPorts().includes(wanted.port))
          throw new AffidavitError('conflict', `port ${wanted.port} is one of this program already`)
        await this.#record(wanted, before, caller.actor)
        const saved = this.find(wanted.name)
        if (!saved) throw new AffidavitError('internal', 'the upstream is on record and was not taken over')
        return { upstream: this.#show(saved) }
      },
      'upstreams.remove': async ({ name }, caller) => {
        const before = this.find(name)
        if (!before) throw new AffidavitError('not_found', 'there is no such upstream')
        await this.#record({ name }, before, caller.actor)
        return { upstreams: this.#shown() }
      },
      'upstreams.test': async ({ name }, { signal }) => {
        const known = this.find(name)
        if (!known) throw new AffidavitError('not_found', 'there is no such upstream')
        return testUpstream(known, signal)
      }
    }
  }

  #show(one: Upstream): UpstreamState {
    return { ...one, ...this.#deps.stateOf(one) }
  }

  #shown(): UpstreamState[] {
    return this.#list.map((one) => this.#show(one))
  }

  async #record(next: Upstream | { readonly name: string }, before: Upstream | undefined, actor: Actor): Promise<void> {
    const to = 'url' in next ? json(next) : ''
    const from = before ? json(before) : ''
    if (to.length > LONGEST) throw new AffidavitError('bad_request', 'url and source are too long together')
    if (to !== from) {
      const data = { name: `${UPSTREAM_SETTING}${next.name}`, from, to }
      const written = await this.#deps.append([{ type: 'setting.changed', actor, data, parts: [] }])
      if (written.length === 0) throw new AffidavitError('read_only', 'the workspace is open read-only')
      const others = this.#list.filter((one) => one.name !== next.name)
      this.#list = ('url' in next ? [...others, next] : others).sort((a, b) => (a.name < b.name ? -1 : 1))
    }
    await this.#deps.changed()
  }
}
