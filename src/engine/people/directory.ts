// SPDX-License-Identifier: Apache-2.0
import type { Person } from '../../shared/contract/people.ts'
import type { LeafData } from '../../shared/evidence/leaf-data.ts'
import { nameKey, skeleton } from './names.ts'

/** A `user.added` or `user.changed` leaf with what its body holds. */
export interface UserLeaf {
  readonly seq: number
  readonly time: string
  readonly actor: string
  readonly data: LeafData<'user.added'>
  readonly body: Readonly<Record<string, unknown>>
}

/** A person with what the contract does not show. */
export interface KnownPerson extends Person {
  /** How often the password was set; 0 for none. */
  readonly generation: number
}

/** Somebody decided how another person signs in: added them, set a password or an account for them, or enabled them again. */
export interface SignInSet {
  readonly by: string
  readonly ms: number
  readonly added: boolean
}

const text = (value: unknown): string | null => (typeof value === 'string' ? value : null)

/** Everybody who was ever set up, replayed from the leaves: each leaf holds the whole state, the last one counts. */
export class Directory {
  readonly #people = new Map<string, KnownPerson>()
  readonly #signInsSet = new Map<string, SignInSet[]>()

  /** No people: everything is done as `local`. */
  get empty(): boolean {
    return this.#people.size === 0
  }

  apply(leaf: UserLeaf): KnownPerson {
    const { user, role, state, password: generation } = leaf.data
    const before = this.#people.get(user)
    // The person at the machine chooses the first password themselves.
    const own = leaf.actor === user || leaf.actor === 'local'
    const set = generation !== (before?.generation ?? 0)
    const person: KnownPerson = {
      ref: user,
      name: text(leaf.body.name) ?? user,
      role,
      state,
      os_account: text(leaf.body.os_account),
      password: generation === 0 ? 'none' : set ? (own ? 'own' : 'chosen_by_other') : (before?.password ?? 'chosen_by_other'),
      added: before?.added ?? leaf.time,
      added_seq: before?.added_seq ?? leaf.seq,
      changed_seq: leaf.seq,
      generation
    }
    this.#people.set(user, person)
    const account = person.os_account !== null && person.os_account !== before?.os_account
    const enabled = before?.state === 'disabled' && state === 'active'
    if (leaf.actor !== user && (!before || set || account || enabled)) {
      const known = this.#signInsSet.get(user) ?? []
      this.#signInsSet.set(user, [...known, { by: leaf.actor, ms: Date.parse(leaf.time), added: !before }])
    }
    return person
  }

  list(): KnownPerson[] {
    return [...this.#people.values()]
  }

  get(ref: string): KnownPerson | undefined {
    return this.#people.get(ref)
  }

  /** Who decided how a person signs in since a time, milliseconds since 1970. */
  signInSetSince(ref: string, since: number): readonly SignInSet[] {
    return (this.#signInsSet.get(ref) ?? []).filter(({ ms }) => ms >= since)
  }

  /** Who has this name, whatever its case. */
  byName(name: string): KnownPerson | undefined {
    const key = nameKey(name)
    return this.list().find((person) => nameKey(person.name) === key)
  }

  /** Another person whose name looks like this one. */
  lookalike(name: string, except?: string): KnownPerson | undefined {
    const wanted = skeleton(name)
    return this.list().find((person) => person.ref !== except && skeleton(person.name) === wanted)
  }

  /** Who signs in with an account of the operating system and may. */
  byAccount(account: string): KnownPerson | undefined {
    return this.list().find((person) => person.state === 'active' && person.os_account === account)
  }

  /** Whether somebody else could still administer. */
  otherAdministrator(ref: string): boolean {
    return this.list().some((person) => person.ref !== ref && person.role === 'administrator' && person.state === 'active')
  }
}

/** What crosses the boundary. */
export function shown({ generation: _, ...person }: KnownPerson): Person {
  return person
}
