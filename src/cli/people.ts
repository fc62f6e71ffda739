// SPDX-License-Identifier: Apache-2.0
import { type Role, roleNames } from '../shared/contract/permissions.ts'
import { passwordIn } from './acting.ts'
import type { CliEnvironment } from './config.ts'
import type { EngineChild } from './engine-child.ts'
import { EXIT, print } from './output.ts'
import { type WorkspaceOptions, withEngine } from './workspace-commands.ts'

export interface AddPersonOptions extends WorkspaceOptions {
  readonly name: string
  readonly role: Role
  readonly newPasswordFile?: string
  readonly account?: string
}

/** Adds a person; the first one is the administrator. */
export function addPerson(options: AddPersonOptions, environment: CliEnvironment): Promise<number> {
  const work = async (engine: EngineChild): Promise<number> => {
    const { name, role, newPasswordFile, account } = options
    const person = await engine.call('people.add', {
      name,
      role,
      ...(newPasswordFile === undefined ? {} : { password: passwordIn(newPasswordFile) }),
      ...(account === undefined ? {} : { os_account: account })
    })
    if (options.json) print(JSON.stringify(person))
    else print(`${person.ref} ${roleNames[person.role]} ${person.name}`)
    return EXIT.done
  }
  return withEngine(options, environment, work, { makes: true })
}

/** Everybody who is or was set up. */
export function listPeople(options: WorkspaceOptions, environment: CliEnvironment): Promise<number> {
  return withEngine(options, environment, async (engine) => {
    const { people } = await engine.call('people.list', {})
    for (const person of people)
      print(options.json ? JSON.stringify(person) : `${person.ref} ${person.state} ${roleNames[person.role]} ${person.name}`)
    return EXIT.done
  })
}
