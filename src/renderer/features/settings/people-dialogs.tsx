// SPDX-License-Identifier: Apache-2.0
import { Button, Modal, PasswordInput, SegmentedControl, Select, TextInput } from '@mantine/core'
import { useState } from 'react'
import { INDEPENDENT_AFTER_DAYS } from '../../../shared/contract/approvals.ts'
import type { Person } from '../../../shared/contract/people.ts'
import { type Role, roleNames } from '../../../shared/contract/permissions.ts'
import { roles } from '../../../shared/evidence/leaf-data.ts'
import { sentenceOf, useAction } from '../../client/hooks.ts'
import { DialogButtons } from '../../ui/dialog-buttons.tsx'
import { Note } from '../../ui/parts.tsx'

const roleChoices = roles.map((value) => ({ value, label: `${roleNames[value].charAt(0).toUpperCase()}${roleNames[value].slice(1)}` }))

/** What it means for approvals to have set how somebody signs in. */
const NotTwo = () => (
  <p className="dim small">
    For {INDEPENDENT_AFTER_DAYS} days the two of you are not two for an approval: whoever sets how another signs in could sign in as them.
  </p>
)

/** Adds a person with a first password or an account. */
export function AddPerson({ onClose }: { readonly onClose: () => void }) {
  const add = useAction('people.add', ['people.list', 'people.names'])
  const [name, setName] = useState('')
  const [role, setRole] = useState<Role>('auditor')
  const [way, setWay] = useState<'password' | 'account'>('password')
  const [secret, setSecret] = useState('')
  return (
    <Modal opened onClose={onClose} title="Add a person">
      <form
        className="column gap-12"
        onSubmit={(event) => {
          event.preventDefault()
          add.mutate({ name, role, ...(way === 'password' ? { password: secret } : { os_account: secret }) }, { onSuccess: onClose })
        }}
      >
        <TextInput label="Name" value={name} maxLength={100} data-autofocus onChange={(event) => setName(event.currentTarget.value)} />
        <Select label="Role" data={roleChoices} value={role} onChange={(value) => value !== null && setRole(value as Role)} />
        <SegmentedControl
          aria-label="Signs in with"
          data={[
            { value: 'password', label: 'Password' },
            { value: 'account', label: 'Account of the system' }
          ]}
          value={way}
          onChange={(value) => {
            setWay(value as 'password' | 'account')
            setSecret('')
          }}
        />
        {way === 'password' ? (
          <PasswordInput
            label="First password"
            description="At least 12 characters; the person chooses another one at the first sign-in"
            value={secret}
            maxLength={1024}
            autoComplete="off"
            onChange={(event) => setSecret(event.currentTarget.value)}
          />
        ) : (
          <TextInput
            label="Account"
            description="Its name as the operating system knows it"
            value={secret}
            maxLength={256}
            onChange={(event) => setSecret(event.currentTarget.value)}
          />
        )}
        <NotTwo />
        {add.isError && <Note is="broken">{sentenceOf(add.error)}</Note>}
        <DialogButtons onCancel={onClose}>
          <Button type="submit" loading={add.isPending} disabled={name.trim() === '' || secret === ''}>
            Add
          </Button>
        </DialogButtons>
      </form>
    </Modal>
  )
}

/** Name, role, account and state of a person. */
export function ChangePerson({ person, onClose }: { readonly person: Person; readonly onClose: () => void }) {
  const change = useAction('people.change', ['people.list', 'people.names'])
  const [name, setName] = useState(person.name)
  const [role, setRole] = useState(person.role)
  const [state, setState] = useState(person.state)
  const [account, setAccount] = useState(person.os_account ?? '')
  return (
    <Modal opened onClose={onClose} title={`Change ${person.name}`}>
      <form
        className="column gap-12"
        onSubmit={(event) => {
          event.preventDefault()
          change.mutate({ ref: person.ref, name, role, state, os_account: account.trim() === '' ? null : account }, { onSuccess: onClose })
        }}
      >
        <TextInput label="Name" value={name} maxLength={100} onChange={(event) => setName(event.currentTarget.value)} />
        <Select label="Role" data={roleChoices} value={role} onChange={(value) => value !== null && setRole(value as Role)} />
        <TextInput
          label="Account of the system"
          description="Empty: signs in with a password only"
          value={account}
          maxLength={256}
          onChange={(event) => setAccount(event.currentTarget.value)}
        />
        <SegmentedControl
          aria-label="State"
          data={[
            { value: 'active', label: 'Active' },
            { value: 'disabled', label: 'Disabled' }
          ]}
          value={state}
          onChange={(value) => setState(value as Person['state'])}
        />
        <p className="dim small">
          Pseudonym in leaves: <code>{person.ref}</code>. People are disabled, never removed: what they did stays theirs.
        </p>
        {change.isError && <Note is="broken">{sentenceOf(change.error)}</Note>}
        <DialogButtons onCancel={onClose}>
          <Button type="submit" loading={change.isPending} disabled={name.trim() === ''}>
            Save
          </Button>
        </DialogButtons>
      </form>
    </Modal>
  )
}

/** A password that works once. */
export function SetPassword({ person, onClose }: { readonly person: Person; readonly onClose: () => void }) {
  const set = useAction('people.set_password', ['people.list'])
  const [password, setPassword] = useState('')
  return (
    <Modal opened onClose={onClose} title={`Password of ${person.name}`}>
      <form
        className="column gap-12"
        onSubmit={(event) => {
          event.preventDefault()
          set.mutate({ ref: person.ref, password }, { onSuccess: onClose })
        }}
      >
        <p className="soft">It works once: the person then chooses their own. Where they are signed in now, they are signed out.</p>
        <PasswordInput
          label="Password"
          description="At least 12 characters"
          value={password}
          maxLength={1024}
          autoComplete="off"
          data-autofocus
          onChange={(event) => setPassword(event.currentTarget.value)}
        />
        <NotTwo />
        {set.isError && <Note is="broken">{sentenceOf(set.error)}</Note>}
        <DialogButtons onCancel={onClose}>
          <Button type="submit" loading={set.isPending} disabled={password === ''}>
            Set password
          </Button>
        </DialogButtons>
      </form>
    </Modal>
  )
}
