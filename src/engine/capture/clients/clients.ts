// SPDX-License-Identifier: Apache-2.0
import { createHash, randomBytes, randomUUID } from 'node:crypto'
import type { Client } from '../../../shared/contract/clients.ts'
import { AffidavitError } from '../../../shared/contract/errors.ts'
import { clientScopes } from '../../../shared/evidence/leaf-data.ts'
import type { Handlers } from '../../handlers.ts'
import type { Actor, AppendResult, LeafDraft } from '../../ledger/draft.ts'
import type { HttpScope, HttpToken } from '../http/dependencies.ts'
import type { GivenToken } from './token-file.ts'

/** A leaf about a client as the ledger holds it. */
export interface ClientLeaf {
  readonly type: string
  readonly ts: string
  readonly actor: { readonly ref: string }
  readonly data: unknown
}

export interface ClientDeps {
  /** All `client.added` and `client.revoked` leaves, in order. */
  readonly leaves: () => Promise<readonly ClientLeaf[]>
  readonly append: (drafts: readonly LeafDraft[]) => Promise<readonly AppendResult[]>
  /** Told once a token is taken no more. */
  readonly revoked: (token: HttpToken) => void
}

/** Active clients at most: the guard compares a token with every one of them. */
const MOST = 100
const PREFIX = 'aff_'
const SYSTEM: Actor = { ref: 'engine', kind: 'system' }

interface Known {
  readonly token: HttpToken
  readonly client: Omit<Client, 'used'>
  used: Client['used']
}

const unused: Client['used'] = { requests: 0, records: 0, unread: 0, last: null }
const digestOf = (token: string): string => createHash('sha256').update(token).digest('hex')

/**
 * Clients and their tokens, as the ledger has them: of a token only its SHA-256 is kept. Counters are of this run of the engine.
 */
export class Clients {
  readonly #deps: ClientDeps
  readonly #known = new Map<string, Known>()
  #active: readonly HttpToken[] = []

  private constructor(deps: ClientDeps) {
    this.#deps = deps
  }

  /** Reads what is on record, then follows the file of tokens, if there is one. */
  static async load(deps: ClientDeps, given: readonly GivenToken[] | null): Promise<Clients> {
    const clients = new Clients(deps)
    for (const leaf of await deps.leaves()) clients.#apply(leaf)
    if (given !== null) await clients.#follow(given)
    return clients
  }

  /**
   * Records tokens of a file that are new, and revokes those that came from it and are in it no more, and whoever has the name of another of its
   * tokens. A token that was revoked stays revoked.
   */
  async #follow(given: readonly GivenToken[]): Promise<void> {
    const wanted = new Map(given.map(({ name, token }) => [digestOf(token), name]))
    const names = new Set(wanted.values())
    for (const known of [...this.#known.values()]) {
      const { revoked, actor, name } = known.client
      if (revoked !== null || wanted.has(known.token.sha256)) continue
      if (actor === SYSTEM.ref || names.has(name)) await this.#revoke(known, SYSTEM)
    }
    const digests = new Set([...this.#known.values()].map(({ token }) => token.sha256))
    for (const [digest, name] of wanted)
      if (!digests.has(digest) && !this.#named(name)) await this.#add(name, ['ingest', 'read'], digest, SYSTEM)
  }

  /** Tokens that are taken now. */
  get tokens(): readonly HttpToken[] {
    return this.#active
  }

  /** A request came with this client's token. */
  seen(token: HttpToken): void {
    const known = this.#known.get(token.id)
    if (known) known.used = { ...known.used, requests: known.used.requests + 1, last: new Date().toISOString() }
  }

  /** Calls of a client became records; others than clients are left alone. */
  counted(actor: Actor, records: number): void {
    const known = this.#of(actor)
    if (known) known.used = { ...known.used, records: known.used.records + records }
  }

  /** A call of a client passed without a record. */
  passed(actor: Actor): void {
    const known = this.#of(actor)
    if (known) known.used = { ...known.used, unread: known.used.unread + 1 }
  }

  #of({ ref }: Actor): Known | undefined {
    return ref.startsWith('client:') ? this.#named(ref.slice('client:'.length)) : undefined
  }

  get handlers(): Handlers<'clients.list' | 'clients.add' | 'clients.revoke'> {
    return {
      'clients.list': async () => ({ clients: [...this.#known.values()].reverse().map(shown) }),
      'clients.add': async ({ name, scopes }, caller) => {
        if (this.#named(name))
          throw new AffidavitError('conflict', 'a client of this name has a token already: revoke it first, or take another name')
        if (this.#active.length >= MOST) throw new AffidavitError('too_many', `at most ${MOST} clients: revoke one first`)
        const token = PREFIX + randomBytes(32).toString('base64url')
        const known = await this.#add(
          name,
          clientScopes.filter((scope) => scopes.includes(scope)),
          digestOf(token),
          caller.actor
        )
        return { client: shown(known), token }
      },
      'clients.revoke': async ({ id }, caller) => {
        const known = this.#known.get(id)
        if (!known || known.client.revoked !== null)
          throw new AffidavitError('not_found', 'there is no such client, or it was revoked before')
        return { client: shown(await this.#revoke(known, caller.actor)) }
      }
    }
  }

  /** The active client of a name. */
  #named(name: string): Known | undefined {
    return [...this.#known.values()].find(({ client }) => client.revoked === null && client.name === name)
  }

  async #add(name: string, scopes: readonly HttpScope[], sha256: string, actor: Actor): Promise<Known> {
    const id = randomUUID()
    await this.#record({ type: 'client.added', actor, data: { client_id: id, name, scopes: [...scopes], token_sha256: sha256 }, parts: [] })
    const known: Known = {
      token: { id, name, sha256, scopes },
      client: { id, name, scopes: [...scopes], added: new Date().toISOString(), actor: actor.ref, revoked: null },
      used: unused
    }
    this.#known.set(id, known)
    this.#settle()
    return known
  }

  async #revoke(known: Known, actor: Actor): Promise<Known> {
    const { id } = known.client
    await this.#record({ type: 'client.revoked', actor, data: { client_id: id }, parts: [] })
    const after = { ...known, client: { ...known.client, revoked: new Date().toISOString() } }
    this.#known.set(id, after)
    this.#settle()
    this.#deps.revoked(known.token)
    return after
  }

  async #record(draft: LeafDraft): Promise<void> {
    const [written] = await this.#deps.append([draft])
    if (!written) throw new AffidavitError('read_only', 'the workspace is open read-only')
  }

  #apply(leaf: ClientLeaf): void {
    if (leaf.type === 'client.added') {
      const {
        client_id: id,
        name,
        scopes,
        token_sha256: sha256
      } = leaf.data as {
        client_id: string
        name: string
        scopes: HttpScope[]
        token_sha256: string
      }
      const client = { id, name, scopes, added: leaf.ts, actor: leaf.actor.ref, revoked: null }
      this.#known.set(id, { token: { id, name, sha256, scopes }, client, used: unused })
    } else {
      const known = this.#known.get((leaf.data as { client_id: string }).client_id)
      if (known) this.#known.set(known.client.id, { ...known, client: { ...known.client, revoked: leaf.ts } })
    }
    this.#settle()
  }

  #settle(): void {
    this.#active = [...this.#known.values()].filter(({ client }) => client.revoked === null).map(({ token }) => token)
  }
}

const shown = ({ client, used }: Known): Client => ({ ...client, used })
