// SPDX-License-Identifier: Apache-2.0
import './people.css'
import { Button, PasswordInput, Select, TextInput } from '@mantine/core'
import { useState } from 'react'
import type { Person } from '../../../shared/contract/people.ts'
import { permissionNames, permissions, roleNames, rolePermissions } from '../../../shared/contract/permissions.ts'
import { roles } from '../../../shared/evidence/leaf-data.ts'
import { sentenceOf, useAction, useOperation } from '../../client/hooks.ts'
import { useMay, useSession } from '../../client/session.tsx'
import { count, day } from '../../ui/format.ts'
import { Note, Panel, State } from '../../ui/parts.tsx'
import { Failed, Loading } from '../../ui/states.tsx'
import { AddPerson, ChangePerson, SetPassword } from './people-dialogs.tsx'

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1)
}

/** Who may work here, and what each role may do. */
export function PeopleSettings() {
  const session = useSession()
  return (
    <div className="people-page">
      {session?.state === 'single' ? <FirstPerson /> : <PeopleList />}
      <Matrix />
    </div>
  )
}

function FirstPerson() {
  const add = useAction('people.add', ['people.list', 'people.names'])
  const [name, setName] = useState('')
  const [password, setPassword] = useState('')
  const [again, setAgain] = useState('')
  return (
    <Panel title="People" sub="nobody is set up">
      <form
        className="column gap-12 first-person"
        onSubmit={(event) => {
          event.preventDefault()
          add.mutate({ name, role: 'administrator', password })
        }}
      >
        <p className="soft">
          Everything is recorded as done by <code>local</code>, whoever sits at this machine, and nothing that takes two people can be done.
          The first person is the administrator and adds the others. From then on the app asks who works with it.
        </p>
        <TextInput
          label="Your name"
          description="Encrypted in the ledger; leaves hold a random pseudonym and the role"
          value={name}
          maxLength={100}
          onChange={(event) => setName(event.currentTarget.value)}
        />
        <PasswordInput
          label="Password"
          description="At least 12 characters. Nobody can read it back: keep it"
          value={password}
          maxLength={1024}
          autoComplete="off"
          onChange={(event) => setPassword(event.currentTarget.value)}
        />
        <PasswordInput
          label="Password again"
          value={again}
          maxLength={1024}
          autoComplete="off"
          error={again !== '' && again !== password ? 'Not the same' : null}
          onChange={(event) => setAgain(event.currentTarget.value)}
        />
        {add.isError && <Note is="broken">{sentenceOf(add.error)}</Note>}
        <div className="row">
          <Button type="submit" loading={add.isPending} disabled={name.trim() === '' || password === '' || again !== password}>
            Set up the first person
          </Button>
        </div>
      </form>
    </Panel>
  )
}

function signsIn(person: Person): string {
  const ways = [
    ...(person.password === 'none' ? [] : [person.password === 'own' ? 'password' : 'password to be changed']),
    ...(person.os_account === null ? [] : [`account ${person.os_account}`])
  ]
  return ways.join(', ')
}

type Editing = { readonly what: 'add' } | { readonly what: 'change' | 'password'; readonly person: Person }

function PeopleList() {
  const list = useOperation('people.list', {})
  const { may, why } = useMay('people')
  const [editing, setEditing] = useState<Editing | null>(null)
  if (list.isError) {
    return (
      <Panel title="People">
        <Failed what="The people cannot be listed" error={list.error} onRetry={() => void list.refetch()} />
      </Panel>
    )
  }
  if (!list.data) {
    return (
      <Panel title="People">
        <Loading what="Reading people" />
      </Panel>
    )
  }
  const { people, os_account } = list.data
  return (
    <Panel
      title="People"
      sub="each change is a leaf and takes effect at once"
      flush
      right={
        <>
          <LockAfter />
          <Button size="compact-sm" disabled={!may} title={why} onClick={() => setEditing({ what: 'add' })}>
            Add a person…
          </Button>
        </>
      }
    >
      <div className="people-scroll">
        <table className="table">
          <thead>
            <tr>
              <th>Name</th>
              <th>Role</th>
              <th>State</th>
              <th>Signs in with</th>
              <th>Since</th>
              <th className="right">Leaf</th>
              <th>
                <span className="hidden-text">Change</span>
              </th>
            </tr>
          </thead>
          <tbody>
            {people.map((person) => (
              <tr key={person.ref}>
                <td className="wrap-cell" title={person.ref}>
                  {person.name}
                </td>
                <td>{capital(roleNames[person.role])}</td>
                <td>{person.state === 'active' ? <State is="holds">active</State> : <State is="none">disabled</State>}</td>
                <td>{signsIn(person)}</td>
                <td className="num">{day(person.added)}</td>
                <td className="right dim">{count(person.changed_seq)}</td>
                <td className="right">
                  <Button
                    size="compact-xs"
                    variant="default"
                    disabled={!may}
                    title={why}
                    onClick={() => setEditing({ what: 'change', person })}
                  >
                    Change…
                  </Button>{' '}
                  <Button
                    size="compact-xs"
                    variant="default"
                    disabled={!may}
                    title={why}
                    onClick={() => setEditing({ what: 'password', person })}
                  >
                    Password…
                  </Button>
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      <p className="people-foot dim small">
        Signing in with an account means: whoever runs this app under that account of the system is that person. This app runs under{' '}
        <code>{os_account}</code>.
      </p>
      {editing?.what === 'add' && <AddPerson onClose={() => setEditing(null)} />}
      {editing?.what === 'change' && <ChangePerson person={editing.person} onClose={() => setEditing(null)} />}
      {editing?.what === 'password' && <SetPassword person={editing.person} onClose={() => setEditing(null)} />}
    </Panel>
  )
}

const lockChoices = [5, 15, 30, 60, 240, 0].map((minutes) => ({
  value: String(minutes),
  label: minutes === 0 ? 'Never locks itself' : `Locks after ${minutes < 60 ? `${minutes} min` : `${minutes / 60} h`} idle`
}))

function LockAfter() {
  const { may, why } = useMay('settings')
  const settings = useOperation('settings.get', {})
  const set = useAction('settings.set', ['settings.get'])
  const value = String(settings.data?.lock_after_minutes ?? 15)
  const known = lockChoices.some((one) => one.value === value)
  return (
    <Select
      aria-label="Automatic lock"
      size="xs"
      w={190}
      styles={{ input: { height: 24, minHeight: 24 } }}
      disabled={!may}
      title={why}
      data={known ? lockChoices : [...lockChoices, { value, label: `Locks after ${value} min idle` }]}
      value={value}
      onChange={(next) => next !== null && set.mutate({ lock_after_minutes: Number(next) })}
    />
  )
}

/** What each role may do, from the table the engine checks. */
function Matrix() {
  const shown = permissions.filter((permission) => permission !== 'open' && permission !== 'self')
  return (
    <Panel title="What each role may do" sub="as the engine checks it, for the app, HTTP and the command line" flush>
      <div className="people-scroll">
        <table className="table">
          <thead>
            <tr>
              <th>May</th>
              {roles.map((role) => (
                <th key={role}>{capital(roleNames[role])}</th>
              ))}
            </tr>
          </thead>
          <tbody>
            {shown.map((permission) => (
              <tr key={permission}>
                <td>{permissionNames[permission]}</td>
                {roles.map((role) => (
                  <td key={role}>{rolePermissions[role].includes(permission) ? 'yes' : <span className="dim">–</span>}</td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </Panel>
  )
}
